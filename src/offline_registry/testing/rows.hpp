// A model's rows in memory, and calls to them as entries of the journal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "journal/entry.hpp"
#include "offline_registry/model_state.hpp"
#include "offline_registry/promise.hpp"
#include "registry/registry.hpp"
#include "registry/testing/memory_store.hpp"

#include <gtest/gtest.h>

namespace offline_registry::testing {

inline const registry::ModelKey kModel{"", "m"};
inline constexpr base::WallTime kNoon{std::chrono::hours(12)};

inline registry::Call call_of(const std::string& method, const std::string& path, std::string body) {
    registry::Call call;
    call.operation = registry::find_operation(method, "/api/2.0/mlflow/" + path).value();
    call.method = method;
    call.content_type = "application/json";
    call.body = std::move(body);
    return call;
}

class Rows {
public:
    // `work` in a transaction of its own.
    template <class Work>
    auto change(Work work) {
        decltype(work(std::declval<registry::Writer&>())) result = base::fail(base::Code::internal, "not run");
        const base::Result<void> done = store.write([&](registry::Writer& writer) -> base::Result<void> {
            result = work(writer);
            return result ? base::Result<void>() : std::unexpected(result.error());
        });
        EXPECT_EQ(done.has_value(), result.has_value());
        return result;
    }

    // Carried out for good, at MLflow as it were.
    void write(const std::string& method, const std::string& path, const std::string& body) {
        EXPECT_TRUE(change([&](registry::Writer& writer) {
            return registry::carry_out(writer, call_of(method, path, body), kNoon);
        })) << path;
    }

    // Carried out, and what the journal keeps of it.
    journal::Entry promise(const std::string& method, const std::string& path, const std::string& body) {
        const registry::Call call = call_of(method, path, body);
        const auto promised = change([&](registry::Writer& writer) { return carry_out(writer, call, kModel, kNoon); });
        EXPECT_TRUE(promised) << path;
        journal::Entry entry;
        entry.sequence = ++sequence_;
        entry.lane = lane_of(kModel);
        entry.method = method;
        entry.target = "/api/2.0/mlflow/" + path;
        entry.body = body;
        entry.accepted_at = kNoon;
        entry.about = promised ? to_text(promised->expectation) : "";
        return entry;
    }

    ModelState state() {
        ModelState found;
        EXPECT_TRUE(store.read([&](registry::Reader& reader) -> base::Result<void> {
            found = state_in(reader, kModel).value();
            return {};
        }));
        return found;
    }

    // As MLflow's lists would show it.
    replica::ModelView view() {
        replica::ModelView view;
        view.key = kModel;
        view.is_whole = true;
        EXPECT_TRUE(store.read([&](registry::Reader& reader) -> base::Result<void> {
            view.model = reader.find_model(kModel).value();
            view.is_gone = !view.model;
            for (const std::int64_t number : reader.version_numbers(kModel).value()) {
                view.versions.push_back(reader.find_version(kModel, number).value().value());
                view.versions.back().artifact_uri.clear();
            }
            return {};
        }));
        return view;
    }

    registry::testing::MemoryStore store;

private:
    std::int64_t sequence_ = 0;
};

}  // namespace offline_registry::testing
