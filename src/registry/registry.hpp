// MLflow's model registry over a store: every operation with MLflow's rules, numbers and words
// (mlflow/store/model_registry/sqlalchemy_store.py).
#pragma once

#include <span>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "registry/call.hpp"
#include "registry/store.hpp"

#include <boost/json/object.hpp>

namespace registry {

// conflict when the call is a rollback from another version than the one its alias names among `aliases`, those of its
// model. Pure.
base::Result<void> check_rollback(const Call& call, std::span<const Alias> aliases);

// Carries out a write as of `now` on a transaction of the caller's. An error of MLflow's comes before any change of the
// rows.
base::Result<boost::json::object> carry_out(Writer& writer, const Call& call, base::WallTime now);

// Blocks as the store does; safe from any thread. The store and the clock outlive it.
class Registry {
public:
    Registry(Store& store, const base::Clock& clock) : store_(store), clock_(clock) {}

    // The JSON object MLflow would answer, or the error it would answer with; trouble of the store is unavailable or
    // data_loss.
    base::Result<boost::json::object> answer(const Call& call);

    // The same on a transaction of the caller's; `read` for the operations that are reads.
    base::Result<boost::json::object> read(Reader& reader, const Call& call) const;
    base::Result<boost::json::object> write(Writer& writer, const Call& call) const;

private:
    static base::Result<void> check_rollback(Reader& reader, const Call& call);

    Store& store_;
    const base::Clock& clock_;
};

}  // namespace registry
