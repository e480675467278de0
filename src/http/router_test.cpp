#include "http/router.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "http/testing/test_server.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

using testing::Answer;
using testing::Client;
using testing::TestServer;

// Lets in who shows "X-Key: <scope>", and names the caller to the handler; who shows "X-Slow-Key" has to wait for it.
class KeyIsScope final : public AccessControl {
public:
    bool try_authorize(Exchange& exchange, std::string_view scope) override {
        return admits(exchange, scope, "x-key");
    }

    base::Task<std::optional<Response>> authorize(Exchange& exchange, std::string_view scope) override {
        ++asked;
        if (admits(exchange, scope, "x-slow-key")) {
            co_return std::nullopt;
        }
        co_return detail_response(401, "needs " + std::string(scope));
    }

    std::atomic<int> asked = 0;

private:
    static bool admits(Exchange& exchange, std::string_view scope, std::string_view field) {
        const bool is_admitted = exchange.request().fields.find(field) == scope;
        if (is_admitted) {
            exchange.caller.key_id = scope;
        }
        return is_admitted;
    }
};

Route::Answer say(const std::string& text) {
    return [text](Exchange& exchange) {
        exchange.answer(
            {.status = 200,
             .content_type = "text/plain",
             .body = text + " " + std::string(exchange.request().path) + " " + std::string(exchange.caller.key_id),
             .headers = {}});
    };
}

base::Task<> answer_later(Exchange& exchange) {
    say("later")(exchange);
    co_return;
}

std::string_view read_or_write(const RequestHead& request) {
    return request.method == Method::get || request.method == Method::head ? "read" : "write";
}

Route route(std::string path, std::string_view name) {
    Route made;
    made.path = std::move(path);
    made.name = name;
    made.answer = say(std::string(name));
    return made;
}

std::vector<Route> routes_under_test() {
    std::vector<Route> routes;
    routes.push_back(route("/", "root"));
    routes.push_back(route("/health", "health"));
    routes.back().is_health = true;
    routes.back().methods = {Method::get};
    routes.push_back(route("/mlflow", "mlflow"));
    routes.back().is_prefix = true;
    routes.push_back(route("/mlflow/api", "api"));
    routes.back().is_prefix = true;
    routes.push_back(route("/mlflow/exact", "exact"));
    routes.push_back(route("/files/", "files"));
    routes.back().is_prefix = true;
    routes.push_back(route("/models", "list"));
    routes.back().methods = {Method::get};
    routes.push_back(route("/models", "create"));
    routes.back().methods = {Method::post};
    routes.push_back(route("/tree", "tree"));
    routes.back().is_prefix = true;
    routes.back().methods = {Method::get, Method::delete_};
    routes.push_back(route("/guarded", "guarded"));
    routes.back().scope = read_or_write;
    routes.push_back(route("/later", "later"));
    routes.back().answer = nullptr;
    routes.back().handle = answer_later;
    routes.push_back(route("/guarded-later", "guarded-later"));
    routes.back().scope = [](const RequestHead&) { return std::string_view("admin"); };
    routes.back().answer = nullptr;
    routes.back().handle = answer_later;
    routes.push_back(route("/known-or-later", "known"));
    routes.back().scope = [](const RequestHead&) { return std::string_view("admin"); };
    routes.back().answer = nullptr;
    routes.back().try_answer = [](Exchange& exchange) {
        const bool is_known = exchange.request().query == "known";
        if (is_known) {
            say("known")(exchange);
        }
        return is_known;
    };
    routes.back().handle = answer_later;
    return routes;
}

class RouterTest : public ::testing::Test {
protected:
    std::string body_of(const std::string& path) {
        return client_.get(path).body;
    }

    Answer ask(const std::string& request_line, const std::string& fields = "") {
        client_.ask(request_line, fields);
        return client_.read(!request_line.starts_with("HEAD"));
    }

    KeyIsScope access_;
    TestServer server_{[this](net::Worker&) {
        return std::make_unique<Router>(Router::Deps{access_, server_.metrics, {"https://ui.example"}},
                                        routes_under_test());
    }};
    Client client_{server_.endpoint};
};

TEST_F(RouterTest, matches_whole_paths) {
    EXPECT_EQ(body_of("/health"), "health /health ");
    EXPECT_EQ(body_of("/"), "root / ");
    EXPECT_EQ(body_of("/health?verbose=1"), "health /health ");
    for (const char* path : {"/healthx", "/health/", "/healt", "/HEALTH", "/nothing", "/health%20"}) {
        const Answer answer = client_.get(path);
        EXPECT_EQ(answer.status, 404U) << path;
        EXPECT_EQ(answer.body, R"({"detail":"Not Found"})");
    }
}

