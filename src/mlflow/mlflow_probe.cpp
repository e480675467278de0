#include "mlflow/mlflow_probe.hpp"

#include <utility>

#include "base/strings.hpp"

#include <fmt/format.h>

namespace mlflow {

namespace {

constexpr std::string_view kHealthPath = "/health";
constexpr std::string_view kSearchPath = "/api/2.0/mlflow/registered-models/search?max_results=1";
constexpr std::size_t kMaxProbeBody = 16UL * 1024;
constexpr std::size_t kKeptConnections = 2;
// Traffic answered this recently shows that MLflow lives, however late a probe is.
constexpr auto kRecentTraffic = std::chrono::seconds(10);

health::ProbeResult failure(std::string kind, std::string error, unsigned status) {
    health::ProbeResult result;
    result.kind = std::move(kind);
    result.error = std::move(error);
    result.status_code = status;
    return result;
}

// SQLAlchemy's faults, as MLflow passes them on (mlflow/store/db/utils.py: 503 for OperationalError, 400 for others).
bool mentions_database(std::string_view body) {
    for (const std::string_view sign : {"sqlalchemy",
                                        "OperationalError",
                                        "psycopg2",
                                        "sqlite3",
                                        "pymysql",
                                        "BAD_REQUEST",
                                        "TEMPORARILY_UNAVAILABLE"}) {
        if (body.find(sign) != std::string_view::npos) {
            return true;
        }
    }
    return false;
}

}  // namespace

ProbeClient::ProbeClient(net::Worker& probe_worker, const Upstream& probed, base::Duration limit)
    : worker(probe_worker),
      upstream(probed),
      deadline(limit),
      client_(probe_worker, probed, "hokusai-probe", limit, kKeptConnections) {}

base::Task<base::Result<UpstreamAnswer>> ProbeClient::get(std::string path, base::MonotonicTime limit) {
    return client_.get({.target = std::move(path), .max_body = kMaxProbeBody, .limit = limit});
}

health::ProbeResult MlflowProbe::failed(const base::Error& error) const {
    health::ProbeResult result;
    result.error = error.message;
    if (error.code == base::Code::exhausted) {
        result.kind = health::kBusy;  // this machine is short of something; that says nothing about MLflow
        return result;
    }
    if (error.code != base::Code::deadline_exceeded) {
        result.refused = error.message.find("refused") != std::string::npos;
        result.kind = result.refused ? "refused" : "unreachable";
        return result;
    }
    const bool has_answered_traffic = client_.worker.now() - client_.upstream.last_answer() < kRecentTraffic;
    result.kind = has_answered_traffic ? health::kBusy : health::kTimeout;
    return result;
}

base::Task<health::ProbeResult> MlflowProbe::run() {
    const base::MonotonicTime started_at = client_.worker.now();
    const base::MonotonicTime limit = started_at + client_.deadline;
    const base::Result<UpstreamAnswer> alive = co_await client_.get(std::string(kHealthPath), limit);
    if (!alive) {
        co_return failed(alive.error());
    }
    const base::Result<UpstreamAnswer> search = co_await client_.get(std::string(kSearchPath), limit);
    if (!search) {
        co_return failed(search.error());
    }
    health::ProbeResult result =
        judge_search(*search, !client_.upstream.rules.authorization.empty(), client_.upstream.rules.host);
    result.latency = client_.worker.now() - started_at;
    co_return result;
}

base::Task<health::ProbeResult> DetailProbe::run() {
    const base::MonotonicTime started_at = client_.worker.now();
    const base::Result<UpstreamAnswer> answer = co_await client_.get(path_, started_at + client_.deadline);
    if (!answer) {
        health::ProbeResult result;
        result.error = answer.error().message;
        result.kind = answer.error().code == base::Code::deadline_exceeded ? health::kTimeout : "unreachable";
        co_return result;
    }
    const bool is_expected =
        answer->status == 200 || (accepts_missing_ && (answer->status == 400 || answer->status == 404));
    health::ProbeResult result = is_expected
                                     ? health::ProbeResult{}
                                     : failure("status", fmt::format("it answered {}", answer->status), answer->status);
    result.passed = is_expected;
    result.status_code = answer->status;
    result.latency = client_.worker.now() - started_at;
    co_return result;
}

health::ProbeResult judge_search(const UpstreamAnswer& answer, bool sends_credentials, const std::string& host) {
    if (answer.status == 200) {
        health::ProbeResult result;
        result.passed = true;
        result.status_code = 200;
        return result;
    }
    if (answer.status == 429 || (answer.asks_for_time && answer.status == 503)) {
        return failure(std::string(health::kOverload), "MLflow asks for time", answer.status);
    }
    if (answer.status == 401 || (answer.status == 403 && sends_credentials)) {
        return failure(
            "credentials",
            "MLflow refuses the gateway's credentials; set HOKUSAI_MLFLOW_TOKEN, or HOKUSAI_MLFLOW_USERNAME and "
            "HOKUSAI_MLFLOW_PASSWORD",
            answer.status);
    }
    if (answer.status == 403) {
        return failure(
            "host_check",
            "MLflow's host check refuses Host \"" + host +
                "\": add it to MLFLOW_SERVER_ALLOWED_HOSTS there, or set HOKUSAI_MLFLOW_HOST here to a name it allows",
            answer.status);
    }
    if ((answer.status == 400 || answer.status == 503) && mentions_database(answer.body)) {
        return failure("database", "MLflow is up, and its database is not; look at MLflow's log", answer.status);
    }
    return failure("status", fmt::format("MLflow's registry answered {}", answer.status), answer.status);
}

}  // namespace mlflow
