#include "registry/page_token.hpp"

#include <string>
#include <vector>

#include "base/strings.hpp"

#include <gtest/gtest.h>

namespace registry {

namespace {

TEST(PageToken, is_what_mlflow_makes) {
    EXPECT_EQ(make_page_token(1), "eyJvZmZzZXQiOiAxfQ==");
    EXPECT_EQ(parse_page_token(make_page_token(123456)).value(), 123456);
    EXPECT_EQ(parse_page_token("").value(), 0);
}

TEST(PageToken, reads_what_python_takes_for_an_integer) {
    for (const auto& [text, offset] : std::vector<std::pair<std::string_view, std::int64_t>>{
             {R"({"offset": "1"})", 1},
             {R"({"offset": " 2 "})", 2},
             {R"({"offset": 1.7})", 1},
             {R"({"offset": true})", 1},
             {R"({"offset": -3})", 0},
         }) {
        EXPECT_EQ(parse_page_token(base::base64_encode(text)).value(), offset) << text;
    }
    EXPECT_EQ(parse_page_token("eyJv ZmZz!ZXQiOiAxfQ==").value(), 1);
}

TEST(PageToken, says_what_is_wrong_with_others) {
    const std::string undecodable = "could not base64-decode";
    for (const auto& [token, problem] : std::vector<std::pair<std::string, std::string>>{
             {"x", undecodable},
             {"abc", undecodable},
             {"eyJvZmZzZXQiOiAxfQ", undecodable},
             {"!!!!", "decoded value=b''"},
             {"abcd", "decoded value=b'i\\xb7\\x1d'"},
             {base::base64_encode("it's \"q\""), "decoded value=b'it\\'s \"q\"'"},
             {base::base64_encode(R"({"offset": 1} x)"), "decoded value=b'{\"offset\": 1} x'"},
             {base::base64_encode(R"({"offset": 0})"), "parsed value={'offset': 0}"},
             {base::base64_encode(R"({"offset": ""})"), "parsed value={'offset': ''}"},
             {base::base64_encode(R"({"offset": null})"), "parsed value={'offset': None}"},
             {base::base64_encode(R"({"a": "it's", "b": [1, 2.5, null, true]})"),
              "parsed value={'a': \"it's\", 'b': [1, 2.5, None, True]}"},
             {base::base64_encode(R"({"offset": "x"})"), "not stringable x"},
             {base::base64_encode(R"({"offset": [1]})"), "not stringable [1]"},
             {base::base64_encode("[1]"), "parsed value=[1]"},
             {base::base64_encode(R"({"offset": 99999999999999999999})"), "not stringable 1e+20"},
         }) {
        const auto parsed = parse_page_token(token);
        ASSERT_FALSE(parsed) << token;
        EXPECT_EQ(parsed.error().code, base::Code::invalid_argument);
        EXPECT_EQ(parsed.error().message, "Invalid page token, " + problem);
    }
}

}  // namespace

}  // namespace registry
