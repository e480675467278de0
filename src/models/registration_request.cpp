#include "models/registration_request.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "models/members.hpp"
#include "registry/json.hpp"
#include "registry/utf8.hpp"
#include "registry/validation.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> kTypes{"lead_scoring", "classification", "regression", "ranking"};
// Names of parameters that metadata gives besides its own.
constexpr std::array<std::string_view, 2> kOrigins{"contributor_address", "baseline_model_id"};
constexpr std::size_t kMaxMetadata = 90;        // MLflow takes 100 parameters at once
constexpr std::size_t kMaxMetadataName = 200;   // and names of 250 characters
constexpr std::size_t kMaxMetadataText = 6000;  // and values of 6000
constexpr std::size_t kMaxSource = 500;         // and sources of 500
constexpr std::size_t kMaxIdempotencyKey = 255;

// MLflow takes more, but not the same on every system.
bool is_metadata_name(std::string_view name) {
    return !name.empty() && name.size() <= kMaxMetadataName && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.' || c == ' ';
    });
}

// As a parameter: text as it is, all else as JSON.
std::string param_text(const json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

void check_metadata(const json::object& metadata, FieldErrors& errors) {
    if (metadata.size() > kMaxMetadata) {
        errors.add({"body", "metadata"}, fmt::format("At most {} members", kMaxMetadata), "too_long");
    }
    for (const auto& member : metadata) {
        const std::string text = param_text(member.value());
        if (!is_metadata_name(member.key())) {
            errors.add({"body", "metadata", member.key()},
                       fmt::format("A name has 1 to {} letters, digits, spaces or any of _-.", kMaxMetadataName),
                       "value_error");
        } else if (registry::length(text) > kMaxMetadataText || text.find('\0') != std::string::npos) {
            errors.add({"body", "metadata", member.key()},
                       fmt::format("MLflow takes at most {} characters, without NUL", kMaxMetadataText),
                       "string_too_long");
        }
    }
}

void check_idempotency_key(const Request& request, FieldErrors& errors) {
    if (!request.idempotency_key) {
        return;
    }
    const std::string& key = *request.idempotency_key;
    const bool is_printable = std::ranges::all_of(key, [](char c) { return c > ' ' && c <= '~'; });
    if (key.empty() || key.size() > kMaxIdempotencyKey || !is_printable) {
        errors.add({"header", "Idempotency-Key"},
                   fmt::format("Must have 1 to {} visible ASCII characters", kMaxIdempotencyKey),
                   "value_error");
    }
}

void check_name(Members& members, const std::string& name) {
    const base::Result<void> valid = registry::check_new_name(name, "model_name");
    if (!valid) {
        members.fail("model_name", valid.error().message, "value_error");
    } else if (!is_clean_text(name)) {
        members.fail("model_name", "Must not have control characters", "value_error");
    }
}

void check_source(const json::object& data, FieldErrors& errors) {
    const std::string source = registry::text_at(data, "source");
    if (!is_clean_text(source) || registry::length(source) > kMaxSource) {
        errors.add({"body", "model_data", "source"},
                   fmt::format("A source has at most {} characters, none of them a control character", kMaxSource),
                   "value_error");
    }
}

}  // namespace

Outcome<Registration> read_registration(const Request& request) {
    const Outcome<json::object> body = read_object(request);
    if (!body) {
        return std::unexpected(body.error());
    }
    FieldErrors errors;
    Members members(*body, {"body"}, errors);
    const auto name = members.text("model_name", Presence::required, kMaxBody);
    const auto type = members.text("model_type", Presence::required, kMaxBody);
    const json::object* const data = members.object("model_data", Presence::required);
    const json::object* const metadata = members.object("metadata", Presence::optional);
    if (name) {
        check_name(members, *name);
    }
    if (type && std::ranges::find(kTypes, *type) == kTypes.end()) {
        members.fail("model_type", "Must be one of lead_scoring, classification, regression, ranking", "value_error");
    }
    if (data != nullptr) {
        check_source(*data, errors);
    }
    if (metadata != nullptr) {
        check_metadata(*metadata, errors);
    }
    check_idempotency_key(request, errors);
    if (!errors.is_empty()) {
        return std::unexpected(errors.response());
    }
    Registration registration;
    registration.model_name = *name;
    registration.model_type = *type;
    registration.model_data = json::serialize(*data);
    registration.metadata = metadata != nullptr ? json::serialize(*metadata) : "{}";
    registration.key_id = request.key_id;
    registration.key_name = request.key_name;
    registration.idempotency_key = request.idempotency_key.value_or("");
    return registration;
}

std::map<std::string, std::string> run_params(const Registration& registration) {
    const json::value metadata = json::parse(registration.metadata);
    std::map<std::string, std::string> params{
        {"model_type", registration.model_type},
        {"is_baseline", metadata.get_object().contains("baseline_model_id") ? "False" : "True"},
        {"registration_time", base::to_naive_iso8601(registration.created_at)}};
    for (const auto& member : metadata.get_object()) {
        params["metadata_" + std::string(member.key())] = param_text(member.value());
    }
    for (const std::string_view name : kOrigins) {
        if (const json::value* const value = metadata.get_object().if_contains(name)) {
            params[std::string(name)] = param_text(*value);
        }
    }
    return params;
}

std::string given_source(const Registration& registration) {
    return registry::text_at(json::parse(registration.model_data).get_object(), "source");
}

json::object to_json(const Registration& registration, bool has_mlflow) {
    const bool is_registered = registration.state == RegistrationState::registered;
    json::object object;
    object["model_id"] = is_registered
                             ? json::value(fmt::format("{}/{}", registration.model_name, registration.version))
                             : json::value();
    object["model_name"] = registration.model_name;
    object["version"] = is_registered ? json::value(std::to_string(registration.version)) : json::value();
    // One that waits is registered for its client: it is durable, and will get its version.
    object["status"] = registration.state == RegistrationState::failed ? "failed" : "registered";
    object["registration_id"] = registration.id;
    object["registration_timestamp"] = base::to_naive_iso8601(registration.created_at);
    object["mlflow_sync"] = !has_mlflow ? "disabled" : is_registered ? "synced" : to_string(registration.state);
    return object;
}

}  // namespace models
