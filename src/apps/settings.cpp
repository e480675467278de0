#include "apps/settings.hpp"

#include <algorithm>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "apps/settings_rules.hpp"
#include "base/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace apps {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSqliteScheme = "sqlite:";

base::Result<config::HttpUrl> parse_mlflow_url(std::string_view text) {
    if (text.find('@') != std::string_view::npos) {
        return base::fail(base::Code::invalid_argument,
                          "must carry no credentials: put them in HOKUSAI_MLFLOW_USERNAME and HOKUSAI_MLFLOW_PASSWORD");
    }
    return config::parse_http_url(text);
}

// In the form browsers send: lower case, no default port.
base::Result<std::string> parse_origin(std::string_view text) {
    if (text == "*") {
        return std::string(text);
    }
    const auto url = config::parse_http_url(text);
    if (!url || !url->base_path.empty()) {
        return base::fail(base::Code::invalid_argument, "must be origins, such as https://app.example, or *");
    }
    return config::to_text(*url);
}

void describe_general(config::Schema& schema, ServiceSettings& settings) {
    schema.accept_environment("HOKUSAI_CONFIG");
    schema.add(
        "data_dir",
        config::text(settings.data_dir),
        {.flag = "--data",
         .help = "Folder for the database and the pepper of the keys; by default /var/lib/hokusai for root, else "
                 "$XDG_STATE_HOME/hokusai or ~/.local/state/hokusai"});
    schema.add("database_url",
               config::secret(settings.database_url),
               {.help = "sqlite:/ABSOLUTE/PATH; by default hokusai.db in the data folder"});
    schema.add("environment",
               config::text(settings.environment),
               {.environment = {"ENVIRONMENT"}, .help = "Name of this deployment, shown in status and health answers"});
}

