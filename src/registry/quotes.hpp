// Quoted keys in filters and orders.
#pragma once

#include <string_view>

namespace registry {

inline bool is_quoted(std::string_view text, char quote) {
    return text.size() >= 2 && text.starts_with(quote) && text.ends_with(quote);
}

// Without the single or double quotes around it, if there are any.
inline std::string_view without_quotes(std::string_view text) {
    return is_quoted(text, '\'') || is_quoted(text, '"') ? text.substr(1, text.size() - 2) : text;
}

// Without quotes, then without backticks.
inline std::string_view bare_key(std::string_view text) {
    text = without_quotes(text);
    return is_quoted(text, '`') ? text.substr(1, text.size() - 2) : text;
}

}  // namespace registry
