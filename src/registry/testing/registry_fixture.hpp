// A registry over a store in memory, spoken to as MLflow's clients do.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/testing/manual_clock.hpp"
#include "registry/json.hpp"
#include "registry/registry.hpp"
#include "registry/testing/memory_store.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace registry::testing {

class RegistryFixture : public ::testing::Test {
protected:
    static constexpr Timestamp kStart = 1'755'172'800'000;  // what the clock shows at first

    Call make_call(const std::string& method, const std::string& path) {
        const auto operation = find_operation(method, "/api/2.0/mlflow/" + path);
        EXPECT_TRUE(operation) << method << " " << path;
        Call call;
        call.operation = operation.value();
        call.method = method;
        call.workspace = workspace;
        call.content_type = "application/json";
        call.user = user;
        return call;
    }

    // The answer on one line; for an error its code and text.
    std::string send(const std::string& method, const std::string& path, const std::string& body) {
        Call call = make_call(method, path);
        call.body = body;
        return shown(call);
    }

    std::string post(const std::string& path, const std::string& body) {
        return send("POST", path, body);
    }

    std::string get(const std::string& path_and_query) {
        const std::size_t mark = std::min(path_and_query.find('?'), path_and_query.size());
        Call call = make_call("GET", path_and_query.substr(0, mark));
        call.query = path_and_query.substr(std::min(mark + 1, path_and_query.size()));
        return shown(call);
    }

    std::string shown(const Call& call) {
        const auto answer = registry.answer(call);
        if (!answer) {
            return std::string(base::mlflow_error_code(answer.error().code)) + ": " + answer.error().message;
        }
        return boost::json::serialize(*answer);
    }

    // The value at a JSON pointer of an answer.
    static boost::json::value at(const std::string& answer, std::string_view pointer) {
        boost::json::error_code error;
        const boost::json::value parsed = boost::json::parse(answer, error);
        EXPECT_FALSE(error) << answer;
        const boost::json::value* found = parsed.find_pointer(pointer, error);
        EXPECT_NE(found, nullptr) << pointer << " of " << answer;
        return found == nullptr ? boost::json::value() : *found;
    }

    static bool has(const std::string& answer, std::string_view pointer) {
        boost::json::error_code error;
        const boost::json::value parsed = boost::json::parse(answer, error);
        return parsed.find_pointer(pointer, error) != nullptr;
    }

    void pass(std::chrono::milliseconds time) {
        clock.advance(time);
    }

    void create_model(const std::string& name) {
        EXPECT_TRUE(has(post("registered-models/create", R"({"name": ")" + name + "\"}"), "/registered_model"));
    }

    void create_versions(const std::string& name, int count) {
        for (int i = 0; i < count; ++i) {
            const std::string body = R"({"name": ")" + name + R"(", "source": "s3://b/x", "run_id": "r"})";
            EXPECT_TRUE(has(post("model-versions/create", body), "/model_version"));
        }
    }

    std::string workspace;
    std::string user;
    base::testing::ManualClock clock;
    MemoryStore store;
    Registry registry{store, clock};
};

}  // namespace registry::testing
