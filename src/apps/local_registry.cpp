#include "apps/local_registry.hpp"

#include <chrono>
#include <cstddef>
#include <expected>
#include <utility>

#include "apps/store.hpp"
#include "storage/sqlite_database.hpp"
#include "telemetry/log.hpp"

namespace apps {

namespace {

constexpr std::size_t kReaders = 2;
constexpr std::size_t kWriters = 1;  // writes take turns anyway
constexpr std::size_t kMaxWaiting = 1024;

std::unique_ptr<storage::SqliteRegistryStore> open(const std::filesystem::path& database) {
    constexpr const char* kAttempt = "cannot open the model registry";
    auto writer = or_config_error(storage::SqliteDatabase::open(database), kAttempt);
    return or_config_error(storage::SqliteRegistryStore::open(std::move(writer), kReaders), kAttempt);
}

}  // namespace

LocalRegistry::LocalRegistry(const std::filesystem::path& database, const base::Clock& clock)
    : rows_(open(database)),
      recorded_(*rows_, clock),
      store_(recorded_, aliases_),
      registry_(store_, clock),
      reads_(kReaders, kMaxWaiting),
      writes_(kWriters, kMaxWaiting),
      calls_(registry_, reads_, writes_) {
    const base::MonotonicTime began = clock.now();
    constexpr const char* kAttempt = "cannot read the model registry";
    or_config_error(recorded_.compare(registry::RecordedStore::Absence::counts), kAttempt);
    or_config_error(store_.load(), kAttempt);
    registry::Counts counts;
    const auto count = [&counts](registry::Reader& reader) -> base::Result<void> {
        base::Result<registry::Counts> counted = reader.counts();
        if (!counted) {
            return std::unexpected(counted.error());
        }
        counts = *counted;
        return {};
    };
    or_config_error(rows_->read(count), kAttempt);
    telemetry::log_info("registry_loaded",
                        {{"models", counts.models},
                         {"versions", counts.versions},
                         {"aliases", counts.aliases},
                         {"seconds", std::chrono::duration<double>(clock.now() - began).count()}});
}

void LocalRegistry::join() {
    reads_.join();
    writes_.join();
}

}  // namespace apps
