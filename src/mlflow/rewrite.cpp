#include "mlflow/rewrite.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "base/strings.hpp"

#include <fmt/format.h>

namespace mlflow {

namespace {

// RFC 9110, section 7.6.1, and the framing fields, which each hop writes for itself.
constexpr std::array<std::string_view, 10> kHopByHop{"connection",
                                                     "keep-alive",
                                                     "proxy-connection",
                                                     "proxy-authenticate",
                                                     "proxy-authorization",
                                                     "te",
                                                     "trailer",
                                                     "transfer-encoding",
                                                     "upgrade",
                                                     "content-length"};

// Replaced by ours, or meant for us only.
constexpr std::array<std::string_view, 6> kRequestOwn{
    "host", "expect", "origin", "x-request-id", "traceparent", "x-api-key"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
    return std::any_of(
        names.begin(), names.end(), [name](std::string_view entry) { return base::iequals(name, entry); });
}

// A prefix match that takes '_' for '-', because WSGI servers do.
bool has_prefix(std::string_view name, std::string_view prefix) {
    const bool may_match = name.size() >= prefix.size() && (name.front() | 0x20) == prefix.front();
    if (!may_match) {
        return false;
    }
    std::string start = base::to_lower(name.substr(0, prefix.size()));
    std::replace(start.begin(), start.end(), '_', '-');
    return start == prefix;
}

bool is_forwarding_field(std::string_view name) {
    return has_prefix(name, "x-forwarded-") || has_prefix(name, "x-real-ip") || base::iequals(name, "forwarded");
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

// The values of all fields of that name, as one list.
std::string joined(const http::Fields& fields, std::string_view name) {
    std::string list;
    for (const http::Field& field : fields) {
        if (base::iequals(field.name, name) && !field.value.empty()) {
            list.append(list.empty() ? "" : ", ").append(field.value);
        }
    }
    return list;
}

// What Connection names; validate_framing() keeps the list short.
std::vector<std::string_view> connection_names(const http::Fields& fields) {
    std::vector<std::string_view> names;
    for (const http::Field& field : fields) {
        if (base::iequals(field.name, "connection")) {
            const std::vector<std::string_view> parts = base::split_list(field.value, ',');
            names.insert(names.end(), parts.begin(), parts.end());
        }
    }
    return names;
}

bool is_listed(std::string_view name, const std::vector<std::string_view>& names) {
    return std::any_of(
        names.begin(), names.end(), [name](std::string_view entry) { return base::iequals(name, entry); });
}

void append_via(std::string& out, const http::Fields& fields, unsigned minor_version, std::string_view name) {
    const std::string earlier = joined(fields, "via");
    out.append("Via: ").append(earlier).append(earlier.empty() ? "" : ", ");
    out.append(minor_version == 0 ? "1.0 " : "1.1 ").append(name).append("\r\n");
}

void append_forwarding(std::string& out, const http::RequestHead& request, const RequestFacts& facts) {
    const auto believed = [&](std::string_view name, std::string_view otherwise) {
        const auto value = facts.trusts_peer ? request.fields.find(name) : std::nullopt;
        return value.value_or(otherwise);
    };
    const std::string earlier = facts.trusts_peer ? joined(request.fields, "x-forwarded-for") : std::string();
    out.append("X-Forwarded-For: ")
        .append(earlier)
        .append(earlier.empty() ? "" : ", ")
        .append(facts.peer_address)
        .append("\r\n");
    append_field(out, "X-Forwarded-Proto", believed("x-forwarded-proto", "http"));
    const std::string_view host = believed("x-forwarded-host", request.fields.find("host").value_or(""));
    if (!host.empty()) {
        append_field(out, "X-Forwarded-Host", host);
    }
}

void append_request_framing(std::string& out, const http::RequestHead& request) {
    switch (request.framing.kind) {
        case http::Framing::Kind::chunked:
            append_field(out, "Transfer-Encoding", "chunked");
            return;
        case http::Framing::Kind::length:
            fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", request.framing.length);
            return;
        case http::Framing::Kind::none:
        case http::Framing::Kind::until_close:
            break;
    }
    // An explicit zero is kept, so that the upstream sees the empty body the client announced.
    if (request.fields.find("content-length")) {
        append_field(out, "Content-Length", "0");
    }
}

}  // namespace

void append_upstream_head(std::string& out,
                          const http::RequestHead& request,
                          const RequestFacts& facts,
                          const RewriteRules& rules) {
    out.append(request.method_text).append(" ").append(rules.base_path);
    // The prefix alone, or with a query, means the upstream's root.
    if (!facts.target.starts_with('/') && facts.target != "*") {
        out.append("/");
    }
    out.append(facts.target).append(" HTTP/1.1\r\n");
    append_field(out, "Host", rules.host);
    const std::vector<std::string_view> named = connection_names(request.fields);
    const bool passes_authorization = rules.forwards_caller_authorization && !facts.is_authorization_ours;
    for (const http::Field& field : request.fields) {
        const bool is_dropped =
            is_one_of(field.name, kHopByHop) || is_one_of(field.name, kRequestOwn) || is_forwarding_field(field.name) ||
            has_prefix(field.name, "x-hokusai-") || base::iequals(field.name, "via") ||
            (base::iequals(field.name, "authorization") && !passes_authorization) ||
            (facts.starts_trace && base::iequals(field.name, "tracestate")) || is_listed(field.name, named);
        if (!is_dropped) {
            append_field(out, field.name, field.value);
        }
    }
    if (!rules.authorization.empty() && !rules.forwards_caller_authorization) {
        append_field(out, "Authorization", rules.authorization);
    }
    append_request_framing(out, request);
    append_forwarding(out, request, facts);
    append_via(out, request.fields, request.minor_version, rules.via_name);
    append_field(out, "X-Request-Id", facts.request_id);
    append_field(out, "traceparent", facts.traceparent);
    if (!facts.key_id.empty()) {
        append_field(out, "X-Hokusai-API-Key-Id", facts.key_id);
        append_field(out, "X-Hokusai-User-Id", facts.key_name);
    }
    out.append("\r\n");
}

http::Framing client_framing(const http::ResponseHead& answer, unsigned client_minor_version) {
    http::Framing framing = answer.framing;
    if (framing.kind == http::Framing::Kind::until_close && client_minor_version > 0) {
        framing.kind = http::Framing::Kind::chunked;
    } else if (framing.kind == http::Framing::Kind::chunked && client_minor_version == 0) {
        framing.kind = http::Framing::Kind::until_close;
    }
    return framing;
}

void append_client_head(std::string& out,
                        const http::ResponseHead& answer,
                        const ResponseFacts& facts,
                        const RewriteRules& rules) {
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", answer.status, answer.reason);
    const std::vector<std::string_view> named = connection_names(answer.fields);
    for (const http::Field& field : answer.fields) {
        const bool is_dropped = is_one_of(field.name, kHopByHop) || base::iequals(field.name, "x-request-id") ||
                                base::iequals(field.name, "via") || has_prefix(field.name, "x-hokusai-") ||
                                (!facts.cors_fields.empty() && has_prefix(field.name, "access-control-")) ||
                                is_listed(field.name, named);
        if (!is_dropped) {
            append_field(out, field.name, field.value);
        }
    }
    out.append(facts.cors_fields);
    append_via(out, answer.fields, answer.minor_version, rules.via_name);
    append_field(out, "X-Request-Id", facts.request_id);
    const http::Framing framing = client_framing(answer, facts.client_minor_version);
    const auto announced = answer.fields.find("content-length");
    if (framing.kind == http::Framing::Kind::chunked) {
        append_field(out, "Transfer-Encoding", "chunked");
    } else if (announced && answer.status != 204) {
        // For HEAD and 304 it tells the size of a body that does not follow.
        append_field(out, "Content-Length", *announced);
    }
    if (facts.will_close) {
        append_field(out, "Connection", "close");
    } else if (facts.client_minor_version == 0) {
        append_field(out, "Connection", "keep-alive");
    }
    out.append("\r\n");
}

bool is_loop(const http::Fields& fields, std::string_view via_name) {
    return std::any_of(fields.begin(), fields.end(), [via_name](const http::Field& field) {
        if (!base::iequals(field.name, "via")) {
            return false;
        }
        const auto hops = base::split_list(field.value, ',');
        // "1.1 name (comment)"
        return std::any_of(hops.begin(), hops.end(), [via_name](std::string_view hop) {
            const std::vector<std::string_view> words = base::split_list(hop, ' ');
            return words.size() > 1 && words[1] == via_name;
        });
    });
}

}  // namespace mlflow
