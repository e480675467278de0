// The port to MLflow's REST API, as the caller of one request sees it.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/task.hpp"

namespace models {

struct ApiCall {
    std::string_view method{"GET"};  // static storage
    std::string target;              // path and query, from /api/ on
    std::string body{};              // JSON
};

struct ApiAnswer {
    unsigned status = 0;
    std::string body;
    std::string retry_after{};  // the field; empty: none
    bool is_copy = false;       // not MLflow's own: of the replica, the cache, or the journal
    unsigned age = 0;           // of a copy, in seconds
};

// Lives on one worker; one call at a time.
class MlflowApi {
public:
    virtual ~MlflowApi() = default;

    // cancelled: whoever asked has gone. deadline_exceeded: no answer came. Then, and after any other error, the call
    // may have been carried out.
    virtual base::Task<base::Result<ApiAnswer>> call(ApiCall call) = 0;

    // Ends what is being asked with Code::cancelled; nothing more is asked.
    virtual void abort() = 0;

    // Whether a call can be expected to be answered; there is no point in writing otherwise.
    [[nodiscard]] virtual bool is_reachable() const = 0;

    // Whether there are runs: an MLflow server, and not only a registry of our own.
    [[nodiscard]] virtual bool has_runs() const = 0;
};

}  // namespace models
