// Questions to MLflow that tell how it is, on connections apart from traffic.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "health/monitor.hpp"
#include "mlflow/upstream.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/worker.hpp"

namespace mlflow {

// GETs one path of MLflow within `deadline`, connect included. Lives on the control worker.
class ProbeClient {
public:
    ProbeClient(net::Worker& worker, const Upstream& upstream, base::Duration deadline);

    // The first few kilobytes of the answer. `path` starts with a slash.
    base::Task<base::Result<UpstreamAnswer>> get(std::string path, base::MonotonicTime limit);

    // Ends what is being asked, and asks nothing more.
    void stop() {
        client_.stop();
    }

    net::Worker& worker;
    const Upstream& upstream;
    const base::Duration deadline;

private:
    UpstreamClient client_;
};

// Is MLflow there, and does its registry answer? Its own /health is a constant, so a one-row search is asked as well,
// and the cases that differ have names: "host_check" (403: its host check refuses our Host), "credentials" (401, 403
// with credentials), "database" (400 or 503 about its database), "busy" (late, while traffic is being answered).
class MlflowProbe final : public health::Probe {
public:
    explicit MlflowProbe(ProbeClient& client) : client_(client) {}

    base::Task<health::ProbeResult> run() override;

private:
    [[nodiscard]] health::ProbeResult failed(const base::Error& error) const;

    ProbeClient& client_;
};

// One further question, passed when the status is one of those expected.
class DetailProbe final : public health::Probe {
public:
    DetailProbe(ProbeClient& client, std::string path, bool accepts_missing)
        : client_(client), path_(std::move(path)), accepts_missing_(accepts_missing) {}

    base::Task<health::ProbeResult> run() override;

private:
    ProbeClient& client_;
    std::string path_;
    bool accepts_missing_;  // a 400 or 404 for want of parameters or data proves as much as a 200
};

// What a complete answer of the registry search says. Pure.
health::ProbeResult judge_search(const UpstreamAnswer& answer, bool sends_credentials, const std::string& host);

}  // namespace mlflow
