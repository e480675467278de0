// What every store's searches must leave out, and in which order and portions they must come:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreSearchContract, ::testing::Values(&make_memory_store));
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "registry/testing/store_fixture.hpp"

#include <gtest/gtest.h>

namespace registry::testing {

class StoreSearchContract : public SearchFixture {};

TEST_P(StoreSearchContract, hides_prompts_unless_told_otherwise) {
    for (const char* value : {"true", "True", "false"}) {
        RegisteredModel model = make_model(value);
        model.tags = {{std::string(kPromptTag), value}};
        put(model);
        ModelVersion version = make_version(value, 2);
        version.tags = model.tags;
        put(make_version(value, 1));
        put(version);
    }
    RegisteredModel only_the_model = make_model("only");
    only_the_model.tags = {{std::string(kPromptTag), "true"}};
    put(only_the_model);
    put(make_version("only", 1));

    EXPECT_EQ(models_where({}), (Names{"True", "false"}));
    EXPECT_EQ(versions_where({}), (Names{"True/1", "True/2", "false/1", "false/2", "only/1"}));
    Query all = find({});
    all.hides_prompts = false;
    EXPECT_EQ(models(all), (Names{"True", "false", "only", "true"}));
    EXPECT_EQ(versions(all), (Names{"True/1", "True/2", "false/1", "false/2", "only/1", "true/1", "true/2"}));
}

TEST_P(StoreSearchContract, sorts_by_every_term_in_turn) {
    put_models({"a", "b"});
    for (const auto& [name, number, created, updated] :
         std::vector<std::tuple<std::string, std::int64_t, Timestamp, Timestamp>>{
             {"a", 1, 10, 50}, {"a", 2, 20, 50}, {"a", 10, 20, 40}, {"b", 1, 5, 50}}) {
        ModelVersion version = make_version(name, number);
        version.creation_timestamp = created;
        version.last_updated_timestamp = updated;
        put(version);
    }
    const auto sorted = [&](std::vector<OrderTerm> order) { return versions(find({}, std::move(order))); };

    EXPECT_EQ(sorted({{Column::last_updated_timestamp, true}, {Column::name, false}, {Column::version, true}}),
              (Names{"a/2", "a/1", "b/1", "a/10"}));
    EXPECT_EQ(sorted({{Column::creation_timestamp, false}, {Column::version, true}, {Column::name, false}}),
              (Names{"b/1", "a/1", "a/10", "a/2"}));
    EXPECT_EQ(sorted({{Column::version, false}, {Column::name, true}}), (Names{"b/1", "a/1", "a/2", "a/10"}));
}

TEST_P(StoreSearchContract, sorts_models_by_time_and_name) {
    for (const auto& [name, updated] : std::vector<std::pair<std::string, Timestamp>>{{"a", 1}, {"b", 2}, {"c", 2}}) {
        RegisteredModel model = make_model(name);
        model.last_updated_timestamp = updated;
        put(model);
    }

    EXPECT_EQ(models(find({}, {{Column::last_updated_timestamp, true}, {Column::name, false}})),
              (Names{"b", "c", "a"}));
    EXPECT_EQ(models(find({}, {{Column::name, true}})), (Names{"c", "b", "a"}));
}

TEST_P(StoreSearchContract, skips_and_stops_as_told) {
    put_models({"a", "b", "c", "d"});
    for (std::int64_t i = 1; i <= 4; ++i) {
        put(make_version("a", i));
    }
    Query query = find({});
    query.offset = 1;
    query.limit = 2;
    EXPECT_EQ(models(query), (Names{"b", "c"}));
    EXPECT_EQ(versions(query), (Names{"a/2", "a/3"}));
    query.offset = 4;
    EXPECT_EQ(models(query), Names{});
    EXPECT_EQ(versions(query), Names{});
}

TEST_P(StoreSearchContract, finds_whole_rows_of_one_workspace) {
    RegisteredModel model = make_model("fox");
    model.tags = {{"z", "1"}, {"a", "2"}};
    model.aliases = {{"champion", 1}};
    model.unknown = {{"more", 1}};
    put(model, "team");
    ModelVersion first = make_version("fox", 1);
    first.current_stage = "Production";
    first.tags = {{"k", "v"}};
    first.unknown = {{"more", 2}};
    put(first, "team");
    put(make_version("fox", 2), "team");
    put_models({"fox", "owl"});
    Query query = find({});
    query.workspace = "team";

    model.latest_versions = {first, make_version("fox", 2)};
    EXPECT_EQ(ask([&](Reader& reader) { return reader.search_versions(query); }), model.latest_versions);
    query.order.pop_back();
    EXPECT_EQ(ask([&](Reader& reader) { return reader.search_models(query); }), std::vector{model});
}

}  // namespace registry::testing
