#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "base/strings.hpp"
#include "registry/sql.hpp"
#include "registry/sql_keywords.hpp"
#include "registry/utf8.hpp"

namespace registry::sql {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Tries the kinds of token in sqlparse's order; each `take_` answers the length of its match, 0 for none.
class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text), rest_(text) {}

    std::vector<Token> run() {
        std::vector<Token> tokens;
        while (!rest_.empty()) {
            const Token token = next();
            rest_.remove_prefix(token.text.size());
            tokens.push_back(token);
        }
        return tokens;
    }

private:
    [[nodiscard]] Token token(Kind kind, std::size_t size) const {
        return {kind, rest_.substr(0, size), {}};
    }

    [[nodiscard]] char at(std::size_t index) const {
        return index < rest_.size() ? rest_[index] : '\0';
    }

    // Before the current position; '\0' at the start.
    [[nodiscard]] char previous() const {
        return rest_.size() == text_.size() ? '\0' : text_[text_.size() - rest_.size() - 1];
    }

    [[nodiscard]] Token next() const {
        if (const std::size_t size = comment(); size > 0) {
            return token(Kind::comment, size);
        }
        if (const std::size_t size = space(); size > 0) {
            return token(Kind::space, size);
        }
        if (at(0) == '*') {
            return token(Kind::wildcard, 1);
        }
        if (const std::size_t size = quoted('`', false); size > 0) {
            return token(Kind::name, size);
        }
        if (const std::size_t size = placeholder(); size > 0) {
            return token(Kind::placeholder, size);
        }
        if (const std::size_t size = prefixed_name(); size > 0) {
            return token(Kind::name, size);
        }
        if (const std::size_t size = number(); size > 0) {
            return token(number_kind(rest_.substr(0, size)), size);
        }
        if (const std::size_t size = quoted('\'', true); size > 0) {
            return token(Kind::text, size);
        }
        if (const std::size_t size = quoted('"', true); size > 0) {
            return token(Kind::symbol, size);
        }
        if (const std::size_t size = bracketed_name(); size > 0) {
            return token(Kind::name, size);
        }
        if (const std::size_t size = word(rest_); size > 0) {
            return word_token(size);
        }
        return sign();
    }

    [[nodiscard]] std::size_t comment() const {
        if (rest_.starts_with("--") || rest_.starts_with("# ")) {
            const std::size_t end = rest_.find_first_of("\r\n");
            const std::size_t line_end = rest_.substr(std::min(end, rest_.size())).starts_with("\r\n") ? 2 : 1;
            return end == std::string_view::npos ? rest_.size() : end + line_end;
        }
        if (rest_.starts_with("/*")) {
            const std::size_t end = rest_.find("*/", 2);
            return end == std::string_view::npos ? 0 : end + 2;
        }
        return 0;
    }

    [[nodiscard]] std::size_t space() const {
        std::string_view after = rest_;
        return is_space(next_code_point(after)) ? rest_.size() - after.size() : 0;
    }

    // Up to the closing quote; a doubled quote, and with `has_escapes` one behind a backslash, does not close, unless
    // no other does.
    [[nodiscard]] std::size_t quoted(char quote, bool has_escapes) const {
        if (at(0) != quote) {
            return 0;
        }
        std::size_t last_resort = 0;
        for (std::size_t i = 1; i < rest_.size(); ++i) {
            if (rest_[i] == quote && at(i + 1) != quote) {
                return i + 1;
            }
            if (rest_[i] == quote) {
                last_resort = i + 1;
                ++i;
            } else if (has_escapes && rest_[i] == '\\' && at(i + 1) == quote) {
                last_resort = i + 2;
                ++i;
            }
        }
        return last_resort;
    }

    [[nodiscard]] std::size_t placeholder() const {
        if (at(0) == '?') {
            return 1;
        }
        if (rest_.starts_with("%s") || rest_.starts_with("%S")) {
            return 2;
        }
        if (at(0) == '$' || at(0) == ':') {
            const std::size_t size = word(rest_.substr(1));
            return size > 0 && !is_word_character(static_cast<unsigned char>(previous())) ? size + 1 : 0;
        }
        return 0;
    }

    // @name, #name, ##name: of two characters at least.
    [[nodiscard]] std::size_t prefixed_name() const {
        const std::size_t prefix = rest_.starts_with("##") ? 2 : 1;
        if ((at(0) != '@' && at(0) != '#') || !is_letter(at(prefix))) {
            return 0;
        }
        const std::size_t size = word(rest_.substr(prefix));
        return size > 1 ? prefix + size : 0;
    }

    [[nodiscard]] std::size_t digits(std::size_t from) const {
        std::size_t end = from;
        while (is_digit(at(end))) {
            ++end;
        }
        return end - from;
    }

    [[nodiscard]] std::size_t number() const {
        const std::size_t sign = at(0) == '-' ? 1 : 0;
        if (at(sign) == '0' && (at(sign + 1) == 'x' || at(sign + 1) == 'X') && is_hex_digit(at(sign + 2))) {
            std::size_t end = sign + 2;
            while (is_hex_digit(at(end))) {
                ++end;
            }
            return end;
        }
        std::size_t end = sign + digits(sign);
        if (const std::size_t fraction = at(end) == '.' ? digits(end + 1) : 0; fraction > 0 || end > sign) {
            end += at(end) == '.' ? fraction + 1 : 0;
        }
        if (end == sign) {
            return 0;
        }
        if (at(end) == 'e' || at(end) == 'E') {
            const std::size_t exponent_sign = at(end + 1) == '-' ? 1 : 0;
            if (const std::size_t exponent = digits(end + 1 + exponent_sign); exponent > 0) {
                return end + 1 + exponent_sign + exponent;
            }
        }
        return is_letter(at(end)) || at(end) == '_' ? 0 : end;
    }

    static Kind number_kind(std::string_view number) {
        if (number.find_first_of("xX") != std::string_view::npos) {
            return Kind::hexadecimal;
        }
        return number.find_first_of(".eE") == std::string_view::npos ? Kind::integer : Kind::floating;
    }

    [[nodiscard]] std::size_t bracketed_name() const {
        if (at(0) != '[' || previous() == ']' || is_word_character(static_cast<unsigned char>(previous()))) {
            return 0;
        }
        const std::size_t end = rest_.find_first_of("[]", 1);
        return end != std::string_view::npos && end > 1 && rest_[end] == ']' ? end + 1 : 0;
    }

    // Letters, digits, '_', and '$' and '#' behind the first.
    static std::size_t word(std::string_view text) {
        const std::size_t size = text.size();
        while (!text.empty()) {
            std::string_view after = text;
            const char32_t point = next_code_point(after);
            if (!is_word_character(point) && (text.size() == size || (point != U'$' && point != U'#'))) {
                break;
            }
            text = after;
        }
        return size - text.size();
    }

    // The length of `words` at the start of the rest, any case, with any space in between.
    [[nodiscard]] std::size_t phrase(std::initializer_list<std::string_view> words) const {
        std::string_view rest = rest_;
        for (const std::string_view expected : words) {
            if (rest.size() != rest_.size()) {
                const std::size_t text = std::min(rest.find_first_not_of(" \t\r\n\f\v"), rest.size());
                if (text == 0) {
                    return 0;
                }
                rest.remove_prefix(text);
            }
            if (!base::iequals(rest.substr(0, word(rest)), expected)) {
                return 0;
            }
            rest.remove_prefix(expected.size());
        }
        return rest_.size() - rest.size();
    }

    [[nodiscard]] Token word_token(std::size_t size) const {
        const std::string_view word = rest_.substr(0, size);
        for (const std::string_view keyword : {"CASE", "IN", "VALUES", "USING", "FROM", "AS"}) {
            if (base::iequals(word, keyword)) {
                return token(Kind::keyword, size);
            }
        }
        const std::string_view after = rest_.substr(size);
        const std::string_view trimmed = after.substr(std::min(after.find_first_not_of(" \t\r\n\f\v"), after.size()));
        const bool is_qualifier = trimmed.starts_with('.') && (trimmed.size() < 2 || !is_digit(trimmed[1]));
        if (!is_digit(word.front()) && word.front() != '_' &&
            (is_qualifier || previous() == '.' || after.starts_with('('))) {
            return token(Kind::name, size);
        }
        if (const std::size_t length = std::max(phrase({"ASC"}), phrase({"DESC"})); length > 0) {
            const std::size_t with_nulls = longest({{word, "NULLS", "FIRST"}, {word, "NULLS", "LAST"}});
            return token(Kind::order, std::max(length, with_nulls));
        }
        for (const std::string_view like : {"LIKE", "ILIKE", "RLIKE", "REGEXP"}) {
            if (const std::size_t length = std::max(phrase({like}), phrase({"NOT", like})); length > 0) {
                return token(Kind::comparison_operator, length);
            }
        }
        if (const std::size_t length =
                longest({{"NOT", "NULL"}, {"ORDER", "BY"}, {"GROUP", "BY"}, {"UNION", "ALL"}, {"PRIMARY", "KEY"}});
            length > 0) {
            return token(Kind::keyword, length);
        }
        return token(word_kind(word), size);
    }

    [[nodiscard]] std::size_t longest(std::initializer_list<std::initializer_list<std::string_view>> phrases) const {
        std::size_t length = 0;
        for (const auto& words : phrases) {
            length = std::max(length, phrase(words));
        }
        return length;
    }

    static Kind word_kind(std::string_view word) {
        std::string upper(word);
        std::ranges::transform(
            upper, upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; });
        if (std::ranges::binary_search(kKeywords, upper)) {
            return Kind::keyword;
        }
        return std::ranges::binary_search(kBuiltins, upper) ? Kind::builtin : Kind::name;
    }

    [[nodiscard]] Token sign() const {
        constexpr std::string_view kComparison = "<>=~!";
        constexpr std::string_view kOperator = "+/@#%^&|-";
        if (std::string_view(";:()[],.").contains(at(0))) {
            return token(Kind::punctuation, rest_.starts_with("::") ? 2 : 1);
        }
        for (const std::string_view json : {"->>", "->", "#>>", "#>", "@>", "<@", "#-", "-"}) {
            if (rest_.starts_with(json)) {
                return token(Kind::operator_sign, json.size());
            }
        }
        if (kComparison.contains(at(0))) {
            return token(Kind::comparison_operator, std::min(rest_.find_first_not_of(kComparison), rest_.size()));
        }
        if (kOperator.contains(at(0))) {
            return token(Kind::operator_sign, std::min(rest_.find_first_not_of(kOperator), rest_.size()));
        }
        std::string_view after = rest_;
        next_code_point(after);
        return token(Kind::error, rest_.size() - after.size());
    }

    std::string_view text_;
    std::string_view rest_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) {
    return Lexer(text).run();
}

}  // namespace registry::sql
