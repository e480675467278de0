#include "artifacts/artifact_call.hpp"

#include <algorithm>
#include <array>

#include "base/strings.hpp"
#include "registry/call.hpp"
#include "registry_http/read_call.hpp"

namespace artifacts {

namespace {

using storage::ArtifactKey;
using storage::ArtifactKind;

constexpr std::size_t kMaxPath = 1024;
constexpr std::string_view kStore = "/api/2.0/mlflow-artifacts/";
constexpr std::string_view kFiles = "/api/2.0/mlflow-artifacts/artifacts";
constexpr std::string_view kAjax = "/ajax-api/";
constexpr std::string_view kWorkspaces = "workspaces";
constexpr std::array<std::string_view, 4> kWriteVerbs{"artifacts/", "mpu/create/", "mpu/complete/", "mpu/abort/"};

bool is_normal_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && std::ranges::none_of(name, [](char c) {
        return (c >= '\0' && c < ' ') || c == '\x7f' || c == '\\' || c == '%' || c == '?' || c == '#';
    });
}

// As far as it is written in the one way.
std::string normal_beginning(std::string_view path) {
    std::size_t end = 0;
    for (std::size_t begin = 0; begin <= path.size() && end < kMaxPath;) {
        const std::size_t slash = std::min(path.find('/', begin), path.size());
        if (!is_normal_name(path.substr(begin, slash - begin))) {
            break;
        }
        end = slash;
        begin = slash + 1;
    }
    return std::string(path.substr(0, end));
}

// "/ajax-api/2.0/x" and "/api/2.0/x" are one.
std::string api_path(std::string_view path) {
    return path.starts_with(kAjax) ? "/api/" + std::string(path.substr(kAjax.size())) : std::string(path);
}

std::optional<ArtifactKey> listing_of(std::string_view query) {
    constexpr std::string_view kName = "path=";
    if (!query.starts_with(kName) || query.find('&') != std::string_view::npos) {
        return std::nullopt;
    }
    std::string text(query.substr(kName.size()));
    std::ranges::replace(text, '+', ' ');
    std::optional<std::string> path = normal_path(base::percent_decode(text));
    return path ? std::optional(ArtifactKey{ArtifactKind::listing, *std::move(path)}) : std::nullopt;
}

std::optional<ArtifactKey> read_key(const std::string& path, std::string_view query) {
    if (path == kServerInfo && query.empty()) {
        return ArtifactKey{ArtifactKind::look_up, path};
    }
    if (path == kFiles) {
        return listing_of(query);
    }
    if (!path.starts_with(kFiles) || path[kFiles.size()] != '/' || !query.empty()) {
        return std::nullopt;
    }
    std::optional<std::string> file =
        normal_path(base::percent_decode(std::string_view(path).substr(kFiles.size() + 1)));
    return file ? std::optional(ArtifactKey{ArtifactKind::file, *std::move(file)}) : std::nullopt;
}

// Where a write may change something, at or below; empty: nowhere that could be kept.
std::string written_path(std::string_view path) {
    if (!path.starts_with(kStore)) {
        return {};
    }
    path.remove_prefix(kStore.size());
    for (const std::string_view verb : kWriteVerbs) {
        if (path.starts_with(verb)) {
            return normal_beginning(base::percent_decode(path.substr(verb.size())));
        }
    }
    return {};
}

}  // namespace

std::optional<std::string> normal_path(std::string_view path) {
    if (path.empty() || path.size() > kMaxPath || normal_beginning(path) != path ||
        path.substr(0, path.find('/')) == kWorkspaces) {
        return std::nullopt;
    }
    return std::string(path);
}

std::optional<std::string> path_of_uri(std::string_view uri) {
    constexpr std::string_view kScheme = "mlflow-artifacts:/";
    return uri.starts_with(kScheme) ? normal_path(uri.substr(kScheme.size())) : std::nullopt;
}

std::string target_of(const ArtifactKey& key) {
    if (key.kind == ArtifactKind::look_up) {
        return key.path;
    }
    std::string encoded;
    for (const char c : key.path) {
        encoded += c == '/' && key.kind == ArtifactKind::file ? "/" : base::percent_encode({&c, 1});
    }
    return std::string(kFiles) + (key.kind == ArtifactKind::file ? "/" : "?path=") + encoded;
}

bool overlap(std::string_view left, std::string_view right) {
    const std::string_view longer = left.size() < right.size() ? right : left;
    const std::string_view shorter = left.size() < right.size() ? left : right;
    return longer.starts_with(shorter) && (longer.size() == shorter.size() || longer[shorter.size()] == '/');
}

ArtifactCall artifact_call(const http::RequestHead& request, std::string_view target) {
    const bool is_candidate = target.find("/mlflow-artifacts/") != std::string_view::npos ||
                              target.find("/server-info") != std::string_view::npos;
    if (!is_candidate || !registry::normal_workspace(registry_http::workspace_of(request)).empty()) {
        return {};
    }
    const std::size_t question = std::min(target.find('?'), target.size());
    const std::string path = api_path(target.substr(0, question));
    const std::string_view query = target.substr(std::min(question + 1, target.size()));
    switch (request.method) {
        case http::Method::get:
        case http::Method::head: {
            const bool has_body = request.framing.kind != http::Framing::Kind::none;
            std::optional<ArtifactKey> key = has_body ? std::nullopt : read_key(path, query);
            return key ? ArtifactCall{ArtifactCall::Kind::read, *std::move(key)} : ArtifactCall{};
        }
        case http::Method::options:
            return {};
        default:
            break;
    }
    std::string written = written_path(path);
    return written.empty() ? ArtifactCall{}
                           : ArtifactCall{ArtifactCall::Kind::write, {ArtifactKind::file, std::move(written)}};
}

}  // namespace artifacts
