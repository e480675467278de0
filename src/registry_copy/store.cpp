#include "registry_copy/store.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace registry_copy {

namespace {

constexpr std::size_t kPage = 1000;

// The number stays given out, with no version under it.
base::Result<void> give_out(registry::Writer& writer, const registry::ModelKey& key, std::int64_t number) {
    registry::ModelVersion version;
    version.name = key.name;
    version.version = number;
    auto put = writer.put_version(key.workspace, version);
    return put ? writer.erase_version(key, number) : put;
}

base::Result<void> visit(registry::Reader& reader,
                         const std::vector<registry::ModelKey>& keys,
                         const std::function<base::Result<void>(const ModelCopy&)>& take) {
    for (const registry::ModelKey& key : keys) {
        const auto model = read_model(reader, key);
        if (!model) {
            return std::unexpected(model.error());
        }
        if (*model) {
            if (auto taken = take(**model); !taken) {
                return taken;
            }
        }
    }
    return {};
}

}  // namespace

base::Result<std::optional<ModelCopy>> read_model(registry::Reader& reader, const registry::ModelKey& key) {
    auto model = reader.find_model(key);
    if (!model) {
        return std::unexpected(model.error());
    }
    if (!*model) {
        return std::nullopt;
    }
    ModelCopy copy{.workspace = key.workspace, .model = **std::move(model)};
    const auto highest = reader.highest_version(key);
    if (!highest) {
        return std::unexpected(highest.error());
    }
    copy.highest_version = *highest;
    const auto numbers = reader.version_numbers(key);
    if (!numbers) {
        return std::unexpected(numbers.error());
    }
    copy.versions.reserve(numbers->size());
    for (const std::int64_t number : *numbers) {
        auto version = reader.find_version(key, number);
        if (!version) {
            return std::unexpected(version.error());
        }
        if (*version) {
            copy.versions.push_back(**std::move(version));
            copy.versions.back().aliases.clear();
        }
    }
    return copy;
}

base::Result<void> StoreSource::for_each_model(const std::function<base::Result<void>(const ModelCopy&)>& take) {
    return store_.read([&](registry::Reader& reader) -> base::Result<void> {
        std::optional<registry::ModelKey> last;
        for (;;) {
            const auto keys = reader.list_models(last, kPage);
            if (!keys) {
                return std::unexpected(keys.error());
            }
            if (keys->empty()) {
                return {};
            }
            if (auto visited = visit(reader, *keys, take); !visited) {
                return visited;
            }
            last = keys->back();
        }
    });
}

base::Result<std::optional<ModelCopy>> StoreTarget::find_model(const registry::ModelKey& key) {
    return read_model(writer_, key);
}

base::Result<void> StoreTarget::add_model(const ModelCopy& model, const std::optional<ModelCopy>& there) {
    if (there) {
        if (auto erased = writer_.erase_model(model.key()); !erased) {
            return erased;
        }
    }
    if (auto put = writer_.put_model(model.workspace, model.model); !put) {
        return put;
    }
    for (const registry::ModelVersion& version : model.versions) {
        if (auto put = writer_.put_version(model.workspace, version); !put) {
            return put;
        }
    }
    const std::int64_t newest = model.versions.empty() ? 0 : model.versions.back().version;
    return model.highest_version > newest ? give_out(writer_, model.key(), model.highest_version)
                                          : base::Result<void>();
}

}  // namespace registry_copy
