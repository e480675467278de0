#include "models/registration_book.hpp"

#include <gtest/gtest.h>

namespace {

using models::RegistrationBook;
using std::chrono::seconds;

const base::MonotonicTime kStart{seconds(100)};

std::string next(RegistrationBook& book, base::MonotonicTime now) {
    const auto turn = book.take(now);
    return turn ? turn->id : "-";
}

TEST(RegistrationBook, a_new_one_is_its_callers_to_apply) {
    RegistrationBook book;
    EXPECT_TRUE(book.enter("a", "fox"));
    EXPECT_EQ(next(book, kStart), "-");
    book.settled("a");
    EXPECT_EQ(book.size(), 0U);
}

TEST(RegistrationBook, a_new_one_stands_behind_those_of_its_model_that_wait) {
    RegistrationBook book;
    book.enter("a", "fox");
    book.put_back("a", kStart, false);
    EXPECT_FALSE(book.enter("b", "fox"));
    EXPECT_TRUE(book.enter("c", "owl"));
    EXPECT_EQ(next(book, kStart + seconds(1)), "a");
    EXPECT_EQ(next(book, kStart + seconds(1)), "-");
    EXPECT_FALSE(book.enter("d", "fox"));
    book.settled("a");
    EXPECT_EQ(next(book, kStart + seconds(1)), "b");
    book.settled("b");
    EXPECT_EQ(next(book, kStart + seconds(1)), "d");
}

TEST(RegistrationBook, new_ones_of_a_model_need_not_wait_for_each_other) {
    RegistrationBook book;
    EXPECT_TRUE(book.enter("a", "fox"));
    EXPECT_TRUE(book.enter("b", "fox"));
}

TEST(RegistrationBook, one_that_rests_holds_up_its_own_model_only) {
    RegistrationBook book;
    book.load({{"a", "fox"}, {"b", "fox"}, {"c", "owl"}});
    EXPECT_EQ(next(book, kStart), "a");
    book.put_back("a", kStart, false);
    EXPECT_EQ(next(book, kStart), "c");
    EXPECT_EQ(next(book, kStart), "-");
}

TEST(RegistrationBook, rests_get_longer_up_to_about_a_minute) {
    RegistrationBook book;
    book.load({{"a", "fox"}});
    base::MonotonicTime now = kStart;
    for (const int rest : {1, 2, 4, 8, 16, 32, 64, 64}) {
        EXPECT_EQ(next(book, now), "a") << rest;
        book.put_back("a", now, false);
        now += seconds(rest);
        EXPECT_EQ(next(book, now - std::chrono::milliseconds(500)), "-") << rest;
    }
}

TEST(RegistrationBook, doubts_count_only_in_a_row) {
    RegistrationBook book;
    book.load({{"a", "fox"}});
    base::MonotonicTime now = kStart;
    const auto doubts_after = [&](bool is_doubtful) {
        book.put_back("a", now, is_doubtful);
        now += seconds(100);
        return book.take(now)->doubts;
    };
    book.take(now);
    EXPECT_EQ(doubts_after(true), 1U);
    EXPECT_EQ(doubts_after(true), 2U);
    EXPECT_EQ(doubts_after(false), 0U);
}

}  // namespace
