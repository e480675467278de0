// What is known of a run: MLflow's own words about it, with what was accepted for it since. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "offline/run_call.hpp"

#include <boost/json/object.hpp>

namespace offline {

struct SeenRun {
    std::string run_id;
    std::string info;  // MLflow's run info, as JSON
};

// The run MLflow's answer to `create`, `get` or `update` tells of.
std::optional<SeenRun> seen_in_answer(RunOperation operation, std::string_view body);

// `info` once the call is carried out; it may be empty, when no more than the run's id is known.
std::string after_call(RunOperation operation, const boost::json::object& arguments, std::string_view info);

// MLflow refuses to write to a run that was deleted.
bool is_deleted(std::string_view info);
std::string deleted_message(std::string_view run_id);

// The answer to a deferrable call, as MLflow would write it from what is known: unknown members are left out. `info` is
// that of after_call().
std::string answer_to(RunOperation operation, std::string_view run_id, std::string_view info);

}  // namespace offline
