#include "http/field_name.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace http {

namespace {

using NamedField = std::pair<std::string_view, FieldName>;

// By length, so that one name is compared with few others.
constexpr std::array<NamedField, 26> kNames{{
    {"te", FieldName::te},
    {"via", FieldName::via},
    {"host", FieldName::host},
    {"accept", FieldName::accept},
    {"expect", FieldName::expect},
    {"origin", FieldName::origin},
    {"trailer", FieldName::trailer},
    {"upgrade", FieldName::upgrade},
    {"forwarded", FieldName::forwarded},
    {"x-api-key", FieldName::x_api_key},
    {"connection", FieldName::connection},
    {"keep-alive", FieldName::keep_alive},
    {"tracestate", FieldName::tracestate},
    {"retry-after", FieldName::retry_after},
    {"traceparent", FieldName::traceparent},
    {"content-type", FieldName::content_type},
    {"x-request-id", FieldName::x_request_id},
    {"authorization", FieldName::authorization},
    {"content-length", FieldName::content_length},
    {"x-forwarded-for", FieldName::x_forwarded_for},
    {"proxy-connection", FieldName::proxy_connection},
    {"x-forwarded-host", FieldName::x_forwarded_host},
    {"transfer-encoding", FieldName::transfer_encoding},
    {"x-forwarded-proto", FieldName::x_forwarded_proto},
    {"proxy-authenticate", FieldName::proxy_authenticate},
    {"proxy-authorization", FieldName::proxy_authorization},
}};

constexpr std::array<NamedField, 4> kFamilies{{
    {"access-control-", FieldName::access_control_any},
    {"x-forwarded-", FieldName::x_forwarded_any},
    {"x-real-ip", FieldName::x_forwarded_any},
    {"x-hokusai-", FieldName::x_hokusai_any},
}};

constexpr bool is_shorter(const NamedField& left, const NamedField& right) {
    return left.first.size() < right.first.size();
}

static_assert(std::is_sorted(kNames.begin(), kNames.end(), is_shorter));

constexpr std::size_t kLongest = kNames.back().first.size();

// Where the names of each length begin in kNames.
constexpr auto kFirstOfLength = [] {
    std::array<std::size_t, kLongest + 2> first{};
    for (std::size_t length = 0; length < first.size(); ++length) {
        first[length] = static_cast<std::size_t>(
            std::find_if(kNames.begin(),
                         kNames.end(),
                         [length](const NamedField& entry) { return entry.first.size() >= length; }) -
            kNames.begin());
    }
    return first;
}();

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// Takes '_' for '-'.
bool begins_with(std::string_view name, std::string_view lower_case) {
    return name.size() >= lower_case.size() &&
           std::equal(lower_case.begin(), lower_case.end(), name.begin(), [](char wanted, char c) {
               return to_lower(c) == wanted || (c == '_' && wanted == '-');
           });
}

}  // namespace

FieldName to_field_name(std::string_view name) {
    if (name.size() <= kLongest) {
        for (std::size_t i = kFirstOfLength[name.size()]; i < kFirstOfLength[name.size() + 1]; ++i) {
            if (begins_with(name, kNames[i].first)) {
                return name.find('_') == std::string_view::npos ? kNames[i].second : FieldName::lookalike;
            }
        }
    }
    const char first = name.empty() ? '\0' : to_lower(name.front());
    if (first == 'x' || first == 'a') {
        for (const auto& [prefix, family] : kFamilies) {
            if (begins_with(name, prefix)) {
                return family;
            }
        }
    }
    return FieldName::other;
}

}  // namespace http
