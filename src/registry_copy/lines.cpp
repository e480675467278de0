#include "registry_copy/lines.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "registry/json.hpp"
#include "registry/validation.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace registry_copy {

namespace {

namespace json = boost::json;

constexpr std::string_view kFormat = "hokusai-registry";
constexpr std::int64_t kFormatVersion = 1;

// MLflow keeps the numbers of versions in 32 bits.
constexpr std::int64_t kMaxVersion = std::numeric_limits<std::int32_t>::max();

std::unexpected<base::Error> wrong(std::string message) {
    return base::fail(base::Code::invalid_argument, std::move(message));
}

std::optional<std::int64_t> integer_in(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? std::optional(value->get_int64()) : std::nullopt;
}

const json::object* object_in(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value == nullptr ? nullptr : value->if_object();
}

// The lines of a file, put together to models.
class Assembly {
public:
    explicit Assembly(std::function<base::Result<void>(const ModelCopy&)> take) : take_(std::move(take)) {}

    base::Result<void> add(const json::object& line) {
        if (has_ended_) {
            return wrong("nothing may follow the end");
        }
        if (!has_begun_) {
            return begin(line);
        }
        if (const json::object* const model = object_in(line, "registered_model")) {
            return add_model(line, *model);
        }
        if (const json::object* const version = object_in(line, "model_version")) {
            return add_version(line, *version);
        }
        if (const json::object* const counts = object_in(line, "end")) {
            return end(*counts);
        }
        return wrong("it is neither a registered_model, nor a model_version, nor the end");
    }

    [[nodiscard]] bool has_ended() const {
        return has_ended_;
    }

private:
    base::Result<void> begin(const json::object& line) {
        if (registry::text_at(line, "format") != kFormat) {
            return wrong(fmt::format(R"(it is not the first line of an export: no "format":"{}")", kFormat));
        }
        if (integer_in(line, "version") != kFormatVersion) {
            return base::fail(base::Code::unsupported,
                              fmt::format("this program reads version {} of the format: import it with the hokusai "
                                          "that exported it",
                                          kFormatVersion));
        }
        has_begun_ = true;
        return {};
    }

    base::Result<void> add_model(const json::object& line, const json::object& object) {
        if (auto done = finish_model(); !done) {
            return done;
        }
        auto model = registry::model_from_json(object);
        if (!model) {
            return std::unexpected(model.error());
        }
        if (auto named = registry::check_model_name(model->name); !named) {
            return named;
        }
        ModelCopy copy{.workspace = registry::text_at(line, "workspace"), .model = *std::move(model)};
        copy.model.latest_versions.clear();
        copy.highest_version = integer_in(line, "highest_version").value_or(-1);
        if (copy.highest_version < 0 || copy.highest_version > kMaxVersion) {
            return wrong("it has no highest_version, or one that no version could have");
        }
        if (!seen_.insert(copy.key()).second) {
            return wrong(label(copy.key()) + " was in the file before");
        }
        current_ = std::move(copy);
        return {};
    }

    base::Result<void> add_version(const json::object& line, const json::object& object) {
        auto version = registry::version_from_json(object);
        if (!version) {
            return std::unexpected(version.error());
        }
        if (!current_ || version->name != current_->model.name) {
            return wrong(fmt::format("a version of model '{}' must come after its model", version->name));
        }
        std::vector<registry::ModelVersion>& versions = current_->versions;
        const std::int64_t previous = versions.empty() ? 0 : versions.back().version;
        if (version->version <= previous || version->version > kMaxVersion) {
            return wrong(fmt::format(
                "version {} of model '{}' comes after version {}", version->version, version->name, previous));
        }
        const auto stage = registry::canonical_stage(version->current_stage.empty() ? "None" : version->current_stage);
        if (!stage) {
            return std::unexpected(stage.error());
        }
        version->current_stage = *stage;
        version->artifact_uri = registry::text_at(line, "artifact_uri");
        version->aliases.clear();
        versions.push_back(*std::move(version));
        return {};
    }

    base::Result<void> end(const json::object& counts) {
        if (auto done = finish_model(); !done) {
            return done;
        }
        if (integer_in(counts, "models") != counts_.models || integer_in(counts, "versions") != counts_.versions ||
            integer_in(counts, "aliases") != counts_.aliases) {
            return base::fail(base::Code::data_loss,
                              fmt::format("it promises {}, but before it are {} models, {} versions and {} aliases: "
                                          "lines are missing, or too many",
                                          json::serialize(counts),
                                          counts_.models,
                                          counts_.versions,
                                          counts_.aliases));
        }
        has_ended_ = true;
        return {};
    }

