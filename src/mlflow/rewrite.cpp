#include "mlflow/rewrite.hpp"

#include <algorithm>
#include <vector>

#include "base/strings.hpp"

namespace mlflow {

namespace {

using http::FieldName;

// RFC 9110, section 7.6.1, the framing fields, which each hop writes for itself, and what could be taken for one of
// them; Via is extended.
bool is_hop_by_hop(FieldName name) {
    switch (name) {
        case FieldName::connection:
        case FieldName::content_length:
        case FieldName::keep_alive:
        case FieldName::lookalike:
        case FieldName::proxy_authenticate:
        case FieldName::proxy_authorization:
        case FieldName::proxy_connection:
        case FieldName::te:
        case FieldName::trailer:
        case FieldName::transfer_encoding:
        case FieldName::upgrade:
        case FieldName::via:
            return true;
        default:
            return false;
    }
}

// Replaced by ours, or meant for us only.
bool is_ours_upstream(FieldName name) {
    switch (name) {
        case FieldName::expect:
        case FieldName::forwarded:
        case FieldName::host:
        case FieldName::origin:
        case FieldName::traceparent:
        case FieldName::x_api_key:
        case FieldName::x_forwarded_any:
        case FieldName::x_forwarded_for:
        case FieldName::x_forwarded_host:
        case FieldName::x_forwarded_proto:
        case FieldName::x_hokusai_any:
        case FieldName::x_request_id:
            return true;
        default:
            return false;
    }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

// The values of all fields of that name and one of ours, as one list.
void append_list(std::string& out, const http::Fields& fields, FieldName name) {
    for (const http::Field& field : fields) {
        if (field.known == name && !field.value.empty()) {
            out.append(field.value).append(", ");
        }
    }
}

// The fields that Connection names; validate_framing() keeps the list short.
std::vector<std::string_view> connection_names(const http::Fields& fields) {
    std::vector<std::string_view> names;
    if (!fields.has(FieldName::connection)) {
        return names;
    }
    for (const http::Field& field : fields) {
        std::string_view list = field.known == FieldName::connection ? field.value : std::string_view();
        while (const auto name = base::next_part(list, ',')) {
            if (!base::iequals(*name, "keep-alive") && !base::iequals(*name, "close")) {
                names.push_back(*name);
            }
        }
    }
    return names;
}

bool is_listed(std::string_view name, const std::vector<std::string_view>& names) {
    return std::any_of(
        names.begin(), names.end(), [name](std::string_view entry) { return base::iequals(name, entry); });
}

void append_via(std::string& out, const http::Fields& fields, unsigned minor_version, std::string_view name) {
    out.append("Via: ");
    append_list(out, fields, FieldName::via);
    out.append(minor_version == 0 ? "1.0 " : "1.1 ").append(name).append("\r\n");
}

void append_forwarding(std::string& out, const http::RequestHead& request, const RequestFacts& facts) {
    const auto believed = [&](FieldName name, std::string_view otherwise) {
        const auto value = facts.trusts_peer ? request.fields.find(name) : std::nullopt;
        return value.value_or(otherwise);
    };
    out.append("X-Forwarded-For: ");
    if (facts.trusts_peer) {
        append_list(out, request.fields, FieldName::x_forwarded_for);
    }
    out.append(facts.peer_address).append("\r\n");
    append_field(out, "X-Forwarded-Proto", believed(FieldName::x_forwarded_proto, "http"));
    const std::string_view host =
        believed(FieldName::x_forwarded_host, request.fields.find(FieldName::host).value_or(""));
    if (!host.empty()) {
        append_field(out, "X-Forwarded-Host", host);
    }
}

void append_length(std::string& out, std::uint64_t length) {
    out.append("Content-Length: ");
    base::append_decimal(out, length);
    out.append("\r\n");
}

void append_request_framing(std::string& out, const http::RequestHead& request) {
    switch (request.framing.kind) {
        case http::Framing::Kind::chunked:
            append_field(out, "Transfer-Encoding", "chunked");
            return;
        case http::Framing::Kind::length:
            append_length(out, request.framing.length);
            return;
        case http::Framing::Kind::none:
        case http::Framing::Kind::until_close:
            break;
    }
    // An explicit zero is kept, so that the upstream sees the empty body the client announced.
    if (request.fields.has(FieldName::content_length)) {
        append_length(out, 0);
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
        const bool is_dropped = is_hop_by_hop(field.known) || is_ours_upstream(field.known) ||
                                (field.known == FieldName::authorization && !passes_authorization) ||
                                (field.known == FieldName::tracestate && facts.starts_trace) ||
                                is_listed(field.name, named);
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
    out.append("HTTP/1.1 ");
    base::append_decimal(out, answer.status);
    out.append(" ").append(answer.reason).append("\r\n");
    const std::vector<std::string_view> named = connection_names(answer.fields);
    for (const http::Field& field : answer.fields) {
        const bool is_dropped = is_hop_by_hop(field.known) || field.known == FieldName::x_request_id ||
                                field.known == FieldName::x_hokusai_any ||
                                (field.known == FieldName::access_control_any && !facts.cors_fields.empty()) ||
                                is_listed(field.name, named);
        if (!is_dropped) {
            append_field(out, field.name, field.value);
        }
    }
    out.append(facts.cors_fields);
    append_via(out, answer.fields, answer.minor_version, rules.via_name);
    append_field(out, "X-Request-Id", facts.request_id);
    const http::Framing framing = client_framing(answer, facts.client_minor_version);
    const auto announced = answer.fields.find(FieldName::content_length);
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
    return fields.has(FieldName::via) &&
           std::any_of(fields.begin(), fields.end(), [via_name](const http::Field& field) {
               std::string_view hops = field.known == FieldName::via ? field.value : std::string_view();
               while (auto hop = base::next_part(hops, ',')) {
                   // "1.1 name (comment)"
                   base::next_part(*hop, ' ');
                   if (base::next_part(*hop, ' ') == via_name) {
                       return true;
                   }
               }
               return false;
           });
}

}  // namespace mlflow
