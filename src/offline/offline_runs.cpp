#include "offline/offline_runs.hpp"

#include <algorithm>
#include <utility>

#include "mlflow/routes.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/use_task.hpp"
#include "offline/run_info.hpp"
#include "registry/call.hpp"
#include "registry_http/error_response.hpp"
#include "registry_http/read_call.hpp"

#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

namespace offline {

namespace {

constexpr std::uint64_t kMaxBody = std::uint64_t{1} << 20U;
constexpr const char* kBehindOthers = "earlier writes of this run wait for MLflow";
// Of a call that has to wait until others are delivered, which takes seconds once MLflow is back.
constexpr const char* kSoon = "5";
constexpr const char* kLater = "15";
constexpr std::uint64_t kFew = 200;
constexpr base::Duration kLongestTurn = std::chrono::seconds(2);
constexpr base::Duration kLookAgain = std::chrono::milliseconds(10);

std::string_view path_of(const http::RequestHead& request) {
    const std::string_view target = mlflow::to_upstream(request).target;
    return target.substr(0, target.find('?'));
}

bool has_small_body(const http::RequestHead& request) {
    return request.framing.kind == http::Framing::Kind::none ||
           (request.framing.kind == http::Framing::Kind::length && request.framing.length <= kMaxBody);
}

http::Response unavailable(std::string_view message, std::string retry_after) {
    http::Response response = http::mlflow_error_response(503, "TEMPORARILY_UNAVAILABLE", message);
    response.headers.emplace_back("Retry-After", std::move(retry_after));
    return response;
}

std::string retry_after_of(const http::Response& refusal) {
    const auto found = std::ranges::find(refusal.headers, "Retry-After", [](const auto& field) { return field.first; });
    return found == refusal.headers.end() ? kLater : found->second;
}

}  // namespace

bool OfflineRuns::concerns(const http::RequestHead& request) {
    return find_run_operation(request.method_text, path_of(request)).has_value();
}

// What became of a call that went to MLflow.
class OfflineRuns::Observer final : public mlflow::CallObserver {
public:
    Observer(OfflineRuns& owner, http::Exchange& exchange, const RunCall& call)
        : owner_(owner), exchange_(exchange), call_(call) {}

    base::Task<> answered(unsigned status, std::string_view body) override {
        if (status == 200) {
            owner_.note_answer(call_, body);
        }
        if (call_.next != nullptr) {
            co_await call_.next->answered(status, body);
        }
    }

