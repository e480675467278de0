// Text read as the sqlparse library reads it, which MLflow reads filters and orders with: as far as it matters to them,
// and to what MLflow says about those it refuses.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace registry::sql {

enum class Kind {
    space,
    comment,
    name,
    builtin,
    placeholder,
    keyword,
    order,  // ASC, DESC
    integer,
    floating,
    hexadecimal,
    text,    // 'single'
    symbol,  // "double"
    comparison_operator,
    operator_sign,
    wildcard,
    punctuation,
    error,
    // made of other tokens:
    parenthesis,
    function,
    where,
    identifier,
    operation,
    comparison,
    list,
};

struct Token {
    Kind kind = Kind::error;
    std::string_view text;     // a part of the text that was parsed
    std::vector<Token> parts;  // of a comparison
};

using Statement = std::vector<Token>;

bool is_keyword(const Token& token, std::string_view word);

// The words and signs of `text`, none left out.
std::vector<Token> tokenize(std::string_view text);

// Tokens put together into larger ones.
void group(Statement& statement);

// The statements of `text`, grouped: an empty list for blank text, nothing for more tokens than sqlparse takes.
std::optional<std::vector<Statement>> parse(std::string_view text);

}  // namespace registry::sql
