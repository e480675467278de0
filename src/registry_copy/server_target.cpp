#include "registry_copy/server_target.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "registry/json.hpp"
#include "registry_copy/server_source.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace registry_copy {

namespace {

namespace json = boost::json;

constexpr std::string_view kCreateModel = "/api/2.0/mlflow/registered-models/create";
constexpr std::string_view kDeleteModelTag = "/api/2.0/mlflow/registered-models/delete-tag";
constexpr std::string_view kSetAlias = "/api/2.0/mlflow/registered-models/alias";
constexpr std::string_view kCreateVersion = "/api/2.0/mlflow/model-versions/create";
constexpr std::string_view kTransitionStage = "/api/2.0/mlflow/model-versions/transition-stage";
constexpr std::string_view kDeleteVersion = "/api/2.0/mlflow/model-versions/delete";

// Of the versions that only take a number.
constexpr std::string_view kFillerSource = "hokusai:/deleted-version";
constexpr std::string_view kNoStage = "None";
constexpr std::string_view kLoggedModelScheme = "models:/m-";

json::array to_json(const std::vector<registry::Tag>& tags) {
    json::array array;
    for (const registry::Tag& tag : tags) {
        array.push_back({{"key", tag.key}, {"value", tag.value}});
    }
    return array;
}

// MLflow takes the source "models:/m-ID" from who also names the logged model.
std::string logged_model_of(const registry::ModelVersion& version) {
    return version.source.starts_with(kLoggedModelScheme) ? version.source.substr(version.source.find('/') + 1) : "";
}

// Makes one model. Each call leaves a state from which the next attempt can go on: a filler is deleted only when a
// later version keeps its number from being given out again.
class ModelMaking {
public:
    ModelMaking(registry_client::Api& api, const ModelCopy& model) : api_(api), model_(model) {}

    base::Result<void> make() {
        auto created = create_model();
        return created ? make_rest() : created;
    }

    base::Result<void> complete(const ModelCopy& there) {
        there_ = &there.versions;
        for (const registry::ModelVersion& version : there.versions) {
            newest_ = version.version;
            if (version.source == kFillerSource) {
                fillers_.push_back(version.version);
            }
        }
        return make_rest();
    }

private:
    base::Result<void> create_model() {
        json::object arguments;
        if (!model_.model.description.empty()) {
            arguments["description"] = model_.model.description;
        }
        std::vector<registry::Tag> tags = model_.model.tags;
        tags.push_back({std::string(kUnfinishedTag), "true"});
        arguments["tags"] = to_json(tags);
        return change("POST", kCreateModel, std::move(arguments));
    }

    base::Result<void> make_rest() {
        for (const registry::ModelVersion& version : model_.versions) {
            if (auto made = make_version(version); !made) {
                return std::unexpected(made.error().context(fmt::format("version {}", version.version)));
            }
        }
        if (auto filled = fill_up_to(model_.highest_version + 1); !filled) {
            return filled;
        }
        if (auto set = set_aliases(); !set) {
            return set;
        }
        if (auto deleted = delete_fillers(); !deleted) {
            return deleted;
        }
        return change("DELETE", kDeleteModelTag, {{"key", kUnfinishedTag}});
    }

    base::Result<void> make_version(const registry::ModelVersion& version) {
        const registry::ModelVersion* const other = find_there(version.version);
        if (other != nullptr && other->source == version.source) {
            return set_stage(version, other->current_stage);
        }
        if (auto filled = fill_up_to(version.version); !filled) {
            return filled;
        }
        if (auto created = create_version(version); !created) {
            return created;
        }
        if (auto set = set_stage(version, kNoStage); !set) {
            return set;
        }
        return delete_fillers();
    }

    base::Result<void> create_version(const registry::ModelVersion& version) {
        json::object arguments{{"source", version.source}, {"tags", to_json(version.tags)}};
        for (const auto& [name, text] : {std::pair("run_id", version.run_id.value_or("")),
                                         std::pair("run_link", version.run_link.value_or("")),
                                         std::pair("description", version.description.value_or("")),
                                         std::pair("model_id", logged_model_of(version))}) {
            if (!text.empty()) {
                arguments[name] = text;
            }
        }
        const auto created = create_next(std::move(arguments));
        return created && newest_ != version.version ? take_back() : created;
    }

