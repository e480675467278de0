// A registry store in memory, for tests of what uses one. A write works on a copy that takes the place of the state if
// all went well.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/error.hpp"
#include "registry/store.hpp"
#include "registry/testing/memory_history.hpp"

namespace registry::testing {

class MemoryStore final : public Store {
public:
    struct Model {
        RegisteredModel entity;
        std::map<std::int64_t, ModelVersion> versions;
        std::int64_t highest_version = 0;
    };

    struct State {
        std::map<ModelKey, Model> models;
        std::map<std::string, std::string, std::less<>> facts;
        MemoryHistory history;
    };

    base::Result<void> read(const std::function<base::Result<void>(Reader&)>& work) override;
    base::Result<void> write(const std::function<base::Result<void>(Writer&)>& work) override;

private:
    std::shared_ptr<const State> state();

    std::mutex writing_;
    std::mutex mutex_;
    std::shared_ptr<const State> state_ = std::make_shared<State>();  // protected by mutex_
};

}  // namespace registry::testing
