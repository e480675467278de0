#include "resilience/outcome_window.hpp"

namespace resilience {
namespace {

bool reaches_rate(std::uint64_t count, std::uint64_t calls, double rate) {
    return rate > 0 && static_cast<double>(count) / static_cast<double>(calls) >= rate;
}

}  // namespace

std::optional<TransitionCause> OutcomeWindow::exceeded_rate() const {
    const std::uint64_t bad = failures();
    const std::uint64_t sluggish = slow();
    if (bad == 0 && sluggish == 0) {
        return std::nullopt;
    }
    const std::uint64_t all = calls();
    if (all < settings_.failure_rate_minimum_calls) {
        return std::nullopt;
    }
    if (reaches_rate(bad, all, settings_.failure_rate)) {
        return TransitionCause::failure_rate;
    }
    if (reaches_rate(sluggish, all, settings_.slow_rate)) {
        return TransitionCause::slow_rate;
    }
    return std::nullopt;
}

}  // namespace resilience
