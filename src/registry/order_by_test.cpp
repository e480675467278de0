#include "registry/order_by.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace registry {

namespace {

using Clauses = std::vector<std::string>;

// "name, -version": descending ones with a minus.
std::string show(const base::Result<std::vector<OrderTerm>>& order) {
    constexpr std::array kColumns{"name", "version", "run_id", "source", "created", "updated"};
    if (!order) {
        return order.error().message;
    }
    std::string text;
    for (const OrderTerm& term : *order) {
        text += (text.empty() ? "" : ", ") + std::string(term.is_descending ? "-" : "") +
                kColumns.at(static_cast<std::size_t>(term.column));
    }
    return text;
}

TEST(OrderBy, of_models_ends_with_the_name) {
    for (const auto& [clauses, expected] : std::vector<std::pair<Clauses, std::string>>{
             {{}, "name"},
             {{"name"}, "name"},
             {{"name DESC"}, "-name"},
             {{"name\tdesc"}, "-name"},
             {{"`name` DESC"}, "-name"},
             {{"\"name\" ASC"}, "name"},
             {{"timestamp"}, "updated, name"},
             {{"timestamp  DESC"}, "-updated, name"},
             {{"last_updated_timestamp DESC"}, "-updated, name"},
             {{"timestamp", "name DESC"}, "updated, -name"},
         }) {
        EXPECT_EQ(show(parse_model_order(clauses)), expected);
    }
}

TEST(OrderBy, of_versions_ends_with_name_and_version) {
    for (const auto& [clauses, expected] : std::vector<std::pair<Clauses, std::string>>{
             {{}, "-updated, name, -version"},
             {{"name"}, "name, -version"},
             {{"version_number"}, "version, name"},
             {{"version_number DESC", "name asc"}, "-version, name"},
             {{"creation_timestamp"}, "created, name, -version"},
             {{"last_updated_timestamp DESC", "creation_timestamp"}, "-updated, created, name, -version"},
             {{"attribute.name DESC"}, "-name, -version"},
             {{"attribute.`name`"}, "name, -version"},
             {{"\"name\""}, "name, -version"},
         }) {
        EXPECT_EQ(show(parse_version_order(clauses)), expected);
    }
}

TEST(OrderBy, of_more_than_a_key_and_a_direction_cannot_be_parsed) {
    for (const std::string text : {" name",
                                   "name ",
                                   "name DESC ",
                                   "name ASC foo",
                                   "name foo bar",
                                   "'name'",
                                   "TIMESTAMP",
                                   "timestamp foo",
                                   "timestamp desc ",
                                   "name,timestamp",
                                   "name; name",
                                   "name;",
                                   "",
                                   "  ",
                                   "5",
                                   "DESC",
                                   "version",
                                   "version DESC",
                                   "order",
                                   "select",
                                   "name DESC DESC",
                                   "name NULLS FIRST",
                                   "name DESC NULLS LAST",
                                   "-- x",
                                   "name -- x",
                                   "name('x')",
                                   "\"name",
                                   "name'",
                                   "name\\",
                                   "`name",
                                   "name = 'a'",
                                   "name desc, b"}) {
        const std::string expected = "Invalid order_by clause '" + text + "'. Could not be parsed.";
        EXPECT_EQ(show(parse_model_order({text})), expected);
        EXPECT_EQ(show(parse_version_order({text})), expected);
    }
    EXPECT_EQ(show(parse_model_order({"name foo"})), "Invalid ordering key in order_by clause 'name foo'.");
}

TEST(OrderBy, names_the_keys_there_are) {
    const std::string versions = "{'creation_timestamp', 'last_updated_timestamp', 'version_number', 'name'}";
    for (const std::string key : {"NAME", "run_id", "foo", "creation_time", "5"}) {
        const std::string text = key == "5" ? "5 DESC" : key;
        EXPECT_EQ(show(parse_model_order({text})),
                  fmt::format("Invalid order by key '{}' specified. Valid keys are '{{'timestamp', 'name'}}'", key));
        EXPECT_EQ(show(parse_version_order({text})),
                  fmt::format("Invalid attribute key '{}' specified. Valid keys are '{}'", key, versions));
    }
    EXPECT_EQ(show(parse_model_order({"attribute.name"})),
              "Invalid order by key 'attribute.name' specified. Valid keys are '{'timestamp', 'name'}'");
    EXPECT_EQ(show(parse_version_order({"timestamp"})),
              "Invalid attribute key 'timestamp' specified. Valid keys are '" + versions + "'");
    EXPECT_EQ(show(parse_version_order({"tag.`a b`"})),
              "Invalid order by key 'a b' specified. Valid keys are " + versions);
    EXPECT_EQ(show(parse_version_order({"attr.name DESC"})),
              "Invalid entity type 'attr'. Valid entity types are ('attribute', 'tag', 'tags')");
}

TEST(OrderBy, of_a_field_twice_is_an_error_of_mlflows_default_code) {
    const auto order = parse_model_order({"timestamp", "name", "last_updated_timestamp"});
    EXPECT_EQ(order.error().code, base::Code::internal);
    EXPECT_EQ(order.error().message,
              "`order_by` contains duplicate fields: ['timestamp', 'name', 'last_updated_timestamp']");
}

}  // namespace

}  // namespace registry
