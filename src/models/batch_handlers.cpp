#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "models/changes.hpp"
#include "models/handlers.hpp"
#include "registry/json.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxOperations = 100;
constexpr std::size_t kMaxReference = 300;

struct Delete {};

struct Operation {
    std::string action;
    std::string model;
    std::variant<Delete, Update, Transition> change;
};

Operation read_operation(const json::value& value, const std::string& index, FieldErrors& errors) {
    Operation operation;
    const json::object* const object = value.if_object();
    if (object == nullptr) {
        errors.add({"body", "operations", index}, "Input should be a valid dictionary", "dict_type");
        return operation;
    }
    Members members(*object, {"body", "operations", index}, errors);
    operation.action = members.text("action", Presence::required, kMaxReference).value_or("");
    operation.model = members.text("model", Presence::required, kMaxReference).value_or("");
    if (const json::value* const model = object->if_contains("model"); model != nullptr && model->is_string()) {
        const Outcome<VersionName> name = parse_reference(operation.model);
        if (!name && name.error().status == 400) {
            members.fail("model", "Invalid model format. Use ModelName:Version", "value_error");
        }
    }
    if (operation.action == "update") {
        operation.change = read_update(members);
    } else if (operation.action == "transition") {
        operation.change = read_transition(members);
    } else if (operation.action != "delete" && object->contains("action")) {
        members.fail("action", "Must be one of delete, transition, update", "value_error");
    }
    return operation;
}

Outcome<std::vector<Operation>> read_operations(const Request& request) {
    const Outcome<json::object> body = read_object(request);
    if (!body) {
        return std::unexpected(body.error());
    }
    FieldErrors errors;
    Members members(*body, {"body"}, errors);
    const json::array* const items = members.array("operations", Presence::required);
    std::vector<Operation> operations;
    if (items != nullptr && (items->empty() || items->size() > kMaxOperations)) {
        members.fail("operations", fmt::format("Must have 1 to {} operations", kMaxOperations), "value_error");
    } else if (items != nullptr) {
        for (const json::value& item : *items) {
            operations.push_back(read_operation(item, std::to_string(operations.size()), errors));
        }
    }
    if (!errors.is_empty()) {
        return std::unexpected(errors.response());
    }
    return operations;
}

base::Task<Outcome<std::string>> carry_out(MlflowApi& mlflow, Operation operation) {
    const Outcome<VersionName> name = parse_reference(operation.model);
    if (!name) {
        co_return std::unexpected(name.error());
    }
    Outcome<std::string> result;
    if (Update* const update = std::get_if<Update>(&operation.change)) {
        result = co_await models::carry_out(mlflow, *name, std::move(*update));
    } else if (Transition* const transition = std::get_if<Transition>(&operation.change)) {
        result = co_await models::carry_out(mlflow, *name, std::move(*transition));
    } else {
        result = co_await carry_out_delete(mlflow, *name);
    }
    co_return result;
}

std::string detail_of(const http::Response& refusal) {
    boost::system::error_code error;
    const json::value body = json::parse(refusal.body, error);
    return error || !body.is_object() ? refusal.body : registry::text_at(body.get_object(), "detail");
}

}  // namespace

base::Task<http::Response> carry_out_batch(Context& context, const Request& request) {
    const Outcome<std::vector<Operation>> operations = read_operations(request);
    if (!operations) {
        co_return operations.error();
    }
    json::array results;
    for (const Operation& operation : *operations) {
        const Outcome<std::string> outcome = co_await carry_out(context.mlflow, operation);
        json::object result{
            {"action", operation.action}, {"model", operation.model}, {"status", outcome ? "success" : "error"}};
        if (!outcome) {
            result["detail"] = detail_of(outcome.error());
        }
        results.push_back(std::move(result));
    }
    co_return to_response({{"results", std::move(results)}});
}

}  // namespace models
