#include "registry/version_loads.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/strings.hpp"
#include "registry/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace registry {

namespace {

std::optional<VersionLoad> load_of(std::string_view workspace, const boost::json::object& named) {
    VersionLoad load{.model = {std::string(normal_workspace(workspace)), text_at(named, "name")}};
    load.version = static_cast<std::int64_t>(base::parse_uint(text_at(named, "version")).value_or(0));
    return load.version > 0 && !load.model.name.empty() ? std::optional(std::move(load)) : std::nullopt;
}

std::optional<VersionLoad> load_in(std::string_view workspace, std::string_view answer) {
    boost::system::error_code error;
    const boost::json::value parsed = boost::json::parse(answer, error);
    const boost::json::object* const object = error ? nullptr : parsed.if_object();
    const boost::json::value* const member = object == nullptr ? nullptr : object->if_contains("model_version");
    const boost::json::object* const version = member == nullptr ? nullptr : member->if_object();
    if (version == nullptr) {
        return std::nullopt;
    }
    return load_of(workspace, *version);
}

}  // namespace

std::optional<VersionLoad> load_of(const Call& call, std::string_view answer, Timestamp at) {
    std::optional<VersionLoad> load;
    if (call.operation == Operation::get_version_by_alias || call.operation == Operation::get_version) {
        load = load_in(call.workspace, answer);
    } else if (call.operation == Operation::get_download_uri) {
        const auto arguments = arguments_of(call);
        load = arguments ? load_of(call.workspace, *arguments) : std::nullopt;
    }
    if (load) {
        load->by = call.author;
        load->at = at;
    }
    return load;
}

void LoadNotes::note(std::string_view key_id,
                     std::string_view key_name,
                     std::string_view workspace,
                     const AliasIndex::Answer& answer,
                     Timestamp at) {
    const Place place{key_id.data(), answer.get()};
    const std::lock_guard guard(mutex_);
    const auto found = given_.find(place);
    if (found != given_.end()) {
        found->second.at = at;
    } else if (given_.size() < kCapacity) {
        given_.emplace(place, Given{key_id, key_name, std::string(workspace), answer, at});
    }
}

void LoadNotes::note(VersionLoad load) {
    const std::lock_guard guard(mutex_);
    if (loads_.size() < kCapacity) {
        loads_.push_back(std::move(load));
    }
}

std::vector<VersionLoad> LoadNotes::take() {
    std::unordered_map<Place, Given, HashPlace> given;
    std::vector<VersionLoad> loads;
    {
        const std::lock_guard guard(mutex_);
        given.swap(given_);
        loads.swap(loads_);
    }
    for (const auto& [place, note] : given) {
        if (auto load = load_in(note.workspace, *note.answer)) {
            load->by = {std::string(note.key_id), std::string(note.key_name)};
            load->at = note.at;
            loads.push_back(*std::move(load));
        }
    }
    return loads;
}

void VersionLoads::restore(const std::vector<VersionLoad>& loads) {
    const std::lock_guard guard(mutex_);
    for (const VersionLoad& load : loads) {
        put(load, false);
    }
}

void VersionLoads::give_back(const std::vector<VersionLoad>& loads) {
    const std::lock_guard guard(mutex_);
    for (const VersionLoad& load : loads) {
        put(load, true);
    }
}

std::vector<VersionLoad> VersionLoads::of(const ModelKey& model) {
    const std::lock_guard guard(mutex_);
    collect();
    std::vector<VersionLoad> loads;
    for (auto load = loads_.lower_bound(Key{.model = model, .version = 0, .key_id = {}});
         load != loads_.end() && load->first.model == model;
         ++load) {
        loads.push_back({model, load->first.version, {load->first.key_id, load->second.key_name}, load->second.at});
    }
    std::ranges::sort(loads, std::ranges::greater(), &VersionLoad::at);
    return loads;
}

std::vector<VersionLoad> VersionLoads::take_new() {
    const std::lock_guard guard(mutex_);
    collect();
    std::vector<VersionLoad> loads;
    for (auto& [key, entry] : loads_) {
        if (std::exchange(entry.is_new, false)) {
            loads.push_back({key.model, key.version, {key.key_id, entry.key_name}, entry.at});
        }
    }
    return loads;
}

void VersionLoads::collect() {
    for (LoadNotes& notes : notes_) {
        for (const VersionLoad& load : notes.take()) {
            put(load, true);
        }
    }
}

void VersionLoads::put(const VersionLoad& load, bool is_new) {
    const Key key{load.model, load.version, load.by.key_id};
    const auto [entry, is_added] = loads_.try_emplace(key, Entry{load.by.key_name, load.at, is_new});
    if (!is_added) {
        if (load.at <= entry->second.at) {
            entry->second.is_new = entry->second.is_new || is_new;
            return;
        }
        by_time_.erase({entry->second.at, key});
        entry->second = {load.by.key_name, load.at, entry->second.is_new || is_new};
    }
    by_time_.emplace(load.at, key);
    if (loads_.size() > kCapacity) {
        loads_.erase(by_time_.begin()->second);
        by_time_.erase(by_time_.begin());
    }
}

}  // namespace registry
