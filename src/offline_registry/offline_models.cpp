#include "offline_registry/offline_models.hpp"

#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "mlflow/routes.hpp"
#include "mlflow/upstream_client.hpp"
#include "registry/json.hpp"
#include "registry/registry.hpp"
#include "registry_http/error_response.hpp"

#include <fmt/format.h>

namespace offline_registry {

namespace {

using registry::Operation;

http::Response unavailable(std::string_view why) {
    return registry_http::to_response({base::Code::unavailable, fmt::format("MLflow is unavailable; {}", why)});
}

// What the call says, as far as it matters here.
struct Origin {
    bool is_in_run = false;           // so that only MLflow knows where
    bool is_of_run_or_model = false;  // whose artifacts only MLflow knows, if it is to be refused for them
    std::string other_model{};        // that a version is to be copied from
};

Origin origin_of(const registry::Call& call, const registry::ModelKey& key) {
    const auto arguments = registry::arguments_of(call);
    if (call.operation != Operation::create_version || !arguments) {
        return {};
    }
    Origin origin;
    origin.is_of_run_or_model =
        !registry::text_at(*arguments, "run_id").empty() || !registry::text_at(*arguments, "model_id").empty();
    constexpr std::string_view kModels = "models:/";
    const std::string source = registry::text_at(*arguments, "source");
    origin.is_in_run = source.starts_with("runs:");
    if (source.starts_with(kModels)) {
        std::string_view name = std::string_view(source).substr(kModels.size());
        name.remove_prefix(std::min(name.find_first_not_of('/'), name.size()));
        name = name.substr(0, name.find('/'));
        origin.other_model = name.substr(0, name.rfind('@'));
        origin.other_model = origin.other_model == key.name ? "" : origin.other_model;
    }
    return origin;
}

// A refusal of the trial, as it reaches the client; it leaves nothing behind.
base::Error rolled_back() {
    return {base::Code::cancelled, "only tried out"};
}

base::Result<void> check_rollback(registry::Reader& reader, const registry::Call& call, const registry::ModelKey& key) {
    const auto model = reader.find_model(key);
    if (!model) {
        return std::unexpected(model.error());
    }
    return registry::check_rollback(call, *model ? (*model)->aliases : std::vector<registry::Alias>());
}

}  // namespace

bool OfflineModels::is_whole(const registry::ModelKey& key) const {
    const replica::Replica& replica = deps_.replica;
    return replica.is_complete() && !replica.is_marked(key) && !replica.confirmations.is_lost(key) &&
           replica.knows_workspace(key.workspace);
}

base::Task<std::optional<http::Response>> OfflineModels::take(http::Exchange& exchange,
                                                              registry::Call call,
                                                              replica::CallTarget target) {
    const registry::ModelKey& key = target.model;
    const bool waits = deps_.pending.contains(key);
    if (call.operation == Operation::rename_model || !mlflow::is_workspace_name(key.workspace) ||
        !(waits || (accepts_ && is_whole(key)))) {
        co_return std::nullopt;
    }
    if (waits && deps_.pending.is_behind(key)) {
        const base::Result<void> caught_up = co_await catch_up(key);
        if (!caught_up) {
            co_return std::nullopt;
        }
    }
    const Origin origin = origin_of(call, key);
    const bool is_of_pending =  // the two would be delivered in any order
        !origin.other_model.empty() && deps_.pending.contains({key.workspace, origin.other_model});
    if (origin.is_in_run || is_of_pending) {
        co_return std::nullopt;
    }
    call.workspace = key.workspace;
    call.user.clear();  // MLflow knows of none
    const base::WallTime now = std::chrono::floor<std::chrono::milliseconds>(deps_.worker.clock().wall_now());
    base::Result<Promise> promise = co_await try_out(call, key, now);
    if (!promise) {
        const base::Error& error = promise.error();
        if (is_of_store(error) || error.code == base::Code::exhausted || error.code == base::Code::deadline_exceeded) {
            co_return unavailable("the copy of its registry, which would take the call, fails: " + error.message);
        }
        co_return origin.is_of_run_or_model ? std::nullopt : std::optional(registry_http::to_response(error));
    }
    journal::Entry entry;
    entry.lane = lane_of(key);
    entry.workspace = key.workspace;
    entry.method = call.method;
    entry.target = mlflow::to_upstream(exchange.request()).target;
    entry.body = call.body;
    entry.key_id = exchange.caller.key_id;
    entry.accepted_at = now;
    http::Response response = co_await accept(key, std::move(call), std::move(entry), *std::move(promise));
    co_return response;
}

// In a transaction that is rolled back.
base::Task<base::Result<Promise>> OfflineModels::try_out(const registry::Call& call,
                                                         const registry::ModelKey& key,
                                                         base::WallTime now) {
    const auto outcome = std::make_shared<std::optional<base::Result<Promise>>>();
    const base::Result<void> done = co_await deps_.replica.write(
        deps_.worker, [outcome, call, key, now](registry::Writer& writer) -> base::Result<std::int64_t> {
            const base::Result<void> allowed = check_rollback(writer, call, key);
            outcome->emplace(allowed ? carry_out(writer, call, key, now) : std::unexpected(allowed.error()));
            return std::unexpected(rolled_back());
        });
    const bool is_tried = !done && done.error().code == rolled_back().code && outcome->has_value();
    co_return is_tried ? **outcome : std::unexpected(done.error());
}

base::Task<http::Response> OfflineModels::accept(const registry::ModelKey& key,
                                                 registry::Call call,
                                                 journal::Entry entry,
                                                 Promise promise) {
    const bool waited = deps_.pending.contains(key);
    entry.about = to_text(promise.expectation);
    deps_.pending.add(key);
    const base::WallTime now = entry.accepted_at;
    const base::Result<void> accepted = co_await deps_.journal.accept(deps_.worker, std::move(entry));
    if (!accepted && accepted.error().code == base::Code::deadline_exceeded) {
        deps_.pending.set_behind(key, true);  // what the journal has, once it answers, is for the next look
        co_return http::mlflow_error_response(
            504, "DEADLINE_EXCEEDED", "The disk of the journal did not answer in time; the call may have been taken");
    }
    if (!accepted) {
        if (!waited) {
            deps_.pending.remove(key);
        }
        co_return unavailable(accepted.error().message);
    }
    const base::Result<void> applied = co_await deps_.replica.write(
        deps_.worker, [call = std::move(call), now](registry::Writer& writer) -> base::Result<std::int64_t> {
            const base::Result<boost::json::object> done = registry::carry_out(writer, call, now);
            return done ? base::Result<std::int64_t>(1) : std::unexpected(done.error());
        });
    deps_.replica.confirmations.aliases_changed(key);
    if (!applied) {
        deps_.pending.set_behind(key, true);
    }
    http::Response response;
    response.body = std::move(promise.body);
    response.headers.emplace_back("X-Hokusai-Source", "journal");
    co_return response;
}

base::Task<base::Result<void>> OfflineModels::catch_up(registry::ModelKey key) {
    const base::Result<std::vector<journal::Entry>> entries = co_await deps_.journal.head(
        deps_.worker, lane_of(key), std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int64_t>::max());
    if (!entries) {
        co_return std::unexpected(entries.error());
    }
    base::Result<void> done = co_await deps_.replica.write(
        deps_.worker, [key, entries = *entries](registry::Writer& writer) -> base::Result<std::int64_t> {
            const base::Result<std::size_t> count = offline_registry::catch_up(writer, key, entries);
            return count ? base::Result<std::int64_t>(static_cast<std::int64_t>(*count))
                         : std::unexpected(count.error());
        });
    if (done) {
        deps_.replica.confirmations.aliases_changed(key);
        deps_.pending.set_behind(key, false);
    }
    co_return done;
}

}  // namespace offline_registry
