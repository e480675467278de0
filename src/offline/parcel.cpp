#include "offline/parcel.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <vector>

#include "offline/run_call.hpp"

#include <fmt/format.h>

namespace offline {

namespace {

using journal::Entry;

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kSpaceOrComma = " \t\r\n,";
constexpr std::string_view kSpaceOrColon = " \t\r\n:";
constexpr std::string_view kRuns = "/runs/";

// The lists of log-batch, what else makes an item of each, and how many MLflow takes.
struct List {
    std::string_view name;
    std::string_view single_call;
    std::size_t limit;
};

constexpr std::array<List, 3> kLists{
    {{"metrics", "log-metric", 1000}, {"params", "log-parameter", 100}, {"tags", "set-tag", 100}}};
constexpr std::size_t kParams = 1;

// The texts of the items of each list.
using Items = std::array<std::vector<std::string_view>, kLists.size()>;

std::string_view trim(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(kSpace);
    return begin == std::string_view::npos ? std::string_view()
                                           : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

void skip(std::string_view& text, std::string_view characters) {
    text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
}

// Takes a JSON string with its quotes off the front.
std::string_view take_string(std::string_view& text) {
    std::size_t end = 1;
    while (text[end] != '"') {
        end += text[end] == '\\' ? 2 : 1;
    }
    const std::string_view taken = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    return taken;
}

// Takes text up to the next comma or closing bracket that belongs to what is around it.
std::string_view take_value(std::string_view& text) {
    std::string_view rest = text;
    for (int depth = 0; !rest.empty();) {
        const char c = rest.front();
        if (c == '"') {
            take_string(rest);
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
            break;
        }
        depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
        rest.remove_prefix(1);
    }
    const std::string_view taken = text.substr(0, text.size() - rest.size());
    text = rest;
    return trim(taken);
}

std::vector<std::string_view> items_of(std::string_view array) {
    std::vector<std::string_view> items;
    if (!array.starts_with('[')) {
        return items;
    }
    std::string_view rest = array.substr(1, array.size() - 2);
    for (skip(rest, kSpace); !rest.empty(); skip(rest, kSpaceOrComma)) {
        items.push_back(take_value(rest));
    }
    return items;
}

// Nothing: it is no call that log-batch could make.
std::optional<Items> items_of(const Entry& entry) {
    const std::string_view call = std::string_view(entry.target).substr(entry.target.rfind('/') + 1);
    Items items;
    if (call == "log-batch") {
        std::ranges::transform(
            kLists, items.begin(), [&](const List& list) { return items_of(raw_member(entry.body, list.name)); });
        return items;
    }
    const auto* const list = std::ranges::find(kLists, call, &List::single_call);
    if (list == kLists.end()) {
        return std::nullopt;
    }
    items.at(static_cast<std::size_t>(list - kLists.begin())).push_back(trim(entry.body));
    return items;
}

// What goes into one call of log-batch; the entries outlive it.
class Batch {
public:
    // Whether all of it found room.
    bool add(const Entry& entry) {
        const std::optional<Items> more = items_of(entry);
        if (!more || !has_room(*more, entry.body.size()) || repeats_a_param(*more)) {
            return false;
        }
        for (std::size_t i = 0; i < kLists.size(); ++i) {
            items_[i].insert(items_[i].end(), (*more)[i].begin(), (*more)[i].end());
            count_ += (*more)[i].size();
        }
        bytes_ += entry.body.size();
        return true;
    }

    [[nodiscard]] std::string to_json(std::string_view run_id) const {
        std::string json = fmt::format(R"({{"run_id": "{}")", run_id);
        for (std::size_t i = 0; i < kLists.size(); ++i) {
            if (!items_[i].empty()) {
                json += fmt::format(R"(, "{}": [{}])", kLists[i].name, fmt::join(items_[i], ","));
            }
        }
        return json + "}";
    }

private:
    [[nodiscard]] bool has_room(const Items& more, std::size_t bytes) const {
        std::size_t count = count_;
        for (std::size_t i = 0; i < kLists.size(); ++i) {
            count += more[i].size();
            if (items_[i].size() + more[i].size() > kLists[i].limit) {
                return false;
            }
        }
        return count <= kMaxParcelEntries && (bytes_ == 0 || bytes_ + bytes <= kMaxParcelBytes);
    }

    // MLflow refuses a batch that names a parameter twice, though not two calls that do, with the same value.
    bool repeats_a_param(const Items& more) {
        return !std::ranges::all_of(more[kParams], [this](std::string_view param) {
            return param_keys_.insert(raw_member(param, "key")).second;
        });
    }

    Items items_;
    std::set<std::string_view> param_keys_;
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace

std::string_view raw_member(std::string_view object, std::string_view name) {
    std::string_view found;
    std::string_view rest = trim(object).substr(1);
    for (skip(rest, kSpace); rest.starts_with('"'); skip(rest, kSpaceOrComma)) {
        const std::string_view key = take_string(rest);
        skip(rest, kSpaceOrColon);
        const std::string_view value = take_value(rest);
        if (key.substr(1, key.size() - 2) == name) {
            found = value;
        }
    }
    return found;
}

Parcel pack(std::span<const Entry> head) {
    const Entry& first = head.front();
    Parcel parcel{1, first.method, first.target, first.workspace, first.body};
    Batch batch;
    const auto end = std::ranges::find_if_not(head, [&batch](const Entry& entry) { return batch.add(entry); });
    const auto entries = static_cast<std::size_t>(end - head.begin());
    if (entries > 1) {
        parcel.entries = entries;
        parcel.target = first.target.substr(0, first.target.rfind(kRuns) + kRuns.size()) + "log-batch";
        parcel.body = batch.to_json(run_of_lane(first.lane));
    }
    return parcel;
}

}  // namespace offline
