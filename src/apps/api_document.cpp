#include "apps/api_document.hpp"

#include <functional>
#include <utility>

#include "apps/api_document/embedded.hpp"
#include "apps/build_info.hpp"
#include "base/ensure.hpp"
#include "base/strings.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace apps {

namespace {

namespace json = boost::json;

void merge_into(json::object& whole, const json::object& part) {
    for (const auto& member : part) {
        json::value* const known = whole.if_contains(member.key());
        if (known == nullptr) {
            whole.emplace(member.key(), member.value());
        } else if (known->is_object() && member.value().is_object()) {
            merge_into(known->get_object(), member.value().get_object());
        } else {
            ENSURE(known->is_array() && member.value().is_array(), "no two parts describe the same");
            const json::array& more = member.value().get_array();
            known->get_array().insert(known->get_array().end(), more.begin(), more.end());
        }
    }
}

json::object parse_part(std::string_view text) {
    boost::system::error_code error;
    json::value part = json::parse(text, error);
    ENSURE(!error && part.is_object(), "every part is a JSON object");
    return std::move(part.get_object());
}

bool lists_tag(std::string_view list, std::string_view tag) {
    while (auto each = base::next_part(list, ',')) {
        if (each->starts_with("W/")) {
            each->remove_prefix(2);
        }
        if (*each == "*" || *each == tag) {
            return true;
        }
    }
    return false;
}

// A source of a Content-Security-Policy: what has this hash, and nothing else.
std::string hash_source(std::string_view sha256) {
    std::string bytes;
    for (std::size_t at = 0; at + 1 < sha256.size(); at += 2) {
        bytes.push_back(static_cast<char>(std::stoi(std::string(sha256.substr(at, 2)), nullptr, 16)));
    }
    return fmt::format("'sha256-{}'", base::base64_encode(bytes));
}

FixedAnswer make_document() {
    return {"application/json", merge_api_parts(embedded::kApiParts, kVersion)};
}

// Its policy lets the page ask this service, and nobody else; no other page may frame it, where a key could be stolen.
FixedAnswer make_viewer() {
    const std::string policy = fmt::format(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash_source(embedded::kViewerScriptSha256),
        hash_source(embedded::kViewerStyleSha256));
    return {"text/html; charset=utf-8",
            std::string(embedded::kViewer),
            {{"Content-Security-Policy", policy}, {"Referrer-Policy", "no-referrer"}}};
}

http::Route route_to(std::string_view path, const FixedAnswer& answer) {
    http::Route route;
    route.path = path;
    route.name = "document";
    route.methods = {http::Method::get};
    route.answer = [&answer](http::Exchange& exchange) { exchange.answer(answer.to(exchange.request())); };
    return route;
}

}  // namespace

FixedAnswer::FixedAnswer(std::string_view content_type,
                         std::string body,
                         const std::vector<std::pair<std::string, std::string>>& headers)
    : etag_(fmt::format("\"{:016x}\"", std::hash<std::string_view>{}(body))) {
    whole_.headers = {{"ETag", etag_}, {"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}};
    whole_.headers.insert(whole_.headers.end(), headers.begin(), headers.end());
    unchanged_.headers = whole_.headers;
    unchanged_.status = 304;
    unchanged_.content_type = {};
    whole_.content_type = content_type;
    whole_.body = std::move(body);
}

const http::Response& FixedAnswer::to(const http::RequestHead& request) const {
    const auto known = request.fields.find("If-None-Match");
    return known && lists_tag(*known, etag_) ? unchanged_ : whole_;
}

std::string merge_api_parts(std::span<const std::string_view> parts, std::string_view version) {
    json::object whole;
    for (const std::string_view part : parts) {
        merge_into(whole, parse_part(part));
    }
    whole["info"].as_object()["version"] = version;
    return json::serialize(whole);
}

std::vector<http::Route> api_document_routes() {
    static const FixedAnswer document = make_document();
    static const FixedAnswer viewer = make_viewer();
    return {route_to("/openapi.json", document), route_to("/docs", viewer), route_to("/redoc", viewer)};
}

}  // namespace apps
