#include "registry/validation.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace registry {

namespace {

std::string text_of(const base::Result<void>& result) {
    if (result) {
        return "fine";
    }
    EXPECT_EQ(result.error().code, base::Code::invalid_argument);
    return result.error().message;
}

std::string resolves_to(const std::string& parameter, const std::string& value, const std::string& path) {
    return "Invalid value \"" + value + "\" for parameter '" + parameter +
           "' supplied: Names may be treated as files in certain cases, and must not resolve to other names when "
           "treated "
           "as such. This name would resolve to '" +
           path + "'";
}

TEST(Validation, of_model_names) {
    const std::string missing = "Missing value for required parameter 'name'.";
    for (const auto& [name, expected] : std::vector<std::pair<std::string, std::string>>{
             {"fox", "fine"},
             {"a fox's \"name\" é", "fine"},
             {" fox", "fine"},
             {"...", resolves_to("name", "...", "...")},
             {"", missing},
             {" \t", missing},
             {"\u00A0\u2003", missing},
             {"a/b", "Invalid model name 'a/b'. Names cannot contain '/' or ':'."},
             {"a:b", "Invalid model name 'a:b'. Names cannot contain '/' or ':'."},
             {".", resolves_to("name", ".", ".")},
             {"..", resolves_to("name", "..", "..")},
             {"..a", resolves_to("name", "..a", "..a")},
         }) {
        EXPECT_EQ(text_of(check_model_name(name)), expected);
    }
}

TEST(Validation, of_new_names) {
    std::string name;
    for (int i = 0; i < 256; ++i) {
        name += "é";
    }
    EXPECT_EQ(text_of(check_new_name(name, "name")), "fine");
    EXPECT_EQ(text_of(check_model_name(name + "x")), "fine");
    EXPECT_EQ(text_of(check_new_name(name + "x", "name")), "'name' exceeds the maximum length of 256 characters");
    EXPECT_EQ(text_of(check_new_name(" ", "new_name")), "Missing value for required parameter 'new_name'.");
}

TEST(Validation, of_tag_keys) {
    const auto bad = [](const std::string& value) {
        return "Invalid value \"" + value +
               "\" for parameter 'key' supplied: Names may only contain alphanumerics, underscores (_), dashes (-), "
               "periods (.), spaces ( ), colon(:) and slashes (/).";
    };
    for (const auto& [key, expected] : std::vector<std::pair<std::string, std::string>>{
             {"a_B-1. /:é中", "fine"},
             {"a\n", "fine"},
             {"a$", bad("a$")},
             {"a\nb", bad("a\\nb")},
             {"€", bad("\\u20ac")},
             {"", resolves_to("key", "", ".")},
             {"a//b", resolves_to("key", "a//b", "a/b")},
             {"/a", resolves_to("key", "/a", "/a")},
             {"///a", resolves_to("key", "///a", "/a")},
             {"a/../b", resolves_to("key", "a/../b", "b")},
             {"../../b", resolves_to("key", "../../b", "../../b")},
             {"a/", resolves_to("key", "a/", "a")},
             {"./a", resolves_to("key", "./a", "a")},
         }) {
        EXPECT_EQ(text_of(check_tag_key(key)), expected);
    }
}

TEST(Validation, of_tags) {
    const std::string longest(100'000, 'v');
    EXPECT_EQ(text_of(check_model_tag({std::string(250, 'k'), longest})), "fine");
    EXPECT_EQ(text_of(check_model_tag({std::string(251, 'k'), ""})),
              "'key' exceeds the maximum length of 250 characters");
    EXPECT_EQ(text_of(check_model_tag({"k", longest + "v"})),
              "'value' exceeds the maximum length of 100000 characters");
    EXPECT_EQ(text_of(check_version_tag({"k", longest + "v"})),
              "'value' exceeds the maximum length of 100000 characters");
    EXPECT_EQ(text_of(check_version_tag({"mlflow.prompt.text", longest + "v"})),
              "Prompt text exceeds max length of 100000 characters.");
    EXPECT_EQ(text_of(check_version_tag({"mlflow.prompt.text", longest})), "fine");
}

TEST(Validation, of_aliases) {
    const auto bad = [](const std::string& alias) {
        return "Invalid alias name: '" + alias +
               "'. Names may only contain alphanumerics, underscores (_), and dashes (-).";
    };
    for (const auto& [alias, expected] : std::vector<std::pair<std::string, std::string>>{
             {"champion-1_é", "fine"},
             {"latest", "fine"},
             {"", "Registered model alias name cannot be empty."},
             {"a b", bad("a b")},
             {"a.b", bad("a.b")},
             {"—", bad("—")},
             {std::string(255, 'a'), "fine"},
             {std::string(256, 'a'), "'Registered model alias name' exceeds the maximum length of 255 characters"},
         }) {
        EXPECT_EQ(text_of(check_alias(alias)), expected);
    }
}

TEST(Validation, of_reserved_aliases) {
    for (const std::string_view alias : {"v", "vx", "v1x", "x1", "latest-1", "1"}) {
        EXPECT_EQ(text_of(check_alias_is_not_reserved(alias)), "fine") << alias;
    }
    EXPECT_EQ(text_of(check_alias_is_not_reserved("LaTest")), "'latest' alias name (case insensitive) is reserved.");
    EXPECT_EQ(text_of(check_alias_is_not_reserved("v1")), "Version alias name 'v1' is reserved.");
    EXPECT_EQ(text_of(check_alias_is_not_reserved("V007")), "Version alias name 'V007' is reserved.");
}

TEST(Validation, of_versions) {
    EXPECT_EQ(parse_version("12").value(), 12);
    EXPECT_EQ(parse_version(" 1_0 ").value(), 10);
    for (const std::string text : {"", "x", "1.0"}) {
        EXPECT_EQ(parse_version(text).error().message, "Parameter 'version' must be an integer, got '" + text + "'.");
    }
}

TEST(Validation, of_stages) {
    EXPECT_EQ(canonical_stage("pRODUCTION").value(), "Production");
    EXPECT_EQ(canonical_stage("none").value(), "None");
    EXPECT_EQ(
        canonical_stage("Deleted_Internal").error().message,
        "Invalid Model Version stage: Deleted_Internal. Value must be one of None, Staging, Production, Archived.");
}

}  // namespace

}  // namespace registry
