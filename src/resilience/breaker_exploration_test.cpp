// Every reachable state of a small breaker: three callers do everything they can in every order, time passes tick by
// tick around the deadlines, and after each step the real breaker must equal its specification. States that differ only
// in the names of the callers, in counters that decide nothing, or in how long ago something stopped to matter are
// explored once.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "resilience/testing/breaker_twins.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace resilience {
namespace {

constexpr std::size_t kExplorers = 3;
constexpr base::Duration kTick{1};

enum class MoveKind : std::uint8_t {
    admit,
    succeed,
    fail,
    overload,
    drop,
    pass_tick,
    see_good_probe,
    see_bad_probe,
    reset,
};

struct Move {
    MoveKind kind;
    std::uint8_t caller;
};

struct Node {
    std::size_t parent;
    Move move;
    std::array<char, kExplorers> callers;
};

// In ticks: a trial that old has expired, and so has the open time after it, whoever looks first.
constexpr std::int64_t kHorizon = 8;

class Exploration {
public:
    // The first `probers` callers are probers.
    Exploration(const CircuitBreakerSettings& settings, std::size_t probers) : settings_(settings), probers_(probers) {}

    // The number of states, all of them checked.
    std::size_t run() {
        nodes_.push_back({});
        for (std::size_t node = 0; node < nodes_.size() && !::testing::Test::HasFailure(); ++node) {
            for (const Move move : moves_from(nodes_[node])) {
                take(node, move);
            }
        }
        return nodes_.size();
    }

private:
    using Twins = resilience::testing::BreakerTwins;

    [[nodiscard]] std::vector<Move> moves_from(const Node& node) const {
        std::vector<Move> moves{{MoveKind::pass_tick, 0}, {MoveKind::reset, 0}};
        if (probers_ > 0) {
            moves.push_back({MoveKind::see_good_probe, 0});
            moves.push_back({MoveKind::see_bad_probe, 0});
        }
        for (std::uint8_t caller = 0; caller < kExplorers; ++caller) {
            if (has_double(node, caller)) {
                continue;
            }
            if (node.callers[caller] != 0) {
                for (const MoveKind kind : {MoveKind::succeed, MoveKind::fail, MoveKind::overload, MoveKind::drop}) {
                    moves.push_back({kind, caller});
                }
            } else {
                moves.push_back({MoveKind::admit, caller});
            }
        }
        return moves;
    }

    // Of callers in the same situation, one is enough.
    [[nodiscard]] bool has_double(const Node& node, std::size_t caller) const {
        const auto* first = node.callers.begin() + probers_;
        const auto* self = node.callers.begin() + caller;
        return caller > probers_ && std::find(first, self, *self) != self;
    }

    void apply(Twins& twins, Move move) const {
        switch (move.kind) {
            case MoveKind::admit:
                return twins.admit(move.caller, move.caller < probers_);
            case MoveKind::succeed:
                twins.report(move.caller, Outcome::success);
                return twins.drop(move.caller);
            case MoveKind::fail:
                twins.report(move.caller, Outcome::failure);
                return twins.drop(move.caller);
            case MoveKind::overload:
                twins.report(move.caller, Outcome::overload, 2 * kTick);
                return twins.drop(move.caller);
            case MoveKind::drop:
                return twins.drop(move.caller);
            case MoveKind::pass_tick:
                return twins.advance(kTick);
            case MoveKind::see_good_probe:
                return twins.observe_probe(true);
            case MoveKind::see_bad_probe:
                return twins.observe_probe(false);
            case MoveKind::reset:
                return twins.reset();
        }
    }

    // From the start, because the real breaker cannot be copied; nobody looks at its status on the way.
    void take(std::size_t parent, Move move) {
        std::vector<Move> path{move};
        for (std::size_t node = parent; node != 0; node = nodes_[node].parent) {
            path.push_back(nodes_[node].move);
        }
        Twins twins(settings_, 0.0, kExplorers);
        for (auto step = path.rbegin(); step != path.rend(); ++step) {
            apply(twins, *step);
        }
        if (seen_.insert(canonical(twins)).second) {
            nodes_.push_back({parent, move, canonical_callers(twins)});
        }
        twins.status();
        if (::testing::Test::HasFailure()) {
            std::string text;
            for (auto step = path.rbegin(); step != path.rend(); ++step) {
                text += fmt::format(" {}/{}", static_cast<int>(step->kind), step->caller);
            }
            FAIL() << "after the moves (kind/caller):" << text;
        }
    }

