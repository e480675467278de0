#include "offline/known_params.hpp"

#include "registry/json.hpp"
#include "registry/python.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace offline {

namespace {

namespace json = boost::json;

constexpr std::size_t kCutFrom = 6000;  // characters at most: MLflow cuts longer values
constexpr std::size_t kRow = 128;       // bytes a value takes beside its text

// `visit(key, value)` for every parameter the call logs.
template <class Visit>
void for_each_param(RunOperation operation, const json::object& arguments, Visit visit) {
    const auto visit_one = [&](const json::object& param) {
        std::string value = registry::text_at(param, "value");
        if (value.size() <= kCutFrom) {
            visit(registry::text_at(param, "key"), std::move(value));
        }
    };
    if (operation == RunOperation::log_parameter) {
        visit_one(arguments);
        return;
    }
    const json::value* list = operation == RunOperation::log_batch ? arguments.if_contains("params") : nullptr;
    if (list != nullptr && list->is_array()) {
        for (const json::value& param : list->get_array()) {
            if (param.is_object()) {
                visit_one(param.get_object());
            }
        }
    }
}

std::string message(RunOperation operation, std::string_view run_id, const json::array& changed) {
    if (operation == RunOperation::log_batch) {
        return fmt::format("Changing param values is not allowed. Params were already logged='{}' for run ID='{}'.",
                           registry::python::repr(json::value(changed)),
                           run_id);
    }
    const json::object& param = changed.front().get_object();
    return fmt::format(
        "Changing param values is not allowed. Param with key='{}' was already logged with value='{}' for run "
        "ID='{}'. Attempted logging new value '{}'.",
        registry::text_at(param, "key"),
        registry::text_at(param, "old_value"),
        run_id,
        registry::text_at(param, "new_value"));
}

}  // namespace

base::Result<void> KnownParams::check(std::string_view lane,
                                      RunOperation operation,
                                      const json::object& arguments) const {
    json::array changed;
    {
        const std::lock_guard lock(mutex_);
        for_each_param(operation, arguments, [&](std::string key, std::string value) {
            const auto known = values_.find({std::string(lane), key});
            if (known != values_.end() && known->second != value) {
                changed.push_back(json::object{{"key", key}, {"old_value", known->second}, {"new_value", value}});
            }
        });
    }
    return changed.empty() ? base::Result<void>()
                           : base::fail(base::Code::invalid_argument, message(operation, run_of_lane(lane), changed));
}

void KnownParams::note(std::string_view lane, RunOperation operation, const json::object& arguments) {
    const std::lock_guard lock(mutex_);
    for_each_param(operation, arguments, [&](std::string key, std::string value) {
        const std::size_t bytes = kRow + lane.size() + key.size() + value.size();
        if (bytes_ + bytes > max_bytes_) {
            values_.clear();
            bytes_ = 0;
        }
        const bool is_new = values_.try_emplace({std::string(lane), std::move(key)}, std::move(value)).second;
        bytes_ += is_new ? bytes : 0;
    });
}

}  // namespace offline
