#include "idempotency_http/resend_guard.hpp"

#include "idempotency_http/testing/guard_fixture.hpp"

namespace idempotency {
namespace {

using namespace std::chrono_literals;
using testing::Client;
using testing::Fate;
using testing::HttpAnswer;
using testing::kBody;
using testing::kVersions;
using testing::Stack;

class ResendGuardTest : public testing::GuardFixture {};

TEST_F(ResendGuardTest, a_create_after_a_delivered_answer_is_a_new_one) {
    EXPECT_EQ(version_in(create()), "1");
    EXPECT_EQ(version_in(create()), "2");
    keep();
    EXPECT_EQ(journal_.size(), 0U);
}

TEST_F(ResendGuardTest, a_repeat_by_a_client_that_left_before_its_answer_gets_it) {
    create();
    Client leaving(server_.endpoint);
    change([&](Stack& stack) { stack.on_forward = [&] { leaving.socket.close(); }; });
    leaving.ask_with_body("POST /api/2.0/mlflow/model-versions/create", kBody, "Content-Type: application/json\r\n");
    while (versions() < 2) {
        // it is on its way
    }
    change([](Stack& stack) { stack.on_forward = {}; });
    client_.ask_with_body("POST /api/2.0/mlflow/model-versions/create", kBody, "Content-Type: application/json\r\n");
    server_.advance_until_readable(client_, 10ms);
    const HttpAnswer repeated = client_.read();
    EXPECT_EQ(version_in(repeated), "2");
    EXPECT_EQ(repeated.field("Idempotency-Replayed"), "true");
    EXPECT_EQ(version_in(create()), "3");
}

TEST_F(ResendGuardTest, an_answer_lost_on_the_way_here_is_found_while_the_client_waits) {
    create();
    let(Fate::lost);
    const HttpAnswer found = create();
    EXPECT_EQ(found.status, 200U);
    EXPECT_EQ(version_in(found), "2");
    EXPECT_EQ(version_in(create()), "3");
}

TEST_F(ResendGuardTest, a_repeat_of_a_create_whose_answer_was_lost_gets_its_answer) {
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    EXPECT_EQ(create().status, 504U);
    EXPECT_EQ(create().status, 503U);
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    const HttpAnswer repeated = create();
    EXPECT_EQ(version_in(repeated), "1");
    EXPECT_EQ(repeated.field("Idempotency-Replayed"), "true");
    EXPECT_EQ(version_in(create()), "2");
}

TEST_F(ResendGuardTest, nothing_is_forwarded_before_an_earlier_create_of_the_model_is_settled) {
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    create();
    const int forwarded = stack_->forwarded;
    EXPECT_EQ(create(R"({"name": "m", "source": "s3://b/other"})").status, 503U);
    EXPECT_EQ(stack_->forwarded, forwarded);
    EXPECT_NE(create(R"({"name": "another", "source": "s3://b/other"})").field("Retry-After"), "-");
    EXPECT_EQ(stack_->forwarded, forwarded);

    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    EXPECT_EQ(version_in(create(R"({"name": "m", "source": "s3://b/other"})")), "2");
    EXPECT_EQ(version_in(create()), "1");
}

TEST_F(ResendGuardTest, a_create_is_passed_on_unasked_where_somebody_stands_in_for_a_registry_that_is_away) {
    keep();
    change([](Stack& stack) {
        stack.mlflow.is_down = true;
        stack.restart();
    });
    const int forwarded = stack_->forwarded;
    let(Fate::refused);
    EXPECT_EQ(create().status, 503U);
    EXPECT_EQ(stack_->forwarded, forwarded);
    change([](Stack& stack) {
        stack.has_stand_in = true;
        stack.restart();
    });
    let(Fate::refused);
    EXPECT_EQ(create().status, 503U);
    EXPECT_EQ(stack_->forwarded, forwarded + 1);
}

TEST_F(ResendGuardTest, what_was_not_carried_out_is_forwarded_again_once_that_is_believed) {
    let(Fate::hung);
    EXPECT_EQ(create().status, 504U);
    EXPECT_EQ(versions(), 0U);
    const HttpAnswer repeated = create();
    EXPECT_EQ(version_in(repeated), "1");
    EXPECT_EQ(repeated.field("Idempotency-Replayed"), "-");
    EXPECT_EQ(versions(), 1U);
}

TEST_F(ResendGuardTest, what_mlflow_carries_out_late_is_no_second_version) {
    let(Fate::hung);
    EXPECT_EQ(create().status, 504U);
    int pauses = 0;
    change([&](Stack& stack) {
        stack.on_pause = [&] {
            if (++pauses == 3) {
                stack.mlflow.answer("POST", "/api/2.0/mlflow/model-versions/create", kBody);
            }
        };
    });
    const HttpAnswer repeated = create();
    EXPECT_EQ(repeated.field("Idempotency-Replayed"), "true");
    EXPECT_EQ(versions(), 1U);
}

TEST_F(ResendGuardTest, what_was_refused_before_it_was_sent_is_forgotten) {
    let(Fate::refused);
    EXPECT_EQ(create().status, 503U);
    EXPECT_EQ(version_in(create()), "1");
    keep();
    EXPECT_EQ(journal_.size(), 0U);
}

TEST_F(ResendGuardTest, what_nobody_can_look_up_is_not_forwarded_again_for_150_seconds) {
    keep();
    change([](Stack& stack) {
        stack.restart();
        stack.can_ask = false;
    });
    let(Fate::lost);
    EXPECT_EQ(create().status, 504U);
    EXPECT_EQ(create().status, 504U);
    EXPECT_EQ(version_in(create(R"({"name": "m", "source": "s3://b/other"})")), "2");
    EXPECT_EQ(versions(), 2U);
    server_.clock.advance(151s);
    EXPECT_EQ(version_in(create()), "3");
}

TEST_F(ResendGuardTest, what_mlflow_refuses_is_refused_by_mlflow) {
    const HttpAnswer refused = ask("POST", "registered-models/create", R"({"name": "a/b"})");
    EXPECT_EQ(refused.status, 400U);
    EXPECT_NE(refused.body.find("INVALID_PARAMETER_VALUE"), std::string::npos);
    EXPECT_EQ(create(R"({"name": "unknown", "source": "s3://b/x"})").status, 404U);
}

TEST_F(ResendGuardTest, versions_made_elsewhere_are_not_taken_for_ours) {
    create();
    elsewhere("POST", kVersions, R"({"name": "m", "source": "s3://b/ours"})");
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    create(R"({"name": "m", "source": "s3://b/ours", "description": "ours"})");
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    elsewhere("POST", kVersions, R"({"name": "m", "source": "s3://b/ours"})");
    EXPECT_EQ(version_in(create(R"({"name": "m", "source": "s3://b/ours", "description": "ours"})")), "3");
}

TEST_F(ResendGuardTest, a_new_process_settles_what_the_old_one_left) {
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    create();
    change([](Stack& stack) {
        stack.restart();
        stack.dies = stack.mlflow.is_down = false;
    });
    keep();
    change([](Stack& stack) { stack.mlflow.is_down = true; });
    const HttpAnswer repeated = create();
    EXPECT_EQ(version_in(repeated), "1");
    EXPECT_EQ(repeated.field("Idempotency-Replayed"), "true");
}

TEST_F(ResendGuardTest, an_answer_that_was_not_delivered_is_given_for_150_seconds) {
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    create();
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    keep();
    server_.clock.advance(149s);
    EXPECT_EQ(create().field("Idempotency-Replayed"), "true");
    EXPECT_EQ(version_in(create()), "2");

    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    create();
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    keep();
    server_.clock.advance(151s);
    EXPECT_EQ(version_in(create()), "4");
}

TEST_F(ResendGuardTest, an_equal_call_of_another_caller_is_no_repeat) {
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    create();
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    EXPECT_EQ(version_in(create(kBody, "Authorization: Basic b3RoZXI6\r\n")), "2");
    EXPECT_EQ(version_in(create()), "1");
}

TEST_F(ResendGuardTest, models_are_created_once_too) {
    const std::string model = R"({"name": "n", "description": "d"})";
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    EXPECT_EQ(ask("POST", "registered-models/create", model).status, 504U);
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    EXPECT_EQ(ask("POST", "registered-models/create", model).status, 200U);
    EXPECT_EQ(ask("POST", "registered-models/create", model).status, 400U);
}

TEST_F(ResendGuardTest, without_a_durable_intent_nothing_is_forwarded) {
    journal_.fail(true);
    const int forwarded = stack_->forwarded;
    const HttpAnswer refused = create();
    EXPECT_EQ(refused.status, 503U);
    EXPECT_NE(refused.field("Retry-After"), "-");
    EXPECT_EQ(stack_->forwarded, forwarded);
    journal_.fail(false);
    EXPECT_EQ(version_in(create()), "1");
}

}  // namespace
}  // namespace idempotency
