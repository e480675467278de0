// The port to MLflow's registry as the replica reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/task.hpp"
#include "registry/entities.hpp"

namespace replica {

struct Page {
    std::string workspace;
    std::string filter{};
    std::string token{};  // empty: the first page
};

template <class Entity>
struct PageOf {
    std::vector<Entity> items;
    std::string next_token;  // empty: there is no further page
};

// Errors are MLflow's or the network's; what does not exist is nullopt. Lives on one worker.
class UpstreamReader {
public:
    virtual ~UpstreamReader() = default;

    virtual base::Task<base::Result<std::optional<registry::RegisteredModel>>> find_model(registry::ModelKey key) = 0;
    virtual base::Task<base::Result<std::optional<registry::ModelVersion>>> find_version(registry::ModelKey key,
                                                                                         std::int64_t version) = 0;
    virtual base::Task<base::Result<std::optional<std::string>>> find_download_uri(registry::ModelKey key,
                                                                                   std::int64_t version) = 0;

    // By name, and by version. Pages are cut by position, so what is deleted meanwhile makes later rows skip one.
    virtual base::Task<base::Result<PageOf<registry::RegisteredModel>>> list_models(Page page) = 0;
    virtual base::Task<base::Result<PageOf<registry::ModelVersion>>> list_versions(Page page) = 0;

    // Of MLflow's default workspace, which is the empty one, and of all others if it has them.
    virtual base::Task<base::Result<std::vector<std::string>>> list_workspaces() = 0;
};

// Finds the versions of one model; nothing for a name that MLflow's grammar has no way to write.
std::optional<std::string> filter_of_name(const std::string& name);

}  // namespace replica
