#include "replica/confirmations.hpp"

#include <gtest/gtest.h>

namespace replica {
namespace {

const registry::ModelKey kModel{"", "m"};
const registry::ModelKey kOther{"", "n"};
const Part kRow{};
const Part kVersion{.kind = Part::Kind::version, .version = 1};
const Part kAlias{.kind = Part::Kind::alias, .alias = "champion"};
const Part kEverything{.kind = Part::Kind::everything};

base::MonotonicTime at(int seconds) {
    return base::MonotonicTime(std::chrono::hours(1) + std::chrono::seconds(seconds));
}

TEST(Confirmations, know_each_part_of_a_model_apart) {
    Confirmations book;
    book.confirm(kModel, kVersion, book.ask(at(3)));
    book.confirm(kModel, kAlias, book.ask(at(4)));
    EXPECT_TRUE(book.is_fresh(kModel, kVersion, at(3)));
    EXPECT_FALSE(book.is_fresh(kModel, kVersion, at(4)));
    EXPECT_TRUE(book.is_fresh(kModel, kAlias, at(4)));
    EXPECT_FALSE(book.is_fresh(kModel, kRow, at(1)));
    EXPECT_FALSE(book.is_fresh(kModel, {.kind = Part::Kind::version, .version = 2}, at(1)));
    EXPECT_FALSE(book.is_fresh(kOther, kVersion, at(1)));
}

TEST(Confirmations, of_everything_and_of_a_sweep_hold_for_every_part) {
    Confirmations book;
    book.confirm(kModel, kEverything, book.ask(at(2)));
    EXPECT_TRUE(book.is_fresh(kModel, kAlias, at(2)));
    EXPECT_FALSE(book.is_fresh(kOther, kAlias, at(2)));

    book.swept(at(5));
    EXPECT_EQ(book.confirmed_at(kModel, kAlias), at(5));
    EXPECT_EQ(book.confirmed_at(kOther, kRow), at(5));
    EXPECT_FALSE(book.is_fresh(kOther, kRow, at(6)));
}

TEST(Confirmations, never_go_back_in_time) {
    Confirmations book;
    book.confirm(kModel, kRow, book.ask(at(5)));
    book.confirm(kModel, kRow, book.ask(at(3)));
    EXPECT_EQ(book.confirmed_at(kModel, kRow), at(5));
    book.swept(at(4));
    EXPECT_EQ(book.confirmed_at(kModel, kRow), at(5));
}

TEST(Confirmations, take_no_answer_that_a_local_write_has_overtaken) {
    Confirmations book;
    const Asked before = book.ask(at(1));
    book.begin_write(kModel);
    const Asked during = book.ask(at(2));
    EXPECT_FALSE(book.is_current(kModel, before));
    EXPECT_FALSE(book.is_current(kModel, during));
    EXPECT_TRUE(book.is_current(kOther, before));

    book.end_write(kModel);
    EXPECT_FALSE(book.is_current(kModel, before));
    EXPECT_FALSE(book.is_current(kModel, during));
    EXPECT_TRUE(book.is_current(kModel, book.ask(at(3))));

    book.confirm(kModel, kRow, during);
    EXPECT_FALSE(book.is_fresh(kModel, kRow, at(1)));
}

TEST(Confirmations, take_what_was_asked_within_the_write) {
    Confirmations book;
    book.begin_write(kModel);
    book.confirm(kModel, kRow, book.ask(at(2)), true);
    book.end_write(kModel);
    EXPECT_TRUE(book.is_fresh(kModel, kRow, at(2)));
}

TEST(Confirmations, remember_overtaken_answers_after_what_they_knew_was_dropped) {
    Confirmations book;
    const Asked before = book.ask(at(1));
    book.begin_write(kModel);
    book.end_write(kModel);
    book.swept(at(10));
    EXPECT_FALSE(book.is_current(kModel, before));
    EXPECT_TRUE(book.is_current(kModel, book.ask(at(11))));
}

TEST(Confirmations, of_aliases_end_when_aliases_move) {
    Confirmations book;
    book.confirm(kModel, kAlias, book.ask(at(5)));
    book.confirm(kModel, kVersion, book.ask(at(5)));
    book.aliases_changed(kModel);
    EXPECT_FALSE(book.is_fresh(kModel, kAlias, at(5)));
    EXPECT_TRUE(book.is_fresh(kModel, kVersion, at(5)));
}

TEST(Confirmations, of_a_model_that_is_gone_end_but_not_its_writes) {
    Confirmations book;
    const Asked before = book.ask(at(1));
    book.begin_write(kModel);
    book.confirm(kModel, kRow, book.ask(at(2)), true);
    book.forget(kModel);
    EXPECT_FALSE(book.is_fresh(kModel, kRow, at(1)));
    book.end_write(kModel);
    EXPECT_FALSE(book.is_current(kModel, before));
}

TEST(Confirmations, in_doubt_are_not_fresh_until_later_ones) {
    Confirmations book;
    book.swept(at(1));
    book.confirm(kModel, kRow, book.ask(at(4)));
    book.doubt(kModel, at(5));
    EXPECT_FALSE(book.is_fresh(kModel, kRow, at(0)));
    EXPECT_EQ(book.confirmed_at(kModel, kRow), at(4));

    book.confirm(kModel, kRow, book.ask(at(6)));
    EXPECT_TRUE(book.is_fresh(kModel, kRow, at(6)));
    EXPECT_FALSE(book.is_fresh(kModel, kVersion, at(0)));
    book.swept(at(5));
    EXPECT_FALSE(book.is_fresh(kModel, kVersion, at(0)));
    book.swept(at(7));
    EXPECT_TRUE(book.is_fresh(kModel, kVersion, at(7)));
}

TEST(Confirmations, of_a_lost_model_count_only_when_everything_was_read) {
    Confirmations book;
    book.lose(kModel);
    EXPECT_TRUE(book.is_lost(kModel));
    EXPECT_TRUE(book.has_lost_any());
    book.confirm(kModel, kRow, book.ask(at(2)));
    book.swept(at(3));
    EXPECT_TRUE(book.is_lost(kModel));
    EXPECT_FALSE(book.is_fresh(kModel, kRow, at(0)));

    book.confirm(kModel, kEverything, book.ask(at(4)));
    EXPECT_FALSE(book.is_lost(kModel));
    EXPECT_FALSE(book.has_lost_any());
    EXPECT_TRUE(book.is_fresh(kModel, kRow, at(4)));
}

TEST(Confirmations, of_a_lost_model_that_is_gone_are_no_loss) {
    Confirmations book;
    book.lose(kModel);
    book.forget(kModel);
    EXPECT_FALSE(book.has_lost_any());
}

}  // namespace
}  // namespace replica
