// MLflow's API for our own handlers: calls that pass everything a client's calls pass.
#pragma once

#include <memory>
#include <string>

#include "base/task.hpp"
#include "http/internal_call.hpp"
#include "http/server_context.hpp"
#include "mlflow/upstream.hpp"
#include "models/mlflow_api.hpp"
#include "net/worker.hpp"

#include <boost/asio/ip/address.hpp>

namespace apps {

// What answers MLflow's paths on one worker, and how it is reached from there. All of it outlives the calls.
struct MlflowPaths {
    net::Worker& worker;
    const http::ServerSettings& server;
    const mlflow::Upstream* upstream;  // null: the registry is here
    http::InternalCall::Handle handle;
};

// In whose name calls are made.
struct CallOrigin {
    std::string key_id;
    std::string key_name;
    boost::asio::ip::address peer;
    std::string fields;  // more of each head, each line with its end
};

class InternalMlflow final : public models::MlflowApi {
public:
    InternalMlflow(const MlflowPaths& paths, CallOrigin origin) : paths_(paths), origin_(std::move(origin)) {}

    base::Task<base::Result<models::ApiAnswer>> call(models::ApiCall call) override;
    void abort() override;
    [[nodiscard]] bool is_reachable() const override;

    [[nodiscard]] bool has_runs() const override {
        return paths_.upstream != nullptr;
    }

private:
    const MlflowPaths& paths_;
    const CallOrigin origin_;
    http::InternalCall* current_ = nullptr;
    bool is_aborted_ = false;
};

// Whether a write may be tried.
bool is_reachable(const mlflow::Upstream* upstream);

}  // namespace apps
