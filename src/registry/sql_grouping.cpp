#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <utility>

#include "base/strings.hpp"
#include "registry/sql.hpp"

namespace registry::sql {

namespace {

bool is_one_of(const Token& token, std::initializer_list<Kind> kinds) {
    return std::ranges::find(kinds, token.kind) != kinds.end();
}

bool is_sign(const Token& token, std::string_view sign) {
    return token.kind == Kind::punctuation && token.text == sign;
}

bool is_space(const Token& token) {
    return token.kind == Kind::space;
}

// The next token behind `index` that is no space; the size when there is none.
std::size_t next_index(const Statement& tokens, std::size_t index) {
    do {
        ++index;
    } while (index < tokens.size() && is_space(tokens[index]));
    return index;
}

// Puts [first, last] into one token.
void merge(Statement& tokens, std::size_t first, std::size_t last, Kind kind) {
    Token merged;
    merged.kind = kind;
    const char* begin = tokens[first].text.data();
    const std::string_view end = tokens[last].text;
    merged.text = std::string_view(begin, static_cast<std::size_t>(end.data() + end.size() - begin));
    const auto from = tokens.begin() + static_cast<std::ptrdiff_t>(first);
    const auto to = tokens.begin() + static_cast<std::ptrdiff_t>(last) + 1;
    if (kind == Kind::comparison) {
        std::copy_if(from, to, std::back_inserter(merged.parts), [](const Token& token) { return !is_space(token); });
    }
    *from = std::move(merged);
    tokens.erase(from + 1, to);
}

// Groups `left middle right`. Within a longer chain, sqlparse takes for the left side of the next middle the token it
// saw last, and groups from the beginning of the group before: `a = b = c` is (a = b) = c though no comparison may
// stand on a left side.
template <class Match, class IsLeft, class IsRight>
void group_infix(Statement& tokens, Kind kind, Match is_middle, IsLeft is_left, IsRight is_right) {
    std::optional<std::size_t> left;
    Token left_token;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (is_space(tokens[i])) {
            continue;
        }
        const std::size_t right = next_index(tokens, i);
        if (left && is_middle(tokens[i]) && is_left(left_token) && right < tokens.size() && is_right(tokens[right])) {
            left_token = tokens[right];
            merge(tokens, *left, right, kind);
            i = *left;
            continue;
        }
        left = i;
        left_token = tokens[i];
    }
}

void group_parentheses(Statement& tokens) {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (is_sign(tokens[i], "(")) {
            open.push_back(i);
        } else if (is_sign(tokens[i], ")") && !open.empty()) {
            const std::size_t first = open.back();
            open.pop_back();
            merge(tokens, first, i, Kind::parenthesis);
            i = first;
        }
    }
}

void group_functions(Statement& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const std::size_t next = next_index(tokens, i);
        if (is_one_of(tokens[i], {Kind::name, Kind::builtin, Kind::placeholder}) && next < tokens.size() &&
            tokens[next].kind == Kind::parenthesis) {
            merge(tokens, i, next, Kind::function);
        }
    }
}

void group_where(Statement& tokens) {
    constexpr std::array<std::string_view, 10> kClosers{
        "ORDER BY", "GROUP BY", "LIMIT", "UNION", "UNION ALL", "EXCEPT", "INTERSECT", "HAVING", "RETURNING", "INTO"};
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (!is_keyword(tokens[i], "WHERE")) {
            continue;
        }
        std::size_t last = i;
        while (last + 1 < tokens.size() && std::ranges::none_of(kClosers, [&](std::string_view closer) {
                   return is_keyword(tokens[last + 1], closer);
               })) {
            ++last;
        }
        merge(tokens, i, last, Kind::where);
    }
}

// `a.b.c`, with nothing behind the last point if need be.
void group_periods(Statement& tokens) {
    std::optional<std::size_t> left;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (is_space(tokens[i])) {
            continue;
        }
        if (left && is_sign(tokens[i], ".") && is_one_of(tokens[*left], {Kind::name, Kind::symbol, Kind::identifier})) {
            const std::size_t right = next_index(tokens, i);
            const bool has_right =
                right < tokens.size() &&
                is_one_of(tokens[right], {Kind::name, Kind::symbol, Kind::wildcard, Kind::text, Kind::function});
            merge(tokens, *left, has_right ? right : i, Kind::identifier);
            i = *left;
        }
        left = i;
    }
}

