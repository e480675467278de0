#include "idempotency_http/settler.hpp"

#include <algorithm>
#include <utility>

#include "idempotency/rules.hpp"
#include "registry/json.hpp"
#include "telemetry/log.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace idempotency {

namespace {

constexpr base::Duration kPause = std::chrono::milliseconds(250);

}  // namespace

base::Task<base::Result<std::optional<Baseline>>> Settler::baseline(const registry::ModelKey& model) {
    if (const std::optional<Baseline> known = deps_.book.baseline(model)) {
        co_return known;
    }
    if (!deps_.can_ask()) {
        co_return std::optional<Baseline>();
    }
    const base::Result<std::optional<registry::RegisteredModel>> found = co_await deps_.registry.find_model(model);
    if (!found) {
        const base::Code code = found.error().code;
        if (code == base::Code::permission_denied || code == base::Code::invalid_argument) {
            co_return std::optional<Baseline>();  // what is wrong with it MLflow says best
        }
        co_return std::unexpected(found.error());
    }
    const Baseline baseline = baseline_of(*found);
    deps_.book.note_baseline(model, baseline);
    co_return std::optional(baseline);
}

base::Task<base::Result<std::optional<Answer>>> Settler::find(const Intent& intent) {
    const base::Result<std::optional<registry::RegisteredModel>> model =
        co_await deps_.registry.find_model(intent.model);
    if (!model) {
        co_return std::unexpected(model.error());
    }
    boost::system::error_code error;
    const boost::json::value parsed = boost::json::parse(intent.arguments, error);
    if (error || !parsed.is_object()) {
        co_return base::fail(base::Code::data_loss, "an intent on record says nothing of what it asked for");
    }
    const boost::json::object& arguments = parsed.get_object();
    boost::json::object answer;
    if (intent.kind == Kind::create_model) {
        if (!is_made_by(arguments, *intent.baseline, *model)) {
            co_return std::optional<Answer>();
        }
        answer["registered_model"] = registry::to_json(**model);
        co_return Answer{200, registry::serialize(answer)};
    }
    const Candidates range = candidates(*intent.baseline, *model);
    for (std::int64_t number = range.first; number <= range.last; ++number) {
        const base::Result<std::optional<registry::ModelVersion>> version =
            co_await deps_.registry.find_version(intent.model, number);
        if (!version) {
            co_return std::unexpected(version.error());
        }
        if (*version && is_made_by(arguments, **version)) {
            answer["model_version"] = registry::to_json(**version);
            co_return Answer{200, registry::serialize(answer)};
        }
    }
    co_return std::optional<Answer>();
}

base::Task<Settler::Fate> Settler::look(const Record& record, std::optional<Answer>* answer) {
    if (!deps_.can_ask()) {
        co_return Fate::unknown;
    }
    const base::MonotonicTime began = deps_.worker.now();
    base::Result<std::optional<Answer>> found = co_await find(record.intent);
    if (!found) {
        co_return Fate::unknown;
    }
    const registry::ModelKey& model = record.intent.model;
    if (*found) {
        deps_.book.note_baseline(model, baseline_after(record.intent.kind, record.intent.baseline, **found));
        deps_.book.metrics.found.add();
        telemetry::log_info("intent_settled", {{"model", model.name}, {"carried_out", true}});
        if (answer != nullptr) {
            *answer = **found;
        }
        deps_.book.settle(record.id, std::move(**found), record.intent.has_key ? kKeyWindow : kResendWindow);
        co_return Fate::carried_out;
    }
    if (!deps_.book.note_absent(record, began, deps_.worker.now())) {
        co_return Fate::missing;
    }
    deps_.book.note_baseline(model, std::nullopt);
    deps_.book.metrics.not_carried_out.add();
    telemetry::log_info("intent_settled", {{"model", model.name}, {"carried_out", false}});
    co_return Fate::not_carried_out;
}

base::Task<Settler::Fate> Settler::settle(const Record& record, base::MonotonicTime give_up_at) {
    for (;;) {
        const Fate fate = co_await look(record);
        if (fate != Fate::missing || deps_.worker.now() >= give_up_at) {
            co_return fate;
        }
        co_await deps_.pause(kPause);
    }
}

}  // namespace idempotency
