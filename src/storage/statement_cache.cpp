#include "storage/statement_cache.hpp"

#include <string>

#include <SQLiteCpp/Database.h>

namespace storage {

SQLite::Statement& StatementCache::prepare(SQLite::Database& connection, std::string_view text) {
    if (const auto known = by_text_.find(text); known != by_text_.end()) {
        statements_.splice(statements_.begin(), statements_, known->second);
        return statements_.front();
    }
    statements_.emplace_front(connection, std::string(text));
    by_text_.emplace(statements_.front().getQuery(), statements_.begin());
    if (statements_.size() > capacity_) {
        by_text_.erase(statements_.back().getQuery());
        statements_.pop_back();
    }
    return statements_.front();
}

}  // namespace storage
