// A history of aliases in memory, without bounds, for tests of what keeps one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "registry/alias_history.hpp"

namespace registry::testing {

class MemoryHistory final : public AliasHistory {
public:
    base::Result<void> append(const std::vector<AliasChange>& changes) override {
        if (is_broken) {
            return base::fail(base::Code::unavailable, "the disk is full");
        }
        for (const AliasChange& change : changes) {
            kept_.push_back(change);
            kept_.back().sequence = static_cast<std::int64_t>(kept_.size());
            auto& aliases = set_[change.model];
            if (change.to) {
                aliases[change.alias] = *change.to;
            } else {
                aliases.erase(change.alias);
            }
        }
        return {};
    }

    base::Result<std::vector<AliasChange>> changes(const ModelKey& model, std::size_t limit) override {
        std::vector<AliasChange> found;
        for (auto change = kept_.rbegin(); change != kept_.rend() && found.size() < limit; ++change) {
            if (change->model == model) {
                found.push_back(*change);
            }
        }
        return found;
    }

    base::Result<std::vector<Alias>> last_seen(const ModelKey& model) override {
        std::vector<Alias> aliases;
        for (const auto& [name, version] : set_[model]) {
            aliases.push_back({name, version});
        }
        return aliases;
    }

    base::Result<std::vector<ModelKey>> models(const std::optional<ModelKey>& after, std::size_t limit) override {
        std::vector<ModelKey> keys;
        auto entry = after ? set_.upper_bound(*after) : set_.begin();
        for (; entry != set_.end() && keys.size() < limit; ++entry) {
            if (!entry->second.empty()) {
                keys.push_back(entry->first);
            }
        }
        return keys;
    }

    bool is_broken = false;

private:
    std::vector<AliasChange> kept_;
    std::map<ModelKey, std::map<std::string, std::int64_t>> set_;
};

}  // namespace registry::testing
