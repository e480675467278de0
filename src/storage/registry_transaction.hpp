// The registry's rows as one transaction of a SQLite connection sees and changes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/store.hpp"
#include "storage/registry_rows.hpp"
#include "storage/sqlite_alias_history.hpp"
#include "storage/sqlite_errors.hpp"
#include "storage/statement_cache.hpp"

#include <SQLiteCpp/Exception.h>

namespace storage {

// A version's place among the rows has 32 bits for its number.
inline constexpr std::int64_t kHighestVersion = 0xFFFF'FFFF;

// How the tags of a model or a version are written for searches.
struct TagTexts {
    std::string_view put;
    std::string_view erase;
};

// Lives as long as the transaction, which the caller begins and ends. After SQLite has failed once, what is written may
// be half of a row: `failure` says so, and nothing must be committed.
class RegistryTransaction final : public registry::Writer {
public:
    // `file` names the database in errors.
    RegistryTransaction(SQLite::Database& connection, StatementCache& statements, std::string file)
        : connection_(connection),
          statements_(statements),
          file_(std::move(file)),
          alias_history_(connection, {}, file_) {}

    [[nodiscard]] const std::optional<base::Error>& failure() const {
        return failure_;
    }

    base::Result<std::optional<registry::RegisteredModel>> find_model(const registry::ModelKey& key) override;
    base::Result<std::optional<registry::ModelVersion>> find_version(const registry::ModelKey& key,
                                                                     std::int64_t version) override;
    base::Result<std::vector<registry::ModelVersion>> latest_versions(const registry::ModelKey& key,
                                                                      const std::vector<std::string>& stages) override;
    base::Result<std::int64_t> highest_version(const registry::ModelKey& key) override;
    base::Result<std::vector<registry::RegisteredModel>> search_models(const registry::Query& query) override;
    base::Result<std::vector<registry::ModelVersion>> search_versions(const registry::Query& query) override;
    base::Result<std::vector<std::int64_t>> version_numbers(const registry::ModelKey& key) override;
    base::Result<std::vector<registry::ModelKey>> list_models(const std::optional<registry::ModelKey>& after,
                                                              std::size_t limit) override;
    base::Result<std::vector<registry::AliasedModel>> list_aliased_models(
        const std::optional<registry::ModelKey>& after, std::size_t limit) override;
    base::Result<registry::Counts> counts() override;
    base::Result<std::optional<std::string>> find_fact(std::string_view name) override;

    base::Result<void> put_model(const std::string& workspace, const registry::RegisteredModel& model) override;
    base::Result<void> erase_model(const registry::ModelKey& key) override;
    base::Result<void> rename_model(const registry::ModelKey& key, const std::string& new_name) override;
    base::Result<void> put_version(const std::string& workspace, const registry::ModelVersion& version) override;
    base::Result<void> erase_version(const registry::ModelKey& key, std::int64_t version) override;
    base::Result<void> put_fact(std::string_view name, std::string_view value) override;

    // In the main database only.
    registry::AliasHistory& alias_history() override {
        return alias_history_;
    }

private:
    // A kept statement with `values` bound to its question marks.
    template <class... Values>
    PreparedStatement prepare(std::string_view text, const Values&... values) {
        SQLite::Statement& statement = statements_.prepare(connection_, text);
        if constexpr (sizeof...(values) > 0) {
            int position = 0;
            (bind(statement, ++position, values), ...);
        }
        return PreparedStatement(statement);
    }

    template <class Value>
    static void bind(SQLite::Statement& statement, int position, const Value& value) {
        statement.bind(position, value);
    }

    static void bind(SQLite::Statement& statement, int position, const std::optional<std::string>& value) {
        if (value) {
            statement.bind(position, *value);
        } else {
            statement.bind(position);
        }
    }

    template <class... Values>
    int run(std::string_view text, const Values&... values) {
        return prepare(text, values...)->exec();
    }

    // What `work` gives; SQLite's exceptions as errors.
    template <class Work>
    auto guarded(Work work) -> decltype(work()) {
        try {
            return work();
        } catch (const SQLite::Exception& exception) {
            failure_ = to_error(exception, file_);
            return std::unexpected(*failure_);
        }
    }

    // These throw SQLite::Exception.
    std::optional<std::int64_t> find_model_id(const registry::ModelKey& key);
    base::Result<std::optional<ModelRow>> find_model_row(const registry::ModelKey& key);
    base::Result<std::optional<VersionRow>> find_version_row(const registry::ModelKey& key, std::int64_t version);
    base::Result<std::vector<registry::ModelVersion>> newest_of_each_stage(std::int64_t model_id);
    base::Result<std::vector<registry::ModelVersion>> read_versions(SQLite::Statement& select);
    bool has_prompt_version(std::int64_t model_id);
    std::int64_t put_version_row(std::int64_t model_id, const registry::ModelVersion& version);
    void put_aliases(std::int64_t model_id, const std::vector<registry::Alias>& aliases);
    void put_tags(const TagTexts& texts,
                  std::int64_t owner_id,
                  std::vector<registry::Tag> before,
                  std::vector<registry::Tag> after);
    void put_prompt_mark(std::int64_t model_id, bool was_prompt, bool is_prompt);

    SQLite::Database& connection_;
    StatementCache& statements_;
    std::string file_;
    AliasHistoryTransaction alias_history_;
    std::optional<base::Error> failure_;
};

}  // namespace storage
