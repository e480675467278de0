#include <algorithm>
#include <utility>

#include "registry/answers.hpp"
#include "registry/json.hpp"
#include "registry/python.hpp"
#include "registry/query.hpp"
#include "registry/tags.hpp"
#include "registry/validation.hpp"

#include <fmt/format.h>

namespace registry {

namespace {

namespace json = boost::json;

// What comes after a write: an empty object, or the write's error.
Answer done(const base::Result<void>& written) {
    return written ? Answer(json::object()) : std::unexpected(written.error());
}

Answer shown(const RegisteredModel& model) {
    return json::object{{"registered_model", to_json(model)}};
}

bool has_prompt_tag(const std::vector<Tag>& tags) {
    return std::ranges::find(tags, kPromptTag, &Tag::key) != tags.end();
}

base::Error already_exists(std::string_view name, bool was_prompt, bool is_prompt) {
    const std::string_view old_kind = was_prompt ? "prompt" : "registered model";
    const std::string_view new_kind = is_prompt ? "prompt" : "registered model";
    if (was_prompt != is_prompt) {
        return {base::Code::already_exists,
                fmt::format("Tried to create a {} with name {}, but the name is already taken by a {}. MLflow does not "
                            "allow creating a model and a prompt with the same name.",
                            new_kind,
                            python::repr(name),
                            old_kind)};
    }
    return {base::Code::already_exists,
            fmt::format("{} (name={}) already exists.", is_prompt ? "Prompt" : "Registered Model", name)};
}

// Puts `model`, and shows it with its latest versions.
Answer put_and_show(const Change& change, const RegisteredModel& model) {
    if (auto put = change.writer.put_model(change.catalog.workspace(), model); !put) {
        return std::unexpected(put.error());
    }
    const auto whole = change.catalog.whole_model(model.name);
    return whole ? shown(*whole) : std::unexpected(whole.error());
}

}  // namespace

Answer create_model(const Change& change, const Arguments& arguments) {
    RegisteredModel model;
    model.name = arguments.text("name");
    if (auto checked = check_new_name(model.name, "name"); !checked) {
        return std::unexpected(checked.error());
    }
    for (const Tag& tag : arguments.tags()) {
        if (auto checked = check_model_tag(tag); !checked) {
            return std::unexpected(checked.error());
        }
    }
    model.tags = unique_tags(arguments.tags());
    const auto existing = change.writer.find_model(change.catalog.key(model.name));
    if (!existing) {
        return std::unexpected(existing.error());
    }
    if (*existing) {
        return std::unexpected(
            already_exists(model.name, has_prompt_tag((*existing)->tags), has_prompt_tag(model.tags)));
    }
    model.description = arguments.text("description");
    model.creation_timestamp = change.now;
    model.last_updated_timestamp = change.now;
    const auto put = change.writer.put_model(change.catalog.workspace(), model);
    return put ? shown(model) : std::unexpected(put.error());
}

Answer rename_model(const Change& change, const Arguments& arguments) {
    const std::string new_name = arguments.text("new_name");
    if (auto checked = check_new_name(new_name, "new_name"); !checked) {
        return std::unexpected(checked.error());
    }
    auto model = change.catalog.model(arguments.text("name"));
    if (!model) {
        return std::unexpected(model.error());
    }
    if (new_name != model->name) {
        const auto other = change.writer.find_model(change.catalog.key(new_name));
        if (!other) {
            return std::unexpected(other.error());
        }
        if (*other) {
            return base::fail(base::Code::already_exists,
                              fmt::format("Registered Model (name={}) already exists.", new_name));
        }
        if (auto renamed = change.writer.rename_model(change.catalog.key(model->name), new_name); !renamed) {
            return std::unexpected(renamed.error());
        }
    }
    const auto is_touched = [](ModelVersion& /*version*/) { return true; };
    if (auto touched = rewrite_versions(change, change.catalog.key(new_name), is_touched); !touched) {
        return std::unexpected(touched.error());
    }
    model->name = new_name;
    model->last_updated_timestamp = change.now;
    return put_and_show(change, *model);
}

Answer update_model(const Change& change, const Arguments& arguments) {
    auto model = change.catalog.model(arguments.text("name"));
    if (!model) {
        return std::unexpected(model.error());
    }
    model->description = arguments.text("description");
    model->last_updated_timestamp = change.now;
    return put_and_show(change, *model);
}

Answer delete_model(const Change& change, const Arguments& arguments) {
    const auto model = change.catalog.model(arguments.text("name"));
    if (!model) {
        return std::unexpected(model.error());
    }
    return done(change.writer.erase_model(change.catalog.key(model->name)));
}

Answer set_model_tag(const Change& change, const Arguments& arguments) {
    const Tag tag{arguments.text("key"), arguments.text("value")};
    if (auto checked = check_model_name(arguments.text("name")); !checked) {
        return std::unexpected(checked.error());
    }
    if (auto checked = check_model_tag(tag); !checked) {
        return std::unexpected(checked.error());
    }
    auto model = change.catalog.model(arguments.text("name"));
    if (!model) {
        return std::unexpected(model.error());
    }
    set_tag(model->tags, tag);
    return done(change.writer.put_model(change.catalog.workspace(), *model));
}

Answer delete_model_tag(const Change& change, const Arguments& arguments) {
    const std::string key = arguments.text("key");
    if (auto checked = check_model_name(arguments.text("name")); !checked) {
        return std::unexpected(checked.error());
    }
    if (auto checked = check_tag_key(key); !checked) {
        return std::unexpected(checked.error());
    }
    auto model = change.catalog.model(arguments.text("name"));
    if (!model) {
        return std::unexpected(model.error());
    }
    delete_tag(model->tags, key);
    return done(change.writer.put_model(change.catalog.workspace(), *model));
}

Answer set_alias(const Change& change, const Arguments& arguments) {
    const std::string name = arguments.text("name");
    const std::string alias = arguments.text("alias");
    if (auto checked = check_model_name(name); !checked) {
        return std::unexpected(checked.error());
    }
    if (auto checked = check_alias(alias); !checked) {
        return std::unexpected(checked.error());
    }
    if (auto checked = check_alias_is_not_reserved(alias); !checked) {
        return std::unexpected(checked.error());
    }
    const auto version = change.catalog.version(name, arguments.text("version"));
    if (!version) {
        return std::unexpected(version.error());
    }
    auto model = change.catalog.model(name);
    if (!model) {
        return std::unexpected(model.error());
    }
    std::erase_if(model->aliases, [&](const Alias& existing) { return existing.name == alias; });
    model->aliases.push_back({alias, version->version});
    return done(change.writer.put_model(change.catalog.workspace(), *model));
}

Answer delete_alias(const Change& change, const Arguments& arguments) {
    const std::string alias = arguments.text("alias");
    if (auto checked = check_model_name(arguments.text("name")); !checked) {
        return std::unexpected(checked.error());
    }
    if (auto checked = check_alias(alias); !checked) {
        return std::unexpected(checked.error());
    }
    auto model = change.catalog.model(arguments.text("name"));
    if (!model) {
        return std::unexpected(model.error());
    }
    std::erase_if(model->aliases, [&](const Alias& existing) { return existing.name == alias; });
    return done(change.writer.put_model(change.catalog.workspace(), *model));
}

}  // namespace registry
