#include <algorithm>
#include <utility>

#include "base/strings.hpp"
#include "registry/answers.hpp"
#include "registry/json.hpp"
#include "registry/query.hpp"
#include "registry/source.hpp"
#include "registry/tags.hpp"
#include "registry/validation.hpp"

#include <fmt/format.h>

namespace registry {

namespace {

namespace json = boost::json;

Answer shown(const ModelVersion& version) {
    return json::object{{"model_version", to_json(version)}};
}

Answer done(const base::Result<void>& written) {
    return written ? Answer(json::object()) : std::unexpected(written.error());
}

bool is_prompt_version(const std::vector<Tag>& tags) {
    const auto tag = std::ranges::find(tags, kPromptTag, &Tag::key);
    return tag != tags.end() && base::iequals(tag->value, "true");
}

base::Result<void> touch_model(const Change& change, std::string_view name) {
    auto model = change.catalog.model(name);
    if (!model) {
        return std::unexpected(model.error());
    }
    model->last_updated_timestamp = change.now;
    return change.writer.put_model(change.catalog.workspace(), *model);
}

base::Result<void> check_version_and_tag_key(const Arguments& arguments) {
    if (auto checked = check_model_name(arguments.text("name")); !checked) {
        return checked;
    }
    if (auto number = parse_version(arguments.text("version")); !number) {
        return std::unexpected(number.error());
    }
    return check_tag_key(arguments.text("key"));
}

}  // namespace

base::Result<void> rewrite_versions(const Change& change,
                                    const ModelKey& key,
                                    const std::function<bool(ModelVersion&)>& rewrite) {
    const auto numbers = change.writer.version_numbers(key);
    if (!numbers) {
        return std::unexpected(numbers.error());
    }
    for (const std::int64_t number : *numbers) {
        auto version = change.catalog.version(key.name, number);
        if (!version) {
            return std::unexpected(version.error());
        }
        if (!rewrite(*version)) {
            continue;
        }
        version->last_updated_timestamp = change.now;
        if (auto put = change.writer.put_version(key.workspace, *version); !put) {
            return put;
        }
    }
    return {};
}

Answer create_version(const Change& change, const Arguments& arguments) {
    ModelVersion version;
    version.name = arguments.text("name");
    version.tags = unique_tags(arguments.tags());
    const Source source{
        arguments.text("source"), arguments.optional_text("run_id"), arguments.optional_text("model_id")};
    auto origin =
        is_prompt_version(version.tags) ? resolve_prompt_source(source) : resolve_source(change.catalog, source);
    if (!origin) {
        return std::unexpected(origin.error());
    }
    if (auto checked = check_model_name(version.name); !checked) {
        return std::unexpected(checked.error());
    }
    for (const Tag& tag : arguments.tags()) {
        if (auto checked = check_version_tag(tag); !checked) {
            return std::unexpected(checked.error());
        }
    }
    if (auto touched = touch_model(change, version.name); !touched) {
        return std::unexpected(touched.error());
    }
    const auto highest = change.writer.highest_version(change.catalog.key(version.name));
    if (!highest) {
        return std::unexpected(highest.error());
    }
    version.version = *highest + 1;
    version.creation_timestamp = change.now;
    version.last_updated_timestamp = change.now;
    version.user_id = change.user;
    version.description = arguments.text("description");
    version.source = std::move(origin->source);
    version.artifact_uri = std::move(origin->artifact_uri);
    version.run_id = std::move(origin->run_id);
    version.run_link = arguments.text("run_link");
    const auto put = change.writer.put_version(change.catalog.workspace(), version);
    return put ? shown(version) : std::unexpected(put.error());
}

Answer update_version(const Change& change, const Arguments& arguments) {
    auto version = change.catalog.version(arguments.text("name"), arguments.text("version"));
    if (!version) {
        return std::unexpected(version.error());
    }
    version->description = arguments.optional_text("description");
    version->last_updated_timestamp = change.now;
    const auto put = change.writer.put_version(change.catalog.workspace(), *version);
    return put ? shown(*version) : std::unexpected(put.error());
}

Answer transition_stage(const Change& change, const Arguments& arguments) {
    const std::string name = arguments.text("name");
    const auto stage = canonical_stage(arguments.text("stage"));
    if (!stage) {
        return std::unexpected(stage.error());
    }
    const bool archives = arguments.flag("archive_existing_versions");
    if (archives && *stage != "Staging" && *stage != "Production") {
        return base::fail(base::Code::internal,
                          fmt::format("Model version transition cannot archive existing model versions because '{}' is "
                                      "not an Active stage. Valid stages are ['Staging', 'Production']",
                                      arguments.text("stage")));
    }
    auto version = change.catalog.version(name, arguments.text("version"));
    if (!version) {
        return std::unexpected(version.error());
    }
    if (archives) {
        const auto archive = [&](ModelVersion& other) {
            const bool is_archived = other.version != version->version && other.current_stage == *stage;
            other.current_stage = is_archived ? "Archived" : other.current_stage;
            return is_archived;
        };
        if (auto archived = rewrite_versions(change, change.catalog.key(name), archive); !archived) {
            return std::unexpected(archived.error());
        }
    }
    version->current_stage = *stage;
    version->last_updated_timestamp = change.now;
    if (auto put = change.writer.put_version(change.catalog.workspace(), *version); !put) {
        return std::unexpected(put.error());
    }
    const auto touched = touch_model(change, name);
    return touched ? shown(*version) : std::unexpected(touched.error());
}

Answer delete_version(const Change& change, const Arguments& arguments) {
    if (auto number = parse_version(arguments.text("version")); !number) {
        return std::unexpected(number.error());
    }
    const auto version = change.catalog.version(arguments.text("name"), arguments.text("version"));
    if (!version) {
        return std::unexpected(version.error());
    }
    if (auto erased = change.writer.erase_version(change.catalog.key(version->name), version->version); !erased) {
        return std::unexpected(erased.error());
    }
    return done(touch_model(change, version->name));
}

Answer set_version_tag(const Change& change, const Arguments& arguments) {
    const Tag tag{arguments.text("key"), arguments.text("value")};
    if (auto checked = check_version_and_tag_key(arguments); !checked) {
        return std::unexpected(checked.error());
    }
    if (auto checked = check_version_tag(tag); !checked) {
        return std::unexpected(checked.error());
    }
    auto version = change.catalog.version(arguments.text("name"), arguments.text("version"));
    if (!version) {
        return std::unexpected(version.error());
    }
    set_tag(version->tags, tag);
    return done(change.writer.put_version(change.catalog.workspace(), *version));
}

Answer delete_version_tag(const Change& change, const Arguments& arguments) {
    if (auto checked = check_version_and_tag_key(arguments); !checked) {
        return std::unexpected(checked.error());
    }
    auto version = change.catalog.version(arguments.text("name"), arguments.text("version"));
    if (!version) {
        return std::unexpected(version.error());
    }
    delete_tag(version->tags, arguments.text("key"));
    return done(change.writer.put_version(change.catalog.workspace(), *version));
}

}  // namespace registry
