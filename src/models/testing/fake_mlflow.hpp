// MLflow's REST API as far as registrations need it, in memory, with failures a test can choose.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/mlflow_api.hpp"
#include "net/use_task.hpp"
#include "net/worker.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>

namespace models::testing {

inline ApiAnswer answer_of(boost::json::object object) {
    return {200, boost::json::serialize(object)};
}

inline ApiAnswer refusal_of(unsigned status, std::string_view code, std::string_view message) {
    return {status, boost::json::serialize(boost::json::object{{"error_code", code}, {"message", message}})};
}

class FakeMlflow final : public MlflowApi {
public:
    struct Run {
        std::string id;
        std::string tag;
        boost::json::array params;
    };

    struct Version {
        std::string model;
        std::int64_t number = 0;
        std::string run_id;
        std::string source;
        std::string tag;
    };

    base::Task<base::Result<ApiAnswer>> call(ApiCall call) override {
        calls.push_back(std::string(call.method) + " " + call.target.substr(0, call.target.find('?')));
        if (hang) {
            silence.emplace(worker_of_hang->context());
            silence->expires_at(boost::asio::steady_timer::time_point::max());
            hang();
            co_await silence->async_wait(net::use_task);
            co_return base::fail(base::Code::cancelled, "aborted");
        }
        if (before) {
            if (const std::optional<base::Result<ApiAnswer>> instead = before(calls.size())) {
                co_return *instead;
            }
        }
        const ApiAnswer answer = carry_out(call);
        if (after) {
            if (const std::optional<base::Result<ApiAnswer>> instead = after(calls.size())) {
                co_return *instead;
            }
        }
        co_return answer;
    }

    void abort() override {
        if (silence) {
            silence->cancel();
        }
    }

    [[nodiscard]] bool is_reachable() const override {
        return reachable;
    }

    [[nodiscard]] bool has_runs() const override {
        return runs_exist;
    }

    // By the number of a call, from 1 on: what is answered instead of carrying it out, or after it was.
    using Interference = std::function<std::optional<base::Result<ApiAnswer>>(std::size_t)>;
    Interference before;
    Interference after;
    std::function<void()> hang;  // no call is answered then; called by each
    net::Worker* worker_of_hang = nullptr;
    std::optional<boost::asio::steady_timer> silence;
    bool reachable = true;
    bool runs_exist = true;
    std::vector<std::string> calls;
    std::vector<Run> runs;
    std::vector<std::string> models;
    std::vector<Version> versions;
    std::map<std::string, std::string> artifacts;  // by path
    std::map<std::string, ApiAnswer> canned;       // by "METHOD path?query": answered first

private:
    static std::string tag_in(const boost::json::object& body) {
        for (const auto& tag : body.at("tags").as_array()) {
            if (tag.at("key").as_string() == "hokusai.registration_id") {
                return std::string(tag.at("value").as_string());
            }
        }
        return {};
    }

    static boost::json::object to_json(const Run& run) {
        return {{"info",
                 boost::json::object{{"run_id", run.id},
                                     {"artifact_uri", "mlflow-artifacts:/0/" + run.id + "/artifacts"}}}};
    }

    static boost::json::object to_json(const Version& version) {
        return {{"name", version.model},
                {"version", std::to_string(version.number)},
                {"run_id", version.run_id},
                {"source", version.source}};
    }

    ApiAnswer carry_out(const ApiCall& call) {
        const auto found = canned.find(std::string(call.method) + " " + call.target);
        if (found != canned.end()) {
            return found->second;
        }
        const std::string path = call.target.substr(0, call.target.find('?'));
        const std::string what =
            path.substr(path.rfind("mlflow/") == std::string::npos ? 0 : path.rfind("mlflow/") + 7);
        if (call.method == "PUT") {
            artifacts[path] = call.body;
            return answer_of({});
        }
        if (what == "model-versions/search") {
            boost::json::array list;
            for (const Version& version : versions) {
                if (call.target.find(version.tag) != std::string::npos) {
                    list.push_back(to_json(version));
                }
            }
            return answer_of({{"model_versions", std::move(list)}});
        }
        if (call.method == "GET") {
            return refusal_of(404, "RESOURCE_DOES_NOT_EXIST", "nothing there");
        }
        return write(what, boost::json::parse(call.body).as_object());
    }

    ApiAnswer write(const std::string& what, const boost::json::object& body) {
        if (what == "runs/create") {
            runs.push_back({"run" + std::to_string(runs.size() + 1), tag_in(body), {}});
            return answer_of({{"run", to_json(runs.back())}});
        }
        if (what == "runs/search") {
            boost::json::array list;
            for (const Run& run : runs) {
                if (body.at("filter").as_string().find(run.tag) != boost::json::string::npos) {
                    list.push_back(to_json(run));
                }
            }
            return answer_of({{"runs", std::move(list)}});
        }
        if (what == "runs/log-batch") {
            runs.back().params = body.at("params").as_array();
        }
        if (what == "registered-models/create") {
            const std::string name(body.at("name").as_string());
            if (std::find(models.begin(), models.end(), name) != models.end()) {
                return refusal_of(400, "RESOURCE_ALREADY_EXISTS", "there is one");
            }
            models.push_back(name);
        }
        if (what == "model-versions/create") {
            const auto* const run_id = body.if_contains("run_id");
            versions.push_back({std::string(body.at("name").as_string()),
                                static_cast<std::int64_t>(versions.size() + 1),
                                run_id != nullptr ? std::string(run_id->as_string()) : std::string(),
                                std::string(body.at("source").as_string()),
                                tag_in(body)});
            return answer_of({{"model_version", to_json(versions.back())}});
        }
        return answer_of({});
    }
};

}  // namespace models::testing
