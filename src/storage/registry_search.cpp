#include "storage/registry_search.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/ensure.hpp"
#include "storage/registry_rows.hpp"

#include <fmt/format.h>

namespace storage {

namespace {

using registry::Column;
using registry::Comparator;
using registry::Condition;
using registry::Query;

struct Tables {
    std::string_view columns;
    std::string_view rows;
    std::string_view tags;
    std::string_view tag_owner;
    std::vector<Column> leading;  // an index begins with each
    std::vector<Column> copied;   // from the row to its tags
};

const Tables& model_tables() {
    static const Tables tables{
        kModelColumns, "registry_models", "registry_model_tags", "model_id", {Column::name}, {Column::name}};
    return tables;
}

const Tables& version_tables() {
    static const Tables tables{kVersionColumns,
                               "registry_versions",
                               "registry_version_tags",
                               "version_id",
                               {Column::name, Column::run_id, Column::source},
                               {Column::last_updated_timestamp, Column::name, Column::version}};
    return tables;
}

std::string_view to_sql(Column column) {
    switch (column) {
        case Column::name:
            return "name";
        case Column::version:
            return "version";
        case Column::run_id:
            return "run_id";
        case Column::source:
            return "source";
        case Column::creation_timestamp:
            return "creation_timestamp";
        case Column::last_updated_timestamp:
            return "last_updated_timestamp";
    }
    ENSURE(false, "every column has a name");
}

// LIKE's own pattern language, but SQLite's GLOB heeds case without a setting of the whole connection.
std::string to_glob(std::string_view pattern) {
    std::string glob;
    for (const char c : pattern) {
        switch (c) {
            case '%':
                glob += '*';
                break;
            case '_':
                glob += '?';
                break;
            case '*':
            case '?':
            case '[':
                glob += fmt::format("[{}]", c);
                break;
            default:
                glob += c;
        }
    }
    return glob;
}

bool contains(const std::vector<Column>& columns, Column column) {
    return std::ranges::find(columns, column) != columns.end();
}

class Search {
public:
    Search(const Tables& tables, const Query& query) : tables_(tables), query_(query) {}

    SearchStatement build() &&;

private:
    const Condition* find_lead() const;
    bool leads(const decltype(Condition::left)& left) const;
    bool is_led_by_tag() const;
    bool is_led_by_model() const;
    void add_rows();
    void add_visibility(std::string_view alias);
    void add_order();
    void add_comparison(std::string_view left, const Condition& condition);
    void add_conditions();
    void add_condition(const Condition& condition);
    void add_list(const std::vector<std::string>& list);

    void add(std::string_view text) {
        statement_.text += text;
    }

    template <class Value>
    void add(std::string_view text, Value value) {
        statement_.text += text;
        statement_.values.emplace_back(std::move(value));
    }

