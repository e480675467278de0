// Which of MLflow's paths a request means, and what kind of call it is. Pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "http/message.hpp"

namespace mlflow {

enum class CallKind {
    read,           // GET, HEAD, OPTIONS, and the POSTs that only search
    write,          // everything else
    artifact_read,  // bytes of artifacts, which may be large and slow
    artifact_write,
};

struct UpstreamCall {
    std::string_view target;  // path and query as the upstream should see them, without our own prefix
    CallKind kind = CallKind::read;

    [[nodiscard]] bool is_write() const {
        return kind == CallKind::write || kind == CallKind::artifact_write;
    }

    [[nodiscard]] bool is_artifact() const {
        return kind == CallKind::artifact_read || kind == CallKind::artifact_write;
    }
};

// Whether MLflow's server would answer `path`: its API prefixes, and the whole server below /mlflow and /api/mlflow.
bool is_mlflow_path(std::string_view path);

UpstreamCall to_upstream(const http::RequestHead& request);

// Calls of one class do the same work at MLflow, so that their times compare: what a path names, not which one.
std::size_t traffic_class(http::Method method, std::string_view target);

// "mlflow:read" or "mlflow:write".
std::string_view required_scope(const http::RequestHead& request);

// Whether the upstream serves it from its artifact store by proxy, which MLFLOW_SERVE_ARTIFACTS switches off.
bool is_artifact_proxy_path(std::string_view upstream_path);

// Whether a server that tidies paths would climb out of where `upstream_path` seems to be: "." or ".." between slashes,
// also percent-encoded.
bool has_dot_segment(std::string_view upstream_path);

}  // namespace mlflow
