// A guard before a FakeMlflow, asked over HTTP, with a journal in memory.
#pragma once

#include <memory>
#include <string>

#include "http/testing/test_server.hpp"
#include "idempotency/testing/memory_journal.hpp"
#include "idempotency_http/protected_call.hpp"
#include "idempotency_http/testing/guard_stack.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace idempotency::testing {

using Client = http::testing::Client;
using HttpAnswer = http::testing::Answer;
using net::testing::call_on;

constexpr const char* kVersions = "model-versions/create";
constexpr const char* kBody = R"({"name": "m", "source": "s3://b/x"})";

class GuardFixture : public ::testing::Test {
protected:
    GuardFixture()
        : server_([this](net::Worker& worker) {
              stack_ = std::make_unique<Stack>(worker, server_.clock, journal_);
              return std::make_unique<http::testing::FunctionHandler>(http::testing::FunctionHandler::Functions{
                  {},
                  [this](http::Exchange& exchange) {
                      return is_protected(exchange.request()) ? stack_->process->guard.handle(exchange)
                                                              : stack_->forward(exchange, nullptr);
                  },
                  {}});
          }) {
        ask("POST", "registered-models/create", R"({"name": "m"})");
    }

    HttpAnswer ask(const std::string& method,
                   const std::string& path,
                   const std::string& body,
                   const std::string& fields = {}) {
        client_.ask_with_body(method + " /api/2.0/mlflow/" + path, body, "Content-Type: application/json\r\n" + fields);
        return client_.read();
    }

    HttpAnswer create(const std::string& body = kBody, const std::string& fields = {}) {
        return ask("POST", kVersions, body, fields);
    }

    HttpAnswer create_with_key(const std::string& key, const std::string& body = kBody) {
        return create(body, "Idempotency-Key: " + key + "\r\n");
    }

    template <class Change>
    void change(Change change) {
        call_on(server_.worker, [&] { change(*stack_); });
    }

    void let(Fate fate) {
        change([fate](Stack& stack) { stack.fate = fate; });
    }

    // Straight at MLflow.
    void elsewhere(const std::string& method, const std::string& path, const std::string& body) {
        change([&](Stack& stack) { stack.mlflow.answer(method, "/api/2.0/mlflow/" + path, body); });
    }

    void keep() {
        ask("GET", "registered-models/get?name=m", "");  // is read once the call before it is over
        net::testing::run_on(server_.worker, stack_->process->keeper.do_round());
    }

    std::size_t versions() {
        const replica::testing::FakeAnswer found = call_on(
            server_.worker, [&] { return stack_->mlflow.answer("GET", "/api/2.0/mlflow/model-versions/search"); });
        const boost::json::value parsed = boost::json::parse(found.body);
        const boost::json::value* const list = parsed.get_object().if_contains("model_versions");
        return list == nullptr ? 0 : list->get_array().size();
    }

    static std::string version_in(const HttpAnswer& answer) {
        return std::string(boost::json::parse(answer.body).at("model_version").at("version").get_string());
    }

    MemoryJournal journal_;
    std::unique_ptr<Stack> stack_;
    http::testing::TestServer server_;
    Client client_{server_.endpoint};
};

}  // namespace idempotency::testing
