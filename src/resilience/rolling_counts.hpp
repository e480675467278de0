// How often something happened within the last while, counted without a lock.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace resilience {

// N counters over a rolling span. They only ever grow; the span is cut into ten slices, the totals are noted as each
// slice begins, and a figure is the difference between the total now and the one noted when the oldest slice kept
// began. So counting is a single relaxed addition, and a figure covers the last 9 to 10 tenths of the span.
//
// Threads: add(), is_slice_over(), figures() and totals() from any; advance() and forget() under the owner's mutex. A
// reader that races with advance() may see figures of two instants: decide again under the mutex. Time: equal times and
// times before the current slice count into the current slice; a gap longer than the span empties it.
template <std::size_t N>
class RollingCounts {
public:
    using Counts = std::array<std::uint64_t, N>;

    // `span` is at least ten nanoseconds.
    RollingCounts(base::Duration span, base::MonotonicTime now)
        : slice_ends_at_(now + span / kSlices), slice_length_(span / kSlices) {}

    void add(std::size_t counter) {
        totals_[counter].fetch_add(1, std::memory_order_relaxed);
    }

    // True when advance() has something to do.
    [[nodiscard]] bool is_slice_over(base::MonotonicTime now) const {
        return now >= slice_ends_at_.load(std::memory_order_relaxed);
    }

    // The count within the span.
    [[nodiscard]] std::uint64_t figure(std::size_t counter) const {
        return totals_[counter].load(std::memory_order_relaxed) - floors_[counter].load(std::memory_order_relaxed);
    }

    // The count since construction.
    [[nodiscard]] std::uint64_t total(std::size_t counter) const {
        return totals_[counter].load(std::memory_order_relaxed);
    }

    void advance(base::MonotonicTime now) {
        const base::MonotonicTime slice_end = slice_ends_at_.load(std::memory_order_relaxed);
        if (now < slice_end) {
            return;
        }
        const std::int64_t slices = 1 + (now - slice_end) / slice_length_;
        const Counts totals = read_totals();
        for (std::int64_t passed = 0; passed < std::min<std::int64_t>(slices, kSlices); ++passed) {
            oldest_ = (oldest_ + 1) % kSlices;
            noted_[(oldest_ + kSlices - 1) % kSlices] = totals;
        }
        set_floors(noted_[oldest_]);
        slice_ends_at_.store(slice_end + slices * slice_length_, std::memory_order_relaxed);
    }

    // Empties the span; totals stay.
    void forget() {
        noted_.fill(read_totals());
        set_floors(noted_[oldest_]);
    }

private:
    static constexpr std::size_t kSlices = 10;

    [[nodiscard]] Counts read_totals() const {
        Counts totals;
        for (std::size_t counter = 0; counter < N; ++counter) {
            totals[counter] = total(counter);
        }
        return totals;
    }

    void set_floors(const Counts& counts) {
        for (std::size_t counter = 0; counter < N; ++counter) {
            floors_[counter].store(counts[counter], std::memory_order_relaxed);
        }
    }

    alignas(64) std::array<std::atomic<std::uint64_t>, N> totals_{};
    std::array<std::atomic<std::uint64_t>, N> floors_{};
    std::atomic<base::MonotonicTime> slice_ends_at_;
    const base::Duration slice_length_;
    std::size_t oldest_ = 0;  // guarded by the owner, as are the notes
    std::array<Counts, kSlices>
        noted_{};  // totals at the beginning of each slice, a ring whose oldest entry is `oldest_`
};

}  // namespace resilience
