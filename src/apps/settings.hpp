// The settings of the service: plain values, their names and rules, and the one way to load them.
// docs/configuration.md is the table users read; settings_test.cpp keeps it equal to describe().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "config/addresses.hpp"
#include "config/load.hpp"
#include "config/schema.hpp"
#include "telemetry/log.hpp"

namespace apps {

struct ServerSettings {
    config::HostPort listen{.host = "127.0.0.1", .port = 8000};
    std::uint32_t threads = 0;  // 0: one for each core
    std::uint32_t max_connections = 10'000;
    std::uint32_t health_reserved_connections = 64;  // on top of max_connections
    std::size_t max_header_bytes = std::size_t{64} << 10U;
    base::Duration header_timeout = std::chrono::seconds(10);
    base::Duration body_idle_timeout = std::chrono::seconds(60);
    base::Duration idle_timeout = std::chrono::seconds(75);   // of a kept connection between requests
    base::Duration drain_delay = std::chrono::seconds(5);     // not ready, still accepting
    base::Duration drain_timeout = std::chrono::seconds(18);  // for requests in flight, after drain_delay
};

enum class AuthMode { required, off };

struct AuthSettings {
    AuthMode mode = AuthMode::required;  // off only on a loopback address
    base::Secret bootstrap_admin_key;    // empty: none
};

struct MlflowSettings {
    std::vector<config::HttpUrl> urls;  // none: MLflow is disabled; more than one is refused
    base::Secret token;                 // sent as Bearer; not together with username
    std::string username;               // sent as Basic
    base::Secret password;
    std::string host;           // Host header; empty: the URL's own authority
    bool forward_auth = false;  // pass the caller's Authorization header on instead of ours
    std::string ca_file;        // PEM; empty: the system's
    std::string cert_file;      // PEM client certificate, together with key_file
    std::string key_file;
    bool serve_artifacts = true;
    base::Duration connect_timeout = std::chrono::seconds(2);
    base::Duration read_timeout = std::chrono::seconds(60);    // last request byte to response head, reads
    base::Duration write_timeout = std::chrono::seconds(110);  // the same for writes and artifacts
    base::Duration idle_timeout = std::chrono::seconds(3);     // of a kept connection; MLflow's server closes after 5 s
    std::uint32_t concurrency = 32;
    std::uint32_t min_concurrency = 4;  // the limit adapts between the two
    std::uint32_t queue = 256;
    std::uint32_t artifact_concurrency = 16;
    std::uint32_t max_idle_connections = 64;      // per worker
    std::vector<std::string> fallback_addresses;  // IP addresses, used when the name does not resolve
};

// Of the breaker in front of MLflow. Zero is allowed: threshold 0 opens at the first failure, timeout 0 lets the next
// call try.
struct BreakerSettings {
    bool is_enabled = true;
    std::uint32_t failure_threshold = 3;
    base::Duration recovery_timeout = std::chrono::seconds(30);
    std::uint32_t max_recovery_attempts = 3;
    bool early_trial = true;  // two good probes in a row start the trial before the timeout
};

enum class ReplicaMode { automatic, on, off };

// The copy of MLflow's registry that answers while MLflow does not.
struct ReplicaSettings {
    ReplicaMode mode = ReplicaMode::automatic;  // on, unless callers' own credentials are passed on to MLflow
    base::Duration read_max_age{0};             // reads confirmed within it do not ask MLflow; zero: all do
    base::Duration sweep_interval = std::chrono::minutes(1);
};

// Writes of runs while MLflow is away.
struct OfflineSettings {
    bool accepts_writes = false;
    std::uint64_t max_bytes = std::uint64_t{1} << 30U;  // of what waits for MLflow
    std::uint64_t max_entries = 1'000'000;
};

// The copies of artifacts that are handed out while MLflow can't.
struct ArtifactSettings {
    std::size_t cache_size = 0;  // bytes on the disk; 0: none are kept
};

struct HealthSettings {
    base::Duration interval = std::chrono::seconds(5);
    base::Duration fast_interval = std::chrono::seconds(1);  // while a result differs from the state shown
    base::Duration deadline = std::chrono::seconds(2);
    std::uint32_t down_after = 2;  // failures in a row other than a refused connection
    std::uint32_t up_after = 2;
    base::Duration details_interval = std::chrono::seconds(30);
};

struct HttpSettings {
    std::vector<std::string> cors_origins;     // "https://app.example" or "*"
    std::vector<std::string> trusted_proxies;  // addresses and CIDR networks
};

struct LogSettings {
    telemetry::LogLevel level = telemetry::LogLevel::info;
    std::optional<telemetry::LogFormat> format;  // none: text on a terminal, json else
    std::string file;                            // empty: standard error
};

// Accepted so that deployments which set them start, and shown as disabled. Text, because nothing interprets them:
// Kubernetes sets REDIS_PORT=tcp://... for a service called redis.
struct RedisSettings {
    base::Secret url;
    std::string host;
    std::string port;
    base::Secret auth_token;
    std::string tls_enabled;
};

struct ServiceSettings {
    std::string data_dir;
    base::Secret database_url;  // empty or sqlite:/ABSOLUTE/PATH
    std::string environment = "unknown";
    ServerSettings server;
    AuthSettings auth;
    MlflowSettings mlflow;
    BreakerSettings breaker;
    ReplicaSettings replica;
    OfflineSettings offline;
    ArtifactSettings artifacts;
    HealthSettings health;
    HttpSettings http;
    LogSettings log;
    RedisSettings redis;
};

// Names, sources, ranges and help of all settings, bound to `settings`, which must outlive the schema and stay where it
// is.
config::Schema describe(ServiceSettings& settings);

struct LoadedSettings {
    ServiceSettings settings;
    config::Loaded loaded;  // where each value came from, and warnings to log
};

// Loads and validates everything; HOKUSAI_CONFIG names the file where `sources.file` does not. MLFLOW_TRACKING_URI is
// ignored, with a warning, when it names our own listen address. Throws base::ConfigError, one problem per line. Reads
// files, no network.
LoadedSettings load_settings(config::Sources sources);

// /var/lib/hokusai for root, else $XDG_STATE_HOME/hokusai or $HOME/.local/state/hokusai; empty when neither is set.
std::string default_data_dir(const config::Environment& environment, bool is_root);

// The SQLite file: the one of database_url, else hokusai.db in the data folder.
std::filesystem::path database_path(const ServiceSettings& settings);

}  // namespace apps
