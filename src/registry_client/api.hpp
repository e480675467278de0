// The port to a server that speaks MLflow's registry API.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

#include <boost/json/object.hpp>

namespace registry_client {

class Api {
public:
    virtual ~Api() = default;

    struct Call {
        std::string_view method;
        std::string_view path;  // below the server's root
        std::string workspace{};
        boost::json::object arguments{};              // GET: in the query; a list is its key repeated
        std::optional<std::int64_t> rollback_from{};  // of a hokusai only: see registry_http/read_call.hpp
    };

    // The object it answered. What it says of the call is invalid_argument, missing_resource, already_exists or
    // conflict; any other error is trouble with the server. Blocks.
    virtual base::Result<boost::json::object> call(const Call& call) = 0;
};

// `arguments` as a query, without '?'.
std::string to_query(const boost::json::object& arguments);

}  // namespace registry_client
