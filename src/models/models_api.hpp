// Our own API of models: which handler answers which path.
//
//   Request ─► route ─► handler ─┬─► MlflowApi       versions, runs
//                                ├─► Registrations   what is promised
//                                └─► RunFactsStore   what was recorded, for when MLflow is away
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/task.hpp"
#include "http/message.hpp"
#include "models/context.hpp"
#include "models/request.hpp"

namespace models {

// The API is the same below each of them.
inline constexpr std::array<std::string_view, 3> kPrefixes{"/models", "/api/models", "/api/v1/models"};

// "model:read" or "model:write".
std::string_view required_scope(const http::RequestHead& request);

// Each call that is answered, and where below a prefix: "GET, HEAD" and "/*/*/metrics", with a star for any text.
std::vector<std::pair<std::string_view, std::string>> served_calls();

// Of one worker. What it refers to outlives it.
class ModelsApi {
public:
    struct Deps {
        net::Worker& worker;
        net::BlockingPool& pool;
        RunFactsStore& run_facts;
        Registrations& registrations;
    };

    explicit ModelsApi(Deps deps) : deps_(deps) {}

    // Whatever comes; `mlflow` is as the request's caller may use it. An answer made from copies says so, and its Age.
    base::Task<http::Response> answer(Request request, MlflowApi& mlflow);

private:
    Deps deps_;
};

}  // namespace models