    // All of its versions have come.
    base::Result<void> finish_model() {
        if (!current_) {
            return {};
        }
        ModelCopy model = *std::exchange(current_, std::nullopt);
        for (const registry::Alias& alias : model.model.aliases) {
            if (auto named = registry::check_alias(alias.name); !named) {
                return std::unexpected(named.error().context(label(model.key()) + " before it"));
            }
            if (!std::ranges::binary_search(model.versions, alias.version, {}, &registry::ModelVersion::version)) {
                return wrong(fmt::format("alias '{}' of {} before it names version {}, which the file does not have",
                                         alias.name,
                                         label(model.key()),
                                         alias.version));
            }
        }
        if (!model.versions.empty()) {
            model.highest_version = std::max(model.highest_version, model.versions.back().version);
        }
        ++counts_.models;
        counts_.versions += static_cast<std::int64_t>(model.versions.size());
        counts_.aliases += static_cast<std::int64_t>(model.model.aliases.size());
        return take_(model);
    }

    const std::function<base::Result<void>(const ModelCopy&)> take_;
    std::optional<ModelCopy> current_;
    std::set<registry::ModelKey> seen_;
    registry::Counts counts_;
    bool has_begun_ = false;
    bool has_ended_ = false;
};

base::Result<json::object> parse(const std::string& line) {
    boost::system::error_code error;
    json::value value = json::parse(line, error);
    if (error || !value.is_object()) {
        return wrong("it is no JSON object: broken, or the file was cut there");
    }
    return std::move(value.get_object());
}

}  // namespace

LineWriter::LineWriter(std::ostream& out, const std::string& source, base::WallTime exported_at) : out_(out) {
    out_ << json::object{{"format", kFormat},
                         {"version", kFormatVersion},
                         {"source", source},
                         {"exported_at", base::to_iso8601(exported_at)}}
         << '\n';
}

base::Result<void> LineWriter::check() const {
    return out_ ? base::Result<void>()
                : base::fail(base::Code::unavailable,
                             "the export can't be written: is the disk full, or is nobody reading?");
}

base::Result<void> LineWriter::write(const ModelCopy& model) {
    json::object line{{"registered_model", registry::to_json(model.model)}};
    if (!model.workspace.empty()) {
        line["workspace"] = model.workspace;
    }
    line["highest_version"] = model.highest_version;
    out_ << line << '\n';
    for (const registry::ModelVersion& version : model.versions) {
        out_ << json::object{{"model_version", registry::to_json(version)}, {"artifact_uri", version.artifact_uri}}
             << '\n';
    }
    ++counts_.models;
    counts_.versions += static_cast<std::int64_t>(model.versions.size());
    counts_.aliases += static_cast<std::int64_t>(model.model.aliases.size());
    return check();
}

base::Result<registry::Counts> LineWriter::finish() {
    out_ << json::object{{"end",
                          {{"models", counts_.models}, {"versions", counts_.versions}, {"aliases", counts_.aliases}}}}
         << std::endl;
    if (auto written = check(); !written) {
        return std::unexpected(written.error());
    }
    return counts_;
}

base::Result<void> LineReader::for_each_model(const std::function<base::Result<void>(const ModelCopy&)>& take) {
    in_.clear();
    in_.seekg(0);
    std::optional<base::Error> refused;
    Assembly assembly([&](const ModelCopy& model) -> base::Result<void> {
        const auto taken = take(model);
        if (!taken) {
            refused = taken.error();
        }
        return taken;
    });
    std::size_t number = 0;
    for (std::string line; std::getline(in_, line);) {
        ++number;
        const auto object = parse(line);
        const auto added = object ? assembly.add(*object) : std::unexpected(object.error());
        if (!added) {
            return std::unexpected(refused ? *refused : added.error().context(fmt::format("line {}", number)));
        }
    }
    if (in_.bad()) {
        return base::fail(base::Code::unavailable, fmt::format("the file can't be read after line {}", number));
    }
    if (!assembly.has_ended()) {
        return base::fail(base::Code::data_loss,
                          fmt::format("the file ends after line {} without its last line: it was cut", number));
    }
    return {};
}

base::Result<void> LineReader::check() {
    return for_each_model([](const ModelCopy&) { return base::Result<void>(); });
}

}  // namespace registry_copy
