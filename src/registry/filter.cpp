#include "registry/filter.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "base/strings.hpp"
#include "registry/python.hpp"
#include "registry/python_list.hpp"
#include "registry/quotes.hpp"
#include "registry/sql.hpp"

#include <fmt/format.h>

namespace registry {

namespace {

struct Attribute {
    std::string_view name;
    Column column = Column::name;
    bool takes_lists = false;
};

// What a search is about. The texts are Python's for sets, in the order a server with PYTHONHASHSEED=0 prints them.
struct Subject {
    std::span<const Attribute> attributes;
    std::string_view shown_attributes;
    std::string_view shown_list_attributes;
    bool takes_numbers = false;
};

constexpr std::array kModelAttributes{Attribute{"name", Column::name, true}};
constexpr Subject kModels{kModelAttributes, "{'name'}", "['name']", false};

constexpr std::array kVersionAttributes{Attribute{"name", Column::name, true},
                                        Attribute{"version_number", Column::version, false},
                                        Attribute{"run_id", Column::run_id, true},
                                        Attribute{"source_path", Column::source, false}};
constexpr Subject kVersions{
    kVersionAttributes, "{'version_number', 'source_path', 'run_id', 'name'}", "['name', 'run_id']", true};

// A number as it was written, and as Python would show it.
struct Number {
    std::string shown;
    std::optional<std::int64_t> value;
};

using Value = std::variant<std::string, Number, std::vector<std::string>>;

struct Comparison {
    const Attribute* attribute = nullptr;  // none: a tag
    std::string key;
    std::string comparator;
    Value value;
};

template <class... Parts>
std::unexpected<base::Error> refuse(fmt::format_string<Parts...> format, Parts&&... parts) {
    return base::fail(base::Code::invalid_argument, fmt::format(format, std::forward<Parts>(parts)...));
}

std::string to_upper(std::string_view text) {
    std::string upper(text);
    std::ranges::transform(
        upper, upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; });
    return upper;
}

sql::Token comparison_of(std::initializer_list<sql::Token> parts) {
    return {sql::Kind::comparison, {}, parts};
}

// sqlparse leaves IN and IS NULL ungrouped, so MLflow joins them: it looks at an identifier and the two or three tokens
// behind it, and goes on behind these.
sql::Statement join_list_comparisons(const sql::Statement& tokens) {
    sql::Statement joined;
    std::size_t i = 0;
    while (tokens.size() - i >= 3) {
        if (tokens[i].kind != sql::Kind::identifier) {
            joined.push_back(tokens[i++]);
            continue;
        }
        const sql::Token& second = tokens[i + 1];
        const sql::Token& third = tokens[i + 2];
        const bool is_list = is_keyword(second, "IN") && third.kind == sql::Kind::parenthesis;
        const bool is_null = is_keyword(second, "IS") && (is_keyword(third, "NULL") || is_keyword(third, "NOT NULL"));
        if (is_list || is_null) {
            joined.push_back(comparison_of({tokens[i], second, third}));
            i += 3;
            continue;
        }
        if (i + 3 == tokens.size()) {
            break;
        }
        if (is_keyword(second, "NOT") && is_keyword(third, "IN") && tokens[i + 3].kind == sql::Kind::parenthesis) {
            const sql::Token not_in{sql::Kind::keyword, "NOT IN", {}};
            joined.push_back(comparison_of({tokens[i], not_in, tokens[i + 3]}));
        } else {
            joined.insert(joined.end(), &tokens[i], &tokens[i] + 4);
        }
        i += 4;
    }
    joined.insert(joined.end(), tokens.begin() + static_cast<std::ptrdiff_t>(i), tokens.end());
    return joined;
}

base::Result<Comparison> parse_left(const Subject& subject, std::string_view text) {
    Comparison comparison;
    std::string_view key = text;
    bool is_tag = false;
    if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
        const std::string_view entity = text.substr(0, point);
        key = text.substr(point + 1);
        is_tag = entity == "tag" || entity == "tags";
        if (!is_tag && entity != "attribute") {
            return refuse("Invalid entity type '{}'. Valid entity types are ('attribute', 'tag', 'tags')", entity);
        }
    }
    if (!is_tag) {
        const auto attribute = std::ranges::find(subject.attributes, key, &Attribute::name);
        if (attribute == subject.attributes.end()) {
            return refuse("Invalid attribute key '{}' specified. Valid keys are '{}'", key, subject.shown_attributes);
        }
        comparison.attribute = &*attribute;
    }
    comparison.key = bare_key(key);
    return comparison;
}

