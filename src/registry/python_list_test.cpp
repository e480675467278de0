#include "registry/python_list.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace registry {

namespace {

using Strings = std::vector<std::string>;

TEST(PythonList, reads_strings_as_python_does) {
    EXPECT_EQ(parse_string_list("('a')").value(), (Strings{"a"}));
    EXPECT_EQ(parse_string_list("( 'a' ,\n\"b\" , )").value(), (Strings{"a", "b"}));
    EXPECT_EQ(parse_string_list("('a' 'b''c', \"it's\")").value(), (Strings{"abc", "it's"}));
    EXPECT_EQ(parse_string_list("(')', ',')").value(), (Strings{")", ","}));
    EXPECT_EQ(parse_string_list(R"(('it\'s\n\t\\\x41\101\u00e9\U0001F600\q'))").value(),
              (Strings{"it's\n\t\\AAé😀\\q"}));
}

TEST(PythonList, refuses_what_is_no_list_of_strings) {
    const std::string expected = "While parsing a list in the query, expected ";
    for (const auto& [text, problem] : std::vector<std::pair<std::string_view, std::string>>{
             {"()", "a non-empty list of string values, but got empty list"},
             {"(5)", "string value, punctuation, or whitespace, but got different type in list: (5,)"},
             {"('m', 5)", "string value, punctuation, or whitespace, but got different type in list: ('m', 5)"},
             {"(1.50, None, \"it's\",)",
              "string value, punctuation, or whitespace, but got different type in list: (1.5, None, \"it's\")"},
         }) {
        EXPECT_EQ(parse_string_list(text).error().message, expected + problem) << text;
    }
    for (const std::string_view text : {"(a)",
                                        "('a' b)",
                                        "('a'; 'b')",
                                        "('a'",
                                        "('a",
                                        "(,)",
                                        "(,'a')",
                                        "(('a'))",
                                        "('a')x",
                                        "('\\x4')",
                                        "('\\ud800')",
                                        "'a'"}) {
        EXPECT_EQ(parse_string_list(text).error().message,
                  expected + "a non-empty list of string values, but got ill-formed list.")
            << text;
    }
}

}  // namespace

}  // namespace registry
