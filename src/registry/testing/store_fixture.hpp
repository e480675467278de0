// A store under test, asked in one line each; shared by the store contracts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "registry/store.hpp"

#include <gtest/gtest.h>

namespace registry::testing {

using MakeStore = std::shared_ptr<Store> (*)();

inline RegisteredModel make_model(std::string name) {
    RegisteredModel model;
    model.name = std::move(name);
    return model;
}

inline ModelVersion make_version(std::string name, std::int64_t number) {
    ModelVersion version;
    version.name = std::move(name);
    version.version = number;
    return version;
}

class StoreFixture : public ::testing::TestWithParam<MakeStore> {
protected:
    // The answer of a read that must succeed.
    template <class Ask>
    auto ask(Ask ask) {
        std::optional<typename std::invoke_result_t<Ask, Reader&>::value_type> answer;
        const auto read = store->read([&](Reader& reader) -> base::Result<void> {
            auto result = ask(reader);
            if (!result) {
                return std::unexpected(result.error());
            }
            answer = *std::move(result);
            return {};
        });
        EXPECT_TRUE(read) << read.error().message;
        return std::move(answer).value();
    }

    void write(const std::function<base::Result<void>(Writer&)>& work) {
        const auto written = store->write(work);
        EXPECT_TRUE(written) << written.error().message;
    }

    void put(const RegisteredModel& model, const std::string& workspace = {}) {
        write([&](Writer& writer) { return writer.put_model(workspace, model); });
    }

    void put(const ModelVersion& version, const std::string& workspace = {}) {
        write([&](Writer& writer) { return writer.put_version(workspace, version); });
    }

    std::optional<RegisteredModel> find_model(const ModelKey& key) {
        return ask([&](Reader& reader) { return reader.find_model(key); });
    }

    std::optional<ModelVersion> find_version(const ModelKey& key, std::int64_t version) {
        return ask([&](Reader& reader) { return reader.find_version(key, version); });
    }

    std::int64_t highest_version(const ModelKey& key) {
        return ask([&](Reader& reader) { return reader.highest_version(key); });
    }

    std::vector<std::int64_t> version_numbers(const ModelKey& key) {
        return ask([&](Reader& reader) { return reader.version_numbers(key); });
    }

    std::vector<std::int64_t> latest_versions(const ModelKey& key, const std::vector<std::string>& stages) {
        std::vector<std::int64_t> numbers;
        for (const ModelVersion& version : ask([&](Reader& reader) { return reader.latest_versions(key, stages); })) {
            numbers.push_back(version.version);
        }
        return numbers;
    }

    // "workspace/name" of each.
    std::vector<std::string> list_models(const std::optional<ModelKey>& after, std::size_t limit) {
        std::vector<std::string> names;
        for (const ModelKey& key : ask([&](Reader& reader) { return reader.list_models(after, limit); })) {
            names.push_back(key.workspace + "/" + key.name);
        }
        return names;
    }

    // Models, versions, aliases.
    std::vector<std::int64_t> counts() {
        const Counts counts = ask([](Reader& reader) { return reader.counts(); });
        return {counts.models, counts.versions, counts.aliases};
    }

    std::optional<std::string> find_fact(std::string_view name) {
        return ask([&](Reader& reader) { return reader.find_fact(name); });
    }

    std::shared_ptr<Store> store = GetParam()();
};

class SearchFixture : public StoreFixture {
protected:
    using Names = std::vector<std::string>;

    static constexpr OrderTerm kByName{Column::name, false};
    static constexpr OrderTerm kByVersion{Column::version, false};

    static Query find(std::vector<Condition> conditions, std::vector<OrderTerm> order = {kByName, kByVersion}) {
        Query query;
        query.conditions = std::move(conditions);
        query.order = std::move(order);
        query.limit = 100;
        return query;
    }

    void put_models(const Names& names) {
        for (const std::string& name : names) {
            put(make_model(name));
        }
    }

    Names models(Query query) {
        if (query.order.back().column == Column::version) {
            query.order.pop_back();
        }
        Names names;
        for (const RegisteredModel& model : ask([&](Reader& reader) { return reader.search_models(query); })) {
            names.push_back(model.name);
        }
        return names;
    }

    Names models_where(std::vector<Condition> conditions) {
        return models(find(std::move(conditions)));
    }

    // "name/version" of each.
    Names versions(const Query& query) {
        Names names;
        for (const ModelVersion& version : ask([&](Reader& reader) { return reader.search_versions(query); })) {
            EXPECT_TRUE(version.aliases.empty());
            names.push_back(version.name + "/" + std::to_string(version.version));
        }
        return names;
    }

    Names versions_where(std::vector<Condition> conditions) {
        return versions(find(std::move(conditions)));
    }
};

}  // namespace registry::testing
