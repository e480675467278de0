#include "apps/journal_command.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "config/values.hpp"
#include "storage/sqlite_journal_store.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace apps {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxShown = 10'000;
constexpr std::size_t kMaxRuns = 100'000;

struct Status {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    std::size_t lanes = 0;
    std::uint64_t rejected = 0;
    std::size_t known = 0;
    std::optional<base::WallTime> oldest;
};

int complain(const Console& console, const base::Error& error) {
    console.errors << "hokusai journal: " << error.message << '\n';
    return kFailed;
}

// Creates nothing.
base::Result<storage::SqliteJournalStore> open(const ServiceSettings& settings) {
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

base::Result<Status> look(storage::SqliteJournalStore& store) {
    const auto lanes = store.lanes();
    const auto oldest = lanes ? store.oldest() : std::unexpected(lanes.error());
    const auto rejected = oldest ? store.count_rejected() : std::unexpected(oldest.error());
    const auto known = rejected ? store.known_lanes(kMaxRuns) : std::unexpected(rejected.error());
    if (!known) {
        return std::unexpected(known.error());
    }
    Status status;
    status.lanes = lanes->size();
    status.rejected = *rejected;
    status.known = known->size();
    status.oldest = *oldest;
    for (const journal::LaneSummary& lane : *lanes) {
        status.entries += lane.entries;
        status.bytes += lane.bytes;
    }
    return status;
}

double age_of(base::WallTime time, base::WallTime now) {
    return std::max(0.0, std::chrono::duration<double>(now - time).count());
}

json::object to_json(const Status& status, base::WallTime now) {
    json::object object{{"entries", status.entries},
                        {"bytes", status.bytes},
                        {"lanes", status.lanes},
                        {"oldest_age_seconds", nullptr},
                        {"rejected", status.rejected},
                        {"runs", status.known}};
    if (status.oldest) {
        object["oldest_age_seconds"] = age_of(*status.oldest, now);
    }
    return object;
}

json::object to_json(const journal::RejectedEntry& rejected) {
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

}  // namespace

int journal_status(const ServiceSettings& settings, bool as_json, base::WallTime now, const Console& console) {
    auto store = open(settings);
    const auto status = store ? look(*store) : std::unexpected(store.error());
    if (!status) {
        return complain(console, status.error());
    }
    if (as_json) {
        console.out << to_json(*status, now) << '\n';
        return kDone;
    }
    if (status->oldest) {
        console.out << fmt::format("{} writes to {} runs wait for MLflow, {} bytes, the oldest since {:.1f} s\n",
                                   status->entries,
                                   status->lanes,
                                   status->bytes,
                                   age_of(*status->oldest, now));
    } else {
        console.out << "nothing waits for MLflow\n";
    }
    console.out << fmt::format("{} runs are known, so that their writes would be accepted\n", status->known);
    if (status->rejected > 0) {
        console.out << fmt::format("MLflow refused {}: hokusai journal rejected shows them\n", status->rejected);
    }
    return kDone;
}

int journal_rejected(const ServiceSettings& settings, bool as_json, const Console& console) {
    auto store = open(settings);
    const auto rejected = store ? store->rejected(kMaxShown) : std::unexpected(store.error());
    if (!rejected) {
        return complain(console, rejected.error());
    }
    if (as_json) {
        json::array list;
        for (const journal::RejectedEntry& each : *rejected) {
            list.push_back(to_json(each));
        }
        console.out << list << '\n';
        return kDone;
    }
    for (const journal::RejectedEntry& each : *rejected) {
        console.out << fmt::format("{}  {}  {} {}  {}\n    {}\n",
                                   base::to_iso8601(each.rejection.rejected_at),
                                   each.entry.lane,
                                   each.entry.method,
                                   each.entry.target,
                                   each.rejection.status,
                                   each.rejection.reason);
    }
    if (rejected->empty()) {
        console.out << "MLflow refused nothing\n";
    }
    return kDone;
}

}  // namespace apps
