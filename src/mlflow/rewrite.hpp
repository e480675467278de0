// The two heads a gateway writes: the client's request as the upstream sees it, and the upstream's answer as the client
// sees it. Pure. Everything end-to-end passes untouched; what belongs to one hop is dropped and made anew (RFC 9110,
// section 7.6.1).
#pragma once

#include <string>
#include <string_view>

#include "http/message.hpp"

namespace mlflow {

// What stays the same for all requests.
struct RewriteRules {
    std::string host;           // the Host field upstream
    std::string base_path;      // of the upstream's URL, without a slash at its end
    std::string authorization;  // the upstream's own credential; empty: none. Secret
    bool forwards_caller_authorization = false;
    std::string via_name;  // ours in Via: "hokusai-INSTANCE"
};

struct RequestFacts {
    std::string_view target;  // without our prefix
    std::string_view request_id;
    std::string_view traceparent;
    std::string_view key_id;  // empty: no key was asked for
    std::string_view key_name;
    std::string_view peer_address;
    bool trusts_peer = false;            // its X-Forwarded-* are believed and extended
    bool starts_trace = false;           // no valid traceparent came, so a tracestate that did belongs to no trace
    bool is_authorization_ours = false;  // the caller's key came in Authorization
};

// Appends the whole head, blank line included.
void append_upstream_head(std::string& out,
                          const http::RequestHead& request,
                          const RequestFacts& facts,
                          const RewriteRules& rules);

struct ResponseFacts {
    std::string_view request_id;
    std::string_view cors_fields;  // complete lines, or empty
    unsigned client_minor_version = 1;
    bool will_close = false;
};

// How the body goes on to the client.
http::Framing client_framing(const http::ResponseHead& answer, unsigned client_minor_version);

void append_client_head(std::string& out,
                        const http::ResponseHead& answer,
                        const ResponseFacts& facts,
                        const RewriteRules& rules);

// Whether the request went through this instance before.
bool is_loop(const http::Fields& fields, std::string_view via_name);

}  // namespace mlflow
