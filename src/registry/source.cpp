#include "registry/source.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/strings.hpp"
#include "registry/python.hpp"
#include "registry/uri.hpp"
#include "registry/utf8.hpp"

#include <fmt/format.h>

namespace registry {

namespace {

std::unexpected<base::Error> refuse(std::string_view source, std::string_view why) {
    return base::fail(base::Code::invalid_argument, fmt::format("Invalid model version source: '{}'.{}", source, why));
}

std::unexpected<base::Error> refuse_without(std::string_view source, std::string_view parameter) {
    return refuse(
        source,
        fmt::format(" The {} request parameter must identify the resource that contains the source.", parameter));
}

// Of models:/NAME/VERSION, models:/NAME/STAGE, models:/NAME/latest, models:/NAME@ALIAS, models:/MODEL_ID.
struct ModelUri {
    std::string model_id;
    std::string name;
    std::string version;
    std::string stage;
    std::string alias;
};

bool is_blank(std::string_view text) {
    while (!text.empty()) {
        if (!is_space(next_code_point(text))) {
            return false;
        }
    }
    return true;
}

std::optional<ModelUri> parse_model_uri(std::string_view source) {
    const Uri uri = parse_uri(source, Fragment::kept);
    if (!uri.path.starts_with('/') || uri.path.size() < 2) {
        return std::nullopt;
    }
    const std::string_view path =
        std::string_view(uri.path).substr(std::min(uri.path.find_first_not_of('/'), uri.path.size()));
    const std::string_view name = path.substr(0, path.find('/'));
    if (is_blank(name) || std::ranges::count(path, '/') > 1) {
        return std::nullopt;
    }
    ModelUri parsed;
    if (name.size() < path.size()) {
        const std::string_view suffix = path.substr(name.size() + 1);
        if (is_blank(suffix)) {
            return std::nullopt;
        }
        parsed.name = name;
        if (std::ranges::all_of(suffix, [](char c) { return c >= '0' && c <= '9'; })) {
            parsed.version = suffix;
        } else if (!base::iequals(suffix, "latest")) {
            parsed.stage = suffix;
        }
    } else if (const std::size_t at = name.rfind('@'); at != std::string_view::npos) {
        parsed.name = name.substr(0, at);
        parsed.alias = name.substr(at + 1);
        if (is_blank(parsed.alias)) {
            return std::nullopt;
        }
    } else {
        parsed.model_id = name;
    }
    return parsed;
}

// These name a host that a server of artifacts would then connect to.
base::Result<void> check_scheme(std::string_view source) {
    constexpr std::array<std::string_view, 10> kHostAddressed{
        "ftp", "sftp", "hdfs", "viewfs", "http", "https", "mlflow-artifacts", "r2", "b2", "abfss"};
    const Uri uri = parse_uri(source);
    const bool is_host_addressed = std::ranges::find(kHostAddressed, uri.scheme) != kHostAddressed.end();
    if (!is_host_addressed || (uri.scheme == "mlflow-artifacts" && uri.authority.empty())) {
        return {};
    }
    return base::fail(
        base::Code::invalid_argument,
        fmt::format("'source' cannot use the '{0}' scheme: the '{0}' scheme addresses a host other than the tracking "
                    "server's configured artifact storage, so the server would connect to the host named in the URI. "
                    "Set the MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES environment variable on the server to "
                    "allow it.",
                    uri.scheme));
}

std::string unquote_fully(std::string_view text) {
    std::string before(text);
    for (;;) {
        std::string after = before;
        std::ranges::replace(after, '+', ' ');
        after = base::percent_decode(after);
        if (after == before) {
            return after;
        }
        before = std::move(after);
    }
}

// Absolute, and without steps that lead elsewhere, however they are encoded.
base::Result<void> check_path(std::string_view source) {
    const std::string plain = unquote_fully(source);
    std::string path = parse_uri(plain).path;
    path.resize(path.find_last_not_of('/') + 1);
    const auto has_part = [](std::string_view text, std::string_view part) {
        return fmt::format("/{}/", text).find(fmt::format("/{}/", part)) != std::string::npos;
    };
    if (path.starts_with('/') && !path.contains('\0') && !has_part(plain, "..") && !has_part(path, ".")) {
        return {};
    }
    return refuse(source,
                  " If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts "
                  "uri, an absolute path must be provided without relative path references present. Please provide an "
                  "absolute path.");
}

base::Result<bool> is_local(std::string_view source) {
    if (source == "databricks") {
        return false;
    }
    const Uri uri = parse_uri(source);
    if (uri.scheme == "file") {
        const std::string host = host_of(uri.authority);
        if (!host.empty() && host != "." && !host.starts_with("localhost") && !host.starts_with("127.0.0.1")) {
            return base::fail(base::Code::internal,
                              fmt::format("{} is not a valid remote uri. For remote access on windows, please consider "
                                          "using a different scheme such as SMB (e.g. smb://<hostname>/<path>).",
                                          source));
        }
    }
    return uri.scheme.empty() || uri.scheme == "file";
}

base::Result<void> check_location(const Source& source) {
    const std::string model_id = source.model_id.value_or("");
    const std::string run_id = source.run_id.value_or("");
    const std::string_view owner = model_id.empty() ? "run_id" : "model_id";
    const auto local = is_local(source.uri);
    if (!local) {
        return std::unexpected(local.error());
    }
    if (*local) {
        if (!run_id.empty() || !model_id.empty()) {
            return refuse_without(source.uri, owner);
        }
        return refuse(
            source.uri,
            " To use a local path as a model version source, the run_id request parameter has to be specified "
            "and the local path has to be contained within the artifact directory of the run specified by the "
            "run_id.");
    }
    if (auto checked = check_path(source.uri); !checked) {
        return checked;
    }
    const Uri uri = parse_uri(source.uri);
    if (uri.scheme == "runs") {
        const std::string_view path = std::string_view(uri.path).substr(1);
        const bool is_of_run = uri.authority.empty() && !run_id.empty() && path.substr(0, path.find('/')) == run_id;
        return is_of_run && model_id.empty() ? base::Result<void>() : refuse_without(source.uri, owner);
    }
    if (uri.scheme == "mlflow-artifacts") {
        return refuse_without(source.uri, owner);
    }
    if (uri.scheme == "models") {
        const auto model = parse_model_uri(source.uri);
        if (!uri.authority.empty() || !model || (!model->model_id.empty() && model->model_id != model_id)) {
            return refuse_without(source.uri, "model_id");
        }
    }
    return {};
}

// The version a models:/ URI names.
base::Result<ModelVersion> find_version(const Catalog& catalog, const ModelUri& uri) {
    if (!uri.version.empty()) {
        return catalog.version(uri.name, uri.version);
    }
    if (!uri.alias.empty()) {
        return catalog.version_by_alias(uri.name, uri.alias);
    }
    const std::vector<std::string> stages = uri.stage.empty() ? std::vector<std::string>() : std::vector{uri.stage};
    const auto latest = catalog.latest_versions(uri.name, stages);
    if (!latest) {
        return std::unexpected(latest.error());
    }
    if (latest->empty()) {
        const std::string stage = uri.stage.empty() ? "" : fmt::format(" and stage '{}'", uri.stage);
        return base::fail(base::Code::internal,
                          fmt::format("No versions of model with name '{}'{} found", uri.name, stage));
    }
    return *std::ranges::max_element(*latest, {}, &ModelVersion::version);
}

// A source that is another version: that version's run becomes the new one's.
base::Result<Origin> resolve_version(const Catalog& catalog, const Source& source, const ModelUri& uri) {
    const auto model = catalog.model(uri.name);
    if (!model) {
        return std::unexpected(model.error());
    }
    if (is_prompt(*model)) {
        return refuse(source.uri, " Prompt versions cannot be used as model version sources.");
    }
    const auto version = find_version(catalog, uri);
    if (!version) {
        return std::unexpected(version.error());
    }
    if ((source.run_id && *source.run_id != version->run_id.value_or("")) || !source.model_id.value_or("").empty()) {
        return refuse(source.uri,
                      " The run_id and model_id request parameters must match the referenced model version.");
    }
    return Origin{fmt::format("models:/{}/{}", uri.name, version->version),
                  download_uri(*version),
                  source.run_id ? source.run_id : version->run_id};
}

}  // namespace

base::Result<Origin> resolve_source(const Catalog& catalog, const Source& source) {
    if (auto checked = check_scheme(source.uri); !checked) {
        return std::unexpected(checked.error());
    }
    const Uri uri = parse_uri(source.uri);
    Origin origin{source.uri, source.uri, source.run_id.value_or("")};
    if (uri.scheme == "models") {
        if (!uri.authority.empty()) {
            return refuse(source.uri, " Registered model sources must use the active model registry.");
        }
        const auto model = parse_model_uri(source.uri);
        if (!model) {
            return refuse_without(source.uri, "model_id");
        }
        if (model->model_id.empty()) {
            auto resolved = resolve_version(catalog, source, *model);
            if (!resolved) {
                return resolved;
            }
            origin = *std::move(resolved);
        }
    }
    if (auto checked = check_location({origin.source, origin.run_id, source.model_id}); !checked) {
        return std::unexpected(checked.error());
    }
    if (const std::string model_id = source.model_id.value_or(""); !model_id.empty()) {
        const std::string missing = fmt::format("Logged model with ID '{}' not found.", model_id);
        if (uri.scheme == "models") {
            return base::fail(
                base::Code::internal,
                fmt::format("Unable to fetch model from model URI source artifact location '{}'.Error: {}",
                            source.uri,
                            missing));
        }
        return base::fail(base::Code::missing_resource, missing);
    }
    return origin;
}

base::Result<Origin> resolve_prompt_source(const Source& source) {
    if (source.uri != "dummy-source" && source.uri != "prompt-template") {
        return base::fail(
            base::Code::invalid_argument,
            fmt::format("Invalid prompt source: '{}'. Prompt sources must use an MLflow placeholder.", source.uri));
    }
    return Origin{source.uri, source.uri, source.run_id.value_or("")};
}

}  // namespace registry
