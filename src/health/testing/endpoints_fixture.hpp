// Asks the health endpoints about a snapshot that a test breaks as it likes.
#pragma once

#include <string_view>

#include "base/testing/manual_clock.hpp"
#include "health/endpoints.hpp"
#include "health/testing/sample_snapshot.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace health::testing {

inline std::optional<Endpoint> find_endpoint(std::string_view path) {
    const auto found = std::ranges::find(endpoint_paths(), path, &EndpointPath::path);
    return found == endpoint_paths().end() ? std::nullopt : std::optional(found->endpoint);
}

inline http::RequestHead get(std::string_view path, std::string_view query = "", std::string_view accept = "") {
    http::RequestHead request;
    request.method = http::Method::get;
    request.path = path;
    request.query = query;
    if (!accept.empty()) {
        request.fields.add("Accept", accept);
    }
    return request;
}

class EndpointsFixture : public ::testing::Test {
protected:
    http::Response ask(std::string_view path, std::string_view query = "", std::string_view accept = "") {
        const View view{.snapshot = snapshot,
                        .identity = identity,
                        .phase = phase,
                        .now = clock.now(),
                        .wall_now = clock.wall_now()};
        return answer(find_endpoint(path).value(), view, get(path, query, accept));
    }

    boost::json::object body(std::string_view path, std::string_view query = "", std::string_view accept = "") {
        return boost::json::parse(ask(path, query, accept).body).as_object();
    }

    unsigned status(std::string_view path) {
        return ask(path).status;
    }

    boost::json::object ready_item(std::string_view name) {
        for (const boost::json::value& item : body("/ready").at("checks").as_array()) {
            if (item.at("name").as_string() == name) {
                return item.as_object();
            }
        }
        return {};
    }

    void open_breaker() {
        testing::open_breaker(snapshot.mlflow.front(), clock.now());
    }

    base::testing::ManualClock clock;
    Snapshot snapshot = healthy_snapshot(clock.now());
    Identity identity = sample_identity(clock.now());
    Phase phase = Phase::serving;
};

}  // namespace health::testing
