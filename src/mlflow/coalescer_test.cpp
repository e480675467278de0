#include "mlflow/coalescer.hpp"

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "base/testing/manual_clock.hpp"

#include <gtest/gtest.h>

namespace mlflow {
namespace {

using Outcome = Coalescer::Outcome;

http::RequestHead head_with(std::vector<std::pair<const char*, const char*>> fields) {
    http::RequestHead head;
    for (const auto& [name, value] : fields) {
        head.fields.add(name, value);
    }
    return head;
}

TEST(SharingKey, is_the_target_and_every_field_that_mlflow_could_heed) {
    const std::string key = sharing_key(head_with({{"Authorization", "Bearer a"}, {"Accept", "*/*"}}), "/x?a=1");

    EXPECT_EQ(key, sharing_key(head_with({{"Authorization", "Bearer a"}, {"Accept", "*/*"}}), "/x?a=1"));
    for (const auto& [other, target] : std::vector<std::pair<http::RequestHead, const char*>>{
             {head_with({{"Authorization", "Bearer b"}, {"Accept", "*/*"}}), "/x?a=1"},
             {head_with({{"Authorization", "Bearer a"}, {"Accept", "*/*"}}), "/x?a=2"},
             {head_with({{"Authorization", "Bearer a"}}), "/x?a=1"},
             {head_with({{"Authorization", "Bearer a"}, {"Accept", "*/*"}, {"Cookie", "c"}}), "/x?a=1"},
             {head_with({{"Authorization", "Bearer a"}, {"Accept", "*/*"}, {"X-MLFLOW-WORKSPACE", "b"}}), "/x?a=1"},
             {head_with({{"Authorization", "Bearer a"}, {"Accept", "*/*"}, {"Range", "bytes=0-1"}}), "/x?a=1"}}) {
        EXPECT_NE(key, sharing_key(other, target));
    }
}

TEST(SharingKey, leaves_out_what_names_the_request_or_the_hop) {
    EXPECT_EQ(sharing_key(head_with({{"Accept", "*/*"}}), "/x"),
              sharing_key(head_with({{"Host", "h"},
                                     {"Connection", "keep-alive"},
                                     {"X-Request-Id", "1"},
                                     {"traceparent", "00-1-2-3"},
                                     {"X-Forwarded-For", "192.0.2.1"},
                                     {"Accept", "*/*"}}),
                          "/x"));
}

struct Joined {
    Coalescer::Wait wait{};
    std::optional<Outcome> outcome{};
    std::string got{};
};

base::Task<> join(Coalescer& coalescer, std::string key, Joined& joined) {
    joined.outcome = co_await coalescer.join(
        key, [&joined](const http::ResponseHead&, std::string_view body) { joined.got = body; }, joined.wait);
}

// One worker without a thread: everything happens in settle().
class CoalescerTest : public ::testing::Test {
protected:
    void settle() {
        worker_.context().poll();
    }

    Joined& join_lead(const std::string& key = "key") {
        Joined& one = joined_.emplace_back();
        worker_.tasks().spawn("join", join(coalescer_, key, one));
        settle();
        return one;
    }

    base::testing::ManualClock clock_;
    net::Worker worker_{"coalescer", 0, clock_};
    Coalescer coalescer_{worker_};
    std::deque<Joined> joined_;
};

TEST_F(CoalescerTest, shares_one_answer_with_all_who_joined) {
    Coalescer::Lead lead(coalescer_, "key");
    EXPECT_FALSE(lead.has_followers());
    const Joined& one = join_lead();
    const Joined& two = join_lead();
    EXPECT_TRUE(lead.has_followers());
    lead.close();
    settle();
    EXPECT_FALSE(one.outcome);

    lead.share({}, "body");
    settle();

    EXPECT_EQ(one.outcome, Outcome::answered);
    EXPECT_EQ(two.outcome, Outcome::answered);
    EXPECT_EQ(one.got + two.got, "bodybody");
    EXPECT_FALSE(lead.has_followers());
}

TEST_F(CoalescerTest, takes_nobody_in_once_the_lead_is_sent) {
    Coalescer::Lead lead(coalescer_, "key");
    EXPECT_TRUE(coalescer_.has_lead("key"));
    EXPECT_FALSE(coalescer_.has_lead("other"));

    lead.close();

    EXPECT_FALSE(coalescer_.has_lead("key"));
    const Coalescer::Lead next(coalescer_, "key");
    EXPECT_TRUE(coalescer_.has_lead("key"));
}

TEST_F(CoalescerTest, lets_followers_go_on_when_the_lead_ends_without_sharing) {
    std::optional<Coalescer::Lead> lead(std::in_place, coalescer_, "key");
    const Joined& early = join_lead();
    lead.reset();
    settle();
    EXPECT_EQ(early.outcome, Outcome::not_sent);
    EXPECT_FALSE(coalescer_.has_lead("key"));

    lead.emplace(coalescer_, "key");
    const Joined& late = join_lead();
    lead->close();
    lead.reset();
    settle();
    EXPECT_EQ(late.outcome, Outcome::not_shared);
    EXPECT_EQ(late.got, "");
}

TEST_F(CoalescerTest, forgets_a_follower_that_leaves) {
    Coalescer::Lead lead(coalescer_, "key");
    Joined& leaving = join_lead();
    leaving.wait.cancel();
    settle();
    EXPECT_EQ(leaving.outcome, Outcome::cancelled);
    EXPECT_FALSE(lead.has_followers());

    lead.share({}, "body");
    leaving.wait.cancel();
    settle();
    EXPECT_EQ(leaving.got, "");
    EXPECT_EQ(leaving.outcome, Outcome::cancelled);
}

}  // namespace
}  // namespace mlflow
