// The models whose writes wait for MLflow, as all workers see them.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "journal/entry.hpp"
#include "registry/entities.hpp"
#include "replica/confirmations.hpp"

namespace offline_registry {

// Safe from any thread; no I/O. While a model is here, it counts as being written to: nothing that MLflow shows of it
// outside a write changes its rows.
class PendingModels {
public:
    // Which outlives it.
    explicit PendingModels(replica::Confirmations& confirmations) : confirmations_(confirmations) {}

    // Both under the model's lock, or before anybody asks.
    void add(const registry::ModelKey& key);
    void remove(const registry::ModelKey& key);

    [[nodiscard]] bool contains(const registry::ModelKey& key) const;

    [[nodiscard]] std::size_t size() const {
        return size_.load(std::memory_order_acquire);
    }

    // Whether the rows lack something that was accepted. Then they answer nothing of the model.
    void set_behind(const registry::ModelKey& key, bool is_behind);
    [[nodiscard]] bool is_behind(const registry::ModelKey& key) const;

    // Lanes in conflict, of models that are here.
    void hold(const journal::Hold& hold);
    void release(const std::string& lane);
    [[nodiscard]] std::optional<journal::Hold> hold_of(const std::string& lane) const;
    [[nodiscard]] std::size_t held() const;

    // The first lane after `after`, in a circle, that is ready and not waiting for a decision.
    [[nodiscard]] std::optional<std::string> next(std::string_view after,
                                                  const std::function<bool(const std::string&)>& is_ready) const;

private:
    struct Lane {
        bool is_behind = false;
        std::optional<journal::Hold> hold;
    };

    replica::Confirmations& confirmations_;
    std::atomic<std::size_t> size_{0};
    mutable std::mutex mutex_;  // guards what follows
    std::map<std::string, Lane, std::less<>> lanes_;
};

}  // namespace offline_registry
