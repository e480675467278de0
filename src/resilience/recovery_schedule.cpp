#include "resilience/recovery_schedule.hpp"

#include <algorithm>

namespace resilience {
namespace {

constexpr std::uint32_t kGoodProbesForEarlyTrial = 2;

}  // namespace

void RecoverySchedule::wait_full_time(base::MonotonicTime at) {
    wait_until(at + open_time(settings_, attempts_, random_.unit()));
}

void RecoverySchedule::wait_for_peer(base::MonotonicTime at) {
    --attempts_;
    if (peer_ready_at_ > at) {
        wait_until(peer_ready_at_);
    } else {
        wait_full_time(at);
    }
}

void RecoverySchedule::note_peer_wait(base::Duration wait, base::MonotonicTime at) {
    const base::Duration honoured = std::clamp(wait, base::Duration::zero(), settings_.max_peer_wait);
    peer_ready_at_ = std::max(peer_ready_at_, at + honoured);
}

void RecoverySchedule::observe_probe(bool is_success, base::MonotonicTime now) {
    if (!settings_.early_trial || is_early_trial_) {
        return;
    }
    good_probes_ = is_success ? good_probes_ + 1 : 0;
    if (good_probes_ >= kGoodProbesForEarlyTrial) {
        retry_at_ = std::min(retry_at_, std::max(now, peer_ready_at_));
    }
}

void RecoverySchedule::begin_trial(base::MonotonicTime now) {
    is_early_trial_ = now < full_time_ends_at_;
    ++attempts_;
}

void RecoverySchedule::finish() {
    peer_ready_at_ = base::MonotonicTime::min();
    attempts_ = 0;
    is_early_trial_ = false;
}

void RecoverySchedule::wait_until(base::MonotonicTime time) {
    full_time_ends_at_ = std::max(time, peer_ready_at_);
    retry_at_ = full_time_ends_at_;
    good_probes_ = 0;
}

}  // namespace resilience
