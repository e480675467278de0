#include "replica/replicated_registry.hpp"

#include <algorithm>
#include <utility>

#include "mlflow/routes.hpp"
#include "net/deadline.hpp"
#include "registry_http/alias_lookup.hpp"
#include "registry_http/error_response.hpp"
#include "registry_http/read_call.hpp"

namespace replica {

namespace {

using registry::Operation;

constexpr auto kAbortCheckDelay = std::chrono::seconds(1);

telemetry::Counter& answer_counter(telemetry::Metrics& metrics, const char* reason) {
    return metrics.counter(
        "hokusai_replica_answers_total", "Reads answered by the replica, by reason.", {{"reason", reason}});
}

telemetry::Counter& write_counter(telemetry::Metrics& metrics, const char* outcome) {
    return metrics.counter("hokusai_replica_writes_total",
                           "Writes to MLflow's registry that passed here, by what the replica knows of their result.",
                           {{"outcome", outcome}});
}

}  // namespace

ReplicaMetrics::ReplicaMetrics(telemetry::Metrics& metrics)
    : answers_unavailable(answer_counter(metrics, "mlflow_unavailable")),
      answers_first(answer_counter(metrics, "replica_first")),
      answers_pending(answer_counter(metrics, "writes_pending")),
      cannot_tell(metrics.counter("hokusai_replica_cannot_tell_total",
                                  "Reads MLflow did not answer and the replica could not.")),
      writes_read_back(write_counter(metrics, "known")),
      writes_unsettled(write_counter(metrics, "to_be_read_again")) {}

ReplicatedRegistry::ReplicatedRegistry(Deps deps, ReplicatedSettings settings)
    : deps_(std::move(deps)), settings_(settings), metrics_(deps_.metrics) {}

class ReplicatedRegistry::ReadObserver final : public mlflow::CallObserver {
public:
    ReadObserver(ReplicatedRegistry& owner, http::Exchange& exchange, const registry::Call& call, CallTarget target)
        : owner_(owner),
          exchange_(exchange),
          call_(call),
          target_(std::move(target)),
          asked_(owner.deps_.replica.ask()) {}

    base::Task<> answered(unsigned status, std::string_view body) override {
        if (status == 200) {
            owner_.note_load(call_, body);
        }
        if (status == 200 && owner_.settings_.read_max_age > base::Duration(0)) {
            co_await owner_.read_through(call_, target_, body, asked_);
        }
    }

    base::Task<bool> failed(const http::Response& /*refusal*/, bool /*may_have_been_carried_out*/) override {
        if (is_over()) {
            co_return false;
        }
        const std::optional<http::Response> answer =
            co_await owner_.deps_.replica.answer(owner_.deps_.worker, call_, target_);
        if (is_over()) {
            co_return false;
        }
        if (answer) {
            owner_.metrics_.answers_unavailable.add();
            if (answer->status == 200) {
                owner_.note_load(call_, answer->body);
            }
            exchange_.answer(*answer);
        } else {
            owner_.metrics_.cannot_tell.add();
        }
        co_return answer.has_value();
    }

private:
    // The client is gone, or has been answered by somebody else.
    [[nodiscard]] bool is_over() const {
        return exchange_.is_aborted() || exchange_.answered_status() != 0;
    }

    ReplicatedRegistry& owner_;
    http::Exchange& exchange_;
    const registry::Call& call_;
    const CallTarget target_;
    const Asked asked_;
};

class ReplicatedRegistry::WriteObserver final : public mlflow::CallObserver {
public:
    WriteObserver(ReplicatedRegistry& owner, http::Exchange& exchange, LocalWrite& write, mlflow::CallObserver* next)
        : owner_(owner), exchange_(exchange), write_(write), next_(next) {}

    base::Task<> answered(unsigned status, std::string_view body) override {
        co_await write_.answered(status, body);
        if (next_ != nullptr) {
            co_await next_->answered(status, body);
        }
    }

