#include "http/origin.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace http {

OriginVerdict judge_origin(std::string_view origin, std::string_view host, const std::vector<std::string>& listed) {
    const std::size_t authority = origin.find("://");
    if (authority == std::string_view::npos) {
        return OriginVerdict::foreign;
    }
    if (base::iequals(origin.substr(authority + 3), host)) {
        return OriginVerdict::same;
    }
    const bool is_listed = std::any_of(listed.begin(), listed.end(), [origin](const std::string& entry) {
        return entry == "*" || base::iequals(entry, origin);
    });
    return is_listed ? OriginVerdict::listed : OriginVerdict::foreign;
}

Response preflight_response(std::string_view origin, OriginVerdict verdict) {
    if (verdict == OriginVerdict::foreign) {
        return detail_response(403, "origin " + std::string(origin) + " is not allowed; add it to CORS_ORIGINS");
    }
    Response response;
    response.status = 204;
    response.content_type = {};
    response.headers = {{"Access-Control-Allow-Origin", std::string(origin)},
                        {"Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"},
                        {"Access-Control-Allow-Headers", "*, Authorization, X-API-Key, Content-Type"},
                        {"Access-Control-Allow-Credentials", "true"},
                        {"Access-Control-Max-Age", "600"},
                        {"Vary", "Origin"}};
    return response;
}

}  // namespace http
