#include "journal/journal.hpp"

#include <future>

#include "journal/testing/memory_journal_store.hpp"
#include "net/testing/run_on.hpp"
#include "net/testing/shared_clock.hpp"

#include <gtest/gtest.h>

namespace journal {
namespace {

Entry entry_of(std::string lane, std::string body = "{}") {
    Entry entry;
    entry.lane = std::move(lane);
    entry.method = "POST";
    entry.target = "/call";
    entry.body = std::move(body);
    return entry;
}

class JournalTest : public ::testing::Test {
protected:
    base::Result<void> accept(Entry entry) {
        return net::testing::run_here(worker_, journal_->accept(worker_, std::move(entry)));
    }

    base::Result<void> deliver(const std::string& lane, std::size_t count) {
        const auto head = net::testing::run_here(worker_, journal_->head(worker_, lane, count, 1U << 20U));
        Settlement settlement;
        settlement.lane = lane;
        for (const Entry& entry : *head) {
            settlement.delivered.push_back(entry.sequence);
            settlement.bytes += cost_of(entry);
        }
        return net::testing::run_here(worker_, journal_->settle(worker_, std::move(settlement)));
    }

    void restart(JournalSettings settings = {}) {
        journal_ = std::make_unique<Journal>(Journal::Deps{store_, pool_, clock_, metrics_}, settings);
        EXPECT_TRUE(journal_->load());
    }

    std::string next_lane(std::string_view after) {
        return journal_->next_lane(after, [](const std::string&) { return true; }).value_or("none");
    }

