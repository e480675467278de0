#include "models/registrar.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/strings.hpp"
#include "models/outcome.hpp"
#include "models/registration_request.hpp"
#include "registry/json.hpp"
#include "telemetry/log.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace {

namespace json = boost::json;

constexpr std::string_view kApi = "/api/2.0/mlflow";
constexpr std::string_view kExperiment = "0";  // MLflow's default one, which can't be deleted for good
constexpr std::string_view kProxiedScheme = "mlflow-artifacts:";

// What MLflow answered; Code::invalid_argument is its refusal for good.
using Step = base::Result<json::object>;

std::unexpected<base::Error> later(std::string why) {
    return base::fail(base::Code::unavailable, std::move(why));
}

Step judge(const base::Result<ApiAnswer>& answer) {
    if (!answer) {
        return std::unexpected(answer.error());
    }
    if (answer->status == 200) {
        boost::system::error_code error;
        json::value body = json::parse(answer->body, error);
        if (error || !body.is_object()) {
            return later("MLflow's answer can't be read");
        }
        return std::move(body.get_object());
    }
    const Refusal refusal = refusal_in(*answer);
    const std::string said = refusal.message.empty() ? fmt::format("status {}", answer->status) : refusal.message;
    if (refusal.code == "BAD_REQUEST" || refusal.code == "INTERNAL_ERROR") {
        return base::fail(base::Code::internal, said);
    }
    const bool is_refusal = (answer->status == 400 || answer->status == 404 || answer->status == 422) &&
                            !refusal.code.empty() && refusal.code != "ENDPOINT_NOT_FOUND";
    if (!is_refusal) {
        return later("MLflow: " + said);
    }
    return base::fail(base::Code::invalid_argument, said);
}

json::array tags_of(const Registration& registration, bool has_type) {
    json::array tags;
    if (has_type) {
        tags.push_back(json::object{{"key", "model_type"}, {"value", registration.model_type}});
    }
    tags.push_back(json::object{{"key", kRegistrationTag}, {"value", registration.id}});
    return tags;
}

std::string tag_filter(const Registration& registration) {
    return fmt::format("tags.`{}` = '{}'", kRegistrationTag, registration.id);
}

// The first object of a list.
const json::object* first_of(const json::object& parent, std::string_view list) {
    const json::value* const items = parent.if_contains(list);
    const json::array* const array = items != nullptr ? items->if_array() : nullptr;
    return array == nullptr || array->empty() ? nullptr : array->front().if_object();
}

const json::object& member(const json::object& parent, std::string_view name) {
    static const json::object none;
    const json::value* const value = parent.if_contains(name);
    const json::object* const object = value != nullptr ? value->if_object() : nullptr;
    return object != nullptr ? *object : none;
}

// One registration on its way.
class Application {
public:
    Application(MlflowApi& mlflow, Registration registration, Attempt attempt)
        : mlflow_(mlflow), registration_(std::move(registration)), attempt_(attempt) {}

    base::Task<base::Result<Registration>> run() {
        const Step made = co_await make_version();
        if (!made && made.error().code == base::Code::invalid_argument) {
            registration_.state = RegistrationState::failed;
            registration_.error = made.error().message;
            co_return registration_;
        }
        if (!made) {
            co_return std::unexpected(made.error());
        }
        const auto version = base::parse_uint(registry::text_at(*made, "version"));
        if (!version) {
            co_return later("MLflow's answer has no version");
        }
        registration_.version = static_cast<std::int64_t>(*version);
        registration_.run_id = registry::text_at(*made, "run_id");
        registration_.state = RegistrationState::registered;
        co_return registration_;
    }

private:
    // The version, whoever made it.
    base::Task<Step> make_version() {
        if (attempt_ == Attempt::again) {
            Step found = co_await find_version();
            if (!found || !found->empty()) {
                co_return found;
            }
        }
        std::string source = "hokusai:/registrations/" + registration_.id;
        std::string run_id;
        if (mlflow_.has_runs()) {
            const Step info = co_await make_run();
            if (!info) {
                co_return info;
            }
            run_id = registry::text_at(*info, "run_id");
            source = registry::text_at(*info, "source");
        }
        if (std::string given = given_source(registration_); !given.empty()) {
            source = std::move(given);
        }
        const Step model = co_await make_model();
        if (!model) {
            co_return model;
        }
        json::object call{
            {"name", registration_.model_name}, {"source", source}, {"tags", tags_of(registration_, true)}};
        if (!run_id.empty()) {
            call["run_id"] = run_id;
        }
        Step made = co_await post("model-versions/create", call);
        if (made) {
            co_return json::object(member(*made, "model_version"));
        }
        co_return made;
    }

    // An empty object: there is none.
    base::Task<Step> find_version() {
        const base::Result<ApiAnswer> answer =
            co_await mlflow_.call({.target = fmt::format("{}/model-versions/search?max_results=1&filter={}",
                                                         kApi,
                                                         base::percent_encode(tag_filter(registration_)))});
        Step found = judge(answer);
        if (!found) {
            co_return found;
        }
        const json::object* const version = first_of(*found, "model_versions");
        if (version == nullptr && answer->is_copy) {
            co_return later("MLflow did not answer itself");  // a copy may not know of it yet
        }
        co_return version != nullptr ? *version : json::object();
    }

