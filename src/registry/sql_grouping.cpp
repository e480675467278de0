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

// Puts `grouped` from `first` on into one token.
void merge_tail(Statement& grouped, std::size_t first, Kind kind) {
    Token merged;
    merged.kind = kind;
    const char* begin = grouped[first].text.data();
    const std::string_view last = grouped.back().text;
    merged.text = std::string_view(begin, static_cast<std::size_t>(last.data() + last.size() - begin));
    const auto from = grouped.begin() + static_cast<std::ptrdiff_t>(first);
    if (kind == Kind::comparison) {
        std::copy_if(
            from, grouped.end(), std::back_inserter(merged.parts), [](const Token& token) { return !is_space(token); });
    }
    grouped.erase(from, grouped.end());
    grouped.push_back(std::move(merged));
}

// Appends [first, last] of `tokens`.
void append(Statement& grouped, const Statement& tokens, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i <= last; ++i) {
        grouped.push_back(tokens[i]);
    }
}

// Groups `left middle right`. Within a longer chain, sqlparse takes for the left side of the next middle the token it
// saw last, and groups from the beginning of the group before: `a = b = c` is (a = b) = c though no comparison may
// stand on a left side.
template <class Match, class IsLeft, class IsRight>
void group_infix(Statement& tokens, Kind kind, Match is_middle, IsLeft is_left, IsRight is_right) {
    Statement grouped;
    std::optional<std::size_t> left;
    Token left_token;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const bool may_join = left && is_middle(tokens[i]) && is_left(left_token);
        const std::size_t right = may_join ? next_index(tokens, i) : tokens.size();
        if (right < tokens.size() && is_right(tokens[right])) {
            append(grouped, tokens, i, right);
            merge_tail(grouped, *left, kind);
            left_token = tokens[right];
            i = right;
            continue;
        }
        if (!is_space(tokens[i])) {
            left = grouped.size();
            left_token = tokens[i];
        }
        grouped.push_back(tokens[i]);
    }
    tokens = std::move(grouped);
}

enum class Chain { no, yes };  // whether a group may be the first of another pair

// Groups a token with the one behind it, space aside, when `is_pair` says so.
template <class IsPair>
void group_pairs(Statement& tokens, Kind kind, Chain chain, IsPair is_pair) {
    Statement grouped;
    std::optional<std::size_t> left;
    for (const Token& token : tokens) {
        const bool is_second = left && !is_space(token) && is_pair(grouped[*left], token);
        if (!is_space(token) && !is_second) {
            left = grouped.size();
        }
        grouped.push_back(token);
        if (is_second) {
            merge_tail(grouped, *left, kind);
            left = chain == Chain::yes ? left : std::nullopt;
        }
    }
    tokens = std::move(grouped);
}

void group_parentheses(Statement& tokens) {
    Statement grouped;
    std::vector<std::size_t> open;
    for (const Token& token : tokens) {
        if (is_sign(token, "(")) {
            open.push_back(grouped.size());
        }
        grouped.push_back(token);
        if (is_sign(token, ")") && !open.empty()) {
            merge_tail(grouped, open.back(), Kind::parenthesis);
            open.pop_back();
        }
    }
    tokens = std::move(grouped);
}

void group_where(Statement& tokens) {
    constexpr std::array<std::string_view, 10> kClosers{
        "ORDER BY", "GROUP BY", "LIMIT", "UNION", "UNION ALL", "EXCEPT", "INTERSECT", "HAVING", "RETURNING", "INTO"};
    const auto is_closer = [&](const Token& token) {
        return std::ranges::any_of(kClosers, [&](std::string_view closer) { return is_keyword(token, closer); });
    };
    Statement grouped;
    std::optional<std::size_t> start;
    for (const Token& token : tokens) {
        if (start && is_closer(token)) {
            merge_tail(grouped, *start, Kind::where);
            start.reset();
        }
        if (!start && is_keyword(token, "WHERE")) {
            start = grouped.size();
        }
        grouped.push_back(token);
    }
    if (start) {
        merge_tail(grouped, *start, Kind::where);
    }
    tokens = std::move(grouped);
}

// `a.b.c`, with nothing behind the last point if need be.
void group_periods(Statement& tokens) {
    Statement grouped;
    std::optional<std::size_t> left;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const bool is_joint =
            left && is_sign(tokens[i], ".") && is_one_of(grouped[*left], {Kind::name, Kind::symbol, Kind::identifier});
        if (!is_joint) {
            left = is_space(tokens[i]) ? left : grouped.size();
            grouped.push_back(tokens[i]);
            continue;
        }
        const std::size_t right = next_index(tokens, i);
        const bool has_right =
            right < tokens.size() &&
            is_one_of(tokens[right], {Kind::name, Kind::symbol, Kind::wildcard, Kind::text, Kind::function});
        append(grouped, tokens, i, has_right ? right : i);
        merge_tail(grouped, *left, Kind::identifier);
        i = has_right ? right : i;
    }
    tokens = std::move(grouped);
}

void group_identifiers(Statement& tokens) {
    for (Token& token : tokens) {
        if (is_one_of(token, {Kind::name, Kind::symbol})) {
            token.kind = Kind::identifier;
        }
    }
}

bool is_number(const Token& token) {
    return is_one_of(token, {Kind::integer, Kind::floating, Kind::hexadecimal});
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

bool can_have_alias(const Token& token) {
    return is_number(token) ||
           is_one_of(token, {Kind::parenthesis, Kind::function, Kind::identifier, Kind::operation, Kind::comparison});
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
    const auto is_no_keyword = [](const Token& token) {
        return token.kind != Kind::keyword || is_keyword(token, "NULL");
    };
    group_parentheses(tokens);
    group_pairs(tokens, Kind::function, Chain::no, [](const Token& name, const Token& arguments) {
        return is_one_of(name, {Kind::name, Kind::builtin, Kind::placeholder}) && arguments.kind == Kind::parenthesis;
    });
    group_where(tokens);
    group_periods(tokens);
    group_identifiers(tokens);
    group_pairs(tokens, Kind::identifier, Chain::yes, [](const Token& key, const Token& direction) {
        return (key.kind == Kind::identifier || is_number(key)) && direction.kind == Kind::order;
    });
    group_infix(
        tokens,
        Kind::operation,
        [](const Token& token) { return is_one_of(token, {Kind::operator_sign, Kind::wildcard}); },
        is_operand,
        is_operand);
    const auto is_compared = [](const Token& token) { return is_operand(token) || is_keyword(token, "NULL"); };
    group_infix(tokens, Kind::comparison, is_kind(Kind::comparison_operator), is_compared, is_compared);
    group_infix(
        tokens, Kind::identifier, [](const Token& token) { return is_keyword(token, "AS"); }, is_no_keyword, is_any);
    group_pairs(tokens, Kind::identifier, Chain::no, [](const Token& value, const Token& alias) {
        return alias.kind == Kind::identifier && can_have_alias(value);
    });
    group_infix(tokens, Kind::list, [](const Token& token) { return is_sign(token, ","); }, is_listed, is_listed);
}

std::optional<std::vector<Statement>> parse(std::string_view text) {
    constexpr std::size_t kMaxTokens = 10'000;
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
        if (statement.size() > kMaxTokens) {
            return std::nullopt;
        }
        group(statement);
    }
    return statements;
}

}  // namespace registry::sql
