#include "offline_registry/model_state.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/sha.h>

namespace offline_registry {

namespace {

constexpr std::size_t kMaxShown = 100;  // bytes of a value

void add(ModelState& state, std::string what, std::string_view value) {
    if (!value.empty()) {
        state.emplace(std::move(what), value);
    }
}

void add_model(ModelState& state, const registry::RegisteredModel& model) {
    state.emplace("the model", "is there");
    add(state, "the description", model.description);
    for (const registry::Tag& tag : model.tags) {
        state.emplace(fmt::format("tag {}", tag.key), tag.value);
    }
    for (const registry::Alias& alias : model.aliases) {
        state.emplace(fmt::format("alias {}", alias.name), fmt::format("version {}", alias.version));
    }
}

void add_version(ModelState& state, const registry::ModelVersion& version) {
    const std::string name = fmt::format("version {}", version.version);
    state.emplace(name, fmt::format("of {}", version.source));
    state.emplace(fmt::format("the stage of {}", name), version.current_stage);
    add(state, fmt::format("the run of {}", name), version.run_id.value_or(""));
    add(state, fmt::format("the run link of {}", name), version.run_link.value_or(""));
    add(state, fmt::format("the description of {}", name), version.description.value_or(""));
    for (const registry::Tag& tag : version.tags) {
        state.emplace(fmt::format("tag {} of {}", tag.key, name), tag.value);
    }
}

// Cut between characters.
std::string shown(const std::string& value) {
    if (value.size() <= kMaxShown) {
        return value;
    }
    std::size_t end = kMaxShown;
    while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return value.substr(0, end) + "...";
}

}  // namespace

base::Result<ModelState> state_in(registry::Reader& reader, const registry::ModelKey& key) {
    ModelState state;
    const auto model = reader.find_model(key);
    if (!model) {
        return std::unexpected(model.error());
    }
    if (!*model) {
        return state;
    }
    add_model(state, **model);
    const auto numbers = reader.version_numbers(key);
    if (!numbers) {
        return std::unexpected(numbers.error());
    }
    for (const std::int64_t number : *numbers) {
        const auto version = reader.find_version(key, number);
        if (!version) {
            return std::unexpected(version.error());
        }
        if (*version) {
            add_version(state, **version);
        }
    }
    return state;
}

ModelState state_of(const replica::ModelView& view) {
    ModelState state;
    if (!view.model) {
        return state;
    }
    add_model(state, *view.model);
    for (const registry::ModelVersion& version : view.versions) {
        add_version(state, version);
    }
    return state;
}

std::string fingerprint(const ModelState& state) {
    std::string text;
    for (const auto& [what, value] : state) {
        text += fmt::format("{}:{}{}:{}", what.size(), what, value.size(), value);
    }
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::vector<std::string> differences(const ModelState& in_mlflow, const ModelState& here, std::size_t limit) {
    std::vector<std::string> sentences;
    for (const auto& [what, value] : in_mlflow) {
        const auto ours = here.find(what);
        if (ours == here.end()) {
            sentences.push_back(fmt::format("{} is only in MLflow: {}", what, shown(value)));
        } else if (ours->second != value) {
            sentences.push_back(
                fmt::format("{} is {} in MLflow, and {} here", what, shown(value), shown(ours->second)));
        }
    }
    for (const auto& [what, value] : here) {
        if (!in_mlflow.contains(what)) {
            sentences.push_back(fmt::format("{} is only here: {}", what, shown(value)));
        }
    }
    if (sentences.size() > limit) {
        const std::size_t left_out = sentences.size() - limit;
        sentences.resize(limit);
        sentences.push_back(fmt::format("and {} more differences", left_out));
    }
    return sentences;
}

}  // namespace offline_registry
