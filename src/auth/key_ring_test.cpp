#include "auth/key_ring.hpp"

#include <atomic>
#include <thread>

#include "auth/api_key.hpp"

#include <gtest/gtest.h>

namespace auth {
namespace {

using namespace std::chrono_literals;

const base::WallTime kNow{std::chrono::seconds(1'755'172'800)};
const Pepper kPepper{.version = 1, .bytes = {1, 2, 3}};

struct TestKey {
    KeyRecord record;
    std::string text;
};

TestKey make_key(const std::string& id) {
    TestKey key{.record = {}, .text = generate_key(Environment::test).reveal()};
    key.record.id = id;
    key.record.name = "name of " + id;
    key.record.hash = KeyHasher(kPepper).hash(key.text);
    key.record.scopes = {Scope::mlflow_read};
    return key;
}

struct KeyRingTest : public ::testing::Test {
    base::Error refusal(std::string_view key, base::WallTime now = kNow) {
        const auto refused = reader.authenticate(key, now);
        return refused ? base::Error{base::Code::internal, "was accepted"} : refused.error();
    }

    KeyRing ring;
    KeyReader reader{ring, kPepper};
};

TEST_F(KeyRingTest, knows_the_keys_published) {
    const TestKey one = make_key("one");
    const TestKey two = make_key("two");
    ring.publish({one.record, two.record});

    const auto principal = reader.authenticate(two.text, kNow);

    ASSERT_TRUE(principal);
    EXPECT_EQ(principal->id, "two");
    EXPECT_EQ(principal->name, "name of two");
    EXPECT_EQ(principal->scopes, Scopes{Scope::mlflow_read});
    EXPECT_EQ(reader.authenticate(one.text, kNow)->id, "one");
}

TEST_F(KeyRingTest, says_unavailable_until_keys_were_read_once) {
    const TestKey key = make_key("one");
    EXPECT_EQ(ring.version(), 0U);
    EXPECT_EQ(refusal(key.text).code, base::Code::unavailable);
    EXPECT_EQ(refusal("").code, base::Code::unauthenticated);

    ring.publish({});
    EXPECT_EQ(ring.version(), 1U);
    EXPECT_EQ(refusal(key.text).code, base::Code::unauthenticated);
}

TEST_F(KeyRingTest, refuses_with_the_texts_clients_know) {
    ring.publish({make_key("one").record});

    EXPECT_EQ(refusal("").message, "API key required");
    EXPECT_EQ(refusal(generate_key(Environment::test).reveal()).message, "Invalid or expired API key");
    EXPECT_EQ(refusal("not a key").message, "Invalid or expired API key");
    EXPECT_EQ(refusal("not a key").code, base::Code::unauthenticated);
}

TEST_F(KeyRingTest, another_pepper_finds_nothing) {
    const TestKey key = make_key("one");
    ring.publish({key.record});
    KeyReader other(ring, {.version = 1, .bytes = {9}});

    EXPECT_FALSE(other.authenticate(key.text, kNow));
}

TEST_F(KeyRingTest, refuses_from_the_moment_of_expiry) {
    TestKey key = make_key("one");
    key.record.expires_at = kNow + 1s;
    ring.publish({key.record});

    EXPECT_TRUE(reader.authenticate(key.text, kNow));
    EXPECT_EQ(refusal(key.text, kNow + 1s).message, "Invalid or expired API key");
}

TEST_F(KeyRingTest, sees_changes_at_the_next_request) {
    TestKey key = make_key("one");
    ring.publish({key.record});
    const Principal admitted = reader.authenticate(key.text, kNow).value();

    key.record.revoked_at = kNow;
    ring.publish({key.record});
    EXPECT_EQ(refusal(key.text).message, "Invalid or expired API key");

    key.record.revoked_at.reset();
    key.record.scopes = {Scope::admin};
    ring.publish({key.record});
    EXPECT_EQ(reader.authenticate(key.text, kNow)->scopes, Scopes{Scope::admin});

    ring.publish({});
    EXPECT_FALSE(reader.authenticate(key.text, kNow));
    EXPECT_EQ(admitted.id, "one") << "a request under way keeps its principal";
    EXPECT_EQ(admitted.scopes, Scopes{Scope::mlflow_read});
}

TEST_F(KeyRingTest, a_reader_made_after_the_first_publish_works_at_once) {
    const TestKey key = make_key("one");
    ring.publish({key.record});
    EXPECT_TRUE(KeyReader(ring, kPepper).authenticate(key.text, kNow));
}

TEST_F(KeyRingTest, last_use_is_taken_once) {
    const TestKey one = make_key("one");
    const TestKey two = make_key("two");
    ring.publish({one.record, two.record});
    ASSERT_TRUE(reader.authenticate(one.text, kNow + 1500ms));
    ASSERT_FALSE(reader.authenticate(generate_key(Environment::test).reveal(), kNow));

    const std::vector<KeyUse> uses = ring.take_last_used();

    ASSERT_EQ(uses.size(), 1U);
    EXPECT_EQ(uses[0].id, "one");
    EXPECT_EQ(uses[0].at, kNow + 1s);
    EXPECT_TRUE(ring.take_last_used().empty());
    ASSERT_TRUE(reader.authenticate(one.text, kNow + 1500ms));
    EXPECT_EQ(ring.take_last_used().size(), 1U);
}

TEST_F(KeyRingTest, last_use_survives_a_publish) {
    TestKey key = make_key("one");
    ring.publish({key.record});
    ASSERT_TRUE(reader.authenticate(key.text, kNow));

    key.record.revoked_at = kNow;
    ring.publish({key.record});

    EXPECT_EQ(ring.take_last_used().size(), 1U);
}

TEST_F(KeyRingTest, readers_on_other_threads_see_each_publish) {
    const TestKey stays = make_key("stays");
    const TestKey comes = make_key("comes");
    ring.publish({stays.record});
    std::atomic<bool> is_done = false;
    std::atomic<int> failures = 0;
    std::vector<std::jthread> workers;
    for (int i = 0; i < 2; ++i) {
        workers.emplace_back([&] {
            KeyReader own(ring, kPepper);
            while (!is_done.load()) {
                failures += own.authenticate(stays.text, kNow) ? 0 : 1;
            }
            failures += own.authenticate(comes.text, kNow) ? 0 : 1;
        });
    }
    for (int i = 0; i < 200; ++i) {
        ring.publish({stays.record});
        static_cast<void>(ring.take_last_used());
    }
    ring.publish({stays.record, comes.record});
    is_done = true;
    workers.clear();

    EXPECT_EQ(failures.load(), 0);
}

}  // namespace
}  // namespace auth
