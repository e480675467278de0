// A cache in a folder of its own, and a worker whose loop the test runs.
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "artifacts/artifact_cache.hpp"
#include "net/blocking_pool.hpp"
#include "net/testing/run_on.hpp"
#include "net/testing/shared_clock.hpp"
#include "net/worker.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace artifacts::testing {

class CacheFixture : public ::testing::Test {
protected:
    explicit CacheFixture(std::int64_t limit = std::int64_t{64} << 20U)
        : cache_({files_, index_, [this](const std::string& path) { return has_owner(path); }, clock_, metrics_},
                 {.limit = limit, .keep_free = 0}) {
        EXPECT_TRUE(cache_.open());
    }

    ~CacheFixture() override {
        pool_.join();
    }

    base::Result<bool> has_owner(const std::string& path) {
        before_owner_();
        return !strangers_.contains(path);
    }

    template <class T>
    T run(base::Task<T> task) {
        return net::testing::run_here(worker_, std::move(task));
    }

    void run_until(const std::function<bool()>& is_reached) {
        while (!is_reached()) {
            worker_.context().run_one();
        }
    }

    // Empty where it is not here.
    std::string kept(const std::string& path, storage::ArtifactKind kind = storage::ArtifactKind::file) {
        const auto found = cache_.find({kind, path});
        std::string bytes;
        while (found && *found && bytes.size() < static_cast<std::size_t>((*found)->reader->size())) {
            bytes += cache_.read_piece(**found, bytes.size() / storage::kPieceSize).value();
        }
        return bytes;
    }

    storage::testing::TemporaryFolder folder_;
    storage::ContentStore files_ = storage::ContentStore::open(folder_.path() / "artifacts").value();
    storage::ArtifactIndex index_{storage::open_artifact_database(folder_.path()).value()};
    net::testing::SharedClock clock_;
    telemetry::Metrics metrics_;
    std::set<std::string> strangers_;
    std::function<void()> before_owner_ = [] {};
    ArtifactCache cache_;
    net::Worker worker_{"test", 0, clock_};
    net::BlockingPool pool_{2, 100};
};

}  // namespace artifacts::testing