    base::Task<bool> failed(const http::Response& refusal, bool may_have_been_carried_out) override {
        co_await write_.failed(may_have_been_carried_out);
        const bool is_over = exchange_.is_aborted() || exchange_.answered_status() != 0;
        if (!may_have_been_carried_out && !is_over) {
            const bool is_taken = co_await owner_.take(exchange_, write_, next_);
            if (is_taken) {
                co_return true;
            }
        }
        if (next_ == nullptr) {
            co_return false;
        }
        const bool is_answered = co_await next_->failed(refusal, may_have_been_carried_out);
        co_return is_answered;
    }

private:
    ReplicatedRegistry& owner_;
    http::Exchange& exchange_;
    LocalWrite& write_;
    mlflow::CallObserver* const next_;
};

bool ReplicatedRegistry::is_fresh(const registry::ModelKey& model, const std::optional<Part>& part) const {
    const Replica& replica = deps_.replica;
    if (settings_.read_max_age <= base::Duration(0) || !replica.is_complete()) {
        return false;
    }
    const base::MonotonicTime oldest = replica.clock().now() - settings_.read_max_age;
    return part ? replica.confirmations.is_fresh(model, *part, oldest)
                : replica.confirmations.last_sweep() >= oldest && !replica.has_unsettled();
}

std::optional<http::Response> ReplicatedRegistry::find_answer(http::Exchange& exchange) {
    const http::RequestHead& request = exchange.request();
    if (settings_.read_max_age <= base::Duration(0)) {
        return std::nullopt;
    }
    std::optional<registry_http::AliasQuestion> asked =
        registry_http::alias_question(request, mlflow::to_upstream(request).target);
    if (!asked) {
        return std::nullopt;
    }
    const registry::ModelKey model{std::string(registry::normal_workspace(registry_http::workspace_of(request))),
                                   std::move(asked->name)};
    const Part part{.kind = Part::Kind::alias, .alias = std::move(asked->alias)};
    if (!is_fresh(model, part)) {
        return std::nullopt;
    }
    // Before the answer is looked up, which may only be newer.
    const Replica& replica = deps_.replica;
    const base::MonotonicTime confirmed_at = replica.confirmations.confirmed_at(model, part);
    const registry::AliasIndex::Answer found = deps_.aliases.find(model.workspace, model.name, part.alias);
    if (found == nullptr) {
        return std::nullopt;
    }
    http::Response response;
    response.body = *found;
    replica.describe_source(response, confirmed_at, replica.revision());
    const http::Caller& caller = exchange.caller;
    deps_.loads.note(caller.key_id, caller.key_name, model.workspace, found, wall_milliseconds());
    metrics_.answers_first.add();
    return response;
}

registry::Timestamp ReplicatedRegistry::wall_milliseconds() const {
    const base::WallTime now = deps_.replica.clock().wall_now();
    return std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
}

void ReplicatedRegistry::note_load(const registry::Call& call, std::string_view answer) {
    if (auto load = registry::load_of(call, answer, wall_milliseconds())) {
        deps_.loads.note(*std::move(load));
    }
}

base::Task<> ReplicatedRegistry::handle(http::Exchange& exchange, mlflow::CallObserver* observer) {
    const http::RequestHead& request = exchange.request();
    if (const std::optional<http::Response> known = find_answer(exchange)) {
        exchange.answer(*known);
        co_return;
    }
    const std::string_view target = mlflow::to_upstream(request).target;
    const std::optional<Operation> operation = registry_http::registry_operation(request, target);
    if (!operation) {
        co_await deps_.forward(exchange, observer, std::nullopt);
        co_return;
    }
    const bool has_body = request.framing.kind != http::Framing::Kind::none;
    base::Result<registry::Call> call = co_await registry_http::read_call(exchange, *operation, target);
    if (!call) {
        if (call.error().code == base::Code::cancelled) {
            exchange.abort();
        } else {
            exchange.close_after_answer();
            exchange.answer(registry_http::to_response(call.error()));
        }
        co_return;
    }
    std::optional<std::string> body = has_body ? std::optional(call->body) : std::nullopt;
    if (registry::is_read(*operation)) {
        co_await read(exchange, std::move(*call), std::move(body));
    } else {
        co_await write(exchange, std::move(*call), std::move(body), observer);
    }
}

base::Task<> ReplicatedRegistry::read(http::Exchange& exchange, registry::Call call, std::optional<std::string> body) {
    base::Result<CallTarget> target = target_of(call);
    if (!target) {
        co_await deps_.forward(exchange, nullptr, std::move(body));  // MLflow knows best how to refuse it
        co_return;
    }
    if (has_pending(call, *target)) {
        co_await read_pending(exchange, call, *std::move(target));
        co_return;
    }
    const bool is_answered = co_await answer_first(exchange, call, *target);
    if (is_answered) {
        co_return;
    }
    ReadObserver observer(*this, exchange, call, std::move(*target));
    co_await deps_.forward(exchange, &observer, std::move(body));
}

// Only what is there: that something is missing is for MLflow to say.
base::Task<bool> ReplicatedRegistry::answer_first(http::Exchange& exchange,
                                                  const registry::Call& call,
                                                  const CallTarget& target) {
    if (!is_fresh(target.model, part_of(call, target))) {
        co_return false;
    }
    const std::optional<http::Response> answer = co_await deps_.replica.answer(deps_.worker, call, target);
    if (!answer || answer->status != 200) {
        co_return false;
    }
    metrics_.answers_first.add();
    note_load(call, answer->body);
    exchange.answer(*answer);
    co_return true;
}

base::Task<> ReplicatedRegistry::read_through(const registry::Call& call,
                                              const CallTarget& target,
                                              std::string_view body,
                                              Asked asked) {
    std::optional<ModelView> view = deps_.replica.is_complete() ? view_of(call, target, body, asked) : std::nullopt;
    if (!view) {
        co_return;
    }
    Replica::Merge merge;
    merge.views.push_back(std::move(*view));
    const base::Result<MergeOutcome> merged = co_await deps_.replica.merge(deps_.worker, std::move(merge));
    if (merged && !merged->torn.empty()) {
        co_await deps_.replica.mark(deps_.worker, target.model, MarkReason::torn);
    }
}

base::Task<> ReplicatedRegistry::write(http::Exchange& exchange,
                                       registry::Call call,
                                       std::optional<std::string> body,
                                       mlflow::CallObserver* observer) {
    base::Result<CallTarget> target = target_of(call);
    if (!target) {
        co_await deps_.forward(exchange, observer, std::move(body));
        co_return;
    }
    net::Worker& worker = deps_.worker;
    LocalWrite write(worker, deps_.replica, deps_.reader, std::move(call), std::move(*target));
    ModelLocks::Wait wait;
    net::Deadline abort_check(worker.deadlines(), [&exchange] { exchange.watch_client(); });
    abort_check.set(worker.now() + kAbortCheckDelay);
    exchange.on_abort([&wait] { wait.cancel(); });
    base::Result<void> begun = co_await write.begin(worker.now() + settings_.lock_patience, wait);
    const bool is_behind_others = begun && has_pending(write.call(), write.target());
    if (begun && !is_behind_others) {
        begun = co_await write.check_rollback();
    }
    abort_check.clear();
    exchange.stop_watching();
    if (!begun) {
        if (begun.error().code != base::Code::cancelled) {
            const base::Code code =
                begun.error().code == base::Code::conflict ? base::Code::conflict : base::Code::unavailable;
            exchange.answer(registry_http::to_response({code, begun.error().message}));
        }
        co_return;
    }
    if (is_behind_others) {
        co_await write_behind(exchange, write, observer);
        co_return;
    }
    WriteObserver write_observer(*this, exchange, write, observer);
    co_await deps_.forward(exchange, &write_observer, std::move(body));
    (write.is_known() ? metrics_.writes_read_back : metrics_.writes_unsettled).add();
}

// Searches show all models.
bool ReplicatedRegistry::has_pending(const registry::Call& call, const CallTarget& target) const {
    if (deps_.stand_in == nullptr || !deps_.stand_in->has_any_pending()) {
        return false;
    }
    if (call.operation == Operation::search_models || call.operation == Operation::search_versions) {
        return true;
    }
    return std::ranges::any_of(target.models(),
                               [this](const registry::ModelKey& key) { return deps_.stand_in->has_pending(key); });
}

// MLflow would not show what it was not told yet.
base::Task<> ReplicatedRegistry::read_pending(http::Exchange& exchange, const registry::Call& call, CallTarget target) {
    std::optional<http::Response> answer = co_await deps_.replica.answer(deps_.worker, call, std::move(target));
    if (!answer) {
        metrics_.cannot_tell.add();
        answer = registry_http::to_response(
            {base::Code::unavailable, "Writes wait for MLflow, and the copy of what they change cannot be read now"});
    } else {
        metrics_.answers_pending.add();
        if (answer->status == 200) {
            note_load(call, answer->body);
        }
    }
    exchange.answer(*answer);
}

// Whether it was taken in MLflow's place, or refused in its words.
base::Task<bool> ReplicatedRegistry::take(http::Exchange& exchange,
                                          const LocalWrite& write,
                                          mlflow::CallObserver* observer) {
    if (deps_.stand_in == nullptr) {
        co_return false;
    }
    const std::optional<http::Response> response =
        co_await deps_.stand_in->take(exchange, write.call(), write.target());
    if (!response) {
        co_return false;
    }
    bool is_answered = false;
    if (observer != nullptr && response->status < 500) {
        co_await observer->answered(response->status, response->body);
    } else if (observer != nullptr) {
        is_answered = co_await observer->failed(*response, response->status == 504);
    }
    if (!is_answered && !exchange.is_aborted()) {
        exchange.answer(*response);
    }
    co_return true;
}

// Whatever MLflow does by now, it must not get this before what waits for it.
base::Task<> ReplicatedRegistry::write_behind(http::Exchange& exchange,
                                              const LocalWrite& write,
                                              mlflow::CallObserver* observer) {
    const bool is_taken = co_await take(exchange, write, observer);
    if (is_taken) {
        co_return;
    }
    const http::Response refusal = registry_http::to_response(
        {base::Code::unavailable, "Earlier writes of this model wait for MLflow, and only MLflow can answer this one"});
    bool is_answered = false;
    if (observer != nullptr) {
        is_answered = co_await observer->failed(refusal, false);
    }
    if (!is_answered && !exchange.is_aborted()) {
        exchange.answer(refusal);
    }
}

}  // namespace replica
