#include "apps/standalone.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "mlflow/routes.hpp"
#include "registry_http/alias_lookup.hpp"
#include "registry_http/error_response.hpp"
#include "registry_http/read_call.hpp"
#include "registry_http/server_info.hpp"

namespace apps {

namespace {

telemetry::Counter& call_counter(telemetry::Metrics& metrics, const char* source, const char* outcome) {
    return metrics.counter("hokusai_registry_calls_total",
                           "Calls of the model registry answered here, by where the answer came from.",
                           {{"source", source}, {"outcome", outcome}});
}

http::Response not_configured() {
    return http::mlflow_error_response(
        501,
        "NOT_IMPLEMENTED",
        "no MLflow server is configured, so there is only the model registry here: set MLFLOW_SERVER_URL (or serve "
        "--mlflow URL) to the address of one");
}

// What is no call of the registry.
http::Response answer_beside_registry(const http::RequestHead& request, std::string_view path) {
    if (request.method == http::Method::get || request.method == http::Method::head) {
        if (path == "/api/3.0/mlflow/server-info" || path == "/ajax-api/3.0/mlflow/server-info") {
            return registry_http::server_info();
        }
        if (path == "/version") {
            return registry_http::mlflow_version();
        }
    }
    return not_configured();
}

registry::Timestamp wall_milliseconds(http::Exchange& exchange) {
    const base::WallTime now = exchange.context().worker.clock().wall_now();
    return std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
}

}  // namespace

Standalone::Standalone(LocalRegistry& registry, registry::LoadNotes& loads, telemetry::Metrics& metrics)
    : registry_(registry),
      loads_(loads),
      from_memory_(call_counter(metrics, "alias_index", "answered")),
      answered_(call_counter(metrics, "native", "answered")),
      refused_(call_counter(metrics, "native", "refused")),
      failed_(call_counter(metrics, "native", "failed")) {}

bool Standalone::try_answer(http::Exchange& exchange) {
    const http::RequestHead& request = exchange.request();
    const std::string_view target = mlflow::to_upstream(request).target;
    const auto operation = registry_http::registry_operation(request, target);
    if (!operation) {
        exchange.answer(answer_beside_registry(request, target.substr(0, target.find('?'))));
        return true;
    }
    if (!registry_http::workspace_of(request).empty()) {
        answer(exchange, registry_http::workspaces_are_off());
        return true;
    }
    if (*operation == registry::Operation::get_version_by_alias) {
        if (const auto found = registry_http::find_alias_answer(registry_.aliases(), request, target)) {
            from_memory_.add();
            loads_.note(exchange.caller.key_id, exchange.caller.key_name, {}, found, wall_milliseconds(exchange));
            http::Response response;
            response.body = *found;
            exchange.answer(response);
            return true;
        }
    }
    return false;
}

base::Task<> Standalone::handle(http::Exchange& exchange, mlflow::CallObserver* observer) {
    if (try_answer(exchange)) {
        co_return;
    }
    const http::RequestHead& request = exchange.request();
    const std::string_view target = mlflow::to_upstream(request).target;
    const auto operation = registry_http::registry_operation(request, target);
    base::Result<registry::Call> call = co_await registry_http::read_call(exchange, *operation, target);
    if (!call) {
        answer(exchange, registry_http::to_response(call.error()));
        co_return;
    }
    const http::Response response = co_await registry_.calls().answer(exchange.context().worker, *call);
    if (response.status == 200) {
        if (auto load = registry::load_of(*call, response.body, wall_milliseconds(exchange))) {
            loads_.note(*std::move(load));
        }
    }
    if (observer != nullptr && response.status < 500) {
        co_await observer->answered(response.status, response.body);
    } else if (observer != nullptr) {
        const bool is_answered = co_await observer->failed(response, response.status == 504);
        if (is_answered) {
            co_return;
        }
    }
    answer(exchange, response);
}

void Standalone::answer(http::Exchange& exchange, const http::Response& response) {
    telemetry::Counter& outcome = response.status < 400 ? answered_ : response.status < 500 ? refused_ : failed_;
    outcome.add();
    exchange.answer(response);
}

}  // namespace apps