void group_identifiers(Statement& tokens) {
    for (Token& token : tokens) {
        if (is_one_of(token, {Kind::name, Kind::symbol})) {
            token.kind = Kind::identifier;
        }
    }
}

void group_order(Statement& tokens) {
    std::optional<std::size_t> left;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (is_space(tokens[i])) {
            continue;
        }
        if (left && tokens[i].kind == Kind::order &&
            is_one_of(tokens[*left], {Kind::identifier, Kind::integer, Kind::floating, Kind::hexadecimal})) {
            merge(tokens, *left, i, Kind::identifier);
            i = *left;
        }
        left = i;
    }
}

bool is_operand(const Token& token) {
    return is_one_of(token,
                     {Kind::parenthesis,
                      Kind::function,
                      Kind::identifier,
                      Kind::operation,
                      Kind::integer,
                      Kind::floating,
                      Kind::text,
                      Kind::symbol,
                      Kind::name,
                      Kind::placeholder});
}

// `a b`: an alias, to SQL.
void group_aliases(Statement& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const std::size_t next = next_index(tokens, i);
        if (next < tokens.size() && tokens[next].kind == Kind::identifier &&
            is_one_of(tokens[i],
                      {Kind::parenthesis,
                       Kind::function,
                       Kind::identifier,
                       Kind::operation,
                       Kind::comparison,
                       Kind::integer,
                       Kind::floating,
                       Kind::hexadecimal})) {
            merge(tokens, i, next, Kind::identifier);
        }
    }
}

bool is_listed(const Token& token) {
    return is_operand(token) ? token.kind != Kind::parenthesis
                             : is_one_of(token, {Kind::comparison, Kind::list, Kind::keyword, Kind::wildcard});
}

}  // namespace

bool is_keyword(const Token& token, std::string_view word) {
    return token.kind == Kind::keyword && base::iequals(token.text, word);
}

void group(Statement& tokens) {
    const auto is_kind = [](Kind kind) { return [kind](const Token& token) { return token.kind == kind; }; };
    const auto is_any = [](const Token&) { return true; };
    group_parentheses(tokens);
    group_functions(tokens);
    group_where(tokens);
    group_periods(tokens);
    group_identifiers(tokens);
    group_order(tokens);
    group_infix(
        tokens,
        Kind::operation,
        [](const Token& token) { return is_one_of(token, {Kind::operator_, Kind::wildcard}); },
        is_operand,
        is_operand);
    const auto is_compared = [](const Token& token) { return is_operand(token) || is_keyword(token, "NULL"); };
    group_infix(tokens, Kind::comparison, is_kind(Kind::comparison_operator), is_compared, is_compared);
    group_infix(tokens, Kind::identifier, [](const Token& token) { return is_keyword(token, "AS"); }, is_any, is_any);
    group_aliases(tokens);
    group_infix(tokens, Kind::list, [](const Token& token) { return is_sign(token, ","); }, is_listed, is_listed);
}

std::vector<Statement> parse(std::string_view text) {
    std::vector<Statement> statements;
    bool is_ended = true;
    int depth = 0;
    for (Token& token : tokenize(text)) {
        const bool is_trailing = is_space(token) && token.text.find_first_of("\r\n") == std::string_view::npos;
        if (is_ended && !(is_trailing && !statements.empty())) {
            statements.emplace_back();
            is_ended = false;
            depth = 0;
        }
        depth += is_sign(token, "(") ? 1 : 0;
        depth -= is_sign(token, ")") ? 1 : 0;
        is_ended = is_ended || (is_sign(token, ";") && depth <= 0);
        statements.back().push_back(std::move(token));
    }
    if (!statements.empty() && std::ranges::all_of(statements.back(), is_space)) {
        statements.pop_back();
    }
    for (Statement& statement : statements) {
        group(statement);
    }
    return statements;
}

}  // namespace registry::sql
