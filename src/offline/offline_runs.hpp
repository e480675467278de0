// Calls about runs of one worker, in front of the gateway: while MLflow is away, or earlier calls of a run still wait
// for it, the journal takes what a training loop writes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/task.hpp"
#include "http/exchange.hpp"
#include "journal/journal.hpp"
#include "journal/known_lanes.hpp"
#include "mlflow/call_observer.hpp"
#include "net/worker.hpp"
#include "offline/known_params.hpp"
#include "offline/run_call.hpp"

#include <boost/json/object.hpp>

namespace offline {

// Lives on one worker; what it refers to outlives it. Callers have been authorized.
class OfflineRuns {
public:
    // The gateway's: `observer` may be null, `body` is the request's when it was read already.
    using Forward =
        std::function<base::Task<>(http::Exchange&, mlflow::CallObserver* observer, std::optional<std::string> body)>;

    struct Deps {
        net::Worker& worker;
        journal::Journal& journal;
        journal::KnownLanes& runs;
        KnownParams& params;
        std::function<bool()> is_reachable;  // MLflow answers
        Forward forward;
    };

    // Without `accepts`, only what has earlier calls before it is taken, which keeps their order.
    OfflineRuns(Deps deps, bool accepts) : deps_(std::move(deps)), accepts_(accepts) {}

    // Whether handle() has anything to do with it. Others need not come this way.
    [[nodiscard]] static bool concerns(const http::RequestHead& request);

    // `next` is told what became of the call, and may be null.
    base::Task<> handle(http::Exchange& exchange, mlflow::CallObserver* next = nullptr);

private:
    class Observer;

    // A call with a body that was understood as far as its run.
    struct RunCall {
        RunOperation operation = RunOperation::get;
        boost::json::object arguments;
        std::string run_id;
        std::string workspace;
        std::string lane;  // empty: of no run that could be told
        std::string path;
        std::string body;
        mlflow::CallObserver* next = nullptr;
    };

    base::Task<> handle_write(http::Exchange& exchange, RunOperation operation, mlflow::CallObserver* next);
    base::Task<> handle_sequel(http::Exchange& exchange, RunCall call);
    base::Task<> await_turn(http::Exchange& exchange, const std::string& lane);
    base::Task<> pass(http::Exchange& exchange, RunCall call);
    base::Task<> pass_unread(http::Exchange& exchange, mlflow::CallObserver* next);
    base::Task<std::optional<RunCall>> read_call(http::Exchange& exchange, RunOperation operation);
    base::Task<> answer(http::Exchange& exchange, const RunCall& call, http::Response response);
    void note_answer(const RunCall& call, std::string_view body);
    std::string note_call(const RunCall& call);

    // Whether it was answered, be it by a refusal in MLflow's words; not when only MLflow could tell. `refusal`: what
    // the client would be told otherwise; empty when the call has to wait behind others.
    base::Task<bool> take(http::Exchange& exchange, const RunCall& call, const http::Response& refusal);

    Deps deps_;
    const bool accepts_;
};

}  // namespace offline
