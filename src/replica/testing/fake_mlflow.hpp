// An MLflow for tests: its registry, at the other end of calls that take their time and may fail.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "base/task.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/worker.hpp"
#include "registry/json.hpp"
#include "registry/registry.hpp"
#include "registry/testing/memory_store.hpp"
#include "registry_http/error_response.hpp"

#include <boost/json/serialize.hpp>

namespace replica::testing {

struct FakeAnswer {
    unsigned status = 200;
    std::string body;
};

class FakeMlflow {
public:
    FakeMlflow(net::Worker& worker, const base::Clock& clock, base::Random& random)
        : worker_(worker), random_(random), registry_(store, clock) {}

    // As if it came by HTTP; `target` with its query.
    FakeAnswer answer(std::string_view method,
                      std::string_view target,
                      std::string body = {},
                      std::string workspace = {}) {
        const std::size_t question = target.find('?');
        const std::string_view path = target.substr(0, question);
        ++questions;
        if (spoil) {
            if (std::optional<FakeAnswer> spoiled = spoil(target)) {
                return *spoiled;
            }
        }
        if (path == "/api/3.0/mlflow/server-info") {
            return {200, workspaces.empty() ? R"({"workspaces_enabled": false})" : R"({"workspaces_enabled": true})"};
        }
        if (path == "/api/3.0/mlflow/workspaces") {
            boost::json::array names;
            for (const std::string& name : workspaces) {
                names.push_back(boost::json::object{{"name", name}});
            }
            return {200, boost::json::serialize(boost::json::object{{"workspaces", names}})};
        }
        registry::Call call;
        call.operation = *registry::find_operation(method, path);
        call.method = method;
        call.workspace = std::move(workspace);
        call.query = question == std::string_view::npos ? "" : target.substr(question + 1);
        call.content_type = "application/json";
        call.body = std::move(body);
        return answer(call);
    }

    FakeAnswer answer(const registry::Call& call) {
        const base::Result<boost::json::object> result = registry_.answer(call);
        if (result) {
            return {200, registry::serialize(*result)};
        }
        const http::Response refusal = registry_http::to_response(result.error());
        return {refusal.status, refusal.body};
    }

    // What RegistryClient asks through.
    base::Task<base::Result<mlflow::UpstreamAnswer>> get(mlflow::UpstreamClient::Question question) {
        co_await dawdle();
        if (is_down) {
            co_return base::fail(base::Code::unavailable, "connect to mlflow: connection refused");
        }
        FakeAnswer made = answer("GET", question.target, {}, question.workspace);
        co_await dawdle();
        if (is_down || random_.unit() < failure_rate) {
            co_return base::fail(base::Code::unavailable, "mlflow closed the connection");
        }
        mlflow::UpstreamAnswer result;
        result.status = made.status;
        result.body = std::move(made.body);
        co_return result;
    }

    // Lets others on the worker go first, a few times.
    base::Task<> dawdle() {
        for (std::uint64_t turns = random_.next() % (most_turns + 1); turns > 0; --turns) {
            co_await net::resume_on(worker_);
        }
    }

    registry::testing::MemoryStore store;
    std::vector<std::string> workspaces;  // empty: it has none
    std::function<std::optional<FakeAnswer>(std::string_view target)> spoil;
    bool is_down = false;
    double failure_rate = 0;
    std::uint64_t most_turns = 0;
    std::uint64_t questions = 0;

private:
    net::Worker& worker_;
    base::Random& random_;
    registry::Registry registry_;
};

}  // namespace replica::testing
