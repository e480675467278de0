#include "registry/order_by.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/strings.hpp"
#include "registry/python.hpp"
#include "registry/quotes.hpp"
#include "registry/sql.hpp"
#include "registry/utf8.hpp"

#include <fmt/format.h>

namespace registry {

namespace {

// The valid keys in the order in which a server with PYTHONHASHSEED=0 prints them.
constexpr std::string_view kShownModelKeys = "{'timestamp', 'name'}";
constexpr std::string_view kShownVersionKeys =
    "{'creation_timestamp', 'last_updated_timestamp', 'version_number', 'name'}";

template <class... Parts>
std::unexpected<base::Error> refuse(fmt::format_string<Parts...> format, Parts&&... parts) {
    return base::fail(base::Code::invalid_argument, fmt::format(format, std::forward<Parts>(parts)...));
}

struct Clause {
    std::string key;
    bool is_descending = false;
};

// Words as a shell splits them. Nothing when a quote is not closed.
std::optional<std::vector<std::string>> split_words(std::string_view text) {
    std::vector<std::string> words;
    bool is_in_word = false;
    char quote = '\0';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote == '\0' && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
            is_in_word = false;
            continue;
        }
        if (!is_in_word) {
            words.emplace_back();
            is_in_word = true;
        }
        const bool is_quote = c == '"' || c == '\'';
        if (is_quote && (quote == '\0' || quote == c)) {
            quote = quote == '\0' ? c : '\0';
        } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
            const char next = text[++i];
            if (quote == '"' && next != '"' && next != '\\') {
                words.back().push_back(c);
            }
            words.back().push_back(next);
        } else {
            words.back().push_back(c);
        }
    }
    return quote == '\0' ? std::optional(words) : std::nullopt;
}

bool is_timestamp(const sql::Token& token) {
    return token.kind == sql::Kind::builtin && token.text == "timestamp";
}

// What of `clause` has to be split; nothing when it is no identifier with at most one word behind it.
std::optional<std::string> identifier_of(std::string_view clause) {
    const auto statements = sql::parse(clause);
    if (!statements || statements->size() != 1) {
        return std::nullopt;
    }
    const sql::Statement& tokens = statements->front();
    if (tokens.size() == 1 && (tokens.front().kind == sql::Kind::identifier || is_timestamp(tokens.front()))) {
        return std::string(tokens.front().text);
    }
    const bool is_ordered_timestamp = is_timestamp(tokens.front()) && tokens.back().kind == sql::Kind::order &&
                                      std::all_of(tokens.begin() + 1, tokens.end() - 1, [](const sql::Token& token) {
                                          return token.kind == sql::Kind::space;
                                      });
    return is_ordered_timestamp ? std::optional("timestamp " + std::string(tokens.back().text)) : std::nullopt;
}

base::Result<Clause> parse_clause(std::string_view text) {
    std::optional<std::string> identifier = identifier_of(text);
    std::string quoted = identifier.value_or("");
    std::ranges::replace(quoted, '`', '"');
    const auto words = split_words(quoted);
    if (!identifier || !words || words->size() > 2) {
        return refuse("Invalid order_by clause '{}'. Could not be parsed.", text);
    }
    if (words->size() < 2) {
        return Clause{*std::move(identifier), false};
    }
    const bool is_descending = base::iequals(words->back(), "desc");
    if (!is_descending && !base::iequals(words->back(), "asc")) {
        return refuse("Invalid ordering key in order_by clause '{}'.", text);
    }
    return Clause{words->front(), is_descending};
}

// Python's strip(), for the spaces a name may have.
std::string_view strip(std::string_view text) {
    while (!text.empty() && is_space(static_cast<unsigned char>(text.front())) && text.front() > 0) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(static_cast<unsigned char>(text.back())) && text.back() > 0) {
        text.remove_suffix(1);
    }
    return text;
}

base::Result<Column> model_column(std::string_view key) {
    if (key == "name") {
        return Column::name;
    }
    if (key == "timestamp" || key == "last_updated_timestamp") {
        return Column::last_updated_timestamp;
    }
    return refuse("Invalid order by key '{}' specified. Valid keys are '{}'", key, kShownModelKeys);
}

base::Result<Column> version_column(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, Column>, 4> kColumns{{
        {"name", Column::name},
        {"version_number", Column::version},
        {"creation_timestamp", Column::creation_timestamp},
        {"last_updated_timestamp", Column::last_updated_timestamp},
    }};
    bool is_tag = false;
    if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
        const std::string_view entity = text.substr(0, point);
        is_tag = entity == "tag" || entity == "tags";
        if (!is_tag && entity != "attribute") {
            return refuse("Invalid entity type '{}'. Valid entity types are ('attribute', 'tag', 'tags')", entity);
        }
        text.remove_prefix(point + 1);
    }
    const std::string_view key = bare_key(text);
    const auto* const column = std::ranges::find(kColumns, key, &std::pair<std::string_view, Column>::first);
    if (column != kColumns.end()) {
        return column->second;
    }
    if (is_tag) {
        return refuse("Invalid order by key '{}' specified. Valid keys are {}", key, kShownVersionKeys);
    }
    return refuse("Invalid attribute key '{}' specified. Valid keys are '{}'", key, kShownVersionKeys);
}

bool has(const std::vector<OrderTerm>& order, Column column) {
    return std::ranges::find(order, column, &OrderTerm::column) != order.end();
}

template <class FindColumn>
base::Result<std::vector<OrderTerm>> parse(const std::vector<std::string>& clauses, FindColumn find_column) {
    std::vector<OrderTerm> order;
    for (const std::string& text : clauses) {
        const auto clause = parse_clause(text);
        if (!clause) {
            return std::unexpected(clause.error());
        }
        const auto column = find_column(strip(clause->key));
        if (!column) {
            return std::unexpected(column.error());
        }
        if (has(order, *column)) {
            boost::json::array shown;
            for (const std::string& each : clauses) {
                shown.emplace_back(each);
            }
            return base::fail(
                base::Code::internal,
                fmt::format("`order_by` contains duplicate fields: {}", python::repr(boost::json::value(shown))));
        }
        order.push_back({*column, clause->is_descending});
    }
    return order;
}

}  // namespace

base::Result<std::vector<OrderTerm>> parse_model_order(const std::vector<std::string>& clauses) {
    auto order = parse(clauses, model_column);
    if (order && !has(*order, Column::name)) {
        order->push_back({Column::name, false});
    }
    return order;
}

base::Result<std::vector<OrderTerm>> parse_version_order(const std::vector<std::string>& clauses) {
    if (clauses.empty()) {
        return std::vector<OrderTerm>{
            {Column::last_updated_timestamp, true}, {Column::name, false}, {Column::version, true}};
    }
    auto order = parse(clauses, version_column);
    if (order && !has(*order, Column::name)) {
        order->push_back({Column::name, false});
    }
    if (order && !has(*order, Column::version)) {
        order->push_back({Column::version, true});
    }
    return order;
}

}  // namespace registry
