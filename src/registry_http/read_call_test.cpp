#include "registry_http/read_call.hpp"

#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "http/testing/test_server.hpp"

#include <gtest/gtest.h>

namespace registry_http {
namespace {

constexpr const char* kCreate = "/api/2.0/mlflow/registered-models/create";

// A server that reads a call of each request below /gateway and keeps it.
class ReadCallTest : public ::testing::Test {
protected:
    base::Task<> read(http::Exchange& exchange) {
        const std::string_view target = exchange.request().target.substr(std::string_view("/gateway").size());
        exchange.caller.key_name = "ci";
        operation_ = registry_operation(exchange.request(), target);
        if (operation_) {
            call_ = co_await read_call(exchange, *operation_, target);
        }
        exchange.answer({.status = 200, .content_type = "", .body = "", .headers = {}});
    }

    void ask(const std::string& request_line, const std::string& body = "", const std::string& fields = "") {
        operation_.reset();
        call_.reset();
        client_.ask_with_body(request_line, body, fields);
        client_.read(!request_line.starts_with("HEAD"));
    }

    std::optional<registry::Operation> operation_;
    std::optional<base::Result<registry::Call>> call_;
    http::testing::TestServer server_{
        {.try_answer = nullptr, .handle = [this](http::Exchange& exchange) { return read(exchange); }, .finished = {}}};
    http::testing::Client client_{server_.endpoint};
};

TEST_F(ReadCallTest, takes_all_of_a_call_from_the_request) {
    ask("POST /gateway/ajax-api/2.0/mlflow/registered-models/create?a=b&c=%20",
        R"({"name":"m"})",
        "Content-Type: application/json\r\nX-MLflow-Workspace:  team \r\n");

    ASSERT_TRUE(call_ && call_->has_value());
    const registry::Call& call = **call_;
    EXPECT_EQ(call.operation, registry::Operation::create_model);
    EXPECT_EQ(call.method, "POST");
    EXPECT_EQ(call.workspace, "team");
    EXPECT_EQ(call.query, "a=b&c=%20");
    EXPECT_EQ(call.content_type, "application/json");
    EXPECT_EQ(call.body, R"({"name":"m"})");
    EXPECT_EQ(call.user, "ci");
}

TEST_F(ReadCallTest, takes_what_is_absent_as_empty) {
    ask("DELETE /gateway/api/2.0/mlflow/registered-models/delete");

    ASSERT_TRUE(call_ && call_->has_value());
    const registry::Call& call = **call_;
    EXPECT_EQ(call.method, "DELETE");
    EXPECT_EQ(call.workspace + call.query + call.content_type + call.body, "");
}

TEST_F(ReadCallTest, counts_head_as_get) {
    ask("HEAD /gateway/api/2.0/mlflow/registered-models/get?name=m");

    ASSERT_TRUE(call_ && call_->has_value());
    EXPECT_EQ((*call_)->operation, registry::Operation::get_model);
    EXPECT_EQ((*call_)->method, "GET");
}

TEST_F(ReadCallTest, knows_which_requests_are_no_calls_of_the_registry) {
    for (const char* line : {"GET /gateway/api/2.0/mlflow/registered-models/create",
                             "POST /gateway/api/2.0/mlflow/registered-models/create/",
                             "POST /gateway/api/3.0/mlflow/registered-models/create",
                             "POST /gateway/registered-models/create",
                             "GET /gateway?/api/2.0/mlflow/registered-models/get"}) {
        ask(line);
        EXPECT_FALSE(operation_) << line;
    }
}

TEST_F(ReadCallTest, refuses_bodies_no_call_needs) {
    ask(std::string("POST /gateway") + kCreate, std::string((1024 * 1024) + 1, 'x'));

    ASSERT_TRUE(call_ && !call_->has_value());
    EXPECT_EQ(call_->error().code, base::Code::invalid_argument);
    EXPECT_EQ(call_->error().message,
              "The request body is larger than 1048576 bytes, more than a call to the model registry takes");
}

TEST_F(ReadCallTest, takes_the_largest_body_it_allows) {
    ask(std::string("POST /gateway") + kCreate, std::string(1024UL * 1024, 'x'));

    ASSERT_TRUE(call_ && call_->has_value());
    EXPECT_EQ((*call_)->body.size(), 1024UL * 1024);
}

TEST_F(ReadCallTest, refuses_a_body_that_stalls) {
    operation_.reset();
    client_.ask(std::string("POST /gateway") + kCreate, "Content-Length: 10\r\n");
    server_.advance_until_readable(client_, std::chrono::seconds(10));
    client_.read();

    ASSERT_TRUE(call_ && !call_->has_value());
    EXPECT_EQ(call_->error().code, base::Code::invalid_argument);
}

}  // namespace
}  // namespace registry_http
