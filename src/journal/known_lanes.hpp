// Which lanes were seen, so that their calls may be accepted while nobody can ask MLflow whether they exist.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "journal/entry.hpp"

namespace journal {

// Bounded: the lane not seen for longest is forgotten. Safe from any thread; touches no disk: somebody saves what
// unsaved() gives.
class KnownLanes {
public:
    KnownLanes(const base::Clock& clock, std::size_t capacity) : clock_(clock), capacity_(capacity) {}

    // In the order last seen first.
    void load(const std::vector<KnownLane>& lanes);

    // Without `about`, what is known stays.
    void see(std::string_view lane, std::optional<std::string> about = std::nullopt);

    // Nothing: it is not known.
    [[nodiscard]] std::optional<std::string> about(std::string_view lane) const;

    // New lanes, those of which something else is known now, and once an hour those seen again. Handed out once:
    // give them back when they could not be saved.
    std::vector<KnownLane> unsaved();
    void give_back(const std::vector<KnownLane>& lanes);

    [[nodiscard]] std::size_t size() const;

private:
    struct Known {
        std::string lane;
        std::string about;
        base::WallTime seen_at;
        base::MonotonicTime saved_at;
        bool is_listed = false;  // in changed_
    };

    using Order = std::list<Known>;

    Known& touch(std::string_view lane);
    void list(Known& known);

    const base::Clock& clock_;
    const std::size_t capacity_;
    mutable std::mutex mutex_;  // guards what follows
    Order order_;               // the one seen last comes first
    std::unordered_map<std::string_view, Order::iterator> by_lane_;
    std::vector<std::string> changed_;
};

}  // namespace journal
