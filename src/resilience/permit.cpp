#include "resilience/permit.hpp"

#include <utility>

#include "base/ensure.hpp"
#include "resilience/circuit_breaker.hpp"

namespace resilience {

Permit& Permit::operator=(Permit&& other) noexcept {
    if (this != &other) {
        if (breaker_ != nullptr && !is_reported_) {
            abandon();
        }
        breaker_ = std::exchange(other.breaker_, nullptr);
        generation_ = other.generation_;
        admitted_at_ = other.admitted_at_;
        is_reported_ = other.is_reported_;
    }
    return *this;
}

void Permit::report(Outcome outcome, base::MonotonicTime now, std::optional<base::Duration> peer_retry_after) {
    ENSURE(breaker_ != nullptr, "a permit that was moved from has nothing to report");
    if (is_reported_) {
        breaker_->double_report_total_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    is_reported_ = true;
    breaker_->report(*this, outcome, now, peer_retry_after);
}

void Permit::abandon() noexcept {
    breaker_->abandon(*this);
}

}  // namespace resilience