    // A client that is gone was told nothing, and will come again if it wants to.
    base::Task<bool> failed(const http::Response& refusal, bool may_have_been_carried_out) override {
        const bool is_over = exchange_.is_aborted() || exchange_.answered_status() != 0;
        if (!is_over && owner_.accepts_ && is_deferrable(call_.operation)) {
            const bool is_taken = co_await owner_.take(exchange_, call_, refusal);
            if (is_taken) {
                co_return true;
            }
        }
        if (call_.next == nullptr) {
            co_return false;
        }
        const bool is_answered = co_await call_.next->failed(refusal, may_have_been_carried_out);
        co_return is_answered;
    }

private:
    OfflineRuns& owner_;
    http::Exchange& exchange_;
    const RunCall& call_;
};

base::Task<> OfflineRuns::handle(http::Exchange& exchange, mlflow::CallObserver* next) {
    const http::RequestHead& request = exchange.request();
    const std::optional<RunOperation> operation = find_run_operation(request.method_text, path_of(request));
    if (!operation) {
        co_await deps_.forward(exchange, next, std::nullopt);
        co_return;
    }
    if (*operation != RunOperation::create && *operation != RunOperation::get) {
        co_await handle_write(exchange, *operation, next);
        co_return;
    }
    RunCall call;
    call.operation = *operation;
    call.next = next;
    call.workspace = registry::normal_workspace(registry_http::workspace_of(request));
    if (*operation == RunOperation::get) {
        call.lane = lane_of(call.workspace, run_id_of(request.query));
        const std::optional<std::string> known = deps_.runs.about(call.lane);
        if (known && !known->empty()) {
            deps_.runs.see(call.lane);
            co_await deps_.forward(exchange, next, std::nullopt);
            co_return;
        }
    }
    Observer observer(*this, exchange, call);
    co_await deps_.forward(exchange, &observer, std::nullopt);
}

base::Task<> OfflineRuns::handle_write(http::Exchange& exchange, RunOperation operation, mlflow::CallObserver* next) {
    if (!has_small_body(exchange.request())) {
        co_await pass_unread(exchange, next);
        co_return;
    }
    std::optional<RunCall> call = co_await read_call(exchange, operation);
    if (!call) {
        co_return;
    }
    call->next = next;
    co_await await_turn(exchange, call->lane);
    if (deps_.journal.waiting(call->lane) == 0) {
        co_await pass(exchange, std::move(*call));
    } else {
        co_await handle_sequel(exchange, std::move(*call));
    }
}

// The last few before it are under way to MLflow in a moment. A run that never stops writing would keep itself in the
// journal for ever, were nobody to wait for that.
base::Task<> OfflineRuns::await_turn(http::Exchange& exchange, const std::string& lane) {
    boost::asio::steady_timer timer(deps_.worker.context());
    const base::MonotonicTime limit = deps_.worker.now() + kLongestTurn;
    for (std::uint64_t waiting = deps_.journal.waiting(lane);
         waiting > 0 && waiting <= kFew && deps_.is_reachable() && !exchange.is_aborted() && deps_.worker.now() < limit;
         waiting = deps_.journal.waiting(lane)) {
        timer.expires_after(kLookAgain);
        co_await timer.async_wait(net::use_task);
    }
}

base::Task<> OfflineRuns::pass(http::Exchange& exchange, RunCall call) {
    Observer observer(*this, exchange, call);
    std::optional<std::string> body;
    if (exchange.request().framing.kind != http::Framing::Kind::none) {
        body = call.body;
    }
    co_await deps_.forward(exchange, &observer, std::move(body));
}

// Behind others of its run: whatever MLflow does by now, it must not come before them.
base::Task<> OfflineRuns::handle_sequel(http::Exchange& exchange, RunCall call) {
    if (!is_deferrable(call.operation)) {
        co_await answer(exchange, call, unavailable(fmt::format("{}, and come first", kBehindOthers), kSoon));
        co_return;
    }
    const bool is_answered = co_await take(exchange, call, {});
    if (!is_answered) {
        co_await answer(
            exchange, call, unavailable(fmt::format("{}, and only MLflow can judge this one", kBehindOthers), kSoon));
    }
}

// Too large to be read, so nobody knows of which run it is.
base::Task<> OfflineRuns::pass_unread(http::Exchange& exchange, mlflow::CallObserver* next) {
    if (!deps_.journal.has_lanes(kRunLanes)) {
        co_await deps_.forward(exchange, next, std::nullopt);
        co_return;
    }
    exchange.close_after_answer();
    exchange.answer(unavailable("earlier writes wait for MLflow, and this one is too large to wait with them", kSoon));
}

base::Task<std::optional<OfflineRuns::RunCall>> OfflineRuns::read_call(http::Exchange& exchange,
                                                                       RunOperation operation) {
    const http::RequestHead& request = exchange.request();
    RunCall call;
    call.operation = operation;
    call.workspace = registry::normal_workspace(registry_http::workspace_of(request));
    call.path = path_of(request);
    base::Result<std::string> body = co_await exchange.read_whole_body(kMaxBody);
    if (!body) {
        if (body.error().code == base::Code::cancelled) {
            exchange.abort();
        } else {
            exchange.close_after_answer();
            exchange.answer(registry_http::to_response({base::Code::invalid_argument, body.error().message}));
        }
        co_return std::nullopt;
    }
    call.body = std::move(*body);
    call.arguments = parse_object(call.body).value_or(boost::json::object());
    call.run_id = run_id_of(operation, call.arguments);
    const std::string_view content_type = request.fields.find(http::FieldName::content_type).value_or("");
    const bool is_json = content_type.substr(0, content_type.find(';')) == "application/json";
    if (is_json && !call.run_id.empty() && mlflow::is_workspace_name(call.workspace)) {
        call.lane = lane_of(call.workspace, call.run_id);
    }
    co_return call;
}

void OfflineRuns::note_answer(const RunCall& call, std::string_view body) {
    if (const std::optional<SeenRun> seen = seen_in_answer(call.operation, body)) {
        deps_.runs.see(lane_of(call.workspace, seen->run_id), seen->info);
    } else if (!call.lane.empty()) {
        note_call(call);
    }
}

// Answers what is known of the run once the call is carried out.
std::string OfflineRuns::note_call(const RunCall& call) {
    const std::string before = deps_.runs.about(call.lane).value_or("");
    std::string after = after_call(call.operation, call.arguments, before);
    deps_.params.note(call.lane, call.operation, call.arguments);
    deps_.runs.see(call.lane, after == before ? std::nullopt : std::optional(after));
    return after;
}

// In MLflow's place.
base::Task<> OfflineRuns::answer(http::Exchange& exchange, const RunCall& call, http::Response response) {
    if (call.next != nullptr) {
        if (response.status < 500) {
            co_await call.next->answered(response.status, response.body);
        } else {
            co_await call.next->failed(response, false);
        }
    }
    if (!exchange.is_aborted()) {
        exchange.answer(response);
    }
}

base::Task<bool> OfflineRuns::take(http::Exchange& exchange, const RunCall& call, const http::Response& refusal) {
    const base::Result<void> checked = check_run_call(call.operation, call.arguments);
    if (!checked && checked.error().code == base::Code::invalid_argument) {
        co_await answer(exchange, call, registry_http::to_response(checked.error()));
        co_return true;
    }
    const std::optional<std::string> known = deps_.runs.about(call.lane);
    if (!checked || call.lane.empty() || (!known && deps_.journal.waiting(call.lane) == 0)) {
        co_return false;
    }
    const base::Result<void> fits = known && is_deleted(*known)
                                        ? base::fail(base::Code::invalid_argument, deleted_message(call.run_id))
                                        : deps_.params.check(call.lane, call.operation, call.arguments);
    if (!fits) {
        co_await answer(exchange, call, registry_http::to_response(fits.error()));
        co_return true;
    }
    journal::Entry entry;
    entry.lane = call.lane;
    entry.workspace = call.workspace;
    entry.method = "POST";
    entry.target = call.path;
    entry.body = call.body;
    entry.key_id = exchange.caller.key_id;
    entry.accepted_at = deps_.worker.clock().wall_now();
    const base::Result<void> accepted = co_await deps_.journal.accept(deps_.worker, std::move(entry));
    if (!accepted) {
        const std::string_view why = refusal.status == 200 ? kBehindOthers : "MLflow is unavailable";
        co_await answer(
            exchange, call, unavailable(fmt::format("{}; {}", why, accepted.error().message), retry_after_of(refusal)));
        co_return true;
    }
    http::Response response;
    response.body = answer_to(call.operation, call.run_id, note_call(call));
    response.headers.emplace_back("X-Hokusai-Source", "journal");
    co_await answer(exchange, call, std::move(response));
    co_return true;
}

}  // namespace offline
