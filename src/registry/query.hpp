// A search, parsed: what a store has to find. The grammar is in filter.hpp, the order in order_by.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace registry {

enum class Comparator { equal, not_equal, like, ilike, less, less_equal, greater, greater_equal, in, not_in };

enum class Column { name, version, run_id, source, creation_timestamp, last_updated_timestamp };

// The tag that, with the value "true", makes a model or version a prompt.
inline constexpr std::string_view kPromptTag = "mlflow.prompt.is_prompt";

// The one filter that shows prompts, which searches leave out otherwise.
inline constexpr const char* kPromptFilter = "tags.`mlflow.prompt.is_prompt` = 'true'";

// One comparison; all of a query's hold. A condition on a tag holds only for rows that have the tag. Strings compare by
// their bytes. In patterns `%` stands for any characters and `_` for one, nothing escapes them, and `ilike` takes the
// ASCII letters alike, no others: so does SQLite, MLflow's default database.
struct Condition {
    std::variant<Column, std::string> left;  // a string: the key of a tag
    Comparator comparator = Comparator::equal;
    std::variant<std::string, std::int64_t, std::vector<std::string>> right;  // a list: for `in`, `not_in`
};

struct OrderTerm {
    Column column = Column::name;
    bool is_descending = false;
};

struct Query {
    std::string workspace;
    std::vector<Condition> conditions;
    std::vector<OrderTerm> order;  // complete: no two rows compare equal
    bool hides_prompts = true;     // models tagged as prompts; versions of models of which any version is so tagged
    std::int64_t offset = 0;
    std::int64_t limit = 0;
};

}  // namespace registry
