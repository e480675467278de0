#include "health/mlflow_checks.hpp"

#include <algorithm>

#include "health/json_text.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace health {

namespace {

using boost::json::object;

constexpr std::string_view kSearchPath = "/api/2.0/mlflow/registered-models/search";

struct CheckItem {
    std::string_view status;  // "healthy", "unhealthy", "unknown", "enabled", "disabled"
    std::string message;

    [[nodiscard]] bool is_well() const {
        return status == "healthy" || status == "enabled" || status == "disabled";
    }

    [[nodiscard]] object to_json() const {
        return {{"status", text(status)}, {"message", text(message)}};
    }
};

struct CheckItems {
    CheckItem connectivity;
    CheckItem experiments;
    CheckItem artifacts;

    [[nodiscard]] bool are_well() const {
        return connectivity.is_well() && experiments.is_well() && artifacts.is_well();
    }
};

const DetailHealth* find_detail(const View& view, std::string_view name) {
    const auto found = std::ranges::find(view.snapshot.details, name, &DetailHealth::name);
    return found == view.snapshot.details.end() ? nullptr : &*found;
}

CheckItem item_of(const View& view, const CheckFacts& check, std::string_view what) {
    switch (status_of(check, view.now)) {
        case Status::disabled:
            return {"disabled", fmt::format("{} is not checked", what)};
        case Status::unknown:
            return {"unknown", trouble_of(check, view.now)};
        case Status::healthy:
            return {"healthy", fmt::format("{} answers", what)};
        case Status::degraded:
        case Status::recovering:
        case Status::unhealthy:
            break;
    }
    return {"unhealthy", trouble_of(check, view.now)};
}

CheckItem detail_item(const View& view, std::string_view name, std::string_view what) {
    const DetailHealth* detail = find_detail(view, name);
    return item_of(view, detail == nullptr ? CheckFacts{} : detail->check, what);
}

CheckItem artifacts_flag(const View& view) {
    if (view.identity.serves_artifacts) {
        return {"enabled", "Artifact serving is enabled"};
    }
    return {"disabled", "Artifact serving is disabled by MLFLOW_SERVE_ARTIFACTS"};
}

CheckItems collect_items(const View& view, CheckItem artifacts) {
    const MlflowEndpoint* leading = leading_endpoint(view.snapshot);
    return {
        .connectivity = item_of(view, leading == nullptr ? CheckFacts{} : leading->check, "MLflow"),
        .experiments = detail_item(view, "experiments_api", "The experiments API"),
        .artifacts = std::move(artifacts),
    };
}

boost::json::value server_of(const View& view) {
    const MlflowEndpoint* leading = leading_endpoint(view.snapshot);
    return leading == nullptr ? boost::json::value() : text_or_null(leading->url);
}

object checks_body(const View& view, const CheckItems& items) {
    return {
        {"mlflow_server", server_of(view)},
        {"checks",
         {{"connectivity", items.connectivity.to_json()},
          {"experiments_api", items.experiments.to_json()},
          {"artifacts_api", items.artifacts.to_json()}}},
        {"status", items.are_well() ? "healthy" : "unhealthy"},
    };
}

object test_of(std::string_view name, std::string_view url, const CheckFacts& check) {
    object out{{"endpoint", text(name)}, {"url", text(url)}};
    if (check.last.status_code == 0 && !check.last.passed) {
        out["success"] = false;
        out["error"] = text(check.checked_at ? check.last.error : "not checked yet");
        return out;
    }
    if (check.last.status_code != 0) {
        out["status_code"] = check.last.status_code;
    }
    out["success"] = check.last.passed;
    out["response_time_ms"] = to_milliseconds(check.last.latency);
    return out;
}

void add_detail_test(const View& view, std::string_view detail, std::string_view name, boost::json::array& tests) {
    if (const DetailHealth* found = find_detail(view, detail)) {
        tests.emplace_back(test_of(name, found->url, found->check));
    }
}

}  // namespace

http::Response mlflow_checks(const View& view) {
    const CheckItems items = collect_items(view, artifacts_flag(view));
    if (items.are_well()) {
        return json_response(200, checks_body(view, items));
    }
    return json_response(503, {{"detail", checks_body(view, items)}});
}

http::Response mlflow_checks_of_gateway(const View& view) {
    const bool is_probed = view.identity.serves_artifacts;
    const CheckItem artifacts = is_probed ? detail_item(view, "artifacts", "The artifacts API") : artifacts_flag(view);
    return json_response(200, checks_body(view, collect_items(view, artifacts)));
}

http::Response mlflow_tests(const View& view, bool with_artifacts) {
    boost::json::array tests;
    add_detail_test(view, "experiments_api", "experiments_list", tests);
    const MlflowEndpoint* leading = leading_endpoint(view.snapshot);
    if (leading != nullptr) {
        tests.emplace_back(test_of("models_list", fmt::format("{}{}", leading->url, kSearchPath), leading->check));
    }
    add_detail_test(view, "metrics_history", "metrics_history", tests);
    if (with_artifacts) {
        add_detail_test(view, "artifacts", "artifacts_api", tests);
    }
    const bool all_succeed = std::ranges::all_of(
        tests, [](const boost::json::value& test) { return test.as_object().at("success").as_bool(); });
    return json_response(200,
                         {
                             {"mlflow_server", server_of(view)},
                             {"timestamp", text(base::to_naive_iso8601(view.wall_now))},
                             {"environment",
                              {{"MLFLOW_SERVER_URL", server_of(view)},
                               {"MLFLOW_SERVE_ARTIFACTS", view.identity.serves_artifacts ? "true" : "false"},
                               {"PROXY_DEBUG", view.identity.debugs_proxy}}},
                             {"tests", tests},
                             {"overall_health", all_succeed},
                         });
}

http::Response mlflow_connectivity(const View& view) {
    const MlflowEndpoint* leading = leading_endpoint(view.snapshot);
    object body{{"status", "error"}, {"mlflow_server", server_of(view)}};
    if (leading == nullptr) {
        body["status"] = "disabled";
        body["error"] = "MLflow is not configured";
        return json_response(200, body);
    }
    const CheckFacts& check = leading->check;
    if (check.is_stale(view.now) || !check.checked_at) {
        body["error"] = text(trouble_of(check, view.now));
    } else if (check.last.kind == kTimeout || check.last.is_busy()) {
        body["status"] = "timeout";
        body["error"] = text(fmt::format("Connection timeout after {:g} seconds",
                                         std::chrono::duration<double>(view.identity.probe_deadline).count()));
    } else if (check.last.passed || check.last.status_code != 0) {
        body["status"] = check.last.passed ? "connected" : "error";
        body["response_code"] = check.last.status_code;
        body["response_time_ms"] = to_milliseconds(check.last.latency);
    } else {
        body["error"] = text(check.last.error);
    }
    return json_response(200, body);
}

}  // namespace health