TEST_F(RouterTest, matches_prefixes_at_a_slash_only) {
    EXPECT_EQ(body_of("/mlflow"), "mlflow /mlflow ");
    EXPECT_EQ(body_of("/mlflow/"), "mlflow /mlflow/ ");
    EXPECT_EQ(body_of("/mlflow/a/b"), "mlflow /mlflow/a/b ");
    EXPECT_EQ(body_of("/mlflow?a"), "mlflow /mlflow ");
    EXPECT_EQ(client_.get("/mlflowx").status, 404U);
    EXPECT_EQ(client_.get("/mlflow-x/a").status, 404U);
    EXPECT_EQ(client_.get("/mlflow%2Fa").status, 404U);
    EXPECT_EQ(body_of("/files/a"), "files /files/a ");
    EXPECT_EQ(body_of("/files/"), "files /files/ ");
    EXPECT_EQ(client_.get("/files").status, 404U);
}

TEST_F(RouterTest, prefers_the_exact_route_and_then_the_longest_prefix) {
    EXPECT_EQ(body_of("/mlflow/exact"), "exact /mlflow/exact ");
    EXPECT_EQ(body_of("/mlflow/exact/below"), "mlflow /mlflow/exact/below ");
    EXPECT_EQ(body_of("/mlflow/api/x"), "api /mlflow/api/x ");
    EXPECT_EQ(body_of("/mlflow/apix"), "mlflow /mlflow/apix ");
}

TEST_F(RouterTest, chooses_among_routes_of_one_path_by_method) {
    EXPECT_EQ(ask("GET /models").body, "list /models ");
    EXPECT_EQ(ask("POST /models").body, "create /models ");
}

TEST_F(RouterTest, refuses_other_methods_and_names_those_allowed) {
    const Answer answer = ask("DELETE /models");
    EXPECT_EQ(answer.status, 405U);
    EXPECT_EQ(answer.body, R"({"detail":"Method Not Allowed"})");
    EXPECT_EQ(answer.field("Allow"), "GET, HEAD, POST");

    EXPECT_EQ(ask("POST /health").field("Allow"), "GET, HEAD");
    EXPECT_EQ(ask("PUT /tree/a").field("Allow"), "GET, HEAD, DELETE");
    EXPECT_EQ(ask("BREW /health").status, 405U);
    EXPECT_EQ(ask("OPTIONS /health").status, 405U);
    EXPECT_EQ(ask("BREW /mlflow/pot").status, 200U) << "a route without methods takes them all";
}

TEST_F(RouterTest, answers_head_where_get_is_allowed) {
    const Answer answer = ask("HEAD /health");

    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.field("Content-Length"), std::to_string(std::string("health /health ").size()));
    EXPECT_EQ(client_.get("/health").status, 200U);
}

TEST_F(RouterTest, runs_handlers_that_wait) {
    EXPECT_EQ(body_of("/later"), "later /later ");
}

TEST_F(RouterTest, asks_access_control_about_the_scope_of_the_request) {
    EXPECT_EQ(ask("GET /guarded").body, R"({"detail":"needs read"})");
    EXPECT_EQ(ask("GET /guarded", "X-Key: read\r\n").body, "guarded /guarded read");
    EXPECT_EQ(ask("POST /guarded", "X-Key: read\r\n").body, R"({"detail":"needs write"})");
    EXPECT_EQ(ask("POST /guarded", "X-Key: write\r\n").body, "guarded /guarded write");
    EXPECT_EQ(ask("GET /guarded-later").status, 401U);
    EXPECT_EQ(ask("GET /guarded-later", "X-Key: admin\r\n").body, "later /guarded-later admin");
    EXPECT_EQ(ask("GET /later").body, "later /later ") << "the caller of one request is not the caller of the next";
}

TEST_F(RouterTest, waits_for_access_control_only_when_it_cannot_say_at_once) {
    EXPECT_EQ(ask("GET /guarded-later", "X-Key: admin\r\n").body, "later /guarded-later admin");
    EXPECT_EQ(access_.asked, 0);
    EXPECT_EQ(ask("GET /guarded-later", "X-Slow-Key: admin\r\n").body, "later /guarded-later admin");
    EXPECT_EQ(access_.asked, 1);
    EXPECT_EQ(ask("GET /guarded-later").status, 401U) << "what one request may do is not what the next may do";
}

