#include "auth/key_refresher.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "net/use_task.hpp"
#include "telemetry/log.hpp"

namespace auth {

namespace {

constexpr auto kInterval = std::chrono::seconds(1);
constexpr auto kShortestInterval = std::chrono::milliseconds(25);
constexpr auto kPollInterval = std::chrono::milliseconds(5);
constexpr auto kStoreLimit = std::chrono::seconds(2);
constexpr auto kLastUseInterval = std::chrono::seconds(30);

struct StoreState {
    std::uint64_t counter = 0;
    std::optional<std::vector<KeyRecord>> records;  // when the counter has moved
};

base::Result<StoreState> read_store(KeyStore& store, std::optional<std::uint64_t> known) {
    const base::Result<std::uint64_t> counter = store.change_counter();
    if (!counter) {
        return std::unexpected(counter.error());
    }
    if (known == *counter) {
        return StoreState{*counter, std::nullopt};
    }
    base::Result<std::vector<KeyRecord>> records = store.load_all();
    if (!records) {
        return std::unexpected(records.error());
    }
    return StoreState{*counter, std::move(*records)};
}

}  // namespace

KeyRefresher::KeyRefresher(net::Worker& control, net::BlockingPool& pool, KeyStore& store, KeyRing& ring)
    : control_(control),
      pool_(pool),
      store_(store),
      ring_(ring),
      pause_(control.context()),
      recorded_at_(control.now()) {}

base::Task<> KeyRefresher::run() {
    while (!is_stopping_) {
        is_asked_ = false;
        co_await look();
        if (control_.now() - recorded_at_ >= kLastUseInterval) {
            co_await record_last_used();
        }
        // A flood of unknown keys may not make the store the bottleneck.
        pause_.expires_after(kShortestInterval);
        co_await pause_.async_wait(net::use_task);
        if (!is_asked_ && !is_stopping_) {
            is_resting_ = true;
            pause_.expires_after(kInterval);
            co_await pause_.async_wait(net::use_task);
            is_resting_ = false;
        }
    }
    co_await record_last_used();
}

void KeyRefresher::stop() {
    is_stopping_ = true;
    pause_.cancel();
}

base::Task<> KeyRefresher::look() {
    const std::uint64_t number = looks_begun_.fetch_add(1) + 1;
    const std::optional<std::uint64_t> known = has_loaded_ ? std::optional(counter_) : std::nullopt;
    base::Result<StoreState> state =
        co_await pool_.run(control_, kStoreLimit, [&store = store_, known] { return read_store(store, known); });
    if (!state) {
        if (!std::exchange(is_failing_, true)) {
            telemetry::log_warn("keys_not_refreshed",
                                {{"error", state.error().message}, {"action", "the keys known so far stay valid"}});
        }
        co_return;
    }
    is_failing_ = false;
    if (state->records) {
        ring_.publish(*state->records);
        counter_ = state->counter;
        has_loaded_ = true;
    }
    looks_done_.store(number);
}

base::Task<> KeyRefresher::record_last_used() {
    recorded_at_ = control_.now();
    std::vector<KeyUse> uses = ring_.take_last_used();
    if (uses.empty()) {
        co_return;
    }
    const base::Result<void> recorded = co_await pool_.run(
        control_, kStoreLimit, [&store = store_, uses = std::move(uses)] { return store.record_last_used(uses); });
    if (!recorded) {
        telemetry::log_warn("last_use_not_recorded", {{"error", recorded.error().message}});
    }
}

base::Task<bool> KeyRefresher::refresh(net::Worker& worker, base::Duration limit) {
    const std::uint64_t wanted = looks_begun_.load() + 1;
    control_.post([this] {
        is_asked_ = true;
        if (is_resting_) {
            pause_.cancel();
        }
    });
    const base::MonotonicTime end = worker.now() + limit;
    boost::asio::steady_timer pause(worker.context());
    while (looks_done_.load() < wanted && worker.now() < end) {
        pause.expires_after(kPollInterval);
        co_await pause.async_wait(net::use_task);
    }
    co_return looks_done_.load() >= wanted;
}

}  // namespace auth
