#include "auth/key_refresher.hpp"

#include <atomic>
#include <future>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "auth/api_key.hpp"
#include "auth/testing/fake_key_store.hpp"
#include "net/testing/worker_fixture.hpp"

#include <gtest/gtest.h>

namespace auth {
namespace {

using namespace std::chrono_literals;
using net::testing::call_on;
using net::testing::start_on;

const Pepper kRefresherPepper{.version = 1, .bytes = {7}};

// Counts how often it is looked at.
class CountingStore final : public testing::FakeKeyStore {
public:
    base::Result<std::vector<KeyRecord>> load_all() override {
        ++loads;
        return FakeKeyStore::load_all();
    }

    base::Result<std::uint64_t> change_counter() override {
        ++looks;
        return FakeKeyStore::change_counter();
    }

    std::atomic<int> looks{0};
    std::atomic<int> loads{0};
};

class KeyRefresherTest : public net::testing::WorkerFixture {
protected:
    ~KeyRefresherTest() override {
        stop();
        pool_.join();
    }

    void start() {
        running_ = start_on(worker, refresher_.run());
    }

    void stop() {
        if (running_.valid()) {
            call_on(worker, [this] { refresher_.stop(); });
            running_.get();
        }
    }

    bool refresh(base::Duration limit = 5s) {
        return run(refresher_.refresh(worker, limit));
    }

    void insert(const std::string& key) {
        KeyRecord record;
        record.id = "id-1";
        record.hash = KeyHasher(kRefresherPepper).hash(key);
        ASSERT_TRUE(store_.insert(record, {}));
    }

    bool knows(const std::string& key) {
        return reader_.authenticate(key, clock.wall_now()).has_value();
    }

    std::optional<base::WallTime> last_use() {
        return store_.FakeKeyStore::load_all().value().at(0).last_used_at;
    }

    const std::string key_ = generate_key(Environment::test).reveal();
    CountingStore store_;
    KeyRing ring_;
    KeyReader reader_{ring_, kRefresherPepper};
    net::BlockingPool pool_{1, 4};
    KeyRefresher refresher_{worker, pool_, store_, ring_};
    std::future<void> running_;
};

TEST_F(KeyRefresherTest, loads_the_keys_when_it_starts) {
    insert(key_);
    start();

    ASSERT_TRUE(refresh());

    EXPECT_TRUE(knows(key_));
    EXPECT_FALSE(knows(generate_key(Environment::test).reveal()));
}

TEST_F(KeyRefresherTest, publishes_an_empty_store_too_so_that_unknown_keys_can_be_refused) {
    start();
    ASSERT_TRUE(refresh());

    EXPECT_EQ(ring_.version(), 1U);
}

TEST_F(KeyRefresherTest, finds_a_new_key_when_asked_and_a_revoked_one) {
    start();
    ASSERT_TRUE(refresh());
    insert(key_);
    ASSERT_TRUE(refresh());
    EXPECT_TRUE(knows(key_));

    ASSERT_TRUE(store_.revoke("id-1", clock.wall_now(), {}));
    ASSERT_TRUE(refresh());
    EXPECT_FALSE(knows(key_));
}

TEST_F(KeyRefresherTest, finds_a_new_key_within_about_a_second_without_being_asked) {
    start();
    ASSERT_TRUE(refresh());
    insert(key_);
    const int before = store_.loads;

    while (store_.loads == before) {
        call_on(worker, [] {});
    }
    while (!knows(key_)) {
        call_on(worker, [] {});
    }
    EXPECT_LE(store_.looks, 4);
}

TEST_F(KeyRefresherTest, loads_only_what_changed) {
    start();
    ASSERT_TRUE(refresh());
    const int loads = store_.loads;
    const std::uint64_t version = ring_.version();
    ASSERT_TRUE(refresh());
    ASSERT_TRUE(refresh());

    EXPECT_EQ(store_.loads, loads);
    EXPECT_EQ(ring_.version(), version);
}

TEST_F(KeyRefresherTest, keeps_the_known_keys_while_the_store_fails_and_recovers) {
    insert(key_);
    start();
    ASSERT_TRUE(refresh());
    store_.fail_with(base::Error{base::Code::unavailable, "on purpose"});

    EXPECT_FALSE(advance_until(start_on(worker, refresher_.refresh(worker, 2s)), 3s));
    EXPECT_TRUE(knows(key_));

    store_.fail_with(std::nullopt);
    EXPECT_TRUE(refresh());
}

TEST_F(KeyRefresherTest, gives_many_callers_one_look) {
    start();
    ASSERT_TRUE(refresh());
    const int before = store_.looks;
    std::vector<std::future<bool>> callers(50);
    call_on(worker, [&] {
        for (auto& caller : callers) {
            caller = start_on(worker, refresher_.refresh(worker, 5s));
        }
    });
    for (auto& caller : callers) {
        EXPECT_TRUE(caller.get());
    }
    EXPECT_LE(store_.looks - before, 3);
}

TEST_F(KeyRefresherTest, does_not_let_a_flood_of_questions_wear_out_the_store) {
    start();
    ASSERT_TRUE(refresh());
    const base::SystemClock real_time;
    const base::MonotonicTime begin = real_time.now();
    const int before = store_.looks;

    while (real_time.now() - begin < 200ms) {
        ASSERT_TRUE(refresh());
    }

    // One look in 25 ms, and one that may have been under way.
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(real_time.now() - begin);
    EXPECT_LE(store_.looks - before, elapsed / 25ms + 2);
}

TEST_F(KeyRefresherTest, records_when_keys_were_used_every_half_minute_and_at_the_end) {
    insert(key_);
    start();
    ASSERT_TRUE(refresh());
    ASSERT_TRUE(knows(key_));
    EXPECT_EQ(last_use(), std::nullopt);

    clock.advance(31s);
    ASSERT_TRUE(refresh());
    ASSERT_TRUE(refresh());
    EXPECT_EQ(last_use(), clock.wall_now() - 31s);

    ASSERT_TRUE(knows(key_));
    stop();
    EXPECT_EQ(last_use(), clock.wall_now());
}

TEST_F(KeyRefresherTest, goes_on_when_a_use_cannot_be_recorded) {
    insert(key_);
    start();
    ASSERT_TRUE(refresh());
    store_.fail_writes_with(base::Error{base::Code::unavailable, "read-only"});
    ASSERT_TRUE(knows(key_));
    clock.advance(31s);
    ASSERT_TRUE(refresh());
    ASSERT_TRUE(refresh());

    store_.fail_writes_with(std::nullopt);
    EXPECT_EQ(last_use(), std::nullopt);
    ASSERT_TRUE(knows(key_));
    stop();
    EXPECT_EQ(last_use(), clock.wall_now());
}

TEST_F(KeyRefresherTest, says_when_the_store_was_not_looked_at_in_time) {
    EXPECT_FALSE(advance_until(start_on(worker, refresher_.refresh(worker, 2s)), 3s)) << "it does not even run";
}

TEST_F(KeyRefresherTest, stops_at_once) {
    start();
    ASSERT_TRUE(refresh());
    stop();
    const int looks = store_.looks;

    EXPECT_FALSE(advance_until(start_on(worker, refresher_.refresh(worker, 2s)), 3s));
    EXPECT_EQ(store_.looks, looks);
}

}  // namespace
}  // namespace auth
