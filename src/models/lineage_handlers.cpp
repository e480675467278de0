#include <utility>

#include "models/handlers.hpp"
#include "models/recorded.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value() : json::value(text);
}

// A run is a baseline when it says so; of one that says nothing, nothing is known.
std::optional<bool> is_baseline(const RecordedVersion& recorded) {
    const std::optional<std::string> said = recorded.param("is_baseline");
    return said ? std::optional(*said == "True" || *said == "true") : std::nullopt;
}

json::object entry_of(const RecordedVersion& recorded) {
    json::object entry{{"version", std::to_string(recorded.version.name.version)},
                       {"run_id", text_or_null(recorded.version.run_id)},
                       {"created_at", recorded.version.created_at}};
    const std::optional<bool> baseline = is_baseline(recorded);
    entry["is_baseline"] = baseline ? json::value(*baseline) : json::value();
    entry["metrics"] = recorded.facts ? to_json(recorded.facts->metrics) : json::object();
    json::array missing;
    if (!recorded.facts) {
        missing.emplace_back("run");
    } else if (!baseline) {
        missing.emplace_back("is_baseline");
    }
    if (recorded.facts && baseline != true) {
        const std::optional<std::string> contributor = recorded.param("contributor_address");
        const std::optional<std::string> baseline_id = recorded.param("baseline_model_id");
        entry["contributor"] = contributor ? json::value(*contributor) : json::value();
        entry["baseline_id"] = baseline_id ? json::value(*baseline_id) : json::value();
    }
    if (!missing.empty()) {
        entry["missing"] = std::move(missing);
    }
    return entry;
}

// What the last version has gained over the first baseline.
json::object cumulative_improvement(const std::vector<RecordedVersion>& versions) {
    json::object gained;
    std::int64_t improvements = 0;
    const RecordedVersion* baseline = nullptr;
    for (const RecordedVersion& one : versions) {
        const std::optional<bool> is_first_step = is_baseline(one);
        baseline = baseline == nullptr && is_first_step == true ? &one : baseline;
        improvements += is_first_step == false ? 1 : 0;
    }
    const RecordedVersion& last = versions.back();
    if (baseline != nullptr && last.facts) {
        for (const auto& [name, value] : difference(baseline->facts->metrics, last.facts->metrics)) {
            if (value > 0) {
                gained[name + "_improvement"] = value;
            }
        }
    }
    gained["total_improvements"] = improvements;
    return gained;
}

json::object to_json(const Dataset& dataset) {
    return {{"name", dataset.name},
            {"digest", text_or_null(dataset.digest)},
            {"source_type", text_or_null(dataset.source_type)},
            {"source", text_or_null(dataset.source)}};
}

}  // namespace

base::Task<http::Response> show_model_lineage(Context& context, const Request& request) {
    const std::string& model = request.arguments.at(0);
    if (!version_name(model, "1")) {
        co_return problem(404, fmt::format("Model {} not found", model));
    }
    Outcome<AllVersions> all = co_await list_all_versions(context.mlflow, model);
    if (!all) {
        co_return all.error();
    }
    if (all->versions.empty()) {
        co_return problem(404, fmt::format("Model {} not found", model));
    }
    const std::vector<RecordedVersion> versions = co_await read_recorded(context, std::move(all->versions));
    json::array lineage;
    for (const RecordedVersion& version : versions) {
        lineage.push_back(entry_of(version));
    }
    if (versions.size() > 1) {
        lineage.back().get_object()["cumulative_improvement"] = cumulative_improvement(versions);
    }
    json::object answer{{"model_id", model},
                        {"lineage", std::move(lineage)},
                        {"total_versions", versions.size()},
                        {"latest_version", std::to_string(versions.back().version.name.version)}};
    if (!all->is_complete) {
        answer["missing"] = json::array{"versions beyond the first 10,000"};
    }
    co_return to_response(answer);
}

base::Task<http::Response> show_version_lineage(Context& context, const Request& request) {
    const Outcome<RecordedVersion> recorded = co_await find_recorded(context, version_in_path(request));
    if (!recorded) {
        co_return recorded.error();
    }
    json::array parents;
    json::array training_data;
    json::array experiments;
    json::array missing;
    if (const std::optional<std::string> baseline = recorded->param("baseline_model_id")) {
        parents.emplace_back(*baseline);
    }
    if (recorded->facts) {
        for (const Dataset& dataset : recorded->facts->datasets) {
            training_data.push_back(to_json(dataset));
        }
        experiments.emplace_back(recorded->facts->experiment_id);
    } else {
        missing.emplace_back("run");
        missing.emplace_back("experiments");
    }
    if (parents.empty() && is_baseline(*recorded) != true) {
        missing.emplace_back("parents");
    }
    if (training_data.empty()) {
        missing.emplace_back("training_data");
    }
    co_return to_response({{"model", recorded->version.name.text()},
                           {"parents", std::move(parents)},
                           {"training_data", std::move(training_data)},
                           {"experiments", std::move(experiments)},
                           {"missing", std::move(missing)}});
}

}  // namespace models
