#include "registry/filter.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace registry {

namespace {

// One condition a line: "name = m", "tags[k] LIKE v", "version >= 3", "run_id IN a|b".
std::string show(const Condition& condition) {
    constexpr std::array kColumns{"name", "version", "run_id", "source", "created", "updated"};
    constexpr std::array kComparators{"=", "!=", "LIKE", "ILIKE", "<", "<=", ">", ">=", "IN", "NOT IN"};
    std::string text;
    if (const auto* column = std::get_if<Column>(&condition.left)) {
        text = kColumns.at(static_cast<std::size_t>(*column));
    } else {
        text = "tags[" + std::get<std::string>(condition.left) + "]";
    }
    text += std::string(" ") + kComparators.at(static_cast<std::size_t>(condition.comparator)) + " ";
    if (const auto* number = std::get_if<std::int64_t>(&condition.right)) {
        return text + "#" + std::to_string(*number);
    }
    if (const auto* value = std::get_if<std::string>(&condition.right)) {
        return text + *value;
    }
    for (const std::string& item : std::get<std::vector<std::string>>(condition.right)) {
        text += item + "|";
    }
    return text;
}

std::string show(const base::Result<Filter>& filter) {
    if (!filter) {
        return filter.error().message;
    }
    std::string text;
    for (const Condition& condition : filter->conditions) {
        text += (text.empty() ? "" : " AND ") + show(condition);
    }
    return text;
}

using Cases = std::vector<std::pair<std::string, std::string>>;

TEST(Filter, reads_conditions_on_names_and_tags) {
    for (const auto& [text, expected] : Cases{
             {"", ""},
             {"name = 'm'", "name = m"},
             {"name='m'", "name = m"},
             {"name = \"m\"", "name = m"},
             {" \tname\n=\r\n'm' ", "name = m"},
             {"attribute.name = 'm'", "name = m"},
             {"name != ''", "name != "},
             {"name like 'm%'", "name LIKE m%"},
             {"name ILIKE \"%M_\"", "name ILIKE %M_"},
             {"name = 'it''s'", "name = it''s"},
             {"name = 'it\\'s'", "name = it\\'s"},
             {"name = 'a\\\\'", "name = a\\\\"},
             {"name = ''''", "name = ''"},
             {"name in ('m','x')", "name IN m|x|"},
             {"name not in (\"m\", 'it\\'s')", "name NOT IN m|it's|"},
             {"name = 'm' AND name != 'n' and name LIKE 'o'", "name = m AND name != n AND name LIKE o"},
             {"name = 'm'AND name='n'", "name = m AND name = n"},
             {"name = 'm' name = 'n'", "name = m AND name = n"},
             {"AND name = 'm' AND", "name = m"},
             {"tag.k = 'v'", "tags[k] = v"},
             {"tags.k != \"v\"", "tags[k] != v"},
             {"tags.`a b` = 'x'", "tags[a b] = x"},
             {"tags.\"a b\" LIKE 'x'", "tags[a b] LIKE x"},
             {"tags.'a b' ilike 'x'", "tags[a b] ILIKE x"},
             {"tags.a.b = 'x'", "tags[a.b] = x"},
             {"tags.and = 'x'", "tags[and] = x"},
             {"tags. k = 'v'", "tags[ k] = v"},
             {"tags. = 'v'", "tags[] = v"},
             {"tags.k='v' AND tags.k LIKE '%'", "tags[k] = v AND tags[k] LIKE %"},
             {"name = 'ü' AND tags.é = '😀'", "name = ü AND tags[é] = 😀"},
         }) {
        EXPECT_EQ(show(parse_model_filter(text)), expected) << text;
        EXPECT_EQ(show(parse_version_filter(text)), expected) << text;
    }
}

TEST(Filter, reads_conditions_on_versions) {
    for (const auto& [text, expected] : Cases{
             {"run_id = 'r' AND source_path LIKE 's3%'", "run_id = r AND source LIKE s3%"},
             {"run_id IN ('a', 'b',)", "run_id IN a|b|"},
             {"run_id  IN\n('a') AND run_id NOT IN('b')", "run_id IN a| AND run_id NOT IN b|"},
             {"name = 'm' AND run_id IN ('r') AND version_number = 1", "name = m AND run_id IN r| AND version = #1"},
             {"version_number = 01", "version = #1"},
             {"version_number = '2'", "version = #2"},
             {"version_number = ' 2 '", "version = #2"},
             {"version_number != -3", "version != #-3"},
             {"version_number < 1 AND version_number<=2", "version < #1 AND version <= #2"},
             {"version_number > 1 AND version_number>=2", "version > #1 AND version >= #2"},
         }) {
        EXPECT_EQ(show(parse_version_filter(text)), expected) << text;
    }
}

TEST(Filter, hides_prompts_unless_it_asks_for_them) {
    const std::string tag = "tags.`mlflow.prompt.is_prompt` ";
    const auto shown = [](const std::string& text) {
        const Filter filter = parse_model_filter(text).value();
        return (filter.hides_prompts ? "hides " : "shows ") + show(filter);
    };
    EXPECT_EQ(shown("name = 'm'"), "hides name = m");
    EXPECT_EQ(shown(tag + "= 'true'"), "shows tags[mlflow.prompt.is_prompt] = true");
    EXPECT_EQ(shown("tags.mlflow.prompt.is_prompt = 'True'"), "shows tags[mlflow.prompt.is_prompt] = True");
    EXPECT_EQ(shown(tag + "!= 'false'"), "shows tags[mlflow.prompt.is_prompt] != false");
    EXPECT_EQ(shown(tag + "= 'false' AND name = 'm'"), "hides name = m");
    EXPECT_EQ(shown(tag + "LIKE 'true'"), "hides ");
    EXPECT_EQ(shown(tag + "!= 'true' AND " + tag + "= 'true'"), "hides ");
    EXPECT_EQ(shown(tag + "= 'true' AND " + tag + "!= 'true'"),
              "shows tags[mlflow.prompt.is_prompt] = true AND tags[mlflow.prompt.is_prompt] != true");
}

TEST(Filter, with_an_error_in_a_value_shows_it_before_one_in_an_earlier_comparator) {
    EXPECT_EQ(show(parse_model_filter("name > 'm' AND name = 5")),
              "Expected a quoted string value or a list of quoted string values for attributes. Got value 5");
}

TEST(Filter, of_great_length_is_read_as_far_as_sqlparse_reads) {
    std::string text = "name = 'm'";
    for (int i = 0; i < 1000; ++i) {
        text += " AND name = 'm'";
    }
    EXPECT_EQ(parse_model_filter(text).value().conditions.size(), 1001U);
    text += text + text;
    EXPECT_EQ(show(parse_model_filter(text)), "Error on parsing filter '" + text + "'");
    for (const char c : {'(', '\'', '"', '`', '.', '='}) {
        EXPECT_FALSE(parse_model_filter(std::string(9'999, c)));
    }
}

}  // namespace

}  // namespace registry
