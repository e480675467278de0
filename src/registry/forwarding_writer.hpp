// A writer that passes everything on, for those that look at some of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/store.hpp"

namespace registry {

class ForwardingWriter : public Writer {
public:
    // Which outlives it.
    explicit ForwardingWriter(Writer& writer) : writer_(writer) {}

    base::Result<std::optional<RegisteredModel>> find_model(const ModelKey& key) override {
        return writer_.find_model(key);
    }

    base::Result<std::optional<ModelVersion>> find_version(const ModelKey& key, std::int64_t version) override {
        return writer_.find_version(key, version);
    }

    base::Result<std::vector<ModelVersion>> latest_versions(const ModelKey& key,
                                                            const std::vector<std::string>& stages) override {
        return writer_.latest_versions(key, stages);
    }

    base::Result<std::int64_t> highest_version(const ModelKey& key) override {
        return writer_.highest_version(key);
    }

    base::Result<std::vector<RegisteredModel>> search_models(const Query& query) override {
        return writer_.search_models(query);
    }

    base::Result<std::vector<ModelVersion>> search_versions(const Query& query) override {
        return writer_.search_versions(query);
    }

    base::Result<std::vector<std::int64_t>> version_numbers(const ModelKey& key) override {
        return writer_.version_numbers(key);
    }

    base::Result<std::vector<ModelKey>> list_models(const std::optional<ModelKey>& after, std::size_t limit) override {
        return writer_.list_models(after, limit);
    }

    base::Result<std::vector<AliasedModel>> list_aliased_models(const std::optional<ModelKey>& after,
                                                                std::size_t limit) override {
        return writer_.list_aliased_models(after, limit);
    }

    base::Result<Counts> counts() override {
        return writer_.counts();
    }

    base::Result<std::optional<std::string>> find_fact(std::string_view name) override {
        return writer_.find_fact(name);
    }

    base::Result<void> put_model(const std::string& workspace, const RegisteredModel& model) override {
        return writer_.put_model(workspace, model);
    }

    base::Result<void> erase_model(const ModelKey& key) override {
        return writer_.erase_model(key);
    }

    base::Result<void> rename_model(const ModelKey& key, const std::string& new_name) override {
        return writer_.rename_model(key, new_name);
    }

    base::Result<void> put_version(const std::string& workspace, const ModelVersion& version) override {
        return writer_.put_version(workspace, version);
    }

    base::Result<void> erase_version(const ModelKey& key, std::int64_t version) override {
        return writer_.erase_version(key, version);
    }

    base::Result<void> put_fact(std::string_view name, std::string_view value) override {
        return writer_.put_fact(name, value);
    }

    AliasHistory& alias_history() override {
        return writer_.alias_history();
    }

    void ascribe(const Act& act) override {
        writer_.ascribe(act);
    }

protected:
    Writer& inner() {
        return writer_;
    }

private:
    Writer& writer_;
};

}  // namespace registry
