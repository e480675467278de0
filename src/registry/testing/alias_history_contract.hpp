// What every history of aliases must do:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, AliasHistoryContract, ::testing::Values(&make_memory_history));
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "registry/alias_history.hpp"

#include <gtest/gtest.h>

namespace registry::testing {

using MakeHistory = std::shared_ptr<AliasHistory> (*)();

inline AliasChange make_change(const ModelKey& model,
                               const std::string& alias,
                               std::optional<std::int64_t> from,
                               std::optional<std::int64_t> to) {
    return {.at = 1'755'172'800'123, .model = model, .alias = alias, .from = from, .to = to};
}

class AliasHistoryContract : public ::testing::TestWithParam<MakeHistory> {
protected:
    std::vector<AliasChange> changes(const ModelKey& model, std::size_t limit = 100) {
        return history->changes(model, limit).value();
    }

    std::shared_ptr<AliasHistory> history = GetParam()();
    ModelKey fox{"", "fox"};
};

TEST_P(AliasHistoryContract, gives_back_all_of_a_change_the_newest_first) {
    AliasChange renamed = make_change(fox, "naïve 'a'", 2, std::nullopt);
    renamed.event = AliasEvent::model_renamed;
    renamed.author = {"id", "Ada"};
    renamed.other_name = "owl";
    AliasChange seen = make_change(fox, "b", std::nullopt, 7);
    seen.event = AliasEvent::first_seen;
    seen.source = ChangeSource::mlflow;
    ASSERT_TRUE(history->append({renamed, seen}));

    std::vector<AliasChange> kept = changes(fox);

    ASSERT_EQ(kept.size(), 2U);
    EXPECT_GT(kept[0].sequence, kept[1].sequence);
    kept[0].sequence = kept[1].sequence = 0;
    EXPECT_EQ(kept, (std::vector{seen, renamed}));
    EXPECT_EQ(changes(fox, 1).size(), 1U);
}

TEST_P(AliasHistoryContract, knows_where_the_last_changes_left_each_alias) {
    ASSERT_TRUE(history->append({make_change(fox, "b", std::nullopt, 1), make_change(fox, "a", std::nullopt, 2)}));
    ASSERT_TRUE(history->append({make_change(fox, "b", 1, 3)}));
    EXPECT_EQ(history->last_seen(fox).value(), (std::vector<Alias>{{"a", 2}, {"b", 3}}));

    ASSERT_TRUE(history->append({make_change(fox, "a", 2, std::nullopt), make_change(fox, "b", 3, std::nullopt)}));
    EXPECT_TRUE(history->last_seen(fox).value().empty());
    EXPECT_TRUE(history->models(std::nullopt, 10).value().empty());
    EXPECT_EQ(changes(fox).size(), 5U);
}

TEST_P(AliasHistoryContract, keeps_models_and_workspaces_apart_and_lists_them_in_order) {
    const std::vector<ModelKey> models{{"", "b"}, {"", "a"}, {"team", "a"}, {"", "C"}};
    for (const ModelKey& model : models) {
        ASSERT_TRUE(history->append({make_change(model, "x", std::nullopt, 1)}));
    }
    EXPECT_EQ(changes({"", "a"}).size(), 1U);
    EXPECT_TRUE(changes(fox).empty());
    EXPECT_EQ(history->models(std::nullopt, 3).value(), (std::vector<ModelKey>{{"", "C"}, {"", "a"}, {"", "b"}}));
    EXPECT_EQ(history->models(ModelKey{"", "b"}, 3).value(), (std::vector<ModelKey>{{"team", "a"}}));
}

}  // namespace registry::testing