Number parse_number(const sql::Token& token) {
    if (token.kind == sql::Kind::integer) {
        return {std::string(token.text), python::parse_int(token.text)};
    }
    return {python::repr(boost::json::value(python::parse_float(token.text))), std::nullopt};
}

base::Result<Value> parse_right(const Subject& subject, const Comparison& left, const sql::Token& token) {
    if (token.kind == sql::Kind::text || token.kind == sql::Kind::identifier) {
        const std::string_view text = without_quotes(token.text);
        if (text.size() == token.text.size()) {
            return refuse(
                "Parameter value is either not quoted or unidentified quote types used for string value {}. "
                "Use either single or double quotes.",
                token.text);
        }
        return std::string(text);
    }
    if (left.attribute == nullptr) {
        return refuse("Expected a quoted string value for tag (e.g. 'my-value'). Got value {}", token.text);
    }
    if (token.kind == sql::Kind::parenthesis) {
        if (!left.attribute->takes_lists) {
            return refuse("Only {} attributes support comparison with a list of quoted string values.",
                          subject.shown_list_attributes);
        }
        auto list = parse_string_list(token.text);
        return list ? base::Result<Value>(*std::move(list)) : std::unexpected(list.error());
    }
    if (subject.takes_numbers && (token.kind == sql::Kind::integer || token.kind == sql::Kind::floating)) {
        if (left.attribute->column != Column::version) {
            return refuse(
                "Only the '{{'creation_timestamp', 'last_updated_timestamp', 'version_number'}}' attributes "
                "support comparison with numeric values.");
        }
        return parse_number(token);
    }
    return refuse("Expected a quoted string value or a list of quoted string values for attributes. Got value {}",
                  token.text);
}

base::Result<Comparison> parse_comparison(const Subject& subject, const std::vector<sql::Token>& parts) {
    if (parts.front().kind != sql::Kind::identifier) {
        return refuse("Invalid comparison clause. Expected 'Identifier' found '{}'", parts.front().text);
    }
    auto comparison = parse_left(subject, parts.front().text);
    if (!comparison) {
        return comparison;
    }
    comparison->comparator = to_upper(parts[1].text);
    if (comparison->comparator == "IS") {
        return refuse("Invalid comparator for {}: {} {}",
                      comparison->attribute == nullptr ? "tag" : "attribute",
                      comparison->comparator,
                      to_upper(parts[2].text));
    }
    auto value = parse_right(subject, *comparison, parts[2]);
    if (!value) {
        return std::unexpected(value.error());
    }
    comparison->value = *std::move(value);
    return comparison;
}

base::Result<std::vector<Comparison>> parse_comparisons(const Subject& subject, std::string_view text) {
    std::vector<Comparison> comparisons;
    if (text.empty()) {
        return comparisons;
    }
    const auto statements = sql::parse(text);
    if (!statements) {
        return refuse("Error on parsing filter '{}'", text);
    }
    if (statements->empty()) {
        return refuse("Invalid filter '{}'. Could not be parsed.", text);
    }
    if (statements->size() > 1) {
        return refuse("Search filter contained multiple expression {}. Provide AND-ed expression list.",
                      python::repr(text));
    }
    sql::Statement tokens = statements->front();
    std::erase_if(tokens, [](const sql::Token& token) { return token.kind == sql::Kind::space; });
    tokens = join_list_comparisons(tokens);
    std::vector<std::string_view> invalid;
    for (const sql::Token& token : tokens) {
        if (token.kind != sql::Kind::comparison && !is_keyword(token, "AND")) {
            invalid.push_back(token.text);
        }
    }
    if (!invalid.empty()) {
        return refuse("Invalid clause(s) in filter string: {}", fmt::join(invalid, ", "));
    }
    for (const sql::Token& token : tokens) {
        if (token.kind == sql::Kind::comparison) {
            auto comparison = parse_comparison(subject, token.parts);
            if (!comparison) {
                return std::unexpected(comparison.error());
            }
            comparisons.push_back(*std::move(comparison));
        }
    }
    return comparisons;
}

