#include "registry/testing/matching.hpp"

#include <algorithm>
#include <compare>
#include <optional>
#include <string>
#include <variant>

#include "base/ensure.hpp"

namespace registry::testing {

namespace {

using Value = std::variant<std::string, std::int64_t, std::monostate>;  // the last: NULL

std::string ascii_lower(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(
        lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return lower;
}

// Takes one UTF-8 character off the front.
void skip_character(std::string_view& text) {
    do {
        text.remove_prefix(1);
    } while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0U) == 0x80U);
}

Value value_of(Column column, const RegisteredModel& model) {
    switch (column) {
        case Column::name:
            return model.name;
        case Column::creation_timestamp:
            return model.creation_timestamp;
        case Column::last_updated_timestamp:
            return model.last_updated_timestamp;
        default:
            ENSURE(false, "models have no such column");
    }
}

Value value_of(Column column, const ModelVersion& version) {
    switch (column) {
        case Column::name:
            return version.name;
        case Column::version:
            return version.version;
        case Column::run_id:
            return version.run_id ? Value(*version.run_id) : Value(std::monostate());
        case Column::source:
            return version.source;
        case Column::creation_timestamp:
            return version.creation_timestamp;
        case Column::last_updated_timestamp:
            return version.last_updated_timestamp;
    }
    ENSURE(false, "no such column");
}

template <class T>
bool compares(Comparator comparator, const T& left, const T& right) {
    switch (comparator) {
        case Comparator::equal:
            return left == right;
        case Comparator::not_equal:
            return left != right;
        case Comparator::less:
            return left < right;
        case Comparator::less_equal:
            return left <= right;
        case Comparator::greater:
            return left > right;
        case Comparator::greater_equal:
            return left >= right;
        default:
            ENSURE(false, "no comparison of two values");
    }
}

bool holds(const Condition& condition, const Value& left) {
    if (std::holds_alternative<std::monostate>(left)) {
        return false;
    }
    if (const auto* number = std::get_if<std::int64_t>(&condition.right)) {
        return compares(condition.comparator, std::get<std::int64_t>(left), *number);
    }
    const auto& text = std::get<std::string>(left);
    if (const auto* list = std::get_if<std::vector<std::string>>(&condition.right)) {
        return (std::ranges::find(*list, text) != list->end()) == (condition.comparator == Comparator::in);
    }
    const auto& right = std::get<std::string>(condition.right);
    switch (condition.comparator) {
        case Comparator::like:
            return is_like(text, right);
        case Comparator::ilike:
            return is_like(ascii_lower(text), ascii_lower(right));
        default:
            return compares(condition.comparator, text, right);
    }
}

template <class Entity>
bool all_hold(const Query& query, const Entity& entity) {
    return std::ranges::all_of(query.conditions, [&](const Condition& condition) {
        if (const auto* column = std::get_if<Column>(&condition.left)) {
            return holds(condition, value_of(*column, entity));
        }
        const auto tag = std::ranges::find(entity.tags, std::get<std::string>(condition.left), &Tag::key);
        return tag != entity.tags.end() && holds(condition, tag->value);
    });
}

template <class Entity>
bool comes_before(const Query& query, const Entity& left, const Entity& right) {
    for (const OrderTerm& term : query.order) {
        const Value first = value_of(term.column, left);
        const Value second = value_of(term.column, right);
        if (first != second) {
            return (first < second) != term.is_descending;
        }
    }
    return false;
}

}  // namespace

bool is_like(std::string_view text, std::string_view pattern) {
    if (pattern.empty()) {
        return text.empty();
    }
    if (pattern.front() == '%') {
        pattern.remove_prefix(1);
        for (;; skip_character(text)) {
            if (is_like(text, pattern)) {
                return true;
            }
            if (text.empty()) {
                return false;
            }
        }
    }
    if (text.empty()) {
        return false;
    }
    if (pattern.front() == '_') {
        skip_character(text);
        return is_like(text, pattern.substr(1));
    }
    return text.front() == pattern.front() && is_like(text.substr(1), pattern.substr(1));
}

bool matches(const Query& query, const RegisteredModel& model) {
    return all_hold(query, model);
}

bool matches(const Query& query, const ModelVersion& version) {
    return all_hold(query, version);
}

bool is_prompt(const std::vector<Tag>& tags) {
    return std::ranges::find(tags, Tag{std::string(kPromptTag), "true"}) != tags.end();
}

bool precedes(const Query& query, const RegisteredModel& left, const RegisteredModel& right) {
    return comes_before(query, left, right);
}

bool precedes(const Query& query, const ModelVersion& left, const ModelVersion& right) {
    return comes_before(query, left, right);
}

}  // namespace registry::testing
