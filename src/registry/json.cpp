#include "registry/json.hpp"

#include <optional>
#include <utility>

#include "registry/python.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace registry {

namespace {

namespace json = boost::json;

void put(json::object& object, std::string_view name, const std::string& text) {
    if (!text.empty()) {
        object.emplace(name, text);
    }
}

void put(json::object& object, std::string_view name, const std::optional<std::string>& text) {
    if (text) {
        object.emplace(name, *text);
    }
}

template <class Items, class Convert>
void put_list(json::object& object, std::string_view name, const Items& items, Convert convert) {
    if (items.empty()) {
        return;
    }
    json::array list;
    for (const auto& item : items) {
        list.push_back(convert(item));
    }
    object.emplace(name, std::move(list));
}

json::value tag_json(const Tag& tag) {
    return json::object{{"key", tag.key}, {"value", tag.value}};
}

// Takes the known members out of a JSON object; what is left is unknown.
class Members {
public:
    explicit Members(const json::object& object) : left_(object) {}

    std::optional<std::string> text(std::string_view name) {
        const json::value* value = left_.if_contains(name);
        if (value == nullptr) {
            return std::nullopt;
        }
        if (!value->is_string()) {
            fail(name, "a string");
            return std::nullopt;
        }
        std::string text(value->get_string());
        left_.erase(name);
        return text;
    }

    std::string text_or_empty(std::string_view name) {
        return text(name).value_or("");
    }

    std::int64_t number(std::string_view name) {
        const json::value* value = left_.if_contains(name);
        if (value == nullptr) {
            return 0;
        }
        std::optional<std::int64_t> number;
        if (value->is_int64()) {
            number = value->get_int64();
        } else if (value->is_string()) {
            number = python::parse_int(value->get_string());
        }
        if (!number) {
            fail(name, "an integer");
            return 0;
        }
        left_.erase(name);
        return *number;
    }

    template <class Convert>
    auto list(std::string_view name, Convert convert) {
        std::vector<decltype(convert(std::declval<const json::value&>()))> items;
        const json::value* value = left_.if_contains(name);
        if (value == nullptr) {
            return items;
        }
        if (!value->is_array()) {
            fail(name, "a list");
            return items;
        }
        for (const json::value& item : value->get_array()) {
            items.push_back(convert(item));
        }
        left_.erase(name);
        return items;
    }

    template <class Convert>
    auto objects(std::string_view name, Convert convert) {
        return list(name, [&](const json::value& item) {
            if (!item.is_object()) {
                fail(name, "a list of objects");
            }
            Members members(item.is_object() ? item.get_object() : json::object());
            auto converted = convert(members);
            if (members.error_) {
                error_ = members.error_;
            }
            return converted;
        });
    }

    std::vector<Tag> tags() {
        return objects(
            "tags", [](Members& members) { return Tag{members.text_or_empty("key"), members.text_or_empty("value")}; });
    }

    void fail(std::string_view name, std::string_view expected) {
        error_ =
            base::Error{base::Code::invalid_argument, "'" + std::string(name) + "' should be " + std::string(expected)};
    }

    void fail(const base::Error& error) {
        error_ = error;
    }

    [[nodiscard]] const std::optional<base::Error>& error() const {
        return error_;
    }

    json::object take_left() {
        return std::move(left_);
    }

private:
    json::object left_;
    std::optional<base::Error> error_;
};

void append_indented(std::string& out, const json::value& value, std::size_t depth) {
    const auto new_line = [&](std::size_t indent) { out.append(1, '\n').append(2 * indent, ' '); };
    if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
        out.push_back('{');
        for (const json::key_value_pair& member : *object) {
            if (&member != &*object->begin()) {
                out.push_back(',');
            }
            new_line(depth + 1);
            python::append_json(out, std::string_view(member.key()));
            out += ": ";
            append_indented(out, member.value(), depth + 1);
        }
        new_line(depth);
        out.push_back('}');
    } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
        out.push_back('[');
        for (const json::value& item : *array) {
            if (&item != array->data()) {
                out.push_back(',');
            }
            new_line(depth + 1);
            append_indented(out, item, depth + 1);
        }
        new_line(depth);
        out.push_back(']');
    } else {
        out += python::json_dumps(value);
    }
}

}  // namespace

