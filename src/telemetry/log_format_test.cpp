#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "telemetry/log.hpp"

#include <gtest/gtest.h>

namespace telemetry {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kTime = "2025-08-14T12:00:00.000000Z";

std::string text_line(std::initializer_list<LogField> fields) {
    return format_line(LogFormat::text, kTime, LogLevel::info, "served", fields);
}

std::string json_line(std::initializer_list<LogField> fields) {
    return format_line(LogFormat::json, kTime, LogLevel::info, "served", fields);
}

// The value of the one field `v`, as written.
std::string text_value(const LogField& field) {
    return text_line({field}).substr((std::string(kTime) + " info  served v=").size());
}

std::string json_value(const LogField& field) {
    const std::string line = json_line({field});
    const std::string start = R"({"time":"2025-08-14T12:00:00.000000Z","level":"info","event":"served","v":)";
    EXPECT_EQ(line.substr(0, start.size()), start);
    EXPECT_EQ(line.back(), '}');
    return line.substr(start.size(), line.size() - start.size() - 1);
}

struct QuotedText {
    std::string text;
    std::size_t end = 0;  // after the closing quote
};

// Reads a JSON string at `start`; nothing when it is malformed.
std::optional<QuotedText> read_quoted(std::string_view line, std::size_t start) {
    QuotedText result;
    for (std::size_t at = start + 1; at < line.size(); ++at) {
        const char c = line[at];
        if (c == '"') {
            result.end = at + 1;
            return result;
        }
        if (c != '\\') {
            result.text.push_back(c);
            continue;
        }
        const char kind = at + 1 < line.size() ? line[++at] : '\0';
        if (kind == 'u' && at + 4 < line.size()) {
            result.text.push_back(static_cast<char>(std::stoi(std::string(line.substr(at + 1, 4)), nullptr, 16)));
            at += 4;
        } else if (kind == '"' || kind == '\\') {
            result.text.push_back(kind);
        } else {
            return std::nullopt;
        }
    }
    return std::nullopt;
}

// Reads ` key=value` pairs as a person's tools would.
std::optional<std::vector<std::pair<std::string, std::string>>> read_pairs(std::string_view line) {
    std::vector<std::pair<std::string, std::string>> pairs;
    std::size_t at = 0;
    while (at < line.size()) {
        const std::size_t equals = line.find('=', at);
        if (line[at] != ' ' || equals == std::string_view::npos) {
            return std::nullopt;
        }
        const std::string key(line.substr(at + 1, equals - at - 1));
        if (equals + 1 < line.size() && line[equals + 1] == '"') {
            const std::optional<QuotedText> quoted = read_quoted(line, equals + 1);
            if (!quoted) {
                return std::nullopt;
            }
            pairs.emplace_back(key, quoted->text);
            at = quoted->end;
        } else {
            const std::size_t end = std::min(line.find(' ', equals), line.size());
            pairs.emplace_back(key, line.substr(equals + 1, end - equals - 1));
            at = end;
        }
    }
    return pairs;
}

bool has_control_character(std::string_view line) {
    for (const char c : line) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) {
            return true;
        }
    }
    return false;
}

TEST(LogLine, has_time_level_event_and_fields_in_their_order) {
    EXPECT_EQ(text_line({{"status", 200}, {"route", "mlflow"}}),
              "2025-08-14T12:00:00.000000Z info  served status=200 route=mlflow");
    EXPECT_EQ(
        json_line({{"status", 200}, {"route", "mlflow"}}),
        R"({"time":"2025-08-14T12:00:00.000000Z","level":"info","event":"served","status":200,"route":"mlflow"})");
}

TEST(LogLine, needs_no_field) {
    EXPECT_EQ(text_line({}), "2025-08-14T12:00:00.000000Z info  served");
    EXPECT_EQ(json_line({}), R"({"time":"2025-08-14T12:00:00.000000Z","level":"info","event":"served"})");
}

TEST(LogLine, names_the_level) {
    const std::map<LogLevel, std::string> levels{
        {LogLevel::debug, "debug"}, {LogLevel::info, "info"}, {LogLevel::warn, "warn"}, {LogLevel::error, "error"}};
    for (const auto& [level, name] : levels) {
        EXPECT_EQ(format_line(LogFormat::json, "T", level, "e", {}),
                  R"({"time":"T","level":")" + name + R"(","event":"e"})");
        EXPECT_EQ(format_line(LogFormat::text, "T", level, "e", {}), "T " + (name + " ").substr(0, 5) + " e");
    }
}

