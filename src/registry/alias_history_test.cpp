#include "registry/alias_history.hpp"

#include <algorithm>
#include <memory>

#include "base/random.hpp"
#include "registry/testing/alias_history_contract.hpp"
#include "registry/testing/memory_history.hpp"

namespace registry {
namespace {

using testing::make_change;

std::shared_ptr<AliasHistory> make_memory_history() {
    return std::make_shared<testing::MemoryHistory>();
}

const ModelKey kFox{"", "fox"};

// Changes of one alias, written the oldest first.
class Story {
public:
    Story& set(std::int64_t version) {
        return add(version, AliasEvent::set);
    }

    Story& roll_back(std::int64_t version) {
        return add(version, AliasEvent::rolled_back);
    }

    Story& drop(AliasEvent event = AliasEvent::removed) {
        return add(std::nullopt, event);
    }

    [[nodiscard]] std::optional<std::int64_t> target() const {
        return version_to_roll_back_to(newest_first_, "a");
    }

    [[nodiscard]] std::optional<std::int64_t> present() const {
        return present_;
    }

private:
    Story& add(std::optional<std::int64_t> to, AliasEvent event) {
        AliasChange change = make_change(kFox, "a", present_, to);
        change.event = event;
        newest_first_.insert(newest_first_.begin(), change);
        newest_first_.insert(newest_first_.begin(), make_change(kFox, "other", 1, 9));
        present_ = to;
        return *this;
    }

    std::optional<std::int64_t> present_;
    std::vector<AliasChange> newest_first_;
};

TEST(AliasRollback, goes_to_the_version_before_and_then_further_back) {
    Story story;
    EXPECT_EQ(story.target(), std::nullopt);
    EXPECT_EQ(story.set(1).target(), std::nullopt);
    EXPECT_EQ(story.set(2).set(3).target(), 2);
    EXPECT_EQ(story.roll_back(2).target(), 1);
    EXPECT_EQ(story.roll_back(1).target(), std::nullopt);
}

TEST(AliasRollback, of_what_was_set_after_a_rollback_goes_to_where_that_had_led) {
    EXPECT_EQ(Story().set(1).set(2).set(3).roll_back(1).target(), std::nullopt);
    EXPECT_EQ(Story().set(1).set(2).set(3).roll_back(1).set(4).target(), 1);
    EXPECT_EQ(Story().set(1).set(2).set(3).roll_back(2).set(3).target(), 2);
}

TEST(AliasRollback, of_an_alias_that_is_not_set_brings_back_the_last) {
    EXPECT_EQ(Story().set(1).set(2).drop().target(), 2);
    EXPECT_EQ(Story().set(1).set(2).drop(AliasEvent::version_deleted).roll_back(2).target(), 1);
    EXPECT_EQ(Story().set(1).drop().set(2).target(), 1);
}

TEST(AliasRollback, to_a_version_it_never_named_counts_as_setting_it) {
    EXPECT_EQ(Story().set(1).set(2).roll_back(7).target(), 1);
}

TEST(AliasRollback, never_leads_to_another_model_of_the_name) {
    EXPECT_EQ(Story().set(1).set(2).drop(AliasEvent::model_deleted).target(), std::nullopt);
    EXPECT_EQ(Story().set(1).drop(AliasEvent::model_renamed).set(5).target(), std::nullopt);
}

TEST(AliasRollback, setting_the_same_version_again_adds_nothing) {
    EXPECT_EQ(Story().set(1).set(2).drop().set(2).target(), 1);
}

// The definition once more, kept step by step.
TEST(AliasRollback, agrees_with_a_stack_over_random_stories) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        base::SeededRandom random(seed);
        Story story;
        std::vector<std::int64_t> left_at;
        for (int step = 0; step < 40; ++step) {
            const auto target = story.target();
            const std::uint64_t choice = random.next() % 4;
            if (choice == 0 && target) {
                if (story.present()) {
                    left_at.pop_back();
                }
                ASSERT_EQ(left_at.back(), *target);
                story.roll_back(*target);
            } else if (choice == 1 && story.present()) {
                const bool is_of_model = random.next() % 4 == 0;
                story.drop(is_of_model ? AliasEvent::model_deleted : AliasEvent::removed);
                left_at.resize(is_of_model ? 0 : left_at.size());
            } else {
                const auto version = static_cast<std::int64_t>(random.next() % 5 + 1);
                if (story.present() != version) {
                    story.set(version);
                    if (left_at.empty() || left_at.back() != version) {
                        left_at.push_back(version);
                    }
                }
            }
            const std::size_t behind = story.present() ? 1 : 0;
            ASSERT_EQ(story.target(),
                      left_at.size() > behind ? std::optional(left_at[left_at.size() - 1 - behind]) : std::nullopt)
                << "seed " << seed << ", step " << step;
        }
    }
}