    net::testing::SharedClock clock_;
    net::Worker worker_{"worker", 0, clock_};
    testing::MemoryJournalStore store_;
    net::BlockingPool pool_{1, 10'000};
    telemetry::Metrics metrics_;
    std::unique_ptr<Journal> journal_ =
        std::make_unique<Journal>(Journal::Deps{store_, pool_, clock_, metrics_}, JournalSettings{});
};

TEST_F(JournalTest, an_accepted_entry_is_on_the_disk) {
    ASSERT_TRUE(accept(entry_of("a", "body")));
    ASSERT_EQ(store_.entries.size(), 1U);
    EXPECT_EQ(store_.entries.begin()->second.body, "body");
    EXPECT_EQ(journal_->waiting("a"), 1U);
    EXPECT_EQ(journal_->waiting("b"), 0U);
}

TEST_F(JournalTest, gives_entries_of_a_lane_in_the_order_they_came) {
    for (const char* body : {"1", "2", "3"}) {
        ASSERT_TRUE(accept(entry_of("a", body)));
        ASSERT_TRUE(accept(entry_of("b", body)));
    }
    const auto head = net::testing::run_here(worker_, journal_->head(worker_, "a", 2, 1U << 20U));
    ASSERT_EQ(head->size(), 2U);
    EXPECT_EQ((*head)[0].body + (*head)[1].body, "12");
}

TEST_F(JournalTest, entries_that_wait_together_share_a_commit) {
    std::promise<void> disk;
    std::shared_future<void> is_free = disk.get_future().share();
    std::promise<void> begun;
    store_.fails = [&, is_first = true](const Batch&) mutable {
        if (std::exchange(is_first, false)) {
            begun.set_value();
            is_free.wait();
        }
        return false;
    };
    std::vector<std::future<base::Result<void>>> outcomes;
    const auto start = [&] {
        outcomes.push_back(net::testing::start_on(worker_, journal_->accept(worker_, entry_of("a"))));
        while (worker_.context().poll_one() > 0) {
        }
    };
    start();
    begun.get_future().wait();
    for (int i = 0; i < 99; ++i) {
        start();
    }
    disk.set_value();
    for (auto& outcome : outcomes) {
        while (outcome.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
            worker_.context().run_one();
        }
        EXPECT_TRUE(outcome.get());
    }
    EXPECT_EQ(store_.entries.size(), 100U);
    EXPECT_EQ(store_.commits.size(), 2U);
}

TEST_F(JournalTest, one_entry_that_cannot_be_written_takes_no_other_with_it) {
    store_.fails = [](const Batch& batch) {
        return std::ranges::any_of(batch.accepted, [](const Entry& entry) { return entry.lane == "bad"; });
    };
    std::vector<std::future<base::Result<void>>> outcomes;
    for (const char* lane : {"a", "bad", "b"}) {
        outcomes.push_back(net::testing::start_on(worker_, journal_->accept(worker_, entry_of(lane))));
    }
    std::vector<bool> accepted;
    for (auto& outcome : outcomes) {
        while (outcome.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
            worker_.context().run_one();
        }
        accepted.push_back(outcome.get().has_value());
    }
    EXPECT_EQ(accepted, (std::vector{true, false, true}));
    EXPECT_EQ(journal_->waiting("bad"), 0U);
    EXPECT_EQ(journal_->figures().entries, 2U);
}

TEST_F(JournalTest, refuses_what_goes_beyond_its_entries) {
    restart({.max_entries = 2});
    ASSERT_TRUE(accept(entry_of("a")));
    ASSERT_TRUE(accept(entry_of("b")));
    EXPECT_EQ(accept(entry_of("c")).error().code, base::Code::exhausted);
    ASSERT_TRUE(deliver("a", 1));
    EXPECT_TRUE(accept(entry_of("c")));
}

TEST_F(JournalTest, refuses_what_goes_beyond_its_bytes) {
    const std::uint64_t cost = cost_of(entry_of("a"));
    restart({.max_bytes = 2 * cost});
    ASSERT_TRUE(accept(entry_of("a")));
    EXPECT_EQ(accept(entry_of("b", "{} ")).error().code, base::Code::exhausted);
    EXPECT_TRUE(accept(entry_of("b")));
    EXPECT_EQ(journal_->figures().bytes, 2 * cost);
}

TEST_F(JournalTest, a_failing_disk_refuses_and_leaves_no_trace) {
    store_.fails = [](const Batch&) { return true; };
    EXPECT_EQ(accept(entry_of("a")).error().code, base::Code::unavailable);
    EXPECT_EQ(journal_->waiting("a"), 0U);
    EXPECT_EQ(journal_->figures().entries, 0U);
    EXPECT_EQ(journal_->figures().bytes, 0U);
}

TEST_F(JournalTest, what_could_not_be_settled_comes_again) {
    ASSERT_TRUE(accept(entry_of("a")));
    store_.fails = [](const Batch&) { return true; };
    EXPECT_FALSE(deliver("a", 1));
    EXPECT_EQ(journal_->waiting("a"), 1U);
    store_.fails = nullptr;
    EXPECT_TRUE(deliver("a", 1));
    EXPECT_EQ(journal_->waiting("a"), 0U);
    EXPECT_EQ(journal_->figures().bytes, 0U);
}

TEST_F(JournalTest, goes_on_where_an_earlier_process_left_it) {
    ASSERT_TRUE(accept(entry_of("a", "1")));
    ASSERT_TRUE(accept(entry_of("b")));
    const std::uint64_t bytes = journal_->figures().bytes;
    restart();
    EXPECT_EQ(journal_->waiting("a"), 1U);
    EXPECT_EQ(journal_->figures().entries, 2U);
    EXPECT_EQ(journal_->figures().bytes, bytes);
    ASSERT_TRUE(accept(entry_of("a", "2")));
    const auto head = net::testing::run_here(worker_, journal_->head(worker_, "a", 5, 1U << 20U));
    ASSERT_EQ(head->size(), 2U);
    EXPECT_EQ(head->back().body, "2");
}

TEST_F(JournalTest, lanes_take_turns_in_a_circle) {
    EXPECT_EQ(next_lane(""), "none");
    for (const char* lane : {"a", "b", "c"}) {
        ASSERT_TRUE(accept(entry_of(lane)));
    }
    EXPECT_EQ(next_lane(""), "a");
    EXPECT_EQ(next_lane("a"), "b");
    EXPECT_EQ(next_lane("c"), "a");
    ASSERT_TRUE(deliver("b", 1));
    EXPECT_EQ(next_lane("a"), "c");
    const auto only_a = [](const std::string& lane) { return lane == "a"; };
    EXPECT_EQ(journal_->next_lane("a", only_a), "a");
}

TEST_F(JournalTest, knows_how_old_its_oldest_entry_is) {
    EXPECT_FALSE(journal_->figures().oldest);
    Entry first = entry_of("a");
    first.accepted_at = clock_.wall_now();
    Entry second = entry_of("b");
    second.accepted_at = first.accepted_at + std::chrono::seconds(5);
    ASSERT_TRUE(accept(first));
    ASSERT_TRUE(accept(second));
    EXPECT_EQ(journal_->figures().oldest, first.accepted_at);
    ASSERT_TRUE(deliver("a", 1));
    net::testing::run_here(worker_, journal_->refresh(worker_));
    EXPECT_EQ(journal_->figures().oldest, second.accepted_at);
}

}  // namespace
}  // namespace journal
