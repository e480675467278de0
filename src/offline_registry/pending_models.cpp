#include "offline_registry/pending_models.hpp"

#include <algorithm>

#include "offline_registry/promise.hpp"

namespace offline_registry {

void PendingModels::add(const registry::ModelKey& key) {
    {
        const std::lock_guard guard(mutex_);
        if (!lanes_.try_emplace(lane_of(key)).second) {
            return;
        }
        size_.store(lanes_.size(), std::memory_order_release);
    }
    confirmations_.begin_write(key);
}

void PendingModels::remove(const registry::ModelKey& key) {
    {
        const std::lock_guard guard(mutex_);
        if (lanes_.erase(lane_of(key)) == 0) {
            return;
        }
        size_.store(lanes_.size(), std::memory_order_release);
    }
    confirmations_.end_write(key);
}

bool PendingModels::contains(const registry::ModelKey& key) const {
    if (size() == 0) {
        return false;
    }
    const std::lock_guard guard(mutex_);
    return lanes_.contains(lane_of(key));
}

void PendingModels::set_behind(const registry::ModelKey& key, bool is_behind) {
    bool was_behind = false;
    {
        const std::lock_guard guard(mutex_);
        const auto lane = lanes_.find(lane_of(key));
        if (lane == lanes_.end()) {
            return;
        }
        was_behind = std::exchange(lane->second.is_behind, is_behind);
    }
    if (is_behind) {
        confirmations_.lose(key);
    } else if (was_behind) {
        const replica::Asked asked{confirmations_.confirmed_at(key, {}), 0};
        confirmations_.confirm(key, {.kind = replica::Part::Kind::everything}, asked, true);
    }
}

bool PendingModels::is_behind(const registry::ModelKey& key) const {
    const std::lock_guard guard(mutex_);
    const auto lane = lanes_.find(lane_of(key));
    return lane != lanes_.end() && lane->second.is_behind;
}

void PendingModels::hold(const journal::Hold& hold) {
    const std::lock_guard guard(mutex_);
    const auto lane = lanes_.find(hold.lane);
    if (lane != lanes_.end()) {
        lane->second.hold = hold;
    }
}

void PendingModels::release(const std::string& lane) {
    const std::lock_guard guard(mutex_);
    const auto found = lanes_.find(lane);
    if (found != lanes_.end()) {
        found->second.hold.reset();
    }
}

std::optional<journal::Hold> PendingModels::hold_of(const std::string& lane) const {
    const std::lock_guard guard(mutex_);
    const auto found = lanes_.find(lane);
    return found == lanes_.end() ? std::nullopt : found->second.hold;
}

std::size_t PendingModels::held() const {
    const std::lock_guard guard(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(lanes_, [](const auto& lane) { return lane.second.hold.has_value(); }));
}

std::optional<std::string> PendingModels::next(std::string_view after,
                                               const std::function<bool(const std::string&)>& is_ready) const {
    const std::lock_guard guard(mutex_);
    const auto fits = [&](const auto& lane) {
        const bool waits = lane.second.hold && lane.second.hold->decision == journal::Decision::none;
        return !waits && is_ready(lane.first);
    };
    const auto start = lanes_.upper_bound(after);
    auto found = std::find_if(start, lanes_.end(), fits);
    if (found == lanes_.end()) {
        found = std::find_if(lanes_.begin(), start, fits);
        return found == start ? std::nullopt : std::optional(found->first);
    }
    return found->first;
}

}  // namespace offline_registry
