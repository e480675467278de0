#include "apps/model_records.hpp"

#include <optional>
#include <string>
#include <utility>

#include "apps/store.hpp"
#include "net/deadline.hpp"

#include <fmt/format.h>

namespace apps {

namespace {

constexpr std::size_t kMaxWaiting = 256;  // each with a body at most
constexpr std::size_t kThreads = 2;       // so that what is read need not wait for a commit
constexpr auto kAbortCheckDelay = std::chrono::milliseconds(250);
constexpr const char* kAttempt = "cannot use the records of registrations";

bool has_body(http::Method method) {
    return method == http::Method::post || method == http::Method::patch || method == http::Method::put;
}

http::Response broken_body(const base::Error& error) {
    return error.code == base::Code::exhausted           ? models::problem(413, error.message)
           : error.code == base::Code::deadline_exceeded ? models::problem(408, error.message)
                                                         : models::problem(400, error.message);
}

}  // namespace

ModelRecords::ModelRecords(const Deps& deps)
    : registration_database_(
          or_config_error(storage::SqliteDatabase::open(database_path(deps.mlflow.settings)), kAttempt)),
      fact_database_(
          or_config_error(storage::SqliteDatabase::open(
                              database_path(deps.mlflow.settings), storage::kBusyTimeout, storage::Synchronous::normal),
                          kAttempt)),
      registration_store_(*registration_database_),
      run_facts_(*fact_database_),
      pool_(kThreads, kMaxWaiting),
      registrations_({.store = registration_store_,
                      .pool = pool_,
                      .clock = deps.clock,
                      .applies_later = !deps.mlflow.settings.mlflow.forward_auth}),
      calls_(deps.mlflow),
      paths_{deps.mlflow.worker,
             deps.server,
             deps.mlflow.upstream,
             [this](http::Exchange& exchange) { return calls_.handle(exchange); }},
      sleeper_(deps.mlflow.worker),
      keeper_({.worker = deps.mlflow.worker,
               .registrations = registrations_,
               .is_reachable = [upstream = deps.mlflow.upstream] { return is_reachable(upstream); },
               .rest = [this, &clock = deps.clock](
                           base::Duration duration) { return sleeper_.wait_until(clock.now() + duration); },
               .mlflow_for =
                   [this](const models::Registration& registration) {
                       return std::make_unique<InternalMlflow>(
                           paths_,
                           CallOrigin{.key_id = registration.key_id,
                                      .key_name = registration.key_name,
                                      .peer = boost::asio::ip::address_v4::loopback(),
                                      .fields = {}});
                   }}) {
    or_config_error(registrations_.load(), kAttempt);
    deps.mlflow.metrics.gauge("hokusai_registrations_waiting", "Registrations that are not a version yet.", {}, [this] {
        return static_cast<double>(registrations_.waiting());
    });
}

void ModelRecords::start(net::Worker& control) {
    control.tasks().spawn("registration_keeper", keeper_.run());
}

void ModelRecords::stop() {
    keeper_.stop();
    sleeper_.wake_all();
}

ModelCalls::ModelCalls(ModelRecords& records, MlflowPaths paths, bool forwards_authorization)
    : paths_(std::move(paths)),
      forwards_authorization_(forwards_authorization),
      api_({paths_.worker, records.pool_, records.run_facts_, records.registrations_}) {}

base::Task<> ModelCalls::handle(http::Exchange& exchange) {
    const http::RequestHead& head = exchange.request();
    models::Request request;
    request.method = head.method;
    request.path = head.path;
    request.query = head.query;
    request.content_type = head.fields.find(http::FieldName::content_type).value_or("");
    if (const auto key = head.fields.find("idempotency-key")) {
        request.idempotency_key = std::string(*key);
    }
    request.key_id = exchange.caller.key_id;
    request.key_name = exchange.caller.key_name;
    if (has_body(head.method)) {
        base::Result<std::string> body = co_await exchange.read_whole_body(models::kMaxBody);
        if (!body && body.error().code == base::Code::cancelled) {
            exchange.abort();
            co_return;
        }
        if (!body) {
            exchange.close_after_answer();
            exchange.answer(broken_body(body.error()));
            co_return;
        }
        request.body = std::move(*body);
    }
    co_await answer(exchange, std::move(request));
}

base::Task<> ModelCalls::answer(http::Exchange& exchange, models::Request request) {
    InternalMlflow mlflow(paths_, origin_of(exchange));
    net::Deadline abort_check(paths_.worker.deadlines(), [&exchange] { exchange.watch_client(); });
    abort_check.set(paths_.worker.now() + kAbortCheckDelay);
    exchange.on_abort([&mlflow] { mlflow.abort(); });
    const http::Response response = co_await api_.answer(std::move(request), mlflow);
    abort_check.clear();
    exchange.stop_watching();
    if (!exchange.is_aborted()) {
        exchange.answer(response);
    }
}

CallOrigin ModelCalls::origin_of(const http::Exchange& exchange) const {
    const http::Fields& fields = exchange.request().fields;
    CallOrigin origin;
    origin.key_id = exchange.caller.key_id;
    origin.key_name = exchange.caller.key_name;
    origin.peer = exchange.peer();
    origin.fields = fmt::format("X-Request-Id: {}\r\n", exchange.request_id());
    if (const auto trace = fields.find(http::FieldName::traceparent)) {
        origin.fields += fmt::format("traceparent: {}\r\n", *trace);
    }
    const auto authorization = fields.find(http::FieldName::authorization);
    if (forwards_authorization_ && authorization) {
        origin.fields += fmt::format("Authorization: {}\r\n", *authorization);
        // Tells that the key of ours was in there, and that this is not it.
        origin.fields += fields.has(http::FieldName::x_api_key) ? "X-API-Key: -\r\n" : "";
    }
    return origin;
}

}  // namespace apps
