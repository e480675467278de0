#include "registry_client/http_api.hpp"

#include <algorithm>
#include <exception>
#include <future>
#include <utility>

#include "base/strings.hpp"
#include "registry/json.hpp"
#include "registry_http/read_call.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace registry_client {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxAnswer = 256UL * 1024 * 1024;
constexpr std::size_t kKeptConnections = 1;
constexpr std::string_view kPrefetchLine = "X-Hokusai-Prefetch: yes\r\n";

constexpr std::string_view kCredentialsRemedy =
    "give a key or token with --token-file, or in HOKUSAI_MLFLOW_TOKEN, or HOKUSAI_MLFLOW_USERNAME and "
    "HOKUSAI_MLFLOW_PASSWORD";
constexpr std::string_view kHostRemedy =
    "if that is MLflow's host check, allow this host in MLFLOW_SERVER_ALLOWED_HOSTS there, or set HOKUSAI_MLFLOW_HOST "
    "here to one it allows";

// A coroutine that answers a thread which waits for it.
template <class T>
base::Task<> fulfil(base::Task<T> task, std::promise<T> promise) {
    try {
        T result = co_await std::move(task);
        promise.set_value(std::move(result));
    } catch (...) {
        promise.set_exception(std::current_exception());
    }
}

template <class T>
T run_on(net::Worker& worker, base::Task<T> task) {
    std::promise<T> promise;
    std::future<T> result = promise.get_future();
    worker.post([&] { worker.tasks().spawn("registry_call", fulfil(std::move(task), std::move(promise))); });
    return result.get();
}

void append(std::string& query, std::string_view name, const json::value& value) {
    query += query.empty() ? "" : "&";
    query += base::percent_encode(name) + "=" +
             base::percent_encode(value.is_string() ? std::string(value.get_string()) : json::serialize(value));
}

base::Code code_of(unsigned status, std::string_view error_code) {
    if (error_code == "RESOURCE_DOES_NOT_EXIST") {
        return base::Code::missing_resource;
    }
    if (error_code == "RESOURCE_ALREADY_EXISTS") {
        return base::Code::already_exists;
    }
    switch (status) {
        case 401:
            return base::Code::unauthenticated;
        case 403:
            return base::Code::permission_denied;
        case 404:
            return base::Code::not_found;
        case 409:
            return base::Code::conflict;
        case 504:
            return base::Code::deadline_exceeded;
        default:
            return status == 400 && !error_code.empty() ? base::Code::invalid_argument : base::Code::unavailable;
    }
}

std::string_view remedy_of(unsigned status, bool is_mlflow_error) {
    if (status == 401 || (status == 403 && is_mlflow_error)) {
        return kCredentialsRemedy;
    }
    return status == 403 ? kHostRemedy : "";
}

class Counter final : public mlflow::UpstreamClient::Receiver {
public:
    base::Task<base::Result<void>> begin(const http::ResponseHead& /*head*/) override {
        co_return base::Result<void>();
    }

    base::Task<base::Result<void>> take(std::string_view piece) override {
        bytes += static_cast<std::int64_t>(piece.size());
        co_return base::Result<void>();
    }

    std::int64_t bytes = 0;
};

}  // namespace

std::string to_query(const json::object& arguments) {
    std::string query;
    for (const auto& [name, value] : arguments) {
        if (const json::array* const list = value.if_array()) {
            for (const json::value& item : *list) {
                append(query, name, item);
            }
        } else {
            append(query, name, value);
        }
    }
    return query;
}

base::Result<json::object> judge(const mlflow::UpstreamAnswer& answer, const std::string& url) {
    boost::system::error_code error;
    json::value body = json::parse(answer.body, error);
    const bool is_object = !error && body.is_object();
    if (answer.status == 200 && is_object && answer.is_whole) {
        return std::move(body.get_object());
    }
    if (answer.status == 200) {
        return base::fail(base::Code::data_loss, url + " answered what is no JSON object: is that an MLflow server?");
    }
    const std::string error_code = is_object ? registry::text_at(body.get_object(), "error_code") : std::string();
    const std::string said = is_object ? registry::text_at(body.get_object(), "message") : std::string();
    const std::string_view remedy = remedy_of(answer.status, !error_code.empty());
    return base::fail(code_of(answer.status, error_code),
                      fmt::format("{} answered {}{}{}{}{}{}{}",
                                  url,
                                  answer.status,
                                  error_code.empty() ? "" : " ",
                                  error_code,
                                  said.empty() ? "" : ": ",
                                  said,
                                  remedy.empty() ? "" : "; ",
                                  remedy));
}

HttpApi::HttpApi(const Settings& settings)
    : url_(settings.url),
      worker_("registry", 0, clock_),
      resolver_(worker_, settings.upstream.url.host, settings.upstream.url.port, settings.resolver),
      random_(base::system_seed()),
      breaker_("registry", {}, random_, clock_.now()),
      upstream_(settings.upstream, "cli", resolver_, breaker_, clock_.now()),
      client_(worker_, upstream_, "hokusai-registry", settings.upstream.connect_timeout, kKeptConnections) {
    worker_.start();
    worker_.post([this] { worker_.tasks().spawn("name_resolver", resolve()); });
}

HttpApi::~HttpApi() {
    worker_.post([this] {
        resolver_.stop();
        client_.stop();
    });
    has_resolved_.get_future().wait();
    worker_.stop();
}

base::Task<> HttpApi::resolve() {
    co_await resolver_.run();
    has_resolved_.set_value();
}

base::Result<json::object> HttpApi::call(const Call& call) {
    if (!mlflow::is_workspace_name(call.workspace)) {
        return base::fail(base::Code::invalid_argument,
                          fmt::format("workspace '{}' has a name that no server takes", call.workspace));
    }
    const bool is_read = call.method == "GET";
    const std::string query = is_read ? to_query(call.arguments) : std::string();
    mlflow::UpstreamClient::Question question{
        .target = std::string(call.path) + (query.empty() ? "" : "?") + query,
        .workspace = call.workspace,
        .max_body = kMaxAnswer,
        .limit = clock_.now() + (is_read ? upstream_.settings.read_timeout : upstream_.settings.write_timeout),
        .method = call.method,
        .json = is_read ? std::string() : json::serialize(call.arguments),
        .fields = call.rollback_from ? fmt::format("{}: {}\r\n", registry_http::kRollbackField, *call.rollback_from)
                                     : std::string()};
    const auto answer = run_on(worker_, is_read ? client_.get(std::move(question)) : client_.send(std::move(question)));
    if (!answer) {
        return std::unexpected(answer.error().context(url_));
    }
    return judge(*answer, url_);
}

base::Result<std::int64_t> HttpApi::read_through(const std::string& target) {
    const base::Duration patience = upstream_.settings.write_timeout;
    Counter counter;
    mlflow::UpstreamClient::Question question{.target = target,
                                              .max_body = kMaxAnswer,
                                              .limit = clock_.now() + patience,
                                              .fields = std::string(kPrefetchLine)};
    const auto answer = run_on(worker_, client_.receive(std::move(question), counter, patience));
    if (!answer) {
        return std::unexpected(answer.error().context(url_));
    }
    if (answer->status != 200) {
        return std::unexpected(judge(*answer, url_).error());
    }
    return counter.bytes;
}

}  // namespace registry_client