std::optional<Comparator> find_comparator(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, Comparator>, 10> kComparators{{
        {"=", Comparator::equal},
        {"!=", Comparator::not_equal},
        {"LIKE", Comparator::like},
        {"ILIKE", Comparator::ilike},
        {"<", Comparator::less},
        {"<=", Comparator::less_equal},
        {">", Comparator::greater},
        {">=", Comparator::greater_equal},
        {"IN", Comparator::in},
        {"NOT IN", Comparator::not_in},
    }};
    const auto* const entry = std::ranges::find(kComparators, text, &std::pair<std::string_view, Comparator>::first);
    return entry == kComparators.end() ? std::nullopt : std::optional(entry->second);
}

bool is_ordering(Comparator comparator) {
    return comparator >= Comparator::less && comparator <= Comparator::greater_equal;
}

bool is_listing(Comparator comparator) {
    return comparator == Comparator::in || comparator == Comparator::not_in;
}

base::Result<std::int64_t> version_number(const Comparison& comparison) {
    if (const auto* number = std::get_if<Number>(&comparison.value)) {
        if (number->value) {
            return *number->value;
        }
        return refuse("Invalid value for numeric attribute '{}': {}", comparison.key, number->shown);
    }
    const std::string_view text = std::get<std::string>(comparison.value);
    const std::optional<std::int64_t> number = python::parse_int(text);
    if (!number) {
        return refuse("Invalid value for numeric attribute '{}': {}", comparison.key, python::repr(text));
    }
    return *number;
}

base::Result<Condition> to_condition(const Comparison& comparison) {
    const std::optional<Comparator> comparator = find_comparator(comparison.comparator);
    const bool has_list = std::holds_alternative<std::vector<std::string>>(comparison.value);
    if (comparison.attribute == nullptr) {
        if (!comparator || is_ordering(*comparator) || is_listing(*comparator)) {
            return refuse("Invalid comparator for tag: {}", comparison.comparator);
        }
        return Condition{comparison.key, *comparator, std::get<std::string>(comparison.value)};
    }
    const Column column = comparison.attribute->column;
    if (column == Column::version) {
        if (!comparator || (!is_ordering(*comparator) && *comparator > Comparator::not_equal)) {
            return refuse("Invalid comparator for attribute {}: {}", comparison.key, comparison.comparator);
        }
        const auto number = version_number(comparison);
        return number ? base::Result<Condition>(Condition{column, *comparator, *number})
                      : std::unexpected(number.error());
    }
    if (!comparator || is_ordering(*comparator) || is_listing(*comparator) != has_list) {
        return refuse("Invalid comparator for attribute: {}", comparison.comparator);
    }
    return has_list ? Condition{column, *comparator, std::get<std::vector<std::string>>(comparison.value)}
                    : Condition{column, *comparator, std::get<std::string>(comparison.value)};
}

bool is_about_prompts(const Comparison& comparison) {
    return comparison.attribute == nullptr && comparison.key == kPromptTag;
}

// The first comparison about the prompt tag decides.
bool asks_for_prompts(const std::vector<Comparison>& comparisons) {
    const auto first = std::ranges::find_if(comparisons, is_about_prompts);
    if (first == comparisons.end()) {
        return false;
    }
    const std::string value = base::to_lower(std::get<std::string>(first->value));
    return (first->comparator == "=" && value == "true") || (first->comparator == "!=" && value == "false");
}

base::Result<Filter> parse(const Subject& subject, std::string_view text) {
    const auto comparisons = parse_comparisons(subject, text);
    if (!comparisons) {
        return std::unexpected(comparisons.error());
    }
    Filter filter;
    filter.hides_prompts = !asks_for_prompts(*comparisons);
    for (const Comparison& comparison : *comparisons) {
        auto condition = to_condition(comparison);
        if (!condition) {
            return std::unexpected(condition.error());
        }
        if (!(filter.hides_prompts && is_about_prompts(comparison))) {
            filter.conditions.push_back(*std::move(condition));
        }
    }
    return filter;
}

}  // namespace

base::Result<Filter> parse_model_filter(std::string_view text) {
    return parse(kModels, text);
}

base::Result<Filter> parse_version_filter(std::string_view text) {
    return parse(kVersions, text);
}

}  // namespace registry
