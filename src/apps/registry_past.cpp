#include "apps/registry_past.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include "apps/store.hpp"
#include "registry_http/alias_history_answer.hpp"
#include "storage/sqlite_database.hpp"
#include "telemetry/log.hpp"

#include <boost/json/serialize.hpp>

namespace apps {

namespace {

constexpr std::size_t kThreads = 1;
constexpr std::size_t kMaxWaiting = 64;
constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kLoadsInterval = std::chrono::seconds(5);
constexpr const char* kAttempt = "cannot read the history of aliases";

std::unique_ptr<storage::SqliteDatabase> open(const ServiceSettings& settings) {
    return or_config_error(storage::SqliteDatabase::open(database_path(settings)), kAttempt);
}

}  // namespace

RegistryPast::RegistryPast(const ServiceSettings& settings,
                           std::string registry,
                           net::Worker& control,
                           std::size_t workers)
    : aliases_(open(settings), registry),
      kept_(open(settings), std::move(registry)),
      loads_(workers),
      pool_(kThreads, kMaxWaiting),
      sleeper_(control) {
    loads_.restore(or_config_error(kept_.all(), kAttempt));
}

base::Task<> RegistryPast::answer(http::Exchange& exchange) {
    const auto question = registry_http::alias_history_question(exchange.request());
    if (!question) {
        exchange.answer(http::detail_response(400, question.error().message));
        co_return;
    }
    const base::Result<std::string> body = co_await pool_.run(
        exchange.context().worker, kPatience, [this, asked = *question]() -> base::Result<std::string> {
            const auto changes = aliases_.changes(asked.model, registry::AliasHistory::kMaxChangesOfModel);
            if (!changes) {
                return std::unexpected(changes.error());
            }
            return boost::json::serialize(registry_http::to_json(asked, *changes, loads_.of(asked.model)));
        });
    if (!body) {
        exchange.answer(http::detail_response(503, "the history of aliases cannot be read: " + body.error().message));
        co_return;
    }
    http::Response response;
    response.body = *body;
    exchange.answer(response);
}

void RegistryPast::start(net::Worker& control) {
    control.tasks().spawn("version_loads", keep_loads(control));
}

void RegistryPast::stop() {
    is_stopping_ = true;
    sleeper_.wake_all();
}

base::Task<> RegistryPast::keep_loads(net::Worker& worker) {
    while (!is_stopping_) {
        co_await sleeper_.wait_until(worker.now() + kLoadsInterval);
        co_await write_loads(worker);
    }
}

base::Task<> RegistryPast::write_loads(net::Worker& worker) {
    const base::Result<void> kept = co_await pool_.run(worker, kPatience, [this]() -> base::Result<void> {
        const std::vector<registry::VersionLoad> loads = loads_.take_new();
        const auto put = loads.empty() ? base::Result<void>() : kept_.put(loads);
        if (!put) {
            loads_.give_back(loads);
        }
        return put;
    });
    if (!kept && !is_failing_) {
        telemetry::log_warn("version_loads_not_kept", {{"error", kept.error().message}});
    }
    is_failing_ = !kept;
}

}  // namespace apps