TEST_F(RouterTest, answers_at_once_what_a_route_can_and_an_authorized_caller_asks) {
    EXPECT_EQ(ask("GET /known-or-later?known", "X-Key: admin\r\n").body, "known /known-or-later admin");
    EXPECT_EQ(ask("GET /known-or-later?other", "X-Key: admin\r\n").body, "later /known-or-later admin");
    EXPECT_EQ(ask("GET /known-or-later?known", "X-Slow-Key: admin\r\n").body, "later /known-or-later admin");
    EXPECT_EQ(ask("GET /known-or-later?known", "X-Key: read\r\n").status, 401U);
}

TEST_F(RouterTest, answers_preflights_before_looking_at_routes_and_keys) {
    const std::string asks_for_post = "Access-Control-Request-Method: POST\r\n";
    const Answer listed = ask("OPTIONS /guarded", "Origin: https://ui.example\r\n" + asks_for_post);
    EXPECT_EQ(listed.status, 204U);
    EXPECT_EQ(listed.field("Access-Control-Allow-Origin"), "https://ui.example");

    const Answer foreign = ask("OPTIONS /guarded", "Origin: https://evil.example\r\n" + asks_for_post);
    EXPECT_EQ(foreign.status, 403U);
    EXPECT_EQ(foreign.field("Access-Control-Allow-Origin"), "-");

    EXPECT_EQ(ask("OPTIONS /guarded", "Origin: https://ui.example\r\n").status, 401U) << "no preflight, a request";
}

TEST_F(RouterTest, lets_pages_of_listed_origins_read_every_answer) {
    for (const char* path : {"/health", "/later", "/nothing", "/guarded"}) {
        const Answer answer = client_.get(path, "Origin: https://ui.example\r\n");
        EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "https://ui.example") << path;
        EXPECT_EQ(answer.field("Access-Control-Allow-Credentials"), "true") << path;
        EXPECT_EQ(answer.field("Vary"), "Origin") << path;
    }
    EXPECT_EQ(client_.get("/health").field("Access-Control-Allow-Origin"), "-") << "only when a page asks";
    EXPECT_EQ(client_.get("/health", "Origin: http://test\r\n").field("Access-Control-Allow-Origin"), "-");
}

TEST_F(RouterTest, lets_no_page_of_a_foreign_origin_change_anything) {
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "BREW"}) {
        const Answer answer = ask(std::string(method) + " /mlflow/a", "Origin: https://evil.example\r\n");
        EXPECT_EQ(answer.status, 403U) << method;
        EXPECT_NE(answer.body.find("CORS_ORIGINS"), std::string::npos);
        EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "-");
    }
    EXPECT_EQ(ask("POST /mlflow/a", "Origin: null\r\n").status, 403U);
    EXPECT_EQ(ask("GET /mlflow/a", "Origin: https://evil.example\r\n").status, 200U);
    EXPECT_EQ(ask("POST /mlflow/a", "Origin: https://ui.example\r\n").status, 200U);
    EXPECT_EQ(ask("POST /mlflow/a", "Origin: http://test\r\n").status, 200U);
    EXPECT_EQ(ask("POST /mlflow/a").status, 200U) << "programs send no origin";
}

TEST_F(RouterTest, counts_requests_by_route_and_status_class) {
    client_.get("/health");
    client_.get("/health");
    ask("GET /guarded");
    ask("POST /health");
    client_.get("/nothing");
    server_.settle();

    const std::string metrics = server_.metrics.render();
    const auto count_of = [&metrics](const std::string& route_name, const std::string& status) {
        const std::string series =
            "hokusai_http_requests_total{route=\"" + route_name + "\",status=\"" + status + "\"} ";
        const std::size_t found = metrics.find(series);
        return found == std::string::npos ? "-" : metrics.substr(found + series.size(), 2);
    };
    EXPECT_EQ(count_of("health", "2xx"), "2\n");
    EXPECT_EQ(count_of("guarded", "4xx"), "1\n");
    EXPECT_EQ(count_of("unmatched", "4xx"), "2\n");
    EXPECT_EQ(count_of("mlflow", "2xx"), "0\n");
    EXPECT_NE(metrics.find("hokusai_http_request_duration_seconds_count{route=\"health\"} 2\n"), std::string::npos);
}

}  // namespace
}  // namespace http
