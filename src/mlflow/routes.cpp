#include "mlflow/routes.hpp"

#include <algorithm>
#include <array>

namespace mlflow {

namespace {

// Our own prefixes: the rest of the path is the upstream's.
constexpr std::array<std::string_view, 2> kMounts{"/mlflow", "/api/mlflow"};

// What MLflow's server mounts (mlflow/server/handlers.py, mlflow/server/fastapi_app.py).
constexpr std::array<std::string_view, 7> kApiPrefixes{"/api/2.0/mlflow",
                                                       "/api/3.0/mlflow",
                                                       "/ajax-api",
                                                       "/api/2.0/mlflow-artifacts",
                                                       "/v1/traces",
                                                       "/graphql",
                                                       "/get-artifact"};
constexpr std::string_view kVersionArtifact = "/model-versions/get-artifact";

// POSTs that change nothing, by the last segment of their path (mlflow/protos/service.proto, model_registry.proto).
constexpr std::array<std::string_view, 5> kSearches{
    "search", "get-latest-versions", "search-datasets", "graphql", "batchGet"};

bool is_at_or_below(std::string_view path, std::string_view prefix) {
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

std::string_view without_mount(std::string_view target, std::string_view path) {
    for (const std::string_view mount : kMounts) {
        if (is_at_or_below(path, mount)) {
            return target.substr(mount.size());
        }
    }
    return target;
}

bool is_artifact_path(std::string_view path) {
    return is_artifact_proxy_path(path) || path == "/get-artifact" || path == kVersionArtifact ||
           path.ends_with("/mlflow/upload-artifact") || path.ends_with("/mlflow/get-trace-artifact") ||
           path.ends_with("/artifacts/files");
}

bool only_reads(http::Method method, std::string_view path) {
    switch (method) {
        case http::Method::get:
        case http::Method::head:
        case http::Method::options:
            return true;
        case http::Method::post: {
            const std::string_view last = path.substr(path.rfind('/') + 1);
            return std::find(kSearches.begin(), kSearches.end(), last) != kSearches.end();
        }
        case http::Method::put:
        case http::Method::patch:
        case http::Method::delete_:
        case http::Method::other:
            break;
    }
    return false;
}

}  // namespace

bool is_mlflow_path(std::string_view path) {
    const auto matches = [path](std::string_view prefix) { return is_at_or_below(path, prefix); };
    return path == kVersionArtifact || std::any_of(kMounts.begin(), kMounts.end(), matches) ||
           std::any_of(kApiPrefixes.begin(), kApiPrefixes.end(), matches);
}

bool is_artifact_proxy_path(std::string_view upstream_path) {
    return upstream_path.find("/mlflow-artifacts/") != std::string_view::npos;
}

UpstreamCall to_upstream(const http::RequestHead& request) {
    UpstreamCall call;
    call.target = without_mount(request.target, request.path);
    const std::string_view path = call.target.substr(0, call.target.find('?'));
    const bool is_read = only_reads(request.method, path);
    if (is_artifact_path(path)) {
        call.kind = is_read ? CallKind::artifact_read : CallKind::artifact_write;
    } else {
        call.kind = is_read ? CallKind::read : CallKind::write;
    }
    return call;
}

std::string_view required_scope(const http::RequestHead& request) {
    return to_upstream(request).is_write() ? "mlflow:write" : "mlflow:read";
}

}  // namespace mlflow