json::object to_json(const ModelVersion& version) {
    json::object object;
    object.emplace("name", version.name);
    object.emplace("version", std::to_string(version.version));
    object.emplace("creation_timestamp", version.creation_timestamp);
    object.emplace("last_updated_timestamp", version.last_updated_timestamp);
    put(object, "user_id", version.user_id);
    put(object, "current_stage", version.current_stage);
    put(object, "description", version.description);
    put(object, "source", version.source);
    put(object, "run_id", version.run_id);
    put(object, "status", version.status);
    put(object, "status_message", version.status_message);
    put_list(object, "tags", version.tags, tag_json);
    put(object, "run_link", version.run_link);
    put_list(object, "aliases", version.aliases, [](const std::string& alias) { return json::value(alias); });
    for (const json::key_value_pair& member : version.unknown) {
        object.insert(member);
    }
    return object;
}

json::object to_json(const RegisteredModel& model) {
    json::object object;
    object.emplace("name", model.name);
    object.emplace("creation_timestamp", model.creation_timestamp);
    object.emplace("last_updated_timestamp", model.last_updated_timestamp);
    put(object, "description", model.description);
    put_list(object, "latest_versions", model.latest_versions, [](const ModelVersion& version) {
        return json::value(to_json(version));
    });
    put_list(object, "tags", model.tags, tag_json);
    put_list(object, "aliases", model.aliases, [](const Alias& alias) {
        return json::value{{"alias", alias.name}, {"version", std::to_string(alias.version)}};
    });
    for (const json::key_value_pair& member : model.unknown) {
        object.insert(member);
    }
    return object;
}

base::Result<ModelVersion> version_from_json(const json::object& object) {
    Members members(object);
    ModelVersion version;
    version.name = members.text_or_empty("name");
    version.version = members.number("version");
    version.creation_timestamp = members.number("creation_timestamp");
    version.last_updated_timestamp = members.number("last_updated_timestamp");
    version.user_id = members.text_or_empty("user_id");
    version.current_stage = members.text_or_empty("current_stage");
    version.description = members.text("description");
    version.source = members.text_or_empty("source");
    version.run_id = members.text("run_id");
    version.status = members.text_or_empty("status");
    version.status_message = members.text_or_empty("status_message");
    version.tags = members.tags();
    version.run_link = members.text("run_link");
    version.aliases = members.list("aliases", [&](const json::value& alias) {
        if (!alias.is_string()) {
            members.fail("aliases", "a list of strings");
            return std::string();
        }
        return std::string(alias.get_string());
    });
    if (!members.error() && (version.name.empty() || version.version < 1)) {
        members.fail("version", "a positive number of a named model");
    }
    if (members.error()) {
        return std::unexpected(members.error()->context("reading a model version"));
    }
    version.unknown = members.take_left();
    return version;
}

base::Result<RegisteredModel> model_from_json(const json::object& object) {
    Members members(object);
    RegisteredModel model;
    model.name = members.text_or_empty("name");
    model.creation_timestamp = members.number("creation_timestamp");
    model.last_updated_timestamp = members.number("last_updated_timestamp");
    model.description = members.text_or_empty("description");
    model.latest_versions = members.list("latest_versions", [&](const json::value& item) {
        auto version = version_from_json(item.is_object() ? item.get_object() : json::object());
        if (!version) {
            members.fail(version.error());
        }
        return version ? *std::move(version) : ModelVersion();
    });
    model.tags = members.tags();
    model.aliases = members.objects(
        "aliases", [](Members& alias) { return Alias{alias.text_or_empty("alias"), alias.number("version")}; });
    if (!members.error() && model.name.empty()) {
        members.fail("name", "the model's name");
    }
    if (members.error()) {
        return std::unexpected(members.error()->context("reading a registered model"));
    }
    model.unknown = members.take_left();
    return model;
}

std::string text_at(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string serialize(const json::object& object) {
    std::string out;
    append_indented(out, object, 0);
    return out;
}

}  // namespace registry