    // {run_id, source}
    base::Task<Step> make_run() {
        Step run = json::object();
        if (attempt_ == Attempt::again) {
            run = co_await post("runs/search",
                                {{"experiment_ids", json::array{kExperiment}},
                                 {"filter", tag_filter(registration_)},
                                 {"max_results", 1}});
            if (!run) {
                co_return run;
            }
            const json::object* const found = first_of(*run, "runs");
            run = found != nullptr ? json::object(*found) : json::object();
        }
        if (run->empty()) {
            run = co_await create_run();
            if (!run) {
                co_return run;
            }
        }
        const json::object info = member(*run, "info");
        const std::string run_id = registry::text_at(info, "run_id");
        const std::string root = registry::text_at(info, "artifact_uri");
        if (run_id.empty()) {
            co_return later("MLflow's answer has no run");
        }
        Step logged = co_await describe_run(run_id, root);
        if (!logged) {
            co_return logged;
        }
        const bool is_proxied = root.starts_with(kProxiedScheme);
        co_return json::object{{"run_id", run_id},
                               {"source", is_proxied ? root + "/model" : fmt::format("runs:/{}/model", run_id)}};
    }

    base::Task<Step> create_run() {
        json::array tags = tags_of(registration_, false);
        tags.push_back(json::object{{"key", "mlflow.user"}, {"value", registration_.key_name}});
        const json::object call{
            {"experiment_id", kExperiment},
            {"start_time",
             std::chrono::floor<std::chrono::milliseconds>(registration_.created_at.time_since_epoch()).count()},
            {"run_name", "registration " + registration_.id},
            {"tags", std::move(tags)}};
        Step made = co_await post("runs/create", call);
        if (made) {
            co_return json::object(member(*made, "run"));
        }
        co_return made;
    }

    base::Task<Step> describe_run(const std::string& run_id, const std::string& root) {
        json::array params;
        for (const auto& [name, value] : run_params(registration_)) {
            params.push_back(json::object{{"key", name}, {"value", value}});
        }
        Step logged = co_await post("runs/log-batch", {{"run_id", run_id}, {"params", std::move(params)}});
        if (!logged) {
            co_return logged;
        }
        const base::Result<void> uploaded = co_await upload_data(root);
        if (!uploaded) {
            co_return std::unexpected(uploaded.error());
        }
        Step ended = co_await post(
            "runs/update",
            {{"run_id", run_id},
             {"status", "FINISHED"},
             {"end_time",
              std::chrono::floor<std::chrono::milliseconds>(registration_.created_at.time_since_epoch()).count()}});
        co_return ended;
    }

    // MLflow's copy of what is kept here: a server that takes no artifacts is no reason to refuse.
    base::Task<base::Result<void>> upload_data(const std::string& root) {
        if (!root.starts_with(kProxiedScheme)) {
            co_return base::Result<void>();
        }
        std::string_view path = std::string_view(root).substr(kProxiedScheme.size());
        if (path.starts_with("//")) {
            path.remove_prefix(std::min(path.find('/', 2), path.size()));
        }
        const base::Result<ApiAnswer> uploaded = co_await mlflow_.call(
            {.method = "PUT",
             .target = fmt::format("/api/2.0/mlflow-artifacts/artifacts{}/model/model_data.json", path),
             .body = registration_.model_data});
        if (!uploaded) {
            co_return std::unexpected(uploaded.error());
        }
        if (uploaded->status == 429 || (uploaded->status >= 502 && uploaded->status <= 504)) {
            co_return later(fmt::format("MLflow took no artifact: status {}", uploaded->status));
        }
        if (uploaded->status != 200) {
            telemetry::log_warn("registration_not_uploaded",
                                {{"registration", registration_.id}, {"status", uploaded->status}});
        }
        co_return base::Result<void>();
    }

    base::Task<Step> make_model() {
        const base::Result<ApiAnswer> answer =
            co_await mlflow_.call({.method = "POST",
                                   .target = fmt::format("{}/registered-models/create", kApi),
                                   .body = json::serialize(json::object{{"name", registration_.model_name}})});
        if (answer && answer->status == 400 && refusal_in(*answer).code == "RESOURCE_ALREADY_EXISTS") {
            co_return json::object();
        }
        co_return judge(answer);
    }

    base::Task<Step> post(std::string_view what, json::object body) {
        const base::Result<ApiAnswer> answer = co_await mlflow_.call(
            {.method = "POST", .target = fmt::format("{}/{}", kApi, what), .body = json::serialize(body)});
        co_return judge(answer);
    }

    MlflowApi& mlflow_;
    Registration registration_;
    const Attempt attempt_;
};

}  // namespace

base::Task<base::Result<Registration>> apply_registration(MlflowApi& mlflow,
                                                          Registration registration,
                                                          Attempt attempt) {
    Application application(mlflow, std::move(registration), attempt);
    base::Result<Registration> settled = co_await application.run();
    co_return settled;
}

}  // namespace models
