#include "registry_http/error_response.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "registry/python.hpp"

namespace registry_http {

namespace {

// MLflow's client obeys it, and sleeps up to two minutes between its tries without it.
constexpr const char* kRetryAfter = "15";

// What MLflow says beside a code; codes that are not here stand alone (mlflow/error_classification.py).
struct Classification {
    std::string_view error_code;
    std::string_view sqlstate;
    std::string_view error_class;
};

constexpr std::array<Classification, 8> kClassifications{{
    {"INVALID_PARAMETER_VALUE", "KAM00", "INVALID_PARAMETER_VALUE"},
    {"BAD_REQUEST", "KAM00", "INVALID_PARAMETER_VALUE"},
    {"RESOURCE_DOES_NOT_EXIST", "KAM00", "RESOURCE_NOT_FOUND"},
    {"RESOURCE_ALREADY_EXISTS", "KAM00", "RESOURCE_ALREADY_EXISTS"},
    {"PERMISSION_DENIED", "KAM00", "PERMISSION_DENIED"},
    {"FEATURE_DISABLED", "KAM00", "FEATURE_DISABLED"},
    {"INTERNAL_ERROR", "XXM00", "CLIENT_INTERNAL_ERROR"},
    {"TEMPORARILY_UNAVAILABLE", "XXM00", "CLIENT_INTERNAL_ERROR"},
}};

// As Python's json.dumps lays an object of strings out.
class Body {
public:
    void add(std::string_view name, std::string_view value) {
        text_ += text_.empty() ? "{" : ", ";
        registry::python::append_json(text_, name);
        text_ += ": ";
        registry::python::append_json(text_, value);
    }

    std::string take() {
        return std::move(text_) + "}";
    }

private:
    std::string text_;
};

http::Response response(unsigned status, std::string_view error_code, std::string_view message) {
    Body body;
    body.add("error_code", error_code);
    body.add("message", message);
    const auto* const found = std::ranges::find(kClassifications, error_code, &Classification::error_code);
    if (found != kClassifications.end()) {
        body.add("sqlstate", found->sqlstate);
        body.add("error_class", found->error_class);
    }
    http::Response made;
    made.status = status;
    made.body = body.take();
    return made;
}

}  // namespace

http::Response to_response(const base::Error& error) {
    http::Response made = response(
        static_cast<unsigned>(base::http_status(error.code)), base::mlflow_error_code(error.code), error.message);
    if (error.code == base::Code::unavailable) {
        made.headers.emplace_back("Retry-After", kRetryAfter);
    }
    return made;
}

http::Response workspaces_are_off() {
    return response(
        500, "FEATURE_DISABLED", "Workspace APIs are not available: workspaces are not enabled on this server");
}

}  // namespace registry_http
