// What every store must find by conditions:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreFilterContract, ::testing::Values(&make_memory_store));
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "registry/testing/store_fixture.hpp"

#include <gtest/gtest.h>

namespace registry::testing {

class StoreFilterContract : public SearchFixture {};

TEST_P(StoreFilterContract, compares_strings_by_their_bytes) {
    put_models({"Fox", "fox", "it's", "ö", "Ö"});

    EXPECT_EQ(models_where({}), (Names{"Fox", "fox", "it's", "Ö", "ö"}));
    EXPECT_EQ(models_where({{Column::name, Comparator::equal, "fox"}}), (Names{"fox"}));
    EXPECT_EQ(models_where({{Column::name, Comparator::equal, "it's"}}), (Names{"it's"}));
    EXPECT_EQ(models_where({{Column::name, Comparator::not_equal, "fox"}}), (Names{"Fox", "it's", "Ö", "ö"}));
    EXPECT_EQ(models_where({{Column::name, Comparator::in, Names{"fox", "ö", "gone"}}}), (Names{"fox", "ö"}));
    EXPECT_EQ(models_where({{Column::name, Comparator::not_in, Names{"fox", "ö"}}}), (Names{"Fox", "it's", "Ö"}));
    EXPECT_EQ(models_where({{Column::name, Comparator::like, "_ox"}, {Column::name, Comparator::not_equal, "fox"}}),
              (Names{"Fox"}));
}

TEST_P(StoreFilterContract, matches_patterns_as_sqlite_does) {
    put_models({"Fox", "a%b", "a.b", "a\\b", "a_b", "axb", "fox", "föx", "fÖx", "[a]"});
    const auto like = [&](const char* pattern) { return models_where({{Column::name, Comparator::like, pattern}}); };
    const auto ilike = [&](const char* pattern) { return models_where({{Column::name, Comparator::ilike, pattern}}); };

    EXPECT_EQ(like("f%"), (Names{"fox", "fÖx", "föx"}));
    EXPECT_EQ(like("f_x"), (Names{"fox", "fÖx", "föx"}));
    EXPECT_EQ(like("FOX"), Names{});
    EXPECT_EQ(like("fo"), Names{});
    EXPECT_EQ(like("%o%"), (Names{"Fox", "fox"}));
    EXPECT_EQ(like("a.b"), (Names{"a.b"}));
    EXPECT_EQ(like("a\\%"), (Names{"a\\b"}));
    EXPECT_EQ(like("a_b"), (Names{"a%b", "a.b", "a\\b", "a_b", "axb"}));
    EXPECT_EQ(like("[a]"), (Names{"[a]"}));
    EXPECT_EQ(like(""), Names{});
    EXPECT_EQ(like("%"), models_where({}));
    EXPECT_EQ(ilike("FOX"), (Names{"Fox", "fox"}));
    EXPECT_EQ(ilike("fÖX"), (Names{"fÖx"}));
    EXPECT_EQ(ilike("F_X"), (Names{"Fox", "fox", "fÖx", "föx"}));
}

TEST_P(StoreFilterContract, finds_versions_by_every_column) {
    put_models({"fox", "owl"});
    for (std::int64_t i = 1; i <= 10; ++i) {
        ModelVersion version = make_version("fox", i);
        version.run_id = "r" + std::to_string(i % 2);
        version.source = "s3://b/" + std::to_string(i);
        put(version);
    }
    ModelVersion without_run = make_version("owl", 1);
    without_run.run_id = "";
    put(without_run);
    put(make_version("owl", 2));
    const auto by_number = [&](Comparator comparator) {
        return versions_where(
            {{Column::version, comparator, std::int64_t{9}}, {Column::name, Comparator::equal, "fox"}});
    };

    EXPECT_EQ(by_number(Comparator::equal), (Names{"fox/9"}));
    EXPECT_EQ(by_number(Comparator::not_equal).size(), 9U);
    EXPECT_EQ(by_number(Comparator::less).size(), 8U);
    EXPECT_EQ(by_number(Comparator::less_equal).size(), 9U);
    EXPECT_EQ(by_number(Comparator::greater), (Names{"fox/10"}));
    EXPECT_EQ(by_number(Comparator::greater_equal), (Names{"fox/9", "fox/10"}));
    EXPECT_EQ(versions_where({{Column::run_id, Comparator::equal, "r1"}}),
              (Names{"fox/1", "fox/3", "fox/5", "fox/7", "fox/9"}));
    EXPECT_EQ(versions_where({{Column::run_id, Comparator::not_equal, "r1"}}),
              (Names{"fox/2", "fox/4", "fox/6", "fox/8", "fox/10", "owl/1"}));
    EXPECT_EQ(
        versions_where({{Column::run_id, Comparator::in, Names{"r0", "x"}}, {Column::version, Comparator::less, 7}}),
        (Names{"fox/2", "fox/4", "fox/6"}));
    EXPECT_EQ(versions_where({{Column::run_id, Comparator::not_in, Names{"r0", "r1"}}}), (Names{"owl/1"}));
    EXPECT_EQ(versions_where({{Column::source, Comparator::ilike, "S3://B/1%"}}), (Names{"fox/1", "fox/10"}));
    EXPECT_EQ(versions_where({{Column::name, Comparator::like, "o%"}}), (Names{"owl/1", "owl/2"}));
    EXPECT_EQ(versions_where({{Column::run_id, Comparator::like, "%"}}).size(), 11U);
}

TEST_P(StoreFilterContract, a_condition_on_a_tag_holds_only_where_the_tag_is) {
    for (const auto& [name, tags] : std::vector<std::pair<std::string, std::vector<Tag>>>{
             {"both", {{"team", "red"}, {"Team", "blue"}}}, {"none", {}}, {"one", {{"team", "Blue"}}}}) {
        RegisteredModel model = make_model(name);
        model.tags = tags;
        put(model);
        ModelVersion version = make_version(name, 1);
        version.tags = tags;
        put(version);
    }
    const auto expect = [&](const std::vector<Condition>& conditions, const Names& names) {
        EXPECT_EQ(models_where(conditions), names);
        Names numbered;
        for (const std::string& name : names) {
            numbered.push_back(name + "/1");
        }
        EXPECT_EQ(versions_where(conditions), numbered);
    };

    expect({{"team", Comparator::equal, "red"}}, {"both"});
    expect({{"team", Comparator::not_equal, "red"}}, {"one"});
    expect({{"team", Comparator::like, "%l%"}}, {"one"});
    expect({{"team", Comparator::like, "b%"}}, {});
    expect({{"team", Comparator::ilike, "b%"}}, {"one"});
    expect({{"team", Comparator::equal, "red"}, {"Team", Comparator::equal, "blue"}}, {"both"});
    expect({{"team", Comparator::equal, "red"}, {"team", Comparator::not_equal, "red"}}, {});
    expect({{"x' OR '1", Comparator::not_equal, "red"}}, {});
}

// As many as MLflow's grammar lets through.
TEST_P(StoreFilterContract, takes_a_thousand_conditions_and_more) {
    put_models({"fox", "owl"});
    std::vector<Condition> conditions(1500, {Column::name, Comparator::not_equal, "fox"});

    EXPECT_EQ(models_where(conditions), (Names{"owl"}));
    conditions.push_back({Column::name, Comparator::not_equal, "owl"});
    EXPECT_EQ(models_where(conditions), Names{});
}

}  // namespace registry::testing
