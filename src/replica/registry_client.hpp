// MLflow's registry, read over HTTP.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mlflow/upstream_client.hpp"
#include "net/blocking_pool.hpp"
#include "replica/upstream_reader.hpp"

#include <boost/json/object.hpp>

namespace replica {

class RegistryClient final : public UpstreamReader {
public:
    struct Settings {
        base::Duration patience = std::chrono::seconds(5);        // with a question about one thing
        base::Duration page_patience = std::chrono::seconds(30);  // with a page: MLflow's searches can be slow
        std::size_t page_size = 500;
    };

    using Get = std::function<base::Task<base::Result<mlflow::UpstreamAnswer>>(mlflow::UpstreamClient::Question)>;

    struct Deps {
        net::Worker& worker;
        net::BlockingPool& pool;  // takes large answers apart
        Get get;                  // UpstreamClient::get()
    };

    RegistryClient(Deps deps, Settings settings) : deps_(std::move(deps)), settings_(settings) {}

    base::Task<base::Result<std::optional<registry::RegisteredModel>>> find_model(registry::ModelKey key) override;
    base::Task<base::Result<std::optional<registry::ModelVersion>>> find_version(registry::ModelKey key,
                                                                                 std::int64_t version) override;
    base::Task<base::Result<std::optional<std::string>>> find_download_uri(registry::ModelKey key,
                                                                           std::int64_t version) override;
    base::Task<base::Result<PageOf<registry::RegisteredModel>>> list_models(Page page) override;
    base::Task<base::Result<PageOf<registry::ModelVersion>>> list_versions(Page page) override;
    base::Task<base::Result<std::vector<std::string>>> list_workspaces() override;

private:
    base::Task<base::Result<mlflow::UpstreamAnswer>> ask(std::string target,
                                                         std::string workspace,
                                                         base::Duration patience);

    const Deps deps_;
    const Settings settings_;
};

// The JSON object of a complete answer; nullopt when it says that there is no such thing. Otherwise permission_denied
// or invalid_argument when MLflow refused the question, data_loss for a garbled answer, unavailable for any other.
// Pure.
base::Result<std::optional<boost::json::object>> object_of(const mlflow::UpstreamAnswer& answer);

}  // namespace replica
