#include "mlflow/mlflow_probe.hpp"

#include <array>
#include <utility>

#include "base/strings.hpp"

#include <fmt/format.h>

namespace mlflow {

namespace {

constexpr std::string_view kHealthPath = "/health";
constexpr std::string_view kSearchPath = "/api/2.0/mlflow/registered-models/search?max_results=1";
constexpr std::size_t kMaxProbeBody = 16UL * 1024;
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
    : worker(probe_worker), upstream(probed), deadline(limit), pool_(probe_worker, probed.resolver, [&] {
          http::ClientPoolSettings settings = probed.pool_settings();
          settings.connect_timeout = std::min(settings.connect_timeout, limit);
          settings.max_idle_connections = 2;
          return settings;
      }()) {}

// Lets stop() end the question in progress.
class ProbeClient::Active {
public:
    Active(ProbeClient& client, http::ClientConnection& connection)
        : client_(client), place_(client.active_.insert(client.active_.end(), &connection)) {
        if (client.is_stopping_) {
            connection.cancel();
        }
    }

    Active(const Active&) = delete;
    Active& operator=(const Active&) = delete;

    ~Active() {
        client_.active_.erase(place_);
    }

private:
    ProbeClient& client_;
    std::list<http::ClientConnection*>::iterator place_;
};

void ProbeClient::stop() {
    is_stopping_ = true;
    for (http::ClientConnection* connection : active_) {
        connection->cancel();
    }
    pool_.clear();
}

base::Task<base::Result<ProbeAnswer>> ProbeClient::get(std::string_view path, base::MonotonicTime limit) {
    const std::string head = fmt::format(
        "GET {}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: hokusai-probe\r\nAccept: application/json\r\nVia: 1.1 "
        "{}\r\n{}{}{}\r\n",
        upstream.rules.base_path,
        path,
        upstream.rules.host,
        upstream.rules.via_name,
        upstream.rules.authorization.empty() ? "" : "Authorization: ",
        upstream.rules.authorization,
        upstream.rules.authorization.empty() ? "" : "\r\n");
    base::Result<std::unique_ptr<http::ClientConnection>> connection =
        co_await pool_.acquire(http::ClientPool::Freshness::kept_or_new, limit);
    if (!connection) {
        co_return std::unexpected(connection.error());
    }
    const Active active(*this, **connection);
    const std::array<boost::asio::const_buffer, 1> request{boost::asio::buffer(head)};
    const base::Result<void> sent = co_await (*connection)->write(request, limit - worker.now());
    if (!sent) {
        co_return std::unexpected(sent.error());
    }
    (*connection)->end_request();
    const base::Result<const http::ResponseHead*> answer_head =
        co_await (*connection)->read_head(http::Method::get, limit);
    if (!answer_head) {
        co_return std::unexpected(answer_head.error());
    }
    ProbeAnswer answer;
    answer.status = (*answer_head)->status;
    answer.asks_for_time = (*answer_head)->fields.has(http::FieldName::retry_after);
    while (answer.body.size() < kMaxProbeBody) {
        const base::Result<std::string_view> piece = co_await (*connection)->read_body(limit - worker.now());
        if (!piece) {
            co_return std::unexpected(piece.error());
        }
        if (piece->empty()) {
            pool_.release(std::move(*connection));
            break;
        }
        answer.body.append(*piece);
    }
    co_return answer;
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
    const base::Result<ProbeAnswer> alive = co_await client_.get(kHealthPath, limit);
    if (!alive) {
        co_return failed(alive.error());
    }
    const base::Result<ProbeAnswer> search = co_await client_.get(kSearchPath, limit);
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
    const base::Result<ProbeAnswer> answer = co_await client_.get(path_, started_at + client_.deadline);
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

health::ProbeResult judge_search(const ProbeAnswer& answer, bool sends_credentials, const std::string& host) {
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
