#include "models/run_facts.hpp"

#include <cmath>

#include "models/outcome.hpp"
#include "registry/json.hpp"

#include <boost/json.hpp>

namespace models {

namespace {

namespace json = boost::json;

json::object member(const json::object& parent, std::string_view name) {
    const json::value* const value = parent.if_contains(name);
    return value != nullptr && value->is_object() ? value->get_object() : json::object();
}

json::object text_object(const std::map<std::string, std::string>& texts) {
    json::object object;
    for (const auto& [name, text] : texts) {
        object[name] = text;
    }
    return object;
}

void add_metric(RunFacts& facts, std::string name, const json::value& value) {
    boost::system::error_code error;
    const auto number = value.to_number<double>(error);
    if (error || !std::isfinite(number)) {
        facts.unusable.push_back(std::move(name));
    } else {
        facts.metrics.emplace(std::move(name), number);
    }
}

Dataset dataset_in(const json::object& dataset) {
    return {registry::text_at(dataset, "name"),
            registry::text_at(dataset, "digest"),
            registry::text_at(dataset, "source_type"),
            registry::text_at(dataset, "source")};
}

// `wrapped_in`: the member of an item that is the dataset; empty: the item itself.
void add_datasets(RunFacts& facts, const json::object& parent, std::string_view list, std::string_view wrapped_in) {
    const json::value* const items = parent.if_contains(list);
    if (items == nullptr || !items->is_array()) {
        return;
    }
    for (const json::value& item : items->get_array()) {
        if (const json::object* const object = item.if_object()) {
            facts.datasets.push_back(dataset_in(wrapped_in.empty() ? *object : member(*object, wrapped_in)));
        }
    }
}

}  // namespace

base::Result<RunFacts> facts_from_mlflow(const json::object& answer, base::WallTime read_at) {
    const json::object run = member(answer, "run");
    const json::object info = member(run, "info");
    const json::object data = member(run, "data");
    RunFacts facts;
    facts.run_id = registry::text_at(info, "run_id");
    if (facts.run_id.empty()) {
        return base::fail(base::Code::invalid_argument, "MLflow's answer has no run");
    }
    facts.experiment_id = registry::text_at(info, "experiment_id");
    facts.artifact_uri = registry::text_at(info, "artifact_uri");
    const std::string status = registry::text_at(info, "status");
    facts.has_ended = status == "FINISHED" || status == "FAILED" || status == "KILLED";
    const json::object metrics = by_key(data, "metrics");
    for (const auto& metric : metrics) {
        add_metric(facts, metric.key(), metric.value());
    }
    const json::object params = by_key(data, "params");
    for (const auto& param : params) {
        facts.params.emplace(param.key(), registry::text_at(params, param.key()));
    }
    add_datasets(facts, member(run, "inputs"), "dataset_inputs", "dataset");
    facts.read_at = read_at;
    return facts;
}

std::string to_text(const RunFacts& facts) {
    json::object metrics;
    for (const auto& [name, value] : facts.metrics) {
        metrics[name] = value;
    }
    json::array datasets;
    for (const Dataset& dataset : facts.datasets) {
        datasets.push_back(json::object{{"name", dataset.name},
                                        {"digest", dataset.digest},
                                        {"source_type", dataset.source_type},
                                        {"source", dataset.source}});
    }
    json::array unusable(facts.unusable.begin(), facts.unusable.end());
    return json::serialize(json::object{{"run_id", facts.run_id},
                                        {"experiment_id", facts.experiment_id},
                                        {"artifact_uri", facts.artifact_uri},
                                        {"has_ended", facts.has_ended},
                                        {"metrics", std::move(metrics)},
                                        {"unusable", std::move(unusable)},
                                        {"params", text_object(facts.params)},
                                        {"datasets", std::move(datasets)}});
}

base::Result<RunFacts> facts_from_text(std::string_view text, base::WallTime read_at) {
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    const json::object* const object = error ? nullptr : value.if_object();
    if (object == nullptr) {
        return base::fail(base::Code::data_loss, "what is kept of a run can't be read");
    }
    RunFacts facts;
    facts.run_id = registry::text_at(*object, "run_id");
    facts.experiment_id = registry::text_at(*object, "experiment_id");
    facts.artifact_uri = registry::text_at(*object, "artifact_uri");
    const json::value* const has_ended = object->if_contains("has_ended");
    facts.has_ended = has_ended != nullptr && has_ended->is_bool() && has_ended->get_bool();
    const json::object metrics = member(*object, "metrics");
    for (const auto& metric : metrics) {
        add_metric(facts, metric.key(), metric.value());
    }
    if (const json::value* const unusable = object->if_contains("unusable"); unusable && unusable->is_array()) {
        for (const json::value& name : unusable->get_array()) {
            facts.unusable.emplace_back(name.is_string() ? std::string(name.get_string()) : std::string());
        }
    }
    const json::object params = member(*object, "params");
    for (const auto& param : params) {
        facts.params.emplace(param.key(), registry::text_at(params, param.key()));
    }
    add_datasets(facts, *object, "datasets", "");
    facts.read_at = read_at;
    return facts;
}

}  // namespace models
