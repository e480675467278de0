#include "apps/journal_view.hpp"

#include <filesystem>
#include <utility>

#include "storage/sqlite_database.hpp"

#include <fmt/format.h>

namespace apps {

base::Result<storage::SqliteJournalStore> open_journal(const ServiceSettings& settings) {
    if (!std::filesystem::exists(storage::journal_file(settings.data_dir))) {
        return base::fail(base::Code::not_found,
                          fmt::format("there is no journal in {}: hokusai serve makes one with "
                                      "HOKUSAI_OFFLINE_WRITES=accept; or name another folder with --data",
                                      settings.data_dir));
    }
    auto database = storage::open_journal_database(settings.data_dir);
    if (!database) {
        return std::unexpected(database.error());
    }
    return storage::SqliteJournalStore(*std::move(database));
}

boost::json::object to_json(const journal::RejectedEntry& rejected) {
    const journal::Entry& entry = rejected.entry;
    return {{"sequence", entry.sequence},
            {"lane", entry.lane},
            {"workspace", entry.workspace},
            {"call", entry.method + " " + entry.target},
            {"body", entry.body},
            {"key_id", entry.key_id},
            {"accepted_at", base::to_iso8601(entry.accepted_at)},
            {"rejected_at", base::to_iso8601(rejected.rejection.rejected_at)},
            {"status", rejected.rejection.status},
            {"reason", rejected.rejection.reason}};
}

std::string to_text(const journal::RejectedEntry& rejected) {
    return fmt::format("{}  {}  {} {}  {}\n    {}\n",
                       base::to_iso8601(rejected.rejection.rejected_at),
                       rejected.entry.lane,
                       rejected.entry.method,
                       rejected.entry.target,
                       rejected.rejection.status,
                       rejected.rejection.reason);
}

}  // namespace apps
