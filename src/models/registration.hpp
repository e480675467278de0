// A registration by our own API: a promise that outlives this process, and where it is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace models {

enum class RegistrationState {
    pending,     // MLflow has not got it yet, as far as we know
    registered,  // it is a version
    failed,      // MLflow refused it
};

std::string_view to_string(RegistrationState state);
std::optional<RegistrationState> parse_state(std::string_view text);

struct Registration {
    std::string id{};  // a UUID
    std::string model_name{};
    std::string model_type{};
    std::string model_data{};  // a JSON object
    std::string metadata{};    // the same
    std::string key_id{};      // who registered it; empty: nobody was asked for a key
    std::string key_name{};
    std::string idempotency_key{};  // empty: none
    base::WallTime created_at{};
    RegistrationState state = RegistrationState::pending;
    std::string run_id{};      // empty: none yet, or no MLflow server
    std::int64_t version = 0;  // of a registered one
    std::string error{};       // of a failed one
};

// What others are told of, in the order of its model. It is there if and only if what it tells of is.
struct Event {
    std::string id;  // the same for ever, however often it is made
    std::string type;
    std::string model;
    std::int64_t version = 0;
    std::string payload;  // a JSON object
    base::WallTime created_at;
};

// Of a registration that became a version.
Event registered_event(const Registration& registration, base::WallTime now);

// One that waits, without its data.
struct WaitingRegistration {
    std::string id;
    std::string model_name;
};

// Safe from any thread. Calls block; what they wrote is durable when they return.
class RegistrationStore {
public:
    // Beyond so many that wait no further one is taken.
    static constexpr std::int64_t kMaxPending = 1000;

    struct Added {
        Registration registration;  // the one that was there under the same Idempotency-Key, if any
        bool is_new = true;
    };

    virtual ~RegistrationStore() = default;

    // Code::exhausted when too many wait.
    virtual base::Result<Added> add(const Registration& registration) = 0;
    virtual base::Result<std::optional<Registration>> find(const std::string& id) = 0;

    // Oldest first.
    virtual base::Result<std::vector<WaitingRegistration>> list_pending() = 0;

    // State, run, version and error, and the event with them. A settled one stays as it is.
    virtual base::Result<void> settle(const Registration& registration, const std::optional<Event>& event) = 0;
};

}  // namespace models
