// Prepared statements kept for the next time, because preparing one costs more than running it.
#pragma once

#include <cstddef>
#include <list>
#include <string_view>
#include <unordered_map>

#include <SQLiteCpp/Statement.h>

namespace storage {

// One use of a kept statement: at the end it is reset, and so lets go of the database.
class PreparedStatement {
public:
    explicit PreparedStatement(SQLite::Statement& statement) : statement_(statement) {}

    ~PreparedStatement() {
        statement_.tryReset();
    }

    PreparedStatement(const PreparedStatement&) = delete;
    PreparedStatement& operator=(const PreparedStatement&) = delete;

    SQLite::Statement& operator*() {
        return statement_;
    }

    SQLite::Statement* operator->() {
        return &statement_;
    }

private:
    SQLite::Statement& statement_;
};

// Of one connection, which outlives it; used by whoever has the connection's turn.
class StatementCache {
public:
    // A text is in use once at a time. Beyond `capacity` the statement not used for longest goes.
    explicit StatementCache(std::size_t capacity = 128) : capacity_(capacity) {}

    // The reference holds until `capacity` other texts were asked for.
    SQLite::Statement& prepare(SQLite::Database& connection, std::string_view text);

    [[nodiscard]] std::size_t size() const {
        return statements_.size();
    }

private:
    using Statements = std::list<SQLite::Statement>;

    std::size_t capacity_;
    Statements statements_;  // the one used last comes first
    std::unordered_map<std::string_view, Statements::iterator> by_text_;
};

}  // namespace storage