    [[nodiscard]] std::string canonical(const Twins& twins) const {
        const auto& model = twins.model();
        std::string key;
        const auto put = [&key](std::int64_t number) { key.push_back(static_cast<char>(number)); };
        const auto put_time_until = [&](base::MonotonicTime time, bool is_relevant) {
            put(is_relevant ? std::max<std::int64_t>(0, (time - twins.now()).count()) : 0);
        };
        const bool is_open = model.state == BreakerState::open;
        const bool is_half_open = model.state == BreakerState::half_open;
        put(static_cast<std::int64_t>(model.state));
        put(model.state == BreakerState::closed ? model.failures : 0);
        put(std::min(model.attempts, model.settings.max_recovery_attempts + 1));
        put(is_open ? std::min(model.good_probes, 2U) : 0);
        put(is_half_open ? model.trial_successes : 0);
        put(model.was_early ? 1 : 0);
        put_time_until(model.retry_at, is_open);
        put_time_until(model.full_time_ends_at, is_open);
        put_time_until(model.next_probe_at, is_half_open);
        put_time_until(model.peer_ready_at.value_or(twins.now()), !is_half_open);
        std::array<char, kExplorers> callers = canonical_callers(twins);
        std::sort(callers.begin() + static_cast<std::ptrdiff_t>(probers_), callers.end());
        key.append(callers.begin(), callers.end());
        return key;
    }

    // 0: no permit, 1: one from an earlier generation, more: its age.
    static std::array<char, kExplorers> canonical_callers(const Twins& twins) {
        std::array<char, kExplorers> callers{};
        for (std::size_t caller = 0; caller < kExplorers; ++caller) {
            const auto* held = twins.held(caller);
            if (held == nullptr) {
                continue;
            }
            const bool is_late = held->model.generation != twins.model().generation;
            const bool has_deadline = twins.model().state == BreakerState::half_open;
            const std::int64_t age = has_deadline ? (twins.now() - held->model.admitted_at).count() : 0;
            callers[caller] = static_cast<char>(is_late ? 1 : 2 + std::min(age, kHorizon));
        }
        return callers;
    }

    const CircuitBreakerSettings settings_;
    const std::size_t probers_;
    std::vector<Node> nodes_;
    std::unordered_set<std::string> seen_;
};

CircuitBreakerSettings small_settings() {
    return {.failure_threshold = 3,
            .recovery_timeout = 2 * kTick,
            .max_recovery_attempts = 2,
            .half_open_places = 1,
            .probe_deadline = 2 * kTick,
            .failure_rate = 0.0,
            .max_jitter = 0.0,
            .max_open = 6 * kTick,
            .trial_spacing = kTick};
}

TEST(CircuitBreakerExploration, every_state_with_one_place_equals_the_specification) {
    const std::size_t states = Exploration(small_settings(), 0).run();
    fmt::print("explored {} states\n", states);
    EXPECT_GT(states, 100U);
}

TEST(CircuitBreakerExploration, every_state_with_two_places_equals_the_specification) {
    CircuitBreakerSettings settings = small_settings();
    settings.half_open_places = 2;
    const std::size_t states = Exploration(settings, 0).run();
    fmt::print("explored {} states\n", states);
    EXPECT_GT(states, 100U);
}

TEST(CircuitBreakerExploration, every_state_with_a_prober_equals_the_specification) {
    CircuitBreakerSettings settings = small_settings();
    settings.probes_only_in_half_open = true;
    const std::size_t states = Exploration(settings, 1).run();
    fmt::print("explored {} states\n", states);
    EXPECT_GT(states, 100U);
}

}  // namespace
}  // namespace resilience
