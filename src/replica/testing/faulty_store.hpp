// A store that can fail, and two stores compared.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "registry/json.hpp"
#include "registry/testing/memory_store.hpp"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace replica::testing {

// A store that fails as long as it is told to.
class FaultyStore final : public registry::Store {
public:
    base::Result<void> read(const std::function<base::Result<void>(registry::Reader&)>& work) override {
        return is_broken ? fail() : rows.read(work);
    }

    base::Result<void> write(const std::function<base::Result<void>(registry::Writer&)>& work) override {
        return is_broken ? fail() : rows.write(work);
    }

    registry::testing::MemoryStore rows;
    std::atomic<bool> is_broken{false};

private:
    static base::Result<void> fail() {
        return base::fail(base::Code::unavailable, "the disk is full");
    }
};

// A store's rows in a form in which two stores can be compared: all that MLflow shows.
inline std::vector<std::string> rows_of(registry::Store& store) {
    std::vector<std::string> rows;
    const base::Result<void> done = store.read([&](registry::Reader& reader) -> base::Result<void> {
        for (const registry::ModelKey& key : reader.list_models(std::nullopt, 100'000).value()) {
            registry::RegisteredModel model = *reader.find_model(key).value();
            std::ranges::sort(model.tags, {}, &registry::Tag::key);
            std::ranges::sort(model.aliases, {}, &registry::Alias::name);
            rows.push_back(key.workspace + " " + boost::json::serialize(registry::to_json(model)));
            for (const std::int64_t number : reader.version_numbers(key).value()) {
                registry::ModelVersion version = *reader.find_version(key, number).value();
                std::ranges::sort(version.tags, {}, &registry::Tag::key);
                std::ranges::sort(version.aliases);
                rows.push_back(key.workspace + " " + boost::json::serialize(registry::to_json(version)));
            }
        }
        return {};
    });
    EXPECT_TRUE(done);
    return rows;
}

}  // namespace replica::testing
