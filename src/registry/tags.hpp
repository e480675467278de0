// Tags as MLflow keeps them: one value a key, in the order in which the keys came.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "registry/entities.hpp"

namespace registry {

inline void set_tag(std::vector<Tag>& tags, const Tag& tag) {
    if (const auto existing = std::ranges::find(tags, tag.key, &Tag::key); existing != tags.end()) {
        existing->value = tag.value;
    } else {
        tags.push_back(tag);
    }
}

inline void delete_tag(std::vector<Tag>& tags, std::string_view key) {
    std::erase_if(tags, [&](const Tag& tag) { return tag.key == key; });
}

// Of several with the same key, the last value.
inline std::vector<Tag> unique_tags(const std::vector<Tag>& given) {
    std::vector<Tag> tags;
    for (const Tag& tag : given) {
        set_tag(tags, tag);
    }
    return tags;
}

}  // namespace registry
