#include "apps/mlflow_artifacts.hpp"

#include <cstddef>
#include <string>
#include <utility>

#include "apps/store.hpp"
#include "storage/sqlite_database.hpp"

namespace apps {

namespace {

constexpr std::size_t kThreads = 3;
constexpr std::size_t kMaxWaiting = 1024;
constexpr std::size_t kKeptConnections = 1;
constexpr const char* kAttempt =
    "cannot use the artifact cache (artifacts.db and artifacts/ in the data folder may be deleted)";

}  // namespace

class MlflowArtifacts::Source final : public artifacts::ArtifactSource {
public:
    Source(net::Worker& worker, mlflow::UpstreamClient& client, const mlflow::UpstreamSettings& settings)
        : worker_(worker), client_(client), settings_(settings) {}

    base::Task<base::Result<unsigned>> fetch(std::string target, Receiver& receiver) override {
        mlflow::UpstreamClient::Question question{
            .target = std::move(target), .max_body = 64UL * 1024, .limit = worker_.now() + settings_.write_timeout};
        const base::Result<mlflow::UpstreamAnswer> answer =
            co_await client_.receive(std::move(question), receiver, settings_.body_idle_timeout);
        co_return answer ? base::Result<unsigned>(answer->status) : std::unexpected(answer.error());
    }

private:
    net::Worker& worker_;
    mlflow::UpstreamClient& client_;
    const mlflow::UpstreamSettings& settings_;
};

bool wants_artifacts(const ServiceSettings& settings) {
    return settings.artifacts.cache_size > 0 && settings.mlflow.serve_artifacts && wants_replica(settings);
}

MlflowArtifacts::MlflowArtifacts(const Deps& deps)
    : files_(or_config_error(storage::ContentStore::open(storage::artifact_folder(deps.settings.data_dir)), kAttempt)),
      index_(or_config_error(storage::open_artifact_database(deps.settings.data_dir), kAttempt)),
      owners_(or_config_error(storage::SqliteDatabase::open(storage::replica_file(deps.settings.data_dir)), kAttempt)),
      pool_(kThreads, kMaxWaiting),
      cache_({files_,
              index_,
              [this](const std::string& path) { return owners_.has_owner(path); },
              deps.clock,
              deps.metrics},
             {.limit = static_cast<std::int64_t>(deps.settings.artifacts.cache_size)}),
      sleeper_(deps.control),
      client_(deps.control, deps.upstream, "hokusai-artifacts", deps.settings.mlflow.connect_timeout, kKeptConnections),
      source_(std::make_unique<Source>(deps.control, client_, deps.upstream.settings)),
      pace_(mlflow::pace_deps(deps.upstream, deps.clock, sleeper_)),
      keeper_({deps.control,
               pool_,
               cache_,
               *source_,
               pace_,
               [this] { return owners_.aliased_folders(); },
               [&replica = deps.replica] { return replica.revision(); }}) {
    or_config_error(cache_.open(), kAttempt);
}

MlflowArtifacts::~MlflowArtifacts() = default;

void MlflowArtifacts::start(net::Worker& control) {
    control.tasks().spawn("artifact_keeper", keeper_.run());
}

void MlflowArtifacts::stop() {
    keeper_.stop();
    sleeper_.wake_all();
    client_.stop();
}

artifacts::CachedArtifacts MlflowArtifacts::calls_of(net::Worker& worker, mlflow::Gateway& gateway, PassOn pass_on) {
    return artifacts::CachedArtifacts({worker,
                                       pool_,
                                       cache_,
                                       [&gateway](http::Exchange& exchange, mlflow::CallObserver& observer) {
                                           return gateway.handle(exchange, &observer);
                                       },
                                       std::move(pass_on)});
}

}  // namespace apps
