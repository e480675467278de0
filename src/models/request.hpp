// A request of this API: what it says, checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "models/outcome.hpp"

#include <boost/json/object.hpp>

namespace models {

// Of a body, in bytes: model_data is what describes a model, not the model itself.
inline constexpr std::size_t kMaxBody = 1024UL * 1024;

struct Request {
    http::Method method = http::Method::get;
    std::string path{};   // still percent-encoded
    std::string query{};  // the same, without '?'
    std::string content_type{};
    std::optional<std::string> idempotency_key{};
    std::string body{};
    std::string key_id{};  // whose request it is; empty: nobody was asked for a key
    std::string key_name{};
    std::vector<std::string> arguments{};  // the parts of the path the route leaves open, decoded
};

// The parts of a path below /models, decoded. Nothing: it is not below it, or a part is empty, no UTF-8 or has control
// characters: no such thing is there.
std::optional<std::vector<std::string>> split_path(std::string_view path);

// UTF-8 without control characters.
bool is_clean_text(std::string_view text);

// The parameter of that name, decoded; nothing when there is none. One that comes twice, or is no clean text, is an
// error.
std::optional<std::string> query_parameter(const Request& request, std::string_view name, FieldErrors& errors);

// 415 for a body that is said to be no JSON, 422 for one that is none, or no object, or names a member twice.
Outcome<boost::json::object> read_object(const Request& request);

struct VersionName {
    std::string model;
    std::int64_t version = 0;

    [[nodiscard]] std::string text() const;  // NAME:VERSION

    bool operator==(const VersionName&) const = default;
};

// A version as it is spelled: digits, no leading zero, no more than MLflow's column can hold.
std::optional<std::int64_t> parse_version(std::string_view text);

// 404 for what can be no version.
Outcome<VersionName> version_name(std::string_view model, std::string_view version);

// The one that the path names by its first two arguments.
Outcome<VersionName> version_in_path(const Request& request);

// NAME:VERSION. 400 when it has another form, 404 for what can be no version.
Outcome<VersionName> parse_reference(std::string_view text);

}  // namespace models
