#include "apps/journal_command.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "apps/journal_view.hpp"
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

}  // namespace

int journal_status(const ServiceSettings& settings, bool as_json, base::WallTime now, const Console& console) {
    auto store = open_journal(settings);
    const auto status = store ? look(*store) : std::unexpected(store.error());
    if (!status) {
        return complain(console, status.error());
    }
    if (as_json) {
        console.out << to_json(*status, now) << '\n';
        return kDone;
    }
    if (status->oldest) {
        console.out << fmt::format(
            "{} writes to {} runs and models wait for MLflow, {} bytes, the oldest since {:.1f} s\n",
            status->entries,
            status->lanes,
            status->bytes,
            age_of(*status->oldest, now));
    } else {
        console.out << "nothing waits for MLflow\n";
    }
    console.out << fmt::format("{} runs are known, so that their writes would be accepted\n", status->known);
    if (status->rejected > 0) {
        console.out << fmt::format("{} were refused by MLflow or discarded: hokusai journal rejected shows them\n",
                                   status->rejected);
    }
    return kDone;
}

int journal_rejected(const ServiceSettings& settings, bool as_json, const Console& console) {
    auto store = open_journal(settings);
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
        console.out << to_text(each);
    }
    if (rejected->empty()) {
        console.out << "MLflow refused nothing\n";
    }
    return kDone;
}

}  // namespace apps
