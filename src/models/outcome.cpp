#include "models/outcome.hpp"

#include "base/strings.hpp"
#include "registry/json.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace {

namespace json = boost::json;

constexpr std::string_view kRetryAfter = "15";
constexpr std::string_view kOutcomeUnknown =
    "MLflow gave no answer: the call may have been carried out. Look before repeating it";

http::Response problem_of(const json::object& members, unsigned status) {
    http::Response response;
    response.status = status;
    response.content_type = "application/problem+json";
    response.body = json::serialize(members);
    return response;
}

json::object problem_members(unsigned status, std::string_view detail) {
    return {{"type", "about:blank"}, {"title", http::reason_phrase(status)}, {"status", status}, {"detail", detail}};
}

http::Response response_to_failure(const base::Error& error) {
    switch (error.code) {
        case base::Code::unavailable:
            return unavailable(error.message);
        case base::Code::exhausted:
            return problem(503, "MLflow's answer is too large: " + error.message);
        default:
            return problem(504, kOutcomeUnknown);
    }
}

}  // namespace

http::Response to_response(const json::object& object, unsigned status) {
    http::Response response;
    response.status = status;
    response.body = json::serialize(object);
    return response;
}

http::Response done(std::string_view message) {
    return to_response({{"message", message}});
}

http::Response problem(unsigned status, std::string_view detail) {
    return problem_of(problem_members(status, detail), status);
}

http::Response unavailable(std::string_view detail, std::string_view retry_after) {
    http::Response response = problem(503, detail);
    response.headers.emplace_back("Retry-After", retry_after.empty() ? kRetryAfter : retry_after);
    return response;
}

void FieldErrors::add(const std::vector<std::string_view>& place, std::string_view message, std::string_view type) {
    json::array where;
    for (const std::string_view part : place) {
        where.emplace_back(json::string_view(part));
    }
    errors_.push_back(json::object{{"loc", std::move(where)}, {"msg", message}, {"type", type}});
}

void FieldErrors::missing(const std::vector<std::string_view>& place) {
    add(place, "Field required", "missing");
}

http::Response FieldErrors::response() const {
    const json::object& first = errors_.front().get_object();
    std::string where;
    for (const json::value& part : first.at("loc").get_array()) {
        where += (where.empty() ? "" : ".") + std::string(part.get_string());
    }
    json::object members = problem_members(422, fmt::format("{}: {}", where, first.at("msg").get_string().c_str()));
    members["errors"] = errors_;
    return problem_of(members, 422);
}

Refusal refusal_in(const ApiAnswer& answer) {
    boost::system::error_code error;
    const json::value body = json::parse(answer.body, error);
    if (error || !body.is_object()) {
        return {};
    }
    return {registry::text_at(body.get_object(), "error_code"), registry::text_at(body.get_object(), "message")};
}

Outcome<json::object> object_in(const base::Result<ApiAnswer>& answer,
                                std::string_view not_found,
                                std::string_view place) {
    if (!answer) {
        return std::unexpected(response_to_failure(answer.error()));
    }
    if (answer->status == 200) {
        boost::system::error_code error;
        json::value body = json::parse(answer->body, error);
        if (error || !body.is_object()) {
            return std::unexpected(unavailable("MLflow's answer can't be read: it is no JSON object"));
        }
        return std::move(body.get_object());
    }
    const Refusal refusal = refusal_in(*answer);
    if (answer->status == 404 && refusal.code != "ENDPOINT_NOT_FOUND") {
        return refuse(404, not_found);
    }
    const std::string said = refusal.message.empty() ? fmt::format("status {}", answer->status) : refusal.message;
    switch (answer->status) {
        case 400:
        case 409:
        case 422: {
            FieldErrors errors;
            errors.add({place}, said, "refused_by_mlflow");
            return std::unexpected(errors.response());
        }
        case 401:
        case 403:
            return refuse(403, "MLflow refuses this call: " + said);
        case 501:
            return refuse(501, said);
        case 504:
            return refuse(504, kOutcomeUnknown);
        default:
            return std::unexpected(unavailable("MLflow is unavailable: " + said, answer->retry_after));
    }
}

json::object by_key(const json::object& parent, std::string_view list) {
    json::object result;
    const json::value* const items = parent.if_contains(list);
    if (items == nullptr || !items->is_array()) {
        return result;
    }
    for (const json::value& item : items->get_array()) {
        const json::object* const pair = item.if_object();
        const json::value* const value = pair != nullptr ? pair->if_contains("value") : nullptr;
        if (pair != nullptr) {
            result[registry::text_at(*pair, "key")] = value != nullptr ? *value : json::value("");
        }
    }
    return result;
}

}  // namespace models
