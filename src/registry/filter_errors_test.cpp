#include <string>
#include <utility>
#include <vector>

#include "registry/filter.hpp"

#include <gtest/gtest.h>

namespace registry {

namespace {

using Cases = std::vector<std::pair<std::string, std::string>>;

std::string error_of(const base::Result<Filter>& filter) {
    if (filter) {
        return "none";
    }
    EXPECT_EQ(filter.error().code, base::Code::invalid_argument);
    return filter.error().message;
}

TEST(FilterErrors, name_the_clauses_that_are_no_comparisons) {
    for (const auto& [text, clauses] : Cases{
             {"name", "name"},
             {"name IN 'm'", "name, IN, 'm'"},
             {"name = 'm' OR name = 'n'", "OR"},
             {"name = 'm', name = 'n'", "name = 'm', name = 'n'"},
             {"(name = 'm')", "(name = 'm')"},
             {"NOT name = 'm'", "NOT"},
             {"name = 'm';", ";"},
             {"-- x\nname = 'm'", "-- x\n"},
             {"name = 'm' -- x", "-- x"},
             {"name = 'm' /* x */", "/* x */"},
             {"name = 'm", "name, =, ', m"},
             {"name = m'", "'"},
             {"name = ", "name, ="},
             {"= 'm'", "=, 'm'"},
             {"name 'm'", "name, 'm'"},
             {"name = 'm' 'n'", "'n'"},
             {"name = +5", "name, =, +, 5"},
             {"name = 0x10", "name, =, 0x10"},
             {"name = true", "name, =, true"},
             {"name = @x", "name, =, @, x"},
             {"tags.a b = 'x'", "tags.a"},
             {"tags.5 = 'x'", "tags"},
             {"version_number = 0x1", "version_number, =, 0x1"},
             {"version = 1", "version, =, 1"},
             {"source = 'x'", "source, =, 'x'"},
             {"# x\nname = 'm'", "# x\n"},
             {"name=`m", "name, =, `, m"},
             {"name = 'a' foo", "name = 'a' foo"},
             {"name 'x' = 'm'", "name"},
             {"name = 'm' LIMIT 5", "LIMIT, 5"},
             {"name = 'm' ORDER BY name", "ORDER BY, name"},
             {"where name = 'm'", "where name = 'm'"},
             {"select name = 'm'", "select"},
             {"name BETWEEN 'a' AND 'b'", "name, BETWEEN, 'a', 'b'"},
             {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
              "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
             {"''", "''"},
             {"5", "5"},
             {"*", "*"},
             {"()", "()"},
             {"name = 'm')", ")"},
             {"(name = 'm'", "("},
             {"name IN (')'", "name, IN, (, ')'"},
             {")", ")"},
             {"timestamp = 5", "timestamp, =, 5"},
             {"name = 'm' AND (name = 'n')", "(name = 'n')"},
             {"tags.`k = 'v'", "tags., `"},
             {"tags.k` = 'v'", "tags.k, `, =, 'v'"},
             {"name = '''", "'"},
             {"name LIKE 'a' AND name LIKE", "name, LIKE"},
             {"name LIKE", "name, LIKE"},
             {"IN", "IN"},
             {"name IN", "name, IN"},
             {"name NOT", "name, NOT"},
             {"name NOT IN", "name, NOT, IN"},
         }) {
        const std::string expected = "Invalid clause(s) in filter string: " + clauses;
        EXPECT_EQ(error_of(parse_model_filter(text)), expected) << text;
        EXPECT_EQ(error_of(parse_version_filter(text)), expected) << text;
    }
}

TEST(FilterErrors, say_what_is_wrong_with_a_comparison) {
    for (
        const auto& [text, expected] : Cases{
            {"name = `m`",
             "Parameter value is either not quoted or unidentified quote types used for string value `m`. Use either "
             "single or double quotes."},
            {"name = m",
             "Parameter value is either not quoted or unidentified quote types used for string value m. Use either "
             "single or double quotes."},
            {"name == 'm'", "Invalid comparator for attribute: =="},
            {"name <> 'm'", "Invalid comparator for attribute: <>"},
            {"name > 'm'", "Invalid comparator for attribute: >"},
            {"name NOT LIKE 'm'", "Invalid comparator for attribute: NOT LIKE"},
            {"name NOT ILIKE 'm'", "Invalid comparator for attribute: NOT ILIKE"},
            {"name RLIKE 'm'", "Invalid comparator for attribute: RLIKE"},
            {"name ~ 'm'", "Invalid comparator for attribute: ~"},
            {"name IN ()",
             "While parsing a list in the query, expected a non-empty list of string values, but got empty list"},
            {"name IN ('m', 5)",
             "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different "
             "type in list: ('m', 5)"},
            {"name IN (5)",
             "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different "
             "type in list: (5,)"},
            {"name = 'm'; name = 'n'",
             "Search filter contained multiple expression \"name = 'm'; name = 'n'\". Provide AND-ed expression list."},
            {"; name = 'm'",
             "Search filter contained multiple expression \"; name = 'm'\". Provide AND-ed expression list."},
            {"'m' = name", "Invalid comparison clause. Expected 'Identifier' found ''m''"},
            {"5 = name", "Invalid comparison clause. Expected 'Identifier' found '5'"},
            {"name = name",
             "Parameter value is either not quoted or unidentified quote types used for string value name. Use either "
             "single or double quotes."},
            {"name = 'a' + 'b'",
             "Expected a quoted string value or a list of quoted string values for attributes. Got value 'a' + 'b'"},
            {"name = null",
             "Expected a quoted string value or a list of quoted string values for attributes. Got value null"},
            {"name = NULL",
             "Expected a quoted string value or a list of quoted string values for attributes. Got value NULL"},
            {"name = ?",
             "Expected a quoted string value or a list of quoted string values for attributes. Got value ?"},
            {"name = :x",
             "Expected a quoted string value or a list of quoted string values for attributes. Got value :x"},
            {"name = func('x')",
             "Expected a quoted string value or a list of quoted string values for attributes. Got value func('x')"},
            {"name<='m'", "Invalid comparator for attribute: <="},
            {"tags.a-b = 'x'", "Invalid comparison clause. Expected 'Identifier' found 'tags.a-b'"},
            {"tags.a/b = 'x'", "Invalid comparison clause. Expected 'Identifier' found 'tags.a/b'"},
            {"tags .k = 'v'", "Invalid entity type 'tags '. Valid entity types are ('attribute', 'tag', 'tags')"},
            {"`tags`.k = 'v'", "Invalid entity type '`tags`'. Valid entity types are ('attribute', 'tag', 'tags')"},
            {"\"tags\".k = 'v'", "Invalid entity type '\"tags\"'. Valid entity types are ('attribute', 'tag', 'tags')"},
            {"Tags.k = 'v'", "Invalid entity type 'Tags'. Valid entity types are ('attribute', 'tag', 'tags')"},
            {"TAGS.k = 'v'", "Invalid entity type 'TAGS'. Valid entity types are ('attribute', 'tag', 'tags')"},
            {"attributes.name = 'm'",
             "Invalid entity type 'attributes'. Valid entity types are ('attribute', 'tag', 'tags')"},
            {"run.name = 'x'", "Invalid entity type 'run'. Valid entity types are ('attribute', 'tag', 'tags')"},
            {"params.k = 'v'", "Invalid entity type 'params'. Valid entity types are ('attribute', 'tag', 'tags')"},
            {"metrics.k = 5", "Invalid entity type 'metrics'. Valid entity types are ('attribute', 'tag', 'tags')"},
            {"foo.bar = 'x'", "Invalid entity type 'foo'. Valid entity types are ('attribute', 'tag', 'tags')"},
            {"tags.k = v",
             "Parameter value is either not quoted or unidentified quote types used for string value v. Use either "
             "single or double quotes."},
            {"tags.k = 5", "Expected a quoted string value for tag (e.g. 'my-value'). Got value 5"},
            {"tags.k = `v`",
             "Parameter value is either not quoted or unidentified quote types used for string value `v`. Use either "
             "single or double quotes."},
            {"tags.k > 'v'", "Invalid comparator for tag: >"},
            {"tags.k IN ('v')", "Expected a quoted string value for tag (e.g. 'my-value'). Got value ('v')"},
            {"name = 'm' && name = 'n'", "Invalid comparison clause. Expected 'Identifier' found 'name = 'm' && name'"},
            {"name LIKE m",
             "Parameter value is either not quoted or unidentified quote types used for string value m. Use either "
             "single or double quotes."},
            {"name = $1",
             "Expected a quoted string value or a list of quoted string values for attributes. Got value $1"},
            {"tags.k NOT IN ('a')", "Expected a quoted string value for tag (e.g. 'my-value'). Got value ('a')"},
        }) {
        EXPECT_EQ(error_of(parse_model_filter(text)), expected) << text;
        EXPECT_EQ(error_of(parse_version_filter(text)), expected) << text;
    }
}

TEST(FilterErrors, name_the_keys_there_are) {
    for (const auto& [text, key] : Cases{
             {"NAME='m'", "NAME"},
             {"Name = 'm'", "Name"},
             {"tags = 'v'", "tags"},
             {"attribute.`name` = 'm'", "`name`"},
             {"`name` = 'm'", "`name`"},
             {"\"name\" = 'm'", "\"name\""},
             {"foo = 'x'", "foo"},
             {"creation_timestamp > 5", "creation_timestamp"},
             {"last_updated_timestamp = 5", "last_updated_timestamp"},
             {"name = 'm'  run_id IN ('r')", "name = 'm'  run_id"},
             {"ümläut = 'x'", "ümläut"},
             {"[a] = 'x'", "[a]"},
             {"x IN ('a')", "x"},
         }) {
        const std::string start = "Invalid attribute key '" + key + "' specified. Valid keys are ";
        EXPECT_EQ(error_of(parse_model_filter(text)), start + "'{'name'}'") << text;
        EXPECT_EQ(error_of(parse_version_filter(text)), start + "'{'version_number', 'source_path', 'run_id', 'name'}'")
            << text;
    }
}

TEST(FilterErrors, differ_for_numbers_and_lists) {
    const std::string no_number =
        "Only the '{'creation_timestamp', 'last_updated_timestamp', 'version_number'}' attributes support comparison "
        "with "
        "numeric values.";
    const std::string no_list =
        "Only ['name', 'run_id'] attributes support comparison with a list of quoted string values.";
    EXPECT_EQ(error_of(parse_model_filter("name = 5")),
              "Expected a quoted string value or a list of quoted string values for attributes. Got value 5");
    for (const auto& [text, expected] : Cases{
             {"name = 5", no_number},
             {"name = -5", no_number},
             {"name = 5.5", no_number},
             {"name = 1e5", no_number},
             {"version_number = 'x'", "Invalid value for numeric attribute 'version_number': 'x'"},
             {"version_number = 1.5", "Invalid value for numeric attribute 'version_number': 1.5"},
             {"version_number = 1e3", "Invalid value for numeric attribute 'version_number': 1000.0"},
             {"version_number LIKE 1", "Invalid comparator for attribute version_number: LIKE"},
             {"version_number LIKE '1'", "Invalid comparator for attribute version_number: LIKE"},
             {"version_number IN (1)", no_list},
             {"version_number IN ('1')", no_list},
             {"source_path IN ('x')", no_list},
             {"run_id = 5", no_number},
         }) {
        EXPECT_EQ(error_of(parse_version_filter(text)), expected) << text;
    }
}

TEST(FilterErrors, are_clear_where_mlflow_breaks) {
    for (const auto& [text, expected] : Cases{
             {"name IS NULL", "Invalid comparator for attribute: IS NULL"},
             {"name is not null", "Invalid comparator for attribute: IS NOT NULL"},
             {"tags.k IS NOT NULL", "Invalid comparator for tag: IS NOT NULL"},
             {"name = ('m')", "Invalid comparator for attribute: ="},
             {"name IN (m)",
              "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed "
              "list."},
         }) {
        EXPECT_EQ(error_of(parse_model_filter(text)), expected) << text;
        EXPECT_EQ(error_of(parse_version_filter(text)), expected) << text;
    }
    EXPECT_EQ(error_of(parse_version_filter("version_number = 99999999999999999999")),
              "Invalid value for numeric attribute 'version_number': 99999999999999999999");
}

}  // namespace

}  // namespace registry
