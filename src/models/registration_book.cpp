#include "models/registration_book.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace models {

namespace {

constexpr base::Duration kFirstRest = std::chrono::seconds(1);
constexpr unsigned kMaxDoublings = 6;  // to about a minute

}  // namespace

void RegistrationBook::load(const std::vector<WaitingRegistration>& waiting) {
    const std::lock_guard guard(mutex_);
    for (const WaitingRegistration& one : waiting) {
        entries_.push_back({.id = one.id, .model = one.model_name});
    }
}

bool RegistrationBook::enter(const std::string& id, const std::string& model) {
    const std::lock_guard guard(mutex_);
    const bool is_first = std::ranges::none_of(
        entries_, [&](const Entry& entry) { return entry.model == model && (!entry.is_taken || entry.failures > 0); });
    entries_.push_back({.id = id, .model = model, .is_taken = is_first});
    return is_first;
}

std::optional<RegistrationBook::Turn> RegistrationBook::take(base::MonotonicTime now) {
    const std::lock_guard guard(mutex_);
    std::set<std::string_view> held_up;
    for (Entry& entry : entries_) {
        const bool is_next = held_up.insert(entry.model).second;
        if (is_next && !entry.is_taken && entry.due <= now) {
            entry.is_taken = true;
            return Turn{entry.id, entry.doubts};
        }
    }
    return std::nullopt;
}

std::list<RegistrationBook::Entry>::iterator RegistrationBook::find(const std::string& id) {
    return std::ranges::find(entries_, id, &Entry::id);
}

void RegistrationBook::settled(const std::string& id) {
    const std::lock_guard guard(mutex_);
    if (const auto entry = find(id); entry != entries_.end()) {
        entries_.erase(entry);
    }
}

void RegistrationBook::put_back(const std::string& id, base::MonotonicTime now, bool is_doubtful) {
    const std::lock_guard guard(mutex_);
    if (const auto entry = find(id); entry != entries_.end()) {
        entry->is_taken = false;
        entry->due = now + kFirstRest * (1U << std::min(entry->failures, kMaxDoublings));
        ++entry->failures;
        entry->doubts = is_doubtful ? entry->doubts + 1 : 0;
    }
}

std::size_t RegistrationBook::size() const {
    const std::lock_guard guard(mutex_);
    return entries_.size();
}

}  // namespace models
