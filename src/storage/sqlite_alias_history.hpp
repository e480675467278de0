// The history of aliases in the main database: its changes, and which version each alias named last.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "registry/alias_history.hpp"
#include "storage/sqlite_database.hpp"

namespace storage {

// Within a transaction of the caller's, which must not be committed after an error. `registry` says whose aliases they
// are: empty for our own, else the address of the server they were copied from, so that one history never continues
// another's.
class AliasHistoryTransaction final : public registry::AliasHistory {
public:
    // `file` names the database in errors.
    AliasHistoryTransaction(SQLite::Database& connection, std::string registry, std::string file)
        : connection_(connection), registry_(std::move(registry)), file_(std::move(file)) {}

    base::Result<void> append(const std::vector<registry::AliasChange>& changes) override;
    base::Result<std::vector<registry::AliasChange>> changes(const registry::ModelKey& model,
                                                             std::size_t limit) override;
    base::Result<std::vector<registry::Alias>> last_seen(const registry::ModelKey& model) override;
    base::Result<std::vector<registry::ModelKey>> models(const std::optional<registry::ModelKey>& after,
                                                         std::size_t limit) override;

private:
    void insert(const registry::AliasChange& change);
    void put_last_seen(const registry::AliasChange& change);
    void forget_beyond_bounds(const registry::ModelKey& model);

    SQLite::Database& connection_;
    const std::string registry_;
    const std::string file_;
};

// The same with a transaction a call. Safe from any thread; calls block.
class SqliteAliasHistory final : public registry::AliasHistory {
public:
    // `database`: of a data folder, migrated.
    SqliteAliasHistory(std::unique_ptr<SqliteDatabase> database, std::string registry)
        : database_(std::move(database)), registry_(std::move(registry)) {}

    base::Result<void> append(const std::vector<registry::AliasChange>& changes) override;
    base::Result<std::vector<registry::AliasChange>> changes(const registry::ModelKey& model,
                                                             std::size_t limit) override;
    base::Result<std::vector<registry::Alias>> last_seen(const registry::ModelKey& model) override;
    base::Result<std::vector<registry::ModelKey>> models(const std::optional<registry::ModelKey>& after,
                                                         std::size_t limit) override;

private:
    [[nodiscard]] AliasHistoryTransaction within(SQLite::Database& connection) const;

    const std::unique_ptr<SqliteDatabase> database_;
    const std::string registry_;
};

}  // namespace storage
