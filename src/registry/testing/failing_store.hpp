// A store whose commits can be made to fail after all the work is done, whether or not they took place.
#pragma once

#include <functional>

#include "base/error.hpp"
#include "registry/store.hpp"

namespace registry::testing {

enum class Commit { succeeds, fails, takes_place_unseen };

class FailingStore final : public Store {
public:
    explicit FailingStore(Store& store) : store_(store) {}

    void set_commit(Commit commit) {
        commit_ = commit;
    }

    base::Result<void> read(const std::function<base::Result<void>(Reader&)>& work) override {
        return store_.read(work);
    }

    base::Result<void> write(const std::function<base::Result<void>(Writer&)>& work) override {
        auto written = store_.write([&](Writer& writer) -> base::Result<void> {
            auto done = work(writer);
            return done && commit_ == Commit::fails ? failure() : done;
        });
        return written && commit_ == Commit::takes_place_unseen ? failure() : written;
    }

private:
    static base::Result<void> failure() {
        return base::fail(base::Code::unavailable, "the disk went away");
    }

    Store& store_;
    Commit commit_ = Commit::succeeds;
};

}  // namespace registry::testing
