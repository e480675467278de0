#include "mlflow/routes.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "base/strings.hpp"

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

// POSTs that change nothing, below /api/N.0/mlflow/ and /ajax-api/N.0/mlflow/ (mlflow/protos/service.proto,
// model_registry.proto; mlflow/server/handlers.py for the last but one). Matched whole: a caller chooses the end of
// many paths.
constexpr std::array<std::string_view, 10> kSearches{"experiments/search",
                                                     "runs/search",
                                                     "registered-models/search",
                                                     "registered-models/get-latest-versions",
                                                     "model-versions/search",
                                                     "logged-models/search",
                                                     "traces/search",
                                                     "traces/batchGet",
                                                     "experiments/search-datasets",
                                                     "datasets/search"};
constexpr std::string_view kGraphql = "/graphql";

// "/api/2.0/mlflow/runs/search" -> "runs/search"; nothing for other paths.
std::string_view api_method(std::string_view path) {
    for (const std::string_view root : {"/api/", "/ajax-api/"}) {
        const std::string_view version = path.starts_with(root) ? path.substr(root.size()) : std::string_view();
        for (const std::string_view prefix : {"2.0/mlflow/", "3.0/mlflow/"}) {
            if (version.starts_with(prefix)) {
                return version.substr(prefix.size());
            }
        }
    }
    return {};
}

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
        case http::Method::post:
            return path == kGraphql ||
                   std::find(kSearches.begin(), kSearches.end(), api_method(path)) != kSearches.end();
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
    constexpr std::string_view kRoot = "/mlflow-artifacts/";
    return upstream_path.find('%') == std::string_view::npos
               ? upstream_path.find(kRoot) != std::string_view::npos
               : base::percent_decode(upstream_path).find(kRoot) != std::string::npos;
}

bool has_dot_segment(std::string_view upstream_path) {
    const std::string path = base::percent_decode(upstream_path);
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find_first_of("/\\", begin), path.size());
        // Servlet containers cut off what follows a ';'.
        const std::string_view segment = std::string_view(path).substr(begin, end - begin);
        const std::string_view name = segment.substr(0, segment.find(';'));
        if (name == "." || name == "..") {
            return true;
        }
        begin = end + 1;
    }
    return false;
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

std::size_t traffic_class(http::Method method, std::string_view target) {
    const std::string_view path = target.substr(0, target.find('?'));
    // "/api/2.0/mlflow/runs/search" is whole; from 3.0 on an id may follow "/api/3.0/mlflow/traces".
    const int segments = path.find("/2.0/") != std::string_view::npos ? 5 : 4;
    std::size_t end = 0;
    for (int segment = 0; segment < segments && end != std::string_view::npos; ++segment) {
        end = path.find('/', end + 1);
    }
    return std::hash<std::string_view>{}(path.substr(0, end)) * 31 + static_cast<std::size_t>(method);
}

std::string_view required_scope(const http::RequestHead& request) {
    return to_upstream(request).is_write() ? "mlflow:write" : "mlflow:read";
}

}  // namespace mlflow
