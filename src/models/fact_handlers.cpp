#include <array>
#include <set>
#include <utility>

#include "models/handlers.hpp"
#include "models/members.hpp"
#include "models/recorded.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxMetrics = 100;
constexpr std::size_t kMaxText = 1000;
constexpr std::array<std::string_view, 4> kUsualMetrics{"accuracy", "precision", "recall", "f1_score"};
constexpr std::array<std::string_view, 2> kTraining{"train_", "training_"};
constexpr std::array<std::string_view, 4> kValidation{"val_", "validation_", "eval_", "test_"};

json::value number_or_null(std::optional<double> number) {
    return number ? json::value(*number) : json::value();
}

// One side of a comparison; what is not known of it goes to `missing`.
json::object side(const RecordedVersion& recorded, const std::string& which, json::array& missing) {
    if (!recorded.facts) {
        missing.emplace_back(which + ".run");
    }
    const std::optional<double> accuracy = recorded.metric("accuracy");
    if (!accuracy) {
        missing.emplace_back(which + ".accuracy");
    }
    return {{"name", recorded.version.name.model},
            {"version", std::to_string(recorded.version.name.version)},
            {"accuracy", number_or_null(accuracy)},
            {"metrics", recorded.facts ? to_json(recorded.facts->metrics) : json::object()}};
}

// Of two equal ones neither is recommended.
json::value recommendation(const RecordedVersion& first, const RecordedVersion& second) {
    const std::optional<double> before = first.metric("accuracy");
    const std::optional<double> after = second.metric("accuracy");
    if (!before || !after || *before == *after) {
        return {};
    }
    return json::value(fmt::format("Use version {}", (*after > *before ? second : first).version.name.version));
}

struct Evaluation {
    std::string model;
    std::string version;
    std::vector<std::string> metrics;
};

Outcome<Evaluation> read_evaluation(const Request& request) {
    const Outcome<json::object> body = read_object(request);
    if (!body) {
        return std::unexpected(body.error());
    }
    FieldErrors errors;
    Members members(*body, {"body"}, errors);
    Evaluation asked;
    asked.model = members.text("model_name", Presence::required, kMaxText).value_or("");
    asked.version = members.text("model_version", Presence::required, kMaxText).value_or("");
    if (const json::value* const path = body->if_contains("dataset_path"); path != nullptr && !path->is_null()) {
        members.text("dataset_path", Presence::optional, kMaxBody);
    }
    if (const json::array* const names = members.array("metrics", Presence::optional)) {
        if (names->size() > kMaxMetrics) {
            members.fail("metrics", fmt::format("At most {} names", kMaxMetrics), "too_long");
        }
        for (const json::value& name : *names) {
            if (name.is_string()) {
                asked.metrics.emplace_back(name.get_string());
            } else {
                members.fail("metrics", "Input should be a list of strings", "string_type");
            }
        }
    } else {
        asked.metrics.assign(kUsualMetrics.begin(), kUsualMetrics.end());
    }
    if (!errors.is_empty()) {
        return std::unexpected(errors.response());
    }
    return asked;
}

// The metrics whose name has one of the prefixes, without it; `wanted` ones that nobody recorded are null and missing.
json::object group(const RecordedVersion& recorded,
                   std::string_view group_name,
                   std::span<const std::string_view> prefixes,
                   std::initializer_list<std::string_view> wanted,
                   json::array& missing) {
    json::object result;
    if (recorded.facts) {
        for (const auto& [name, value] : recorded.facts->metrics) {
            for (const std::string_view prefix : prefixes) {
                if (name.starts_with(prefix)) {
                    result.emplace(std::string_view(name).substr(prefix.size()), value);
                }
            }
        }
    }
    for (const std::string_view name : wanted) {
        if (!result.contains(name)) {
            result[name] = nullptr;
            missing.emplace_back(fmt::format("{}.{}", group_name, name));
        }
    }
    return result;
}

}  // namespace

base::Task<http::Response> compare_versions(Context& context, const Request& request) {
    FieldErrors errors;
    std::array<VersionName, 2> names;
    std::optional<http::Response> refusal;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string parameter = fmt::format("model{}", i + 1);
        const std::optional<std::string> text = query_parameter(request, parameter, errors);
        if (!text) {
            if (errors.is_empty()) {
                errors.missing({"query", parameter});
            }
            continue;
        }
        const Outcome<VersionName> name = parse_reference(*text);
        if (name) {
            names.at(i) = *name;
        } else if (!refusal) {
            refusal = name.error();
        }
    }
    if (!errors.is_empty() || refusal) {
        co_return errors.is_empty() ? *refusal : errors.response();
    }
    const Outcome<RecordedVersion> first = co_await find_recorded(context, names.at(0));
    if (!first) {
        co_return first.error();
    }
    const Outcome<RecordedVersion> second = co_await find_recorded(context, names.at(1));
    if (!second) {
        co_return second.error();
    }
    json::array missing;
    json::object answer;
    answer["model1"] = side(*first, "model1", missing);
    answer["model2"] = side(*second, "model2", missing);
    json::object delta{{"accuracy", nullptr}};
    if (first->facts && second->facts) {
        for (const auto& [name, value] : difference(first->facts->metrics, second->facts->metrics)) {
            delta[name] = value;
        }
    }
    answer["delta"] = std::move(delta);
    answer["recommendation"] = recommendation(*first, *second);
    answer["missing"] = std::move(missing);
    co_return to_response(answer);
}

base::Task<http::Response> evaluate_version(Context& context, const Request& request) {
    const Outcome<Evaluation> asked = read_evaluation(request);
    if (!asked) {
        co_return asked.error();
    }
    const Outcome<RecordedVersion> recorded =
        co_await find_recorded(context, version_name(asked->model, asked->version));
    if (!recorded) {
        co_return recorded.error();
    }
    json::object results;
    json::array missing;
    for (const std::string& metric : asked->metrics) {
        const std::optional<double> value = recorded->metric(metric);
        if (!results.contains(metric) && !value) {
            missing.emplace_back(metric);
        }
        results[metric] = number_or_null(value);
    }
    co_return to_response({{"model", recorded->version.name.text()},
                           {"results", std::move(results)},
                           {"missing", std::move(missing)},
                           {"source", "recorded run metrics"}});
}

base::Task<http::Response> show_metrics(Context& context, const Request& request) {
    const Outcome<RecordedVersion> recorded = co_await find_recorded(context, version_in_path(request));
    if (!recorded) {
        co_return recorded.error();
    }
    const std::optional<RunFacts>& facts = recorded->facts;
    json::array missing;
    if (!facts) {
        missing.emplace_back("run");
    } else {
        for (const std::string& metric : facts->unusable) {
            missing.emplace_back("metrics." + metric);
        }
    }
    json::object answer;
    answer["training_metrics"] = group(*recorded, "training_metrics", kTraining, {"loss", "accuracy"}, missing);
    answer["validation_metrics"] = group(*recorded, "validation_metrics", kValidation, {"loss", "accuracy"}, missing);
    answer["production_metrics"] =
        group(*recorded, "production_metrics", {}, {"latency_ms", "throughput_rps"}, missing);
    answer["metrics"] = facts ? to_json(facts->metrics) : json::object();
    answer["missing"] = std::move(missing);
    answer["as_of"] = facts ? json::value(base::to_naive_iso8601(facts->read_at)) : json::value();
    co_return to_response(answer);
}

}  // namespace models
