#include "models/registrations.hpp"

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "net/deadline.hpp"
#include "telemetry/log.hpp"

#include <fmt/format.h>

namespace models {

namespace {

constexpr auto kDiskPatience = std::chrono::seconds(10);
// Of a caller whose registration is safe already, with an MLflow that hangs.
constexpr auto kCallerPatience = std::chrono::seconds(20);
constexpr auto kPause = std::chrono::milliseconds(500);
// Over some four minutes: a fault of MLflow's database would have been repaired, or would fail its probes.
constexpr unsigned kMaxDoubts = 10;
constexpr std::string_view kNothingLater =
    "MLflow gave no answer, and nothing is applied later where callers authenticate at MLflow themselves: look there "
    "before registering it again";

bool is_same(const Registration& left, const Registration& right) {
    return left.model_name == right.model_name && left.model_type == right.model_type &&
           left.model_data == right.model_data && left.metadata == right.metadata;
}

Outcome<Registration> answer_to(Registration registration) {
    if (registration.state != RegistrationState::failed) {
        return registration;
    }
    if (registration.error == kNothingLater) {
        return refuse(504, registration.error);
    }
    FieldErrors errors;
    errors.add({"body"}, registration.error, "refused_by_mlflow");
    return std::unexpected(errors.response());
}

}  // namespace

base::Result<void> Registrations::load() {
    const base::Result<std::vector<WaitingRegistration>> waiting = deps_.store.list_pending();
    if (!waiting) {
        return std::unexpected(waiting.error());
    }
    book_.load(*waiting);
    return {};
}

base::Task<Outcome<Registration>> Registrations::accept(net::Worker& worker,
                                                        MlflowApi& mlflow,
                                                        Registration registration) {
    if (!deps_.applies_later && !mlflow.is_reachable()) {
        co_return std::unexpected(unavailable("MLflow is unavailable"));
    }
    const base::Result<RegistrationStore::Added> added = co_await deps_.pool.run(
        worker, kDiskPatience, [&store = deps_.store, registration] { return store.add(registration); });
    if (!added) {
        if (added.error().code == base::Code::deadline_exceeded) {
            // It may be kept yet, and then it counts.
            book_.enter(registration.id, registration.model_name);
            book_.put_back(registration.id, worker.now(), false);
        }
        co_return std::unexpected(unavailable("the registration could not be kept: " + added.error().message));
    }
    const Registration& kept = added->registration;
    if (!added->is_new) {
        if (!is_same(kept, registration)) {
            FieldErrors errors;
            errors.add({"header", "Idempotency-Key"}, "Was used with another registration before", "reused");
            co_return std::unexpected(errors.response());
        }
        co_return answer_to(kept);
    }
    if (!book_.enter(kept.id, kept.model_name)) {
        co_return kept;
    }
    if (!mlflow.is_reachable()) {
        book_.put_back(kept.id, worker.now(), false);
        co_return kept;
    }
    net::Deadline patience(worker.deadlines(), [&mlflow] { mlflow.abort(); });
    patience.set(worker.now() + kCallerPatience);
    Registration applied = co_await apply(worker, mlflow, {kept}, Attempt::first);
    co_return answer_to(std::move(applied));
}

base::Task<Outcome<Registration>> Registrations::find(net::Worker& worker, std::string id) {
    base::Result<std::optional<Registration>> found =
        co_await deps_.pool.run(worker, kDiskPatience, [&store = deps_.store, id] { return store.find(id); });
    if (!found) {
        co_return std::unexpected(unavailable("the registrations can't be read: " + found.error().message));
    }
    if (!*found) {
        co_return refuse(404, "Registration not found: " + id);
    }
    co_return std::move(**found);
}

base::Task<std::optional<Registrations::Turn>> Registrations::take(net::Worker& worker) {
    const auto turn = book_.take(worker.now());
    if (!turn) {
        co_return std::nullopt;
    }
    Outcome<Registration> found = co_await find(worker, turn->id);
    if (found && found->state == RegistrationState::pending) {
        co_return Turn{std::move(*found), turn->doubts};
    }
    if (found || found.error().status == 404) {
        book_.settled(turn->id);
    } else {
        book_.put_back(turn->id, worker.now(), false);
    }
    co_return std::nullopt;
}

base::Task<Registration> Registrations::apply(net::Worker& worker, MlflowApi& mlflow, Turn turn, Attempt attempt) {
    const Registration& registration = turn.registration;
    base::Result<Registration> applied = base::fail(base::Code::unavailable, std::string(kNothingLater));
    if (deps_.applies_later || attempt == Attempt::first) {
        applied = co_await apply_registration(mlflow, registration, attempt);
    }
    const bool is_doubtful = !applied && applied.error().code == base::Code::internal;
    if (!applied && (!deps_.applies_later || (is_doubtful && turn.doubts + 1 >= kMaxDoubts))) {
        Registration failed = registration;
        failed.state = RegistrationState::failed;
        failed.error = deps_.applies_later ? applied.error().message : kNothingLater;
        applied = std::move(failed);
    }
    base::Result<void> settled;
    if (applied) {
        settled = co_await settle(worker, *applied);
    } else {
        settled = std::unexpected(applied.error());
    }
    if (settled) {
        book_.settled(registration.id);
        co_return std::move(*applied);
    }
    book_.put_back(registration.id, worker.now(), is_doubtful);
    telemetry::log_warn("registration_waits", {{"registration", registration.id}, {"reason", settled.error().message}});
    co_return registration;
}

base::Task<base::Result<void>> Registrations::settle(net::Worker& worker, Registration registration) {
    std::optional<Event> event;
    if (registration.state == RegistrationState::registered) {
        event = registered_event(registration, deps_.clock.wall_now());
    }
    base::Result<void> settled =
        co_await deps_.pool.run(worker, kDiskPatience, [&store = deps_.store, registration, event] {
            return store.settle(registration, event);
        });
    co_return settled;
}

base::Task<> RegistrationKeeper::run() {
    while (!is_stopping_) {
        co_await deps_.rest(kPause);
        bool has_more = deps_.registrations.waiting() > 0;
        while (has_more && !is_stopping_ && deps_.is_reachable()) {
            has_more = co_await apply_next();
        }
    }
}

base::Task<bool> RegistrationKeeper::apply_next() {
    std::optional<Registrations::Turn> turn = co_await deps_.registrations.take(deps_.worker);
    if (!turn) {
        co_return false;
    }
    mlflow_ = deps_.mlflow_for(turn->registration);
    const Registration applied =
        co_await deps_.registrations.apply(deps_.worker, *mlflow_, std::move(*turn), Attempt::again);
    mlflow_.reset();
    co_return applied.state != RegistrationState::pending;
}

void RegistrationKeeper::stop() {
    is_stopping_ = true;
    if (mlflow_) {
        mlflow_->abort();
    }
}

}  // namespace models
