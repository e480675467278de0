#include "health/health_responder.hpp"

#include "base/testing/manual_clock.hpp"
#include "health/testing/sample_snapshot.hpp"

#include <gtest/gtest.h>

namespace health {

namespace {

using namespace std::chrono_literals;

class HealthResponderTest : public ::testing::Test {
protected:
    HealthResponderTest() {
        request.method = http::Method::get;
    }

    const http::Response& ask(Endpoint endpoint = Endpoint::health) {
        return responder.respond(endpoint, request, phase, clock.now(), clock.wall_now());
    }

    base::testing::ManualClock clock;
    testing::FixedSource source{testing::healthy_snapshot(clock.now())};
    Identity identity = testing::sample_identity(clock.now());
    HealthResponder responder{source, identity};
    http::RequestHead request;
    Phase phase = Phase::serving;
};

}  // namespace

TEST_F(HealthResponderTest, gives_the_same_answer_again_for_100_ms) {
    const std::string first = ask().body;
    clock.advance(99ms);
    EXPECT_EQ(ask().body, first);
    EXPECT_EQ(source.reads, 1);
    clock.advance(1ms);
    EXPECT_NE(ask().body, first);
    EXPECT_EQ(source.reads, 2);
}

TEST_F(HealthResponderTest, shows_a_new_snapshot_at_once) {
    EXPECT_EQ(ask(Endpoint::readyz).status, 200U);
    Snapshot broken = testing::healthy_snapshot(clock.now());
    broken.store.check = testing::failing_check(clock.now());
    source.publish(broken);
    EXPECT_EQ(ask(Endpoint::readyz).status, 503U);
}

TEST_F(HealthResponderTest, shows_a_new_phase_at_once) {
    EXPECT_EQ(ask(Endpoint::ready).status, 200U);
    phase = Phase::draining;
    EXPECT_EQ(ask(Endpoint::ready).status, 503U);
}

TEST_F(HealthResponderTest, keeps_one_answer_for_each_endpoint) {
    ask(Endpoint::health);
    ask(Endpoint::live);
    ask(Endpoint::health);
    ask(Endpoint::live);
    EXPECT_EQ(source.reads, 2);
    EXPECT_NE(ask(Endpoint::health).body, ask(Endpoint::live).body);
}

TEST_F(HealthResponderTest, special_requests_neither_use_nor_replace_the_plain_answer) {
    const std::string plain = ask().body;
    request.query = "detailed=true";
    EXPECT_NE(ask().body, plain);
    request.query = "";
    request.fields.add("accept", "application/health+json");
    EXPECT_EQ(ask().content_type, "application/health+json");
    request.fields.clear();
    request.method = http::Method::post;
    EXPECT_EQ(ask().status, 405U);
    request.method = http::Method::head;
    EXPECT_EQ(ask().body, plain);
}

TEST_F(HealthResponderTest, a_jump_of_the_wall_clock_does_not_renew_answers) {
    const std::string first = ask().body;
    clock.jump_wall(1h);
    EXPECT_EQ(ask().body, first);
}

}  // namespace health
