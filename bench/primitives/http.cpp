#include <memory>
#include <stdexcept>
#include <string>

#include "auth/credentials.hpp"
#include "benchmarks.hpp"
#include "http/message_parser.hpp"
#include "mlflow/rewrite.hpp"
#include "mlflow/routes.hpp"

namespace primitives {

namespace {

constexpr std::size_t kSome = 100'000;

// A serving fleet's look-up: ten fields, 480 bytes.
constexpr std::string_view kRequest =
    "GET /api/2.0/mlflow/registered-models/get?name=fraud-detector-0001 HTTP/1.1\r\n"
    "Host: 127.0.0.1:8000\r\n"
    "User-Agent: mlflow-python-client/3.17.2 (Linux; Python 3.11.2)\r\n"
    "Accept: */*\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Connection: keep-alive\r\n"
    "Authorization: Bearer hk_live_abcdefghijklmnopqrstuvwxyz0123456789ABCD\r\n"
    "X-MLflow-Client-Version: 3.17.2\r\n"
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
    "X-Client-Region: eu-central-1\r\n"
    "X-Client-Pod: serving-7d9c6b9c55-x2x7k\r\n"
    "\r\n";

constexpr std::string_view kAnswerHead =
    "HTTP/1.1 200 OK\r\n"
    "Server: nginx\r\n"
    "Date: Thu, 14 Aug 2025 12:00:00 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 300\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

std::string answer() {
    return std::string(kAnswerHead).append(300, 'x');
}

mlflow::RewriteRules rewrite_rules() {
    mlflow::RewriteRules rules;
    rules.host = "127.0.0.1:5000";
    rules.via_name = "hokusai-1";
    return rules;
}

// One whole message, from start() to its end.
template <class Parser>
void parse_message(Parser& parser, std::string_view bytes) {
    for (;;) {
        const base::Result<http::ParseStep> step = parser.parse(bytes);
        if (!step || step->event == http::ParseStep::Event::need_more) {
            throw std::logic_error("the message is not whole");
        }
        if (step->event == http::ParseStep::Event::end) {
            return;
        }
        bytes.remove_prefix(step->consumed);
    }
}

std::shared_ptr<http::RequestParser> request_parser() {
    auto parser = std::make_shared<http::RequestParser>(http::ParserLimits{});
    parser->start();
    parse_message(*parser, kRequest);
    return parser;
}

std::shared_ptr<http::ResponseParser> answer_parser() {
    auto parser = std::make_shared<http::ResponseParser>(http::ParserLimits{});
    parser->start(http::Method::get);
    parse_message(*parser, answer());
    return parser;
}

auto rewrite_request() {
    return [parser = request_parser(), rules = rewrite_rules(), out = std::string()]() mutable {
        const http::RequestHead& head = parser->head();
        mlflow::RequestFacts facts{.target = mlflow::to_upstream(head).target,
                                   .request_id = "0123456789abcdef",
                                   .traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                   .key_id = "00000000-0000-4000-8000-000000000000",
                                   .key_name = "serving",
                                   .peer_address = "127.0.0.1"};
        facts.is_authorization_ours = true;
        out.clear();
        mlflow::append_upstream_head(out, head, facts, rules);
        keep(out);
    };
}

auto rewrite_answer() {
    return [parser = answer_parser(), rules = rewrite_rules(), out = std::string()]() mutable {
        const mlflow::ResponseFacts facts{.request_id = "0123456789abcdef", .cors_fields = ""};
        out.clear();
        mlflow::append_client_head(out, parser->head(), facts, rules);
        keep(out);
    };
}

}  // namespace

std::vector<Benchmark> http_benchmarks() {
    std::vector<Benchmark> all;
    all.push_back(on_one_thread("http_request_parse", kSome, [parser = request_parser()] {
        parser->start();
        parse_message(*parser, kRequest);
    }));
    all.push_back(on_one_thread("http_response_parse", kSome, [parser = answer_parser(), bytes = answer()] {
        parser->start(http::Method::get);
        parse_message(*parser, bytes);
    }));
    all.push_back(on_one_thread("http_rewrite_request", kSome, rewrite_request()));
    all.push_back(on_one_thread("http_rewrite_response", kSome, rewrite_answer()));
    all.push_back(on_one_thread("http_find_key", kSome, [parser = request_parser(), storage = std::string()]() mutable {
        keep(auth::find_key(parser->head().fields, storage));
    }));
    all.push_back(on_one_thread("http_route_of_mlflow", kSome, [parser = request_parser()] {
        keep(mlflow::to_upstream(parser->head()));
        keep(mlflow::required_scope(parser->head()));
    }));
    all.push_back(on_one_thread("http_loop_check", kSome, [parser = request_parser()] {
        keep(mlflow::is_loop(parser->head().fields, "hokusai-1"));
    }));
    return all;
}

}  // namespace primitives
