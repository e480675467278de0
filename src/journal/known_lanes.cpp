#include "journal/known_lanes.hpp"

#include <utility>

namespace journal {

namespace {

constexpr auto kSaveAgain = std::chrono::hours(1);

}  // namespace

void KnownLanes::load(const std::vector<KnownLane>& lanes) {
    const std::lock_guard lock(mutex_);
    for (const KnownLane& lane : lanes) {
        if (order_.size() < capacity_ && !by_lane_.contains(lane.lane)) {
            const auto place = order_.insert(order_.end(), {lane.lane, lane.about, lane.seen_at, clock_.now(), false});
            by_lane_.emplace(place->lane, place);
        }
    }
}

void KnownLanes::see(std::string_view lane, std::optional<std::string> about) {
    const std::lock_guard lock(mutex_);
    Known& known = touch(lane);
    known.seen_at = clock_.wall_now();
    if (about && *about != known.about) {
        known.about = std::move(*about);
        list(known);
    } else if (clock_.now() - known.saved_at >= kSaveAgain) {
        list(known);
    }
}

// Its place in the order is the first from now on.
KnownLanes::Known& KnownLanes::touch(std::string_view lane) {
    const auto found = by_lane_.find(lane);
    if (found != by_lane_.end()) {
        order_.splice(order_.begin(), order_, found->second);
        return order_.front();
    }
    if (order_.size() >= capacity_) {
        by_lane_.erase(order_.back().lane);
        order_.pop_back();
    }
    order_.push_front({std::string(lane), {}, {}, {}, false});
    by_lane_.emplace(order_.front().lane, order_.begin());
    list(order_.front());
    return order_.front();
}

void KnownLanes::list(Known& known) {
    if (!std::exchange(known.is_listed, true)) {
        changed_.push_back(known.lane);
    }
}

std::optional<std::string> KnownLanes::about(std::string_view lane) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_lane_.find(lane);
    return found == by_lane_.end() ? std::nullopt : std::optional(found->second->about);
}

std::vector<KnownLane> KnownLanes::unsaved() {
    const std::lock_guard lock(mutex_);
    std::vector<KnownLane> lanes;
    for (const std::string& lane : std::exchange(changed_, {})) {
        const auto found = by_lane_.find(lane);
        if (found != by_lane_.end() && std::exchange(found->second->is_listed, false)) {
            Known& known = *found->second;
            known.saved_at = clock_.now();
            lanes.push_back({known.lane, known.about, known.seen_at});
        }
    }
    return lanes;
}

void KnownLanes::give_back(const std::vector<KnownLane>& lanes) {
    const std::lock_guard lock(mutex_);
    for (const KnownLane& lane : lanes) {
        const auto found = by_lane_.find(lane.lane);
        if (found != by_lane_.end()) {
            list(*found->second);
        }
    }
}

std::size_t KnownLanes::size() const {
    const std::lock_guard lock(mutex_);
    return order_.size();
}

}  // namespace journal
