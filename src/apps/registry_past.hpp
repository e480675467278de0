// What became of the registry's aliases, and who loads which version: kept in the main database, for the registry that
// is served here, whether it is our own or a copy of MLflow's.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "apps/part.hpp"
#include "apps/probes.hpp"
#include "apps/settings.hpp"
#include "base/task.hpp"
#include "http/exchange.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"
#include "registry/version_loads.hpp"
#include "storage/sqlite_alias_history.hpp"
#include "storage/sqlite_version_loads.hpp"

namespace apps {

// Shared by all workers, which outlive it. Safe from any thread.
class RegistryPast final : public Part {
public:
    // `registry`: empty for our own, else the address of the MLflow it is a copy of. Reads what was kept; blocks.
    // Throws base::ConfigError when it can't be read.
    RegistryPast(const ServiceSettings& settings, std::string registry, net::Worker& control, std::size_t workers);

    [[nodiscard]] registry::AliasHistory& aliases() {
        return aliases_;
    }

    [[nodiscard]] registry::VersionLoads& loads() {
        return loads_;
    }

    // Answers a request for registry_http::kAliasHistoryPath.
    base::Task<> answer(http::Exchange& exchange);

    // The loads noted are written out every few seconds; a crash costs those since then.
    void start(net::Worker& control) override;
    void stop() override;

    [[nodiscard]] bool is_idle() const override {
        return pool_.is_idle();
    }

    void join() override {
        pool_.join();
    }

private:
    base::Task<> keep_loads(net::Worker& worker);
    base::Task<> write_loads(net::Worker& worker);

    storage::SqliteAliasHistory aliases_;
    storage::SqliteVersionLoads kept_;
    registry::VersionLoads loads_;
    net::BlockingPool pool_;
    WorkerSleeper sleeper_;
    bool is_stopping_ = false;
    bool is_failing_ = false;  // to keep loads; for the log
};

}  // namespace apps
