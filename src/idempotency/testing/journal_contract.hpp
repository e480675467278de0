// What every IntentJournal must do. Instantiate with a fixture that has `make(Limits)`, which gives a fresh journal.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "idempotency/intent_journal.hpp"

#include <gtest/gtest.h>

namespace idempotency::testing {

inline Intent version_intent(unsigned char number, const std::string& model = "m") {
    Intent intent;
    intent.identity.fill(number);
    intent.request.fill(static_cast<unsigned char>(number + 100));
    intent.principal = "key-1";
    intent.route = "POST /api/2.0/mlflow/model-versions/create";
    intent.kind = Kind::create_version;
    intent.model = {"", model};
    intent.arguments = R"({"name":"m","source":"s3://b/x"})";
    intent.baseline = Baseline{.highest_version = 3, .model_created = 1'700'000'000'000};
    intent.begun_at = base::WallTime(std::chrono::seconds(1'700'000'000));
    return intent;
}

inline Intent keyed_intent(unsigned char number) {
    Intent intent = version_intent(number);
    intent.kind = Kind::keyed_call;
    intent.has_key = true;
    intent.model = {};
    intent.arguments.clear();
    intent.baseline.reset();
    return intent;
}

template <class Fixture>
class JournalContract : public ::testing::Test {
protected:
    static base::WallTime at(int seconds) {
        return base::WallTime(std::chrono::seconds(1'700'000'000 + seconds));
    }

    std::int64_t record(IntentJournal& journal, const Intent& intent, int seconds = 0) {
        return journal.begin(intent, true, {}, at(seconds)).value().id;
    }

    static void change(IntentJournal& journal, Change change, int seconds = 0) {
        ASSERT_TRUE(journal.apply(std::array{std::move(change)}, at(seconds)));
    }

    Fixture fixture_;
};

TYPED_TEST_SUITE_P(JournalContract);

TYPED_TEST_P(JournalContract, tells_what_was_put_on_record) {
    const auto journal = this->fixture_.make({});
    const Intent intent = version_intent(1);
    const std::int64_t id = this->record(*journal, intent);
    EXPECT_GT(id, 0);

    const Begun again = journal->begin(intent, true, {}, this->at(1)).value();
    EXPECT_EQ(again.id, 0);
    EXPECT_EQ(again.same, (Record{id, intent, std::nullopt}));
    EXPECT_EQ(journal->list_unsettled(this->at(1)).value(), std::vector{*again.same});
}

TYPED_TEST_P(JournalContract, only_looks_where_nothing_may_be_recorded) {
    const auto journal = this->fixture_.make({});
    EXPECT_EQ(journal->begin(version_intent(1), false, {}, this->at(0)).value().id, 0);
    EXPECT_TRUE(journal->list_unsettled(this->at(0)).value().empty());
}

TYPED_TEST_P(JournalContract, takes_no_second_create_of_a_model_while_one_is_unsettled) {
    const auto journal = this->fixture_.make({});
    const std::int64_t id = this->record(*journal, version_intent(1));

    const Begun second = journal->begin(version_intent(2), true, {}, this->at(1)).value();
    EXPECT_EQ(second.id, 0);
    ASSERT_EQ(second.unsettled.size(), 1U);
    EXPECT_EQ(second.unsettled.front().id, id);
    EXPECT_GT(this->record(*journal, version_intent(3, "other")), 0);
    EXPECT_GT(this->record(*journal, keyed_intent(4)), 0);
}

TYPED_TEST_P(JournalContract, lets_creates_pass_one_that_nobody_can_look_up) {
    const auto journal = this->fixture_.make({});
    Intent blind = version_intent(1);
    blind.baseline.reset();
    this->record(*journal, blind);
    EXPECT_GT(this->record(*journal, version_intent(2)), 0);
}

TYPED_TEST_P(JournalContract, makes_changes_before_it_looks) {
    const auto journal = this->fixture_.make({});
    const std::int64_t id = this->record(*journal, version_intent(1));
    const Answer answer{200, std::string("{\"\xFF\0\"}", 6)};
    const std::array settled{Change{id, answer, this->at(150)}};
    const Begun again = journal->begin(version_intent(1), true, settled, this->at(1)).value();
    ASSERT_TRUE(again.same);
    EXPECT_EQ(again.same->answer, answer);
    EXPECT_TRUE(again.unsettled.empty());

    const std::array forgotten{Change{.id = id, .answer = {}, .expires_at = {}}};
    EXPECT_GT(journal->begin(version_intent(1), true, forgotten, this->at(2)).value().id, id);
}

TYPED_TEST_P(JournalContract, forgets_what_has_expired) {
    const auto journal = this->fixture_.make({.unsettled_age = std::chrono::hours(1)});
    const std::int64_t id = this->record(*journal, version_intent(1));
    this->change(*journal, {id, Answer{200, "{}"}, this->at(150)});
    EXPECT_TRUE(journal->begin(version_intent(1), false, {}, this->at(149)).value().same);
    EXPECT_FALSE(journal->begin(version_intent(1), false, {}, this->at(150)).value().same);
    EXPECT_GT(this->record(*journal, version_intent(1), 151), 0);

    EXPECT_EQ(journal->list_unsettled(this->at(3000)).value().size(), 1U);
    EXPECT_TRUE(journal->list_unsettled(this->at(4000)).value().empty());
    EXPECT_TRUE(journal->begin(version_intent(2), false, {}, this->at(4000)).value().unsettled.empty());
}

TYPED_TEST_P(JournalContract, is_bounded) {
    const auto journal = this->fixture_.make({.unsettled = 2, .with_key = 3});
    for (unsigned char number = 1; number <= 5; ++number) {
        const std::int64_t id = this->record(*journal, keyed_intent(number));
        this->change(*journal, {id, Answer{200, "{}"}, this->at(1000)});
    }
    for (unsigned char number = 1; number <= 5; ++number) {
        EXPECT_EQ(journal->begin(keyed_intent(number), false, {}, this->at(1)).value().same.has_value(), number > 2);
    }
    this->record(*journal, keyed_intent(6));
    this->record(*journal, keyed_intent(7));
    const base::Result<Begun> refused = journal->begin(keyed_intent(8), true, {}, this->at(1));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::exhausted);
}

REGISTER_TYPED_TEST_SUITE_P(JournalContract,
                            tells_what_was_put_on_record,
                            only_looks_where_nothing_may_be_recorded,
                            takes_no_second_create_of_a_model_while_one_is_unsettled,
                            lets_creates_pass_one_that_nobody_can_look_up,
                            makes_changes_before_it_looks,
                            forgets_what_has_expired,
                            is_bounded);

}  // namespace idempotency::testing