    const Tables& tables_;
    const Query& query_;
    const Condition* lead_ = find_lead();  // whose index leads to the rows; none: that of the order
    SearchStatement statement_;
};

// In this order: one value of an indexed column, a list of them, one value of a tag.
const Condition* Search::find_lead() const {
    const auto is_on_indexed_column = [&](const Condition& condition) {
        const auto* column = std::get_if<Column>(&condition.left);
        return column != nullptr && contains(tables_.leading, *column);
    };
    for (const Comparator comparator : {Comparator::equal, Comparator::in}) {
        for (const Condition& condition : query_.conditions) {
            if (condition.comparator == comparator && is_on_indexed_column(condition)) {
                return &condition;
            }
        }
    }
    for (const Condition& condition : query_.conditions) {
        if (condition.comparator == Comparator::equal && std::holds_alternative<std::string>(condition.left)) {
            return &condition;
        }
    }
    return nullptr;
}

bool Search::leads(const decltype(Condition::left)& left) const {
    return lead_ != nullptr && lead_->left == left;
}

bool Search::is_led_by_tag() const {
    return lead_ != nullptr && std::holds_alternative<std::string>(lead_->left);
}

bool Search::is_led_by_model() const {
    return &tables_ == &version_tables() && leads(Column::name);
}

SearchStatement Search::build() && {
    add(fmt::format("SELECT {} FROM ", tables_.columns));
    add_rows();
    add_conditions();
    add_order();
    add(" LIMIT ?", query_.limit);
    add(" OFFSET ?", query_.offset);
    return std::move(statement_);
}

void Search::add_rows() {
    if (is_led_by_tag()) {
        const auto& value = std::get<std::string>(lead_->right);
        // CROSS JOIN keeps this order. IS, because SQLite would put the value of `=` into substr(), past the index.
        add(fmt::format("{} t CROSS JOIN {} r ON r.id = t.{}", tables_.tags, tables_.rows, tables_.tag_owner));
        add(" WHERE t.workspace = ?", query_.workspace);
        add_visibility("t");
        add(" AND t.key = ?", std::get<std::string>(lead_->left));
        add(" AND substr(t.value, 1, 64) = substr(?, 1, 64)", value);
        add(" AND t.value IS ?", value);
    } else if (is_led_by_model()) {
        const bool is_one = lead_->comparator == Comparator::equal;
        add(fmt::format("{} r WHERE r.model_id {} (", tables_.rows, is_one ? "=" : "IN"));
        add("SELECT id FROM registry_models WHERE workspace = ? AND ", query_.workspace);
        add_comparison("name", *lead_);
        add(query_.hides_prompts ? " AND has_prompt_versions = 0)" : ")");
    } else {
        add(fmt::format("{} r WHERE r.workspace = ?", tables_.rows), query_.workspace);
        add_visibility("r");
    }
}

// Always something, because the indexes ask for it.
void Search::add_visibility(std::string_view alias) {
    const bool is_for_prompts =
        leads(std::string(registry::kPromptTag)) && std::get<std::string>(lead_->right) == "true";
    const std::string_view visible = query_.hides_prompts ? "= 0" : is_for_prompts ? "= 1" : "IN (0, 1)";
    add(fmt::format(" AND {}.is_prompt {}", alias, visible));
}

// In brackets, because SQLite takes no chain of more than 1,000 terms.
void Search::add_conditions() {
    constexpr std::size_t kTogether = 100;
    std::size_t count = 0;
    for (const Condition& condition : query_.conditions) {
        if (&condition != lead_ || !is_led_by_tag()) {
            add(count++ % kTogether != 0 ? " AND " : count > 1 ? ") AND (" : " AND (");
            add_condition(condition);
        }
    }
    add(count > 0 ? ")" : "");
}

void Search::add_condition(const Condition& condition) {
    if (const auto* column = std::get_if<Column>(&condition.left)) {
        add_comparison(fmt::format("r.{}", to_sql(*column)), condition);
        return;
    }
    add(fmt::format("EXISTS (SELECT 1 FROM {} WHERE {} = r.id", tables_.tags, tables_.tag_owner));
    add(" AND key = ? AND ", std::get<std::string>(condition.left));
    add_comparison("value", condition);
    add(")");
}

void Search::add_comparison(std::string_view left, const Condition& condition) {
    const auto add_value = [&](std::string_view comparison) {
        add(left);
        if (const auto* number = std::get_if<std::int64_t>(&condition.right)) {
            add(comparison, *number);
        } else {
            add(comparison, std::get<std::string>(condition.right));
        }
    };
    switch (condition.comparator) {
        case Comparator::equal:
            return add_value(" = ?");
        case Comparator::not_equal:
            return add_value(" <> ?");
        case Comparator::less:
            return add_value(" < ?");
        case Comparator::less_equal:
            return add_value(" <= ?");
        case Comparator::greater:
            return add_value(" > ?");
        case Comparator::greater_equal:
            return add_value(" >= ?");
        case Comparator::like:
            return add(fmt::format("{} GLOB ?", left), to_glob(std::get<std::string>(condition.right)));
        case Comparator::ilike:
            return add(fmt::format("lower({}) GLOB lower(?)", left), to_glob(std::get<std::string>(condition.right)));
        case Comparator::in:
        case Comparator::not_in:
            add(fmt::format("{} {} (", left, condition.comparator == Comparator::in ? "IN" : "NOT IN"));
            return add_list(std::get<std::vector<std::string>>(condition.right));
    }
}

void Search::add_list(const std::vector<std::string>& list) {
    std::string_view separator;
    for (const std::string& value : list) {
        add(separator);
        add("?", value);
        separator = ", ";
    }
    add(")");
}

void Search::add_order() {
    // With a plus SQLite can't choose the index of the order, and many rows, over that of the list, and few.
    std::string_view separator = lead_ != nullptr && lead_->comparator == Comparator::in ? " ORDER BY +" : " ORDER BY ";
    for (const registry::OrderTerm& term : query_.order) {
        const bool is_of_tag = is_led_by_tag() && contains(tables_.copied, term.column);
        add(fmt::format(
            "{}{}.{}{}", separator, is_of_tag ? "t" : "r", to_sql(term.column), term.is_descending ? " DESC" : ""));
        separator = ", ";
    }
}

}  // namespace

SearchStatement model_search(const Query& query) {
    return Search(model_tables(), query).build();
}

SearchStatement version_search(const Query& query) {
    return Search(version_tables(), query).build();
}

}  // namespace storage
