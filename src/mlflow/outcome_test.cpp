#include "mlflow/outcome.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace mlflow {
namespace {

using resilience::Outcome;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr base::WallTime kNoon{seconds(1'755'172'800)};  // Thu, 14 Aug 2025 12:00:00 GMT
constexpr CallKind kEveryKind[]{CallKind::read, CallKind::write, CallKind::artifact_read, CallKind::artifact_write};

http::ResponseHead answer(unsigned status, std::initializer_list<http::Field> fields = {}) {
    http::ResponseHead head;
    head.status = status;
    for (const http::Field& field : fields) {
        head.fields.add(field.name, field.value);
    }
    return head;
}

TEST(Judge, takes_any_answer_of_mlflow_itself_for_a_success) {
    for (const unsigned status : {200U, 201U, 204U, 206U, 301U, 302U, 304U, 308U, 400U, 401U,
                                  403U, 404U, 405U, 409U, 413U, 422U, 499U, 501U, 505U, 508U}) {
        for (const CallKind kind : kEveryKind) {
            const Verdict verdict = judge(answer(status, {{"Retry-After", "5"}}), kind, kNoon);
            EXPECT_EQ(verdict.outcome, Outcome::success) << status;
            EXPECT_EQ(verdict.retry_after, std::nullopt) << status;
        }
    }
}

TEST(Judge, learns_nothing_from_a_500) {
    for (const CallKind kind : kEveryKind) {
        EXPECT_EQ(judge(answer(500), kind, kNoon).outcome, Outcome::ignored);
    }
}

TEST(Judge, counts_the_answers_of_a_gateway_without_a_server_as_failures) {
    for (const CallKind kind : kEveryKind) {
        EXPECT_EQ(judge(answer(502), kind, kNoon).outcome, Outcome::failure);
        EXPECT_EQ(judge(answer(504), kind, kNoon).outcome, Outcome::failure);
        EXPECT_EQ(judge(answer(502, {{"Retry-After", "5"}}), kind, kNoon).outcome, Outcome::failure);
        EXPECT_EQ(judge(answer(503), kind, kNoon).outcome, Outcome::failure);
        EXPECT_EQ(judge(answer(503, {{"Content-Type", "application/json"}}), kind, kNoon).outcome, Outcome::failure);
    }
}

TEST(Judge, takes_429_for_overload_whether_or_not_it_names_a_time) {
    for (const CallKind kind : kEveryKind) {
        EXPECT_EQ(judge(answer(429), kind, kNoon).outcome, Outcome::overload);
        EXPECT_EQ(judge(answer(429), kind, kNoon).retry_after, std::nullopt);
        EXPECT_EQ(judge(answer(429, {{"retry-after", "7"}}), kind, kNoon).retry_after, seconds(7));
    }
}

TEST(Judge, takes_503_for_overload_when_it_asks_for_time) {
    for (const CallKind kind : kEveryKind) {
        const Verdict verdict = judge(answer(503, {{"Content-Type", "text/plain"}, {"RETRY-AFTER", "7"}}), kind, kNoon);
        EXPECT_EQ(verdict.outcome, Outcome::overload);
        EXPECT_EQ(verdict.retry_after, seconds(7));
    }
    EXPECT_EQ(judge(answer(503, {{"Retry-After", "0"}}), CallKind::read, kNoon).retry_after, seconds(0));
    EXPECT_EQ(judge(answer(503, {{"Retry-After", "Thu, 14 Aug 2025 12:00:30 GMT"}}), CallKind::read, kNoon).retry_after,
              seconds(30));
}

TEST(Judge, does_not_believe_a_retry_after_it_cannot_read) {
    EXPECT_EQ(judge(answer(503, {{"Retry-After", "soon"}}), CallKind::read, kNoon).outcome, Outcome::failure);
    EXPECT_EQ(judge(answer(503, {{"Retry-After", ""}}), CallKind::read, kNoon).outcome, Outcome::failure);
    EXPECT_EQ(judge(answer(429, {{"Retry-After", "soon"}}), CallKind::read, kNoon).retry_after, std::nullopt);
}

TEST(Judge, ignores_the_plain_text_503_of_switched_off_artifact_serving) {
    for (const std::string_view type : {"text/plain", "text/plain; charset=utf-8", "Text/Plain"}) {
        const http::ResponseHead head = answer(503, {{"Content-Type", type}});
        EXPECT_EQ(judge(head, CallKind::artifact_read, kNoon).outcome, Outcome::ignored) << type;
        EXPECT_EQ(judge(head, CallKind::artifact_write, kNoon).outcome, Outcome::ignored) << type;
        EXPECT_EQ(judge(head, CallKind::read, kNoon).outcome, Outcome::failure) << type;
        EXPECT_EQ(judge(head, CallKind::write, kNoon).outcome, Outcome::failure) << type;
    }
    EXPECT_EQ(judge(answer(503, {{"Content-Type", "text/html"}}), CallKind::artifact_read, kNoon).outcome,
              Outcome::failure);
    EXPECT_EQ(judge(answer(502, {{"Content-Type", "text/plain"}}), CallKind::artifact_read, kNoon).outcome,
              Outcome::failure);
}

struct RetryAfterRow {
    std::string_view value;
    std::optional<base::Duration> wait;
};

TEST(RetryAfter, is_a_number_of_seconds_up_to_a_day) {
    for (const auto& [value, wait] : {
             RetryAfterRow{"0", seconds(0)},
             RetryAfterRow{"1", seconds(1)},
             RetryAfterRow{"007", seconds(7)},
             RetryAfterRow{" 15\t", seconds(15)},
             RetryAfterRow{"86400", hours(24)},
             RetryAfterRow{"86401", hours(24)},
             RetryAfterRow{"18446744073709551615", hours(24)},
         }) {
        EXPECT_EQ(parse_retry_after(value, kNoon), wait) << value;
    }
}

TEST(RetryAfter, is_a_date_seen_from_now) {
    for (const auto& [value, wait] : {
             RetryAfterRow{"Thu, 14 Aug 2025 12:00:00 GMT", seconds(0)},
             RetryAfterRow{"Thu, 14 Aug 2025 12:00:01 GMT", seconds(1)},
             RetryAfterRow{"Thu, 14 Aug 2025 13:00:00 GMT", hours(1)},
             RetryAfterRow{"Fri, 15 Aug 2025 12:00:00 GMT", hours(24)},
             RetryAfterRow{"Fri, 15 Aug 2025 12:00:01 GMT", hours(24)},
             RetryAfterRow{"Sat, 01 Jan 2250 00:00:00 GMT", hours(24)},
             RetryAfterRow{"Thu, 14 Aug 2025 11:59:59 GMT", seconds(0)},
             RetryAfterRow{"Sun, 06 Nov 1994 08:49:37 GMT", seconds(0)},
             RetryAfterRow{"Thu, 01 Jan 1970 00:00:00 GMT", seconds(0)},
         }) {
        EXPECT_EQ(parse_retry_after(value, kNoon), wait) << value;
    }
    EXPECT_EQ(parse_retry_after("Thu, 14 Aug 2025 12:00:01 GMT", kNoon + milliseconds(400)), seconds(1));
}

TEST(RetryAfter, counts_a_leap_day) {
    const base::WallTime before = base::WallTime(seconds(1'709'164'800));  // Thu, 29 Feb 2024 00:00:00 GMT
    EXPECT_EQ(parse_retry_after("Thu, 29 Feb 2024 10:00:00 GMT", before), hours(10));
}

TEST(RetryAfter, is_nothing_else) {
    for (const std::string_view value : {
             "",
             " ",
             "-1",
             "+1",
             "1.5",
             "1e3",
             "10 seconds",
             "0x10",
             "soon",
             "1, 2",
             "Thu, 14 Aug 2025",
             "Thu, 14 Aug 2025 12:00:00",
             "Thu, 14 Aug 2025 12:00:00 PST",
             "Thu, 14 Aug 2025 12:00:00 GMT+1",
             "Thu, 14 Aug 2025 12:00:00 GMT, 5",
             "Thu, 14 Foo 2025 12:00:00 GMT",
             "Thu, 14 Aug 2025 25:00:00 GMT",
             "2025-08-14T12:00:00Z",
         }) {
        EXPECT_EQ(parse_retry_after(value, kNoon), std::nullopt) << '"' << value << '"';
    }
}

}  // namespace
}  // namespace mlflow