void describe_server(config::Schema& schema, ServerSettings& server) {
    schema.add(
        "server.listen",
        config::host_port(server.listen),
        {.environment = {"HOKUSAI_LISTEN"}, .flag = "--listen", .help = "Address and port to accept connections on"});
    schema.add(
        "server.threads",
        config::number(server.threads, 0U, 1024U),
        {.environment = {"HOKUSAI_THREADS"}, .flag = "--threads", .help = "Worker threads; 0: one for each core"});
    schema.add("server.max_connections",
               config::number(server.max_connections, 1U, 1'000'000U),
               {.help = "Client connections served at once"});
    schema.add("server.health_reserved_connections",
               config::number(server.health_reserved_connections, 0U, 10'000U),
               {.help = "Connections kept free for health endpoints when all others are taken"});
    schema.add("server.max_header_bytes",
               config::byte_size(server.max_header_bytes, 4U << 10U, 1U << 20U),
               {.help = "Largest request line and header fields together"});
    schema.add("server.header_timeout",
               config::duration(server.header_timeout, 1ms, 1h),
               {.help = "Longest time for a request head to arrive"});
    schema.add("server.body_idle_timeout",
               config::duration(server.body_idle_timeout, 1ms, 1h),
               {.help = "Longest pause within a body"});
    schema.add("server.idle_timeout",
               config::duration(server.idle_timeout, 1ms, 24h),
               {.help = "How long a kept connection may wait for its next request"});
    schema.add("server.drain_delay",
               config::duration(server.drain_delay, 0s, kShutdownTime),
               {.help = "At shutdown, how long to report not ready before refusing connections"});
    schema.add("server.drain_timeout",
               config::duration(server.drain_timeout, 0s, kShutdownTime),
               {.help = "At shutdown, how long requests in flight may take to end"});
}

void describe_auth(config::Schema& schema, AuthSettings& auth) {
    schema.add(
        "auth.mode",
        config::one_of(auth.mode, {{"required", AuthMode::required}, {"off", AuthMode::off}}),
        {.environment = {"HOKUSAI_AUTH"}, .flag = "--auth", .help = "required or off; off only on a loopback address"});
    schema.add("auth.bootstrap_admin_key",
               config::secret(auth.bootstrap_admin_key),
               {.environment = {"HOKUSAI_BOOTSTRAP_ADMIN_KEY"},
                .help = "Key stored, as a hash, when there is no admin key yet"});
}

void describe_mlflow_peer(config::Schema& schema, MlflowSettings& mlflow) {
    schema.add("mlflow.urls",
               config::list<config::HttpUrl>(
                   mlflow.urls, parse_mlflow_url, [](const config::HttpUrl& url) { return config::to_text(url); }),
               {.environment = {"MLFLOW_SERVER_URL", "MLFLOW_TRACKING_URI"},
                .flag = "--mlflow",
                .help = "Where MLflow is, with its base path; exactly one, or none to be the model registry itself"});
    schema.add("mlflow.token", config::secret(mlflow.token), {.help = "Bearer token sent to MLflow"});
    schema.add("mlflow.username", config::text(mlflow.username), {.help = "User name sent to MLflow (Basic)"});
    schema.add("mlflow.password", config::secret(mlflow.password), {.help = "Password sent to MLflow (Basic)"});
    schema.add("mlflow.host",
               config::text(mlflow.host),
               {.help = "Host header sent to MLflow; by default host and port of the URL"});
    schema.add("mlflow.forward_auth",
               config::boolean(mlflow.forward_auth),
               {.help = "Pass the caller's Authorization header on, for an MLflow that authenticates itself"});
    schema.add("mlflow.ca_file",
               config::text(mlflow.ca_file),
               {.help = "PEM file of the authorities that sign MLflow's certificate; by default the system's"});
    schema.add("mlflow.cert_file",
               config::text(mlflow.cert_file),
               {.help = "PEM file of the client certificate shown to MLflow"});
    schema.add("mlflow.key_file", config::text(mlflow.key_file), {.help = "PEM file of the key of mlflow.cert_file"});
    schema.add("mlflow.serve_artifacts",
               config::boolean(mlflow.serve_artifacts),
               {.environment = {"MLFLOW_SERVE_ARTIFACTS"}, .help = "Pass artifact transfers on to MLflow"});
    schema.add(
        "mlflow.fallback_addresses",
        config::list(mlflow.fallback_addresses, config::parse_ip_address),
        {.environment = {"MLFLOW_FALLBACK_IP"}, .help = "IP addresses to use while MLflow's name does not resolve"});
}

void describe_mlflow_limits(config::Schema& schema, MlflowSettings& mlflow) {
    schema.add("mlflow.connect_timeout",
               config::duration(mlflow.connect_timeout, 1ms, 1h),
               {.help = "Longest time to connect to MLflow"});
    schema.add("mlflow.read_timeout",
               config::duration(mlflow.read_timeout, 1ms, 1h),
               {.help = "Reads: longest time from the last request byte to MLflow's response head"});
    schema.add("mlflow.write_timeout",
               config::duration(mlflow.write_timeout, 1ms, 1h),
               {.help = "Writes and artifacts: longest time from the last request byte to MLflow's response head"});
    schema.add("mlflow.idle_timeout",
               config::duration(mlflow.idle_timeout, 0s, 1h),
               {.help = "How long an unused connection to MLflow is kept; its server closes them after 5 s"});
    schema.add("mlflow.concurrency",
               config::number(mlflow.concurrency, 1U, 100'000U),
               {.help = "Most calls to MLflow at once; more wait in the queue"});
    schema.add("mlflow.min_concurrency",
               config::number(mlflow.min_concurrency, 1U, 100'000U),
               {.help = "How far that may adapt downwards while MLflow answers slowly; no less than mlflow.concurrency "
                        "fixes it"});
    schema.add("mlflow.queue",
               config::number(mlflow.queue, 0U, 100'000U),
               {.help = "Calls that may wait; more are refused with 503"});
    schema.add("mlflow.artifact_concurrency",
               config::number(mlflow.artifact_concurrency, 1U, 100'000U),
               {.help = "Artifact transfers at once"});
    schema.add("mlflow.max_idle_connections",
               config::number(mlflow.max_idle_connections, 0U, 100'000U),
               {.help = "Unused connections to MLflow each worker keeps"});
}

void describe_breaker(config::Schema& schema, BreakerSettings& breaker) {
    schema.add("breaker.enabled",
               config::boolean(breaker.is_enabled),
               {.environment = {"MLFLOW_CB_ENABLED"}, .help = "Whether MLflow's circuit breaker may open"});
    schema.add("breaker.failure_threshold",
               config::number(breaker.failure_threshold, 0U, 1'000'000U),
               {.environment = {"MLFLOW_CB_FAILURE_THRESHOLD"},
                .help = "Failures that open it; a success takes one off; 0 opens at the first failure"});
    schema.add("breaker.recovery_timeout",
               config::duration(breaker.recovery_timeout, 0s, 30 * 24h),
               {.environment = {"MLFLOW_CB_RECOVERY_TIMEOUT"},
                .help = "How long it stays open before a trial; 0 lets the next call be the trial"});
    schema.add("breaker.max_recovery_attempts",
               config::number(breaker.max_recovery_attempts, 0U, 1'000'000U),
               {.environment = {"MLFLOW_CB_MAX_RECOVERY_ATTEMPTS"},
                .help = "Failed trials after which status and metrics say so; it never gives up"});
    schema.add("breaker.early_trial",
               config::boolean(breaker.early_trial),
               {.help = "Whether two good probes in a row start the trial early"});
}

void describe_replica(config::Schema& schema, ReplicaSettings& replica) {
    schema.add(
        "replica.mode",
        config::one_of(replica.mode,
                       {{"auto", ReplicaMode::automatic}, {"on", ReplicaMode::on}, {"off", ReplicaMode::off}}),
        {.environment = {"HOKUSAI_REPLICA"},
         .help = "Whether a copy of MLflow's registry answers reads while MLflow does not: on, off or auto, which "
                 "is off with mlflow.forward_auth"});
    schema.add("replica.read_max_age",
               config::duration(replica.read_max_age, 0s, 24h),
               {.environment = {"HOKUSAI_READ_MAX_AGE"},
                .help = "Registry reads that were confirmed with MLflow within this time are answered from the copy; 0 "
                        "asks MLflow each time"});
    schema.add(
        "replica.sweep_interval",
        config::duration(replica.sweep_interval, 100ms, 24h),
        {.help = "Time between comparisons of the whole copy with MLflow, which find what was written elsewhere"});
}

void describe_offline(config::Schema& schema, OfflineSettings& offline) {
    schema.add("offline.writes",
               config::one_of(offline.accepts_writes, {{"refuse", false}, {"accept", true}}),
               {.help = "What becomes of writes of the registry, and of metrics, parameters, tags and updates of known "
                        "runs, while MLflow is away: refuse, or accept and deliver later; accept declares that all "
                        "writes pass here"});
    schema.add("offline.max_bytes",
               config::byte_size(offline.max_bytes, 1U << 20U, std::uint64_t{1} << 40U),
               {.help = "Most bytes of accepted writes that may wait for MLflow; more are refused with 503"});
    schema.add("offline.max_entries",
               config::number(offline.max_entries, std::uint64_t{1}, std::uint64_t{100'000'000}),
               {.help = "Most accepted writes that may wait for MLflow"});
}

void describe_artifacts(config::Schema& schema, ArtifactSettings& artifacts) {
    schema.add("artifacts.cache_size",
               config::byte_size(artifacts.cache_size, 0U, std::size_t{1} << 50U),
               {.environment = {"HOKUSAI_ARTIFACT_CACHE"},
                .help = "Room on the disk for artifacts of registered versions, which are handed out while MLflow does "
                        "not answer; 0 keeps none"});
}

void describe_health(config::Schema& schema, HealthSettings& health) {
    schema.add("health.interval",
               config::duration(health.interval, 10ms, 1h),
               {.help = "Time between probes of a dependency"});
    schema.add("health.fast_interval",
               config::duration(health.fast_interval, 10ms, 1h),
               {.help = "The same while a result differs from the state shown"});
    schema.add("health.deadline", config::duration(health.deadline, 1ms, 1h), {.help = "Longest time for a probe"});
    schema.add("health.down_after",
               config::number(health.down_after, 1U, 100U),
               {.help = "Failures in a row that make a dependency down; one refused connection is enough"});
    schema.add("health.up_after",
               config::number(health.up_after, 1U, 100U),
               {.help = "Successes in a row that make it up again"});
    schema.add("health.details_interval",
               config::duration(health.details_interval, 10ms, 24h),
               {.help = "Time between the extra checks shown by /api/health/mlflow/detailed"});
}

void describe_http(config::Schema& schema, HttpSettings& http) {
    schema.add("http.cors_origins",
               config::list(http.cors_origins, parse_origin),
               {.environment = {"CORS_ORIGINS"}, .help = "Origins whose pages may call us from a browser; * for any"});
    schema.add("http.trusted_proxies",
               config::list(http.trusted_proxies, config::parse_network),
               {.environment = {"HOKUSAI_TRUSTED_PROXIES"},
                .help = "Addresses and networks (CIDR) whose X-Forwarded-* headers are believed"});
}

void describe_log(config::Schema& schema, LogSettings& log) {
    using telemetry::LogFormat;
    using telemetry::LogLevel;
    schema.add("log.level",
               config::one_of(log.level,
                              {{"debug", LogLevel::debug},
                               {"info", LogLevel::info},
                               {"warn", LogLevel::warn},
                               {"error", LogLevel::error}}),
               {.help = "debug, info, warn or error"});
    schema.add(
        "log.format",
        config::one_of(log.format, {{"auto", std::nullopt}, {"text", LogFormat::text}, {"json", LogFormat::json}}),
        {.help = "text, json or auto: text on a terminal, json else"});
    schema.add("log.file", config::text(log.file), {.help = "File to append to; by default standard error"});
}

void describe_redis(config::Schema& schema, RedisSettings& redis) {
    constexpr std::string_view kHelp = "Not supported yet: accepted with a warning, Redis is shown as disabled";
    const auto about = [&](std::string variable) {
        return config::About{.environment = {std::move(variable)}, .help = std::string(kHelp)};
    };
    schema.add("redis.url", config::secret(redis.url), about("REDIS_URL"));
    schema.add("redis.host", config::text(redis.host), about("REDIS_HOST"));
    schema.add("redis.port", config::text(redis.port), about("REDIS_PORT"));
    schema.add("redis.auth_token", config::secret(redis.auth_token), about("REDIS_AUTH_TOKEN"));
    schema.add("redis.tls_enabled", config::text(redis.tls_enabled), about("REDIS_TLS_ENABLED"));
}

LoadedSettings load_once(const config::Sources& sources) {
    LoadedSettings result;
    result.settings.data_dir = default_data_dir(sources.environment, geteuid() == 0);
    result.loaded = config::load(describe(result.settings), sources);
    return result;
}

// MLFLOW_TRACKING_URI often points MLflow's client at us; it is then not where our own MLflow is.
bool tracks_itself(const LoadedSettings& result) {
    const ServiceSettings& settings = result.settings;
    return result.loaded.at("mlflow.urls").variable == "MLFLOW_TRACKING_URI" &&
           std::any_of(settings.mlflow.urls.begin(), settings.mlflow.urls.end(), [&](const config::HttpUrl& url) {
               return names_own_address(url, settings.server.listen);
           });
}

}  // namespace

config::Schema describe(ServiceSettings& settings) {
    config::Schema schema;
    describe_general(schema, settings);
    describe_server(schema, settings.server);
    describe_auth(schema, settings.auth);
    describe_mlflow_peer(schema, settings.mlflow);
    describe_mlflow_limits(schema, settings.mlflow);
    describe_breaker(schema, settings.breaker);
    describe_replica(schema, settings.replica);
    describe_offline(schema, settings.offline);
    describe_artifacts(schema, settings.artifacts);
    describe_health(schema, settings.health);
    describe_http(schema, settings.http);
    describe_log(schema, settings.log);
    describe_redis(schema, settings.redis);
    return schema;
}

LoadedSettings load_settings(config::Sources sources) {
    const auto file = sources.environment.find("HOKUSAI_CONFIG");
    if (!sources.file && file != sources.environment.end() && !file->second.empty()) {
        sources.file = file->second;
    }
    LoadedSettings result = load_once(sources);
    if (tracks_itself(result)) {
        sources.environment.erase("MLFLOW_TRACKING_URI");
        result = load_once(sources);
        result.loaded.warnings.emplace_back(
            "MLFLOW_TRACKING_URI names this server's own address and was ignored; set MLFLOW_SERVER_URL to where "
            "MLflow is");
    }
    const auto problems = broken_rules(result.settings, result.loaded);
    if (!problems.empty()) {
        throw base::ConfigError(fmt::format("{}", fmt::join(problems, "\n")));
    }
    if (auto warning = redis_warning(result.loaded)) {
        result.loaded.warnings.push_back(*std::move(warning));
    }
    return result;
}

std::string default_data_dir(const config::Environment& environment, bool is_root) {
    if (is_root) {
        return "/var/lib/hokusai";
    }
    const auto folder = [&](std::string_view variable, std::string_view below) -> std::string {
        const auto found = environment.find(variable);
        return found == environment.end() || found->second.empty() ? "" : fmt::format("{}/{}", found->second, below);
    };
    const std::string state = folder("XDG_STATE_HOME", "hokusai");
    return state.empty() ? folder("HOME", ".local/state/hokusai") : state;
}

std::filesystem::path database_path(const ServiceSettings& settings) {
    if (settings.database_url.is_empty()) {
        return std::filesystem::path(settings.data_dir) / "hokusai.db";
    }
    const std::string& url = settings.database_url.reveal();
    return "/" + url.substr(url.find_first_not_of('/', kSqliteScheme.size()));
}

}  // namespace apps
