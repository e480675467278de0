// A write on its way through this process to MLflow: what the replica does before and after it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/task.hpp"
#include "net/worker.hpp"
#include "registry/call.hpp"
#include "replica/call_target.hpp"
#include "replica/model_locks.hpp"
#include "replica/replica.hpp"
#include "replica/upstream_reader.hpp"

namespace replica {

// begin(), then answered() or failed(). Lives on one worker.
class LocalWrite {
public:
    LocalWrite(net::Worker& worker, Replica& replica, UpstreamReader& reader, registry::Call call, CallTarget target);
    LocalWrite(const LocalWrite&) = delete;
    LocalWrite& operator=(const LocalWrite&) = delete;
    ~LocalWrite();

    // Until no other write of the same models is under way. Errors as ModelLocks::lock().
    base::Task<base::Result<void>> begin(base::MonotonicTime give_up_at, ModelLocks::Wait& wait);

    // Whether MLflow still has what the call is a rollback of; after begin(). conflict when it has not.
    base::Task<base::Result<void>> check_rollback();

    // MLflow has answered. Returns when the replica has what the write changed, or knows that it has not.
    base::Task<> answered(unsigned status, std::string_view body);

    // MLflow gave no answer, or nobody waited for it.
    base::Task<> failed(bool may_have_been_carried_out);

    [[nodiscard]] const registry::Call& call() const {
        return call_;
    }

    [[nodiscard]] const CallTarget& target() const {
        return target_;
    }

    // Whether the replica knows what became of it.
    [[nodiscard]] bool is_known() const {
        return is_known_;
    }

private:
    base::Task<base::Result<void>> read_back(std::string_view body);
    base::Task<base::Result<void>> read_back_rename();
    base::Task<base::Result<void>> read_back_everything(registry::ModelKey key, std::string renamed_from = {});
    base::Task<base::Result<ModelView>> complete(ModelView view, Rereading rereading);
    base::Task<> mark_all(MarkReason reason);

    net::Worker& worker_;
    Replica& replica_;
    UpstreamReader& reader_;
    const registry::Call call_;
    const CallTarget target_;
    const std::optional<registry::Act> act_;
    std::vector<ModelLocks::Held> locks_;
    std::vector<registry::ModelKey> writing_;
    Asked asked_;
    bool is_known_ = true;
};

}  // namespace replica
