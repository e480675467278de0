// Where records are kept, in memory.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/registration.hpp"
#include "models/run_facts.hpp"

namespace models::testing {

class MemoryRegistrations final : public RegistrationStore {
public:
    base::Result<Added> add(const Registration& registration) override {
        const std::lock_guard guard(mutex_);
        if (trouble) {
            return std::unexpected(*trouble);
        }
        for (const Registration& one : rows) {
            if (!registration.idempotency_key.empty() && one.idempotency_key == registration.idempotency_key) {
                return Added{one, false};
            }
        }
        rows.push_back(registration);
        return Added{registration, true};
    }

    base::Result<std::optional<Registration>> find(const std::string& id) override {
        const std::lock_guard guard(mutex_);
        for (const Registration& one : rows) {
            if (one.id == id) {
                return one;
            }
        }
        return std::nullopt;
    }

    base::Result<std::vector<WaitingRegistration>> list_pending() override {
        const std::lock_guard guard(mutex_);
        std::vector<WaitingRegistration> waiting;
        for (const Registration& one : rows) {
            if (one.state == RegistrationState::pending) {
                waiting.push_back({one.id, one.model_name});
            }
        }
        return waiting;
    }

    base::Result<void> settle(const Registration& registration, const std::optional<Event>& event) override {
        const std::lock_guard guard(mutex_);
        if (trouble) {
            return std::unexpected(*trouble);
        }
        for (Registration& one : rows) {
            if (one.id == registration.id) {
                one = registration;
            }
        }
        if (event) {
            events.push_back(*event);
        }
        return {};
    }

    std::vector<Registration> rows;
    std::vector<Event> events;
    std::optional<base::Error> trouble;  // of every write

private:
    std::mutex mutex_;
};

class MemoryFacts final : public RunFactsStore {
public:
    base::Result<std::optional<RunFacts>> find(const std::string& run_id) override {
        const std::lock_guard guard(mutex_);
        const auto found = runs.find(run_id);
        return found == runs.end() ? std::nullopt : std::optional(found->second);
    }

    base::Result<void> put(const RunFacts& facts) override {
        const std::lock_guard guard(mutex_);
        runs[facts.run_id] = facts;
        return {};
    }

    std::map<std::string, RunFacts> runs;

private:
    std::mutex mutex_;
};

}  // namespace models::testing
