#include "registry/alias_index.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace registry {

namespace {

AliasIndex::Answer bytes(const std::string& text) {
    return std::make_shared<const std::string>(text);
}

std::string found(const AliasIndex& index, std::string_view workspace, std::string_view name, std::string_view alias) {
    const AliasIndex::Answer answer = index.find(workspace, name, alias);
    return answer == nullptr ? "none" : *answer;
}

TEST(AliasIndex, finds_by_workspace_model_and_alias) {
    AliasIndex index;
    index.replace({"", "fox"}, {{"champion", bytes("1")}, {"Champion", bytes("2")}});
    index.replace({"team", "fox"}, {{"champion", bytes("3")}});
    index.replace({"te", "amfox"}, {{"champion", bytes("4")}});

    EXPECT_EQ(found(index, "", "fox", "champion"), "1");
    EXPECT_EQ(found(index, "", "fox", "Champion"), "2");
    EXPECT_EQ(found(index, "team", "fox", "champion"), "3");
    EXPECT_EQ(found(index, "te", "amfox", "champion"), "4");
    EXPECT_EQ(found(index, "", "fox", "other"), "none");
    EXPECT_EQ(found(index, "", "owl", "champion"), "none");
    EXPECT_EQ(found(index, "team", "fo", "champion"), "none");
}

TEST(AliasIndex, replaces_all_that_was_known_of_a_model) {
    AliasIndex index;
    index.replace({"", "fox"}, {{"a", bytes("1")}, {"b", bytes("1")}});
    index.replace({"", "fox"}, {{"b", bytes("2")}});
    EXPECT_EQ(found(index, "", "fox", "a"), "none");
    EXPECT_EQ(found(index, "", "fox", "b"), "2");

    index.replace({"", "fox"}, {});
    EXPECT_EQ(found(index, "", "fox", "b"), "none");
}

TEST(AliasIndex, forgets_one_model) {
    AliasIndex index;
    index.replace({"", "fox"}, {{"a", bytes("1")}});
    index.replace({"", "owl"}, {{"a", bytes("2")}});

    index.erase({"", "fox"});
    index.erase({"", "fox"});

    EXPECT_EQ(found(index, "", "fox", "a"), "none");
    EXPECT_EQ(found(index, "", "owl", "a"), "2");
}

TEST(AliasIndex, an_answer_outlives_its_place_in_the_index) {
    AliasIndex index;
    index.replace({"", "fox"}, {{"a", bytes("1")}});
    const AliasIndex::Answer answer = index.find("", "fox", "a");

    index.erase({"", "fox"});

    EXPECT_EQ(*answer, "1");
}

TEST(AliasIndex, threads_see_whole_answers_while_others_replace_them) {
    AliasIndex index;
    std::atomic<bool> is_over = false;
    std::vector<std::jthread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!is_over) {
                for (int model = 0; model < 100; ++model) {
                    const std::string answer = found(index, "", std::to_string(model), "a");
                    EXPECT_TRUE(answer == "none" || answer == std::string(100, answer.front()));
                }
            }
        });
    }
    for (int round = 0; round < 200; ++round) {
        for (int model = 0; model < 100; ++model) {
            const char letter = static_cast<char>('a' + round % 26);
            index.replace({"", std::to_string(model)}, {{"a", bytes(std::string(100, letter))}});
        }
    }
    is_over = true;
    readers.clear();

    EXPECT_EQ(found(index, "", "7", "a").size(), 100U);
}

}  // namespace

}  // namespace registry