TEST(LogLine, writes_numbers_and_flags_bare) {
    for (const auto& [field, written] : std::initializer_list<std::pair<LogField, std::string>>{
             {{"v", 0}, "0"},
             {{"v", -7}, "-7"},
             {{"v", std::numeric_limits<std::int64_t>::max()}, "9223372036854775807"},
             {{"v", std::numeric_limits<std::int64_t>::min()}, "-9223372036854775808"},
             {{"v", std::uint16_t{65535}}, "65535"},
             {{"v", true}, "true"},
             {{"v", false}, "false"},
             {{"v", 0.25}, "0.25"},
             {{"v", -1e300}, "-1e+300"},
         }) {
        EXPECT_EQ(json_value(field), written);
        EXPECT_EQ(text_value(field), written);
    }
}

TEST(LogLine, writes_zero_for_numbers_json_does_not_have) {
    for (const double number : {std::numeric_limits<double>::infinity(),
                                -std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_EQ(json_value({"v", number}), "0");
        EXPECT_EQ(text_value({"v", number}), "0");
    }
}

TEST(LogLine, takes_every_kind_of_text) {
    const std::string owned = "two words";
    const std::string_view viewed = owned;
    EXPECT_EQ(json_value({"v", owned}), "\"two words\"");
    EXPECT_EQ(json_value({"v", viewed}), "\"two words\"");
    EXPECT_EQ(json_value({"v", "two words"}), "\"two words\"");
}

TEST(LogLine, quotes_text_only_where_it_would_be_misread) {
    for (const std::string_view plain : {"word", "a/b?c&d", "10.0.0.1:80", "{}", "J\xC3\xBCrgen"}) {
        EXPECT_EQ(text_value({"v", plain}), plain);
    }
    EXPECT_EQ(text_value({"v", ""}), R"("")");
    EXPECT_EQ(text_value({"v", "two words"}), R"("two words")");
    EXPECT_EQ(text_value({"v", "a=b"}), R"("a=b")");
    EXPECT_EQ(text_value({"v", R"(say "hi")"}), R"("say \"hi\"")");
    EXPECT_EQ(text_value({"v", R"(C:\x)"}), R"("C:\\x")");
}

TEST(LogLine, escapes_quotes_backslashes_and_control_characters) {
    for (const auto& [text, written] : std::initializer_list<std::pair<std::string_view, std::string>>{
             {"a\"b", R"("a\"b")"},
             {"a\\b", R"("a\\b")"},
             {"\\\"", R"("\\\"")"},
             {"a\nb", R"("a\u000ab")"},
             {"a\r\nb", R"("a\u000d\u000ab")"},
             {"a\tb", R"("a\u0009b")"},
             {"a\0b"sv, R"("a\u0000b")"},
             {"\x1B[2J", R"("\u001b[2J")"},
             {"\x7F", R"("\u007f")"},
         }) {
        EXPECT_EQ(json_value({"v", text}), written);
        EXPECT_EQ(text_value({"v", text}), written);
    }
}

TEST(LogLine, lets_no_value_forge_another_field_or_line) {
    const std::string attack =
        "x\" status=200 \"\n2025-08-14T12:00:01.000000Z info  served user=admin\",\"admin\":true,\"z\":\"";
    EXPECT_FALSE(has_control_character(json_line({{"v", attack}})));
    EXPECT_FALSE(has_control_character(text_line({{"v", attack}})));
    const std::string quoted = json_value({"v", attack});
    const std::optional<QuotedText> read = read_quoted(quoted, 0);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->text, attack);
    EXPECT_EQ(read->end, quoted.size());
}

TEST(LogLine, escapes_the_event_and_the_keys_of_json_too) {
    EXPECT_EQ(format_line(LogFormat::json, "T", LogLevel::warn, "a\"b\n", {{"k\"", 1}}),
              R"({"time":"T","level":"warn","event":"a\"b\u000a","k\"":1})");
}

TEST(LogLine, gives_back_any_bytes_it_was_given) {
    constexpr std::string_view kNasty = "\"\\ =\n\r\t\0\x1B\x7Fnu{},:a\xC3"sv;
    base::SeededRandom random(7);
    const std::size_t start = (std::string(kTime) + " info  served").size();
    for (int round = 0; round < 2000; ++round) {
        std::string first;
        std::string second;
        for (std::string* text : {&first, &second}) {
            for (std::uint64_t left = random.next() % 12; left > 0; --left) {
                text->push_back(kNasty[random.next() % kNasty.size()]);
            }
        }
        const std::string line = text_line({{"a", first}, {"b", second}});
        ASSERT_FALSE(has_control_character(line));
        const auto pairs = read_pairs(std::string_view(line).substr(start));
        ASSERT_TRUE(pairs) << line;
        ASSERT_EQ(*pairs, (std::vector<std::pair<std::string, std::string>>{{"a", first}, {"b", second}})) << line;

        const std::string quoted = json_value({"v", first});
        const std::optional<QuotedText> read = read_quoted(quoted, 0);
        ASSERT_TRUE(read && !has_control_character(quoted)) << quoted;
        ASSERT_EQ(read->text, first);
        ASSERT_EQ(read->end, quoted.size());
    }
}

}  // namespace
}  // namespace telemetry
