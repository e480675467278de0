#include "registry/python.hpp"

#include <limits>
#include <string>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace registry::python {

namespace {

std::string json_of(std::string_view text) {
    std::string out;
    append_json(out, text);
    return out;
}

TEST(Python, escapes_all_but_ascii_in_json) {
    EXPECT_EQ(json_of("a\"b\\c/'"), R"("a\"b\\c/'")");
    EXPECT_EQ(json_of("\b\f\n\r\t\x01\x7f"), R"("\b\f\n\r\t\u0001\u007f")");
    EXPECT_EQ(json_of("é€😀"), R"("\u00e9\u20ac\ud83d\ude00")");
    EXPECT_EQ(json_of(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(Python, dumps_values_compactly_with_sorted_keys) {
    EXPECT_EQ(json_dumps(boost::json::parse(R"({"z": [1, -2.5, null, true], "a": {"é": false}, "m": []})")),
              R"({"a":{"\u00e9":false},"m":[],"z":[1,-2.5,null,true]})");
    EXPECT_EQ(json_dumps(boost::json::parse("18446744073709551615")), "18446744073709551615");
}

TEST(Python, writes_floats_as_repr_does) {
    for (const auto& [number, text] : std::vector<std::pair<double, std::string>>{{1, "1.0"},
                                                                                  {0, "0.0"},
                                                                                  {0.1, "0.1"},
                                                                                  {1e15, "1000000000000000.0"},
                                                                                  {1e16, "1e+16"},
                                                                                  {1.5e22, "1.5e+22"},
                                                                                  {0.0001, "0.0001"},
                                                                                  {0.00001, "1e-05"},
                                                                                  {-2.5, "-2.5"},
                                                                                  {1e100, "1e+100"}}) {
        EXPECT_EQ(repr(boost::json::value(number)), text);
    }
    EXPECT_EQ(repr(boost::json::value(std::numeric_limits<double>::infinity())), "inf");
}

TEST(Python, shows_strings_with_the_quote_that_needs_no_escape) {
    EXPECT_EQ(repr(std::string_view("plain")), "'plain'");
    EXPECT_EQ(repr(std::string_view("it's")), "\"it's\"");
    EXPECT_EQ(repr(std::string_view("it's \"so\"")), "'it\\'s \"so\"'");
    EXPECT_EQ(repr(std::string_view("a\\b\n\t\x01é\u00ad\u200b")), "'a\\\\b\\n\\t\\x01é\\xad\\u200b'");
    EXPECT_EQ(bytes_repr("it's\xc3\n"), "b\"it's\\xc3\\n\"");
}

TEST(Python, shows_what_json_loads_to) {
    EXPECT_EQ(repr(boost::json::parse(R"({"a": "it's", "b": [1, null, true, false, {}]})")),
              R"({'a': "it's", 'b': [1, None, True, False, {}]})");
}

TEST(Python, names_types) {
    EXPECT_EQ(type_name(boost::json::parse("null")), "NoneType");
    EXPECT_EQ(type_name(boost::json::parse("true")), "bool");
    EXPECT_EQ(type_name(boost::json::parse("1")), "int");
    EXPECT_EQ(type_name(boost::json::parse("18446744073709551615")), "int");
    EXPECT_EQ(type_name(boost::json::parse("1.0")), "float");
    EXPECT_EQ(type_name(boost::json::parse("\"\"")), "str");
    EXPECT_EQ(type_name(boost::json::parse("[]")), "list");
    EXPECT_EQ(type_name(boost::json::parse("{}")), "dict");
}

TEST(Python, reads_integers) {
    for (const auto& [text, number] : std::vector<std::pair<std::string_view, std::int64_t>>{
             {"0", 0},
             {"007", 7},
             {" 5\t", 5},
             {"+5", 5},
             {"-5", -5},
             {"1_000", 1000},
             {"9223372036854775807", std::numeric_limits<std::int64_t>::max()}}) {
        EXPECT_EQ(parse_int(text), number) << text;
    }
    for (const std::string_view text :
         {"", " ", "-", "x", "1.0", "1e2", "_1", "1_", "1__0", "- 5", "0x1", "9223372036854775808"}) {
        EXPECT_EQ(parse_int(text), std::nullopt) << text;
    }
}

}  // namespace

}  // namespace registry::python
