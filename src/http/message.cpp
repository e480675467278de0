#include "http/message.hpp"

#include <algorithm>
#include <array>

#include "base/strings.hpp"

#include <boost/json.hpp>

namespace http {

namespace {

struct NamedStatus {
    unsigned status;
    std::string_view phrase;
};

constexpr std::array<NamedStatus, 38> kPhrases{{
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {508, "Loop Detected"},
}};

constexpr std::array<std::pair<std::string_view, Method>, 7> kMethods{{
    {"GET", Method::get},
    {"HEAD", Method::head},
    {"POST", Method::post},
    {"PUT", Method::put},
    {"PATCH", Method::patch},
    {"DELETE", Method::delete_},
    {"OPTIONS", Method::options},
}};

}  // namespace

Method to_method(std::string_view text) {
    const auto found =
        std::find_if(kMethods.begin(), kMethods.end(), [text](const auto& m) { return m.first == text; });
    return found == kMethods.end() ? Method::other : found->second;
}

std::optional<std::string_view> Fields::find(FieldName name) const {
    if (!has(name)) {
        return std::nullopt;
    }
    return std::find_if(fields_.begin(), fields_.end(), [name](const Field& field) { return field.known == name; })
        ->value;
}

std::size_t Fields::count(FieldName name) const {
    return !has(name)
               ? 0
               : static_cast<std::size_t>(std::count_if(
                     fields_.begin(), fields_.end(), [name](const Field& field) { return field.known == name; }));
}

bool Fields::lists(FieldName name, std::string_view token) const {
    return has(name) && std::any_of(fields_.begin(), fields_.end(), [name, token](const Field& field) {
               if (field.known != name) {
                   return false;
               }
               std::string_view list = field.value;
               while (const auto part = base::next_part(list, ',')) {
                   if (base::iequals(base::trim(part->substr(0, part->find(';'))), token)) {
                       return true;
                   }
               }
               return false;
           });
}

std::optional<std::string_view> Fields::find(std::string_view name) const {
    for (const Field& field : fields_) {
        if (base::iequals(field.name, name)) {
            return field.value;
        }
    }
    return std::nullopt;
}

std::string_view reason_phrase(unsigned status) {
    const auto found = std::find_if(
        kPhrases.begin(), kPhrases.end(), [status](const NamedStatus& entry) { return entry.status == status; });
    return found == kPhrases.end() ? std::string_view() : found->phrase;
}

Response detail_response(unsigned status, std::string_view detail) {
    Response response;
    response.status = status;
    response.body = boost::json::serialize(boost::json::object{{"detail", detail}});
    return response;
}

Response mlflow_error_response(unsigned status, std::string_view error_code, std::string_view message) {
    Response response;
    response.status = status;
    response.body = boost::json::serialize(boost::json::object{{"error_code", error_code}, {"message", message}});
    return response;
}

Response problem_response(unsigned status, std::string_view detail) {
    Response response;
    response.status = status;
    response.content_type = "application/problem+json";
    response.body = boost::json::serialize(
        boost::json::object{{"title", reason_phrase(status)}, {"status", status}, {"detail", detail}});
    return response;
}

}  // namespace http