Call call_of(Operation operation, std::string body) {
    return {.operation = operation,
            .method = operation == Operation::delete_alias ? "DELETE" : "POST",
            .workspace = "default",
            .query = "",
            .content_type = "application/json",
            .body = std::move(body),
            .user = "",
            .author = {"id", "Ada"}};
}

TEST(AliasAct, is_what_a_call_is_about_to_do) {
    const auto set = act_of(call_of(Operation::set_alias, R"({"name": "fox", "alias": "a", "version": "2"})"));
    ASSERT_TRUE(set);
    EXPECT_EQ(set->event, AliasEvent::set);
    EXPECT_EQ(set->model, kFox);
    EXPECT_TRUE(set->explains(make_change(kFox, "a", 1, 2)));
    EXPECT_FALSE(set->explains(make_change(kFox, "a", 1, 3)));
    EXPECT_FALSE(set->explains(make_change(kFox, "b", 1, 2)));
    EXPECT_FALSE(set->explains(make_change({"", "owl"}, "a", 1, 2)));
    EXPECT_FALSE(set->explains(make_change(kFox, "a", 1, std::nullopt)));

    const auto renamed = act_of(call_of(Operation::rename_model, R"({"name": "fox", "new_name": "owl"})"));
    ASSERT_TRUE(renamed);
    EXPECT_TRUE(renamed->explains(make_change(kFox, "a", 1, std::nullopt)));
    EXPECT_TRUE(renamed->explains(make_change({"", "owl"}, "a", std::nullopt, 1)));
    EXPECT_FALSE(renamed->explains(make_change({"", "owl"}, "a", 1, 2)));

    EXPECT_FALSE(act_of(call_of(Operation::update_model, R"({"name": "fox"})")));
    EXPECT_FALSE(act_of(call_of(Operation::set_alias, "[")));
}

TEST(AliasChanges, are_the_difference_and_only_what_the_call_explains_is_its_own) {
    const auto act = act_of(call_of(Operation::set_alias, R"({"name": "fox", "alias": "a", "version": "2"})"));
    const std::vector<Alias> before{{"a", 1}, {"b", 1}, {"c", 1}};
    const AliasSight sight{.model = kFox, .aliases = {{"a", 2}, {"b", 1}, {"d", 4}}};

    const auto changes = changes_between(before, sight, act, ChangeSource::mlflow, 5);

    ASSERT_EQ(changes.size(), 3U);
    EXPECT_EQ(changes[0].author.key_name, "Ada");
    EXPECT_EQ(changes[0].source, ChangeSource::call);
    EXPECT_EQ(changes[1].alias, "c");
    EXPECT_EQ(changes[1].event, AliasEvent::removed);
    EXPECT_EQ(changes[1].source, ChangeSource::mlflow);
    EXPECT_EQ(changes[2].alias, "d");
    EXPECT_EQ(changes[2].event, AliasEvent::set);
    EXPECT_EQ(changes[2].author, Author());
}

TEST(AliasChanges, say_when_an_alias_is_seen_for_the_first_time) {
    const AliasSight sight{.model = kFox, .aliases = {{"a", 2}}, .is_first = true};
    EXPECT_EQ(changes_between({}, sight, std::nullopt, ChangeSource::mlflow, 5).at(0).event, AliasEvent::first_seen);
    EXPECT_EQ(changes_between({{"a", 1}}, sight, std::nullopt, ChangeSource::mlflow, 5).at(0).event, AliasEvent::set);
    const AliasSight gone{.model = kFox, .is_there = false};
    EXPECT_EQ(changes_between({{"a", 1}}, gone, std::nullopt, ChangeSource::mlflow, 5).at(0).event,
              AliasEvent::model_deleted);
}

TEST(AliasEvents, have_names_that_are_read_back) {
    for (int i = 0; i <= static_cast<int>(AliasEvent::model_deleted); ++i) {
        const auto event = static_cast<AliasEvent>(i);
        EXPECT_EQ(parse_alias_event(to_string(event)), event);
    }
    for (int i = 0; i <= static_cast<int>(ChangeSource::start_up); ++i) {
        const auto source = static_cast<ChangeSource>(i);
        EXPECT_EQ(parse_change_source(to_string(source)), source);
    }
    EXPECT_EQ(parse_alias_event("other"), std::nullopt);
}

}  // namespace

namespace testing {

INSTANTIATE_TEST_SUITE_P(Memory, AliasHistoryContract, ::testing::Values(&make_memory_history));

}  // namespace testing
}  // namespace registry
