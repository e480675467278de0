// A call that must not be carried out twice: what is put on record before it is forwarded.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "registry/entities.hpp"

namespace idempotency {

using Digest = std::array<unsigned char, 32>;

enum class Kind {
    keyed_call,  // any call with an Idempotency-Key: what became of it cannot be looked up
    create_model,
    create_version,
};

// A model as it was before a create.
struct Baseline {
    std::int64_t highest_version = -1;    // 0: it had none; -1: there was no such model
    registry::Timestamp model_created{};  // tells a model from another one of the same name

    bool operator==(const Baseline&) const = default;
};

struct Answer {
    unsigned status = 0;
    std::string body;

    bool operator==(const Answer&) const = default;
};

struct Intent {
    Digest identity{};      // whose call it is and which: its key, or else all it says
    Digest request{};       // all it says: route, workspace, body
    bool has_key = false;   // an Idempotency-Key
    std::string principal;  // id of the caller's API key; for people
    std::string route;      // for people
    Kind kind = Kind::keyed_call;
    registry::ModelKey model;          // of creates
    std::string arguments;             // of creates, as JSON
    std::optional<Baseline> baseline;  // of creates; nothing: nobody can look up what became of it
    base::WallTime begun_at;

    bool operator==(const Intent&) const = default;
};

// An intent on record. Unsettled without an answer.
struct Record {
    std::int64_t id = 0;
    Intent intent;
    std::optional<Answer> answer;

    bool operator==(const Record&) const = default;
};

}  // namespace idempotency
