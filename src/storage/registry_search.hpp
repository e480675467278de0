// A search of the registry as one SQL statement.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "registry/query.hpp"

namespace storage {

struct SearchStatement {
    std::string text;
    std::vector<std::variant<std::int64_t, std::string>> values;  // of the text's question marks
};

// Rows as registry_rows.hpp reads them, in the query's order. What the query asks for by equality, else its order,
// decides which index leads; statistics don't.
SearchStatement model_search(const registry::Query& query);
SearchStatement version_search(const registry::Query& query);

}  // namespace storage
