#include "idempotency_http/protected_call.hpp"
#include "idempotency_http/testing/guard_fixture.hpp"

namespace idempotency {
namespace {

using namespace std::chrono_literals;
using testing::Client;
using testing::Fate;
using testing::HttpAnswer;
using testing::kBody;
using testing::Stack;

class IdempotencyKeyTest : public testing::GuardFixture {};

TEST_F(IdempotencyKeyTest, a_key_gets_the_answer_on_record_for_a_day) {
    const HttpAnswer first = create_with_key("k");
    EXPECT_EQ(first.field("Idempotency-Replayed"), "-");
    change([](Stack& stack) { stack.restart(); });
    server_.clock.advance(23h);
    const HttpAnswer again = create_with_key("k");
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.field("Idempotency-Replayed"), "true");
    EXPECT_EQ(version_in(create_with_key("other")), "2");
    server_.clock.advance(2h);
    EXPECT_EQ(version_in(create_with_key("k")), "3");
}

TEST_F(IdempotencyKeyTest, a_key_is_free_for_whoever_has_the_answer) {
    const std::string tag = R"({"name": "m", "key": "a", "value": "b"})";
    const std::string key = "Idempotency-Key: k\r\n";
    create();
    change([](Stack& stack) { stack.lingers = true; });
    EXPECT_EQ(ask("POST", "registered-models/set-tag", tag, key).status, 200U);
    const Client first = std::exchange(client_, Client(server_.endpoint));
    EXPECT_EQ(ask("POST", "registered-models/set-tag", tag, key).field("Idempotency-Replayed"), "true");
    change([](Stack& stack) { stack.lingers = false; });
}

TEST_F(IdempotencyKeyTest, a_key_is_for_one_request) {
    create_with_key("k");
    const HttpAnswer refused = create_with_key("k", R"({"name": "m", "source": "s3://b/other"})");
    EXPECT_EQ(refused.status, 422U);
    EXPECT_NE(refused.body.find("INVALID_PARAMETER_VALUE"), std::string::npos);
}

TEST_F(IdempotencyKeyTest, refuses_what_is_no_key) {
    for (const std::string& fields : {std::string("Idempotency-Key: a\r\nIdempotency-Key: b\r\n"),
                                      std::string("Idempotency-Key:\r\n"),
                                      "Idempotency-Key: " + std::string(256, 'k') + "\r\n"}) {
        EXPECT_EQ(create(kBody, fields).status, 400U);
        client_ = Client(server_.endpoint);
    }
}

TEST_F(IdempotencyKeyTest, a_keyed_call_of_unknown_outcome_is_not_forwarded_again) {
    const std::string tag = R"({"name": "m", "key": "a", "value": "b"})";
    const std::string key = "Idempotency-Key: k\r\n";
    let(Fate::lost);
    EXPECT_EQ(ask("POST", "registered-models/set-tag", tag, key).status, 504U);
    const int forwarded = stack_->forwarded;
    EXPECT_EQ(ask("POST", "registered-models/set-tag", tag, key).status, 504U);
    EXPECT_EQ(stack_->forwarded, forwarded);
}

TEST_F(IdempotencyKeyTest, a_keyed_create_is_found_like_any_other) {
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    EXPECT_EQ(create_with_key("k").status, 504U);
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    EXPECT_EQ(version_in(create_with_key("k")), "1");
    EXPECT_EQ(versions(), 1U);
}

TEST_F(IdempotencyKeyTest, large_changes_pass_without_protection) {
    EXPECT_EQ(ask("POST", "model-versions/create", R"({"source": "s3://b/x"})").status, 400U);
    const HttpAnswer answer = ask("POST",
                                  "registered-models/set-tag",
                                  R"({"name": "m", "key": "a", "value": ")" + std::string(70'000, 'v') + R"("})",
                                  "Idempotency-Key: k\r\n");
    EXPECT_EQ(answer.status, 200U);
    keep();
    EXPECT_EQ(journal_.size(), 0U);
}

}  // namespace
}  // namespace idempotency