    // All numbers below `number` are given out afterwards.
    base::Result<void> fill_up_to(std::int64_t number) {
        while (newest_ + 1 < number) {
            if (auto made = create_next({{"source", kFillerSource}}); !made) {
                return made;
            }
            fillers_.push_back(newest_);
        }
        return {};
    }

    base::Result<void> create_next(json::object arguments) {
        arguments["name"] = model_.model.name;
        const auto answer = call("POST", kCreateVersion, std::move(arguments));
        if (!answer) {
            return std::unexpected(answer.error());
        }
        const json::value* const object = answer->if_contains("model_version");
        const auto version = object != nullptr && object->is_object()
                                 ? registry::version_from_json(object->get_object())
                                 : base::fail(base::Code::data_loss, "the server's answer names no version");
        if (!version) {
            return std::unexpected(version.error());
        }
        newest_ = version->version;
        return {};
    }

    // The version just made has another number than it must have.
    base::Result<void> take_back() {
        const auto deleted = change("DELETE", kDeleteVersion, {{"version", std::to_string(newest_)}});
        if (!deleted) {
            return deleted;
        }
        return base::fail(base::Code::conflict,
                          fmt::format("the server would number it {}: somebody else has made versions of this model; "
                                      "delete the model there, or leave it out of the file",
                                      newest_));
    }

    base::Result<void> set_stage(const registry::ModelVersion& version, std::string_view current) {
        if (version.current_stage == current) {
            return {};
        }
        return change("POST",
                      kTransitionStage,
                      {{"version", std::to_string(version.version)},
                       {"stage", version.current_stage},
                       {"archive_existing_versions", false}});
    }

    base::Result<void> delete_fillers() {
        for (; !fillers_.empty(); fillers_.pop_back()) {
            if (auto done = change("DELETE", kDeleteVersion, {{"version", std::to_string(fillers_.back())}}); !done) {
                return done;
            }
        }
        return {};
    }

    base::Result<void> set_aliases() {
        for (const registry::Alias& alias : model_.model.aliases) {
            const auto set =
                change("POST", kSetAlias, {{"alias", alias.name}, {"version", std::to_string(alias.version)}});
            if (!set) {
                return std::unexpected(set.error().context(fmt::format("alias '{}'", alias.name)));
            }
        }
        return {};
    }

    // A call about the model whose answer says nothing new.
    base::Result<void> change(std::string_view method, std::string_view path, json::object arguments) {
        arguments["name"] = model_.model.name;
        const auto answer = call(method, path, std::move(arguments));
        return answer ? base::Result<void>() : std::unexpected(answer.error());
    }

    base::Result<json::object> call(std::string_view method, std::string_view path, json::object arguments) {
        return api_.call({method, path, model_.workspace, std::move(arguments)});
    }

    [[nodiscard]] const registry::ModelVersion* find_there(std::int64_t number) const {
        if (there_ == nullptr) {
            return nullptr;
        }
        const auto found = std::ranges::lower_bound(*there_, number, {}, &registry::ModelVersion::version);
        return found == there_->end() || found->version != number ? nullptr : &*found;
    }

    registry_client::Api& api_;
    const ModelCopy& model_;
    const std::vector<registry::ModelVersion>* there_ = nullptr;
    std::int64_t newest_ = 0;  // the highest number given out
    std::vector<std::int64_t> fillers_;
};

}  // namespace

base::Result<std::optional<ModelCopy>> ServerTarget::find_model(const registry::ModelKey& key) {
    return read_model(api_, key, DownloadUris::leave_out);
}

base::Result<void> ServerTarget::add_model(const ModelCopy& model, const std::optional<ModelCopy>& there) {
    ModelMaking making(api_, model);
    return there ? making.complete(*there) : making.make();
}

}  // namespace registry_copy
