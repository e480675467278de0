#include "idempotency/rules.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace idempotency {
namespace {

using namespace std::chrono_literals;

boost::json::object object(std::string_view text) {
    return boost::json::parse(text).get_object();
}

registry::ModelVersion version(std::int64_t number, std::string source = "s3://b/x") {
    registry::ModelVersion made;
    made.name = "m";
    made.version = number;
    made.source = std::move(source);
    return made;
}

registry::RegisteredModel model(registry::Timestamp created, std::vector<std::int64_t> latest) {
    registry::RegisteredModel made;
    made.name = "m";
    made.creation_timestamp = created;
    for (const std::int64_t number : latest) {
        made.latest_versions.push_back(version(number));
    }
    return made;
}

base::MonotonicTime at(base::Duration time) {
    return base::MonotonicTime(std::chrono::hours(1)) + time;
}

TEST(JudgeAnswer, takes_refusals_for_good_and_failures_for_unknown) {
    struct Case {
        unsigned status;
        Verdict of_create;
        Verdict of_keyed_call;
    };

    for (const Case& each : {Case{200, Verdict::settled, Verdict::settled},
                             Case{400, Verdict::settled, Verdict::settled},
                             Case{404, Verdict::settled, Verdict::settled},
                             Case{429, Verdict::not_carried_out, Verdict::not_carried_out},
                             Case{500, Verdict::unknown, Verdict::settled},
                             Case{503, Verdict::unknown, Verdict::unknown},
                             Case{504, Verdict::unknown, Verdict::unknown}}) {
        EXPECT_EQ(judge_answer(Kind::create_version, {each.status, "{}"}), each.of_create) << each.status;
        EXPECT_EQ(judge_answer(Kind::keyed_call, {each.status, "{}"}), each.of_keyed_call) << each.status;
    }
    const Answer disabled{500, R"({"error_code": "FEATURE_DISABLED", "message": "no workspaces"})"};
    EXPECT_EQ(judge_answer(Kind::create_version, disabled), Verdict::settled);
}

TEST(Baseline, is_the_highest_version_of_any_stage) {
    EXPECT_EQ(baseline_of(std::nullopt), (Baseline{-1, 0}));
    EXPECT_EQ(baseline_of(model(7, {})), (Baseline{0, 7}));
    EXPECT_EQ(baseline_of(model(7, {3, 9, 4})), (Baseline{9, 7}));
}

TEST(Baseline, follows_the_answers) {
    const Baseline before{3, 7};
    const Answer made{200, R"({"model_version": {"name": "m", "version": "4", "source": "s"}})"};
    EXPECT_EQ(baseline_after(Kind::create_version, before, made), (Baseline{4, 7}));
    EXPECT_EQ(baseline_after(Kind::create_version, std::nullopt, made), std::nullopt);
    EXPECT_EQ(baseline_after(Kind::create_version, Baseline{}, made), std::nullopt);
    EXPECT_EQ(baseline_after(Kind::create_version, before, {400, "{}"}), before);
    EXPECT_EQ(baseline_after(Kind::create_version, before, {500, ""}), std::nullopt);
    EXPECT_EQ(baseline_after(Kind::create_version, before, {200, "<html>"}), std::nullopt);
    const Answer model{200, R"({"registered_model": {"name": "m", "creation_timestamp": 8}})"};
    EXPECT_EQ(baseline_after(Kind::create_model, Baseline{}, model), (Baseline{0, 8}));
}

TEST(Candidates, are_the_versions_above_the_last_one_known) {
    EXPECT_EQ(candidates({3, 7}, model(7, {5, 2})), (Candidates{4, 5}));
    const Candidates none = candidates({3, 7}, model(7, {3}));
    EXPECT_GT(none.first, none.last);
    const Candidates gone = candidates({3, 7}, std::nullopt);
    EXPECT_GT(gone.first, gone.last);
}

TEST(Candidates, are_all_versions_of_a_model_that_took_the_place_of_the_known_one) {
    EXPECT_EQ(candidates({3, 7}, model(8, {2})), (Candidates{1, 2}));
    EXPECT_EQ(candidates({-1, 0}, model(8, {1})), (Candidates{1, 1}));
}

TEST(Candidates, are_bounded) {
    EXPECT_EQ(candidates({0, 7}, model(7, {1'000'000})), (Candidates{999'901, 1'000'000}));
}

TEST(IsMadeBy, compares_what_was_sent) {
    const auto sent = object(R"({"name": "m", "source": "s3://b/x", "run_id": "r", "description": "d",
                                 "tags": [{"key": "a", "value": "0"}, {"key": "b"}, {"key": "a", "value": "1"}]})");
    registry::ModelVersion made = version(4);
    made.run_id = "r";
    made.description = "d";
    made.tags = {{"a", "1"}, {"b", ""}, {"added", "later"}};
    EXPECT_TRUE(is_made_by(sent, made));

    registry::ModelVersion other = made;
    other.source = "s3://b/y";
    EXPECT_FALSE(is_made_by(sent, other));
    other = made;
    other.run_id = "another";
    EXPECT_FALSE(is_made_by(sent, other));
    other = made;
    other.description = "another";
    EXPECT_FALSE(is_made_by(sent, other));
    other = made;
    other.tags = {{"a", "0"}, {"b", ""}};
    EXPECT_FALSE(is_made_by(sent, other));
}

TEST(IsMadeBy, leaves_open_what_was_not_sent) {
    registry::ModelVersion made = version(4);
    made.run_id = "of the logged model";
    EXPECT_TRUE(is_made_by(object(R"({"source": "s3://b/x"})"), made));
}

TEST(IsMadeBy, wants_a_model_that_was_not_there) {
    EXPECT_TRUE(is_made_by(object("{}"), Baseline{}, model(8, {})));
    EXPECT_FALSE(is_made_by(object("{}"), {0, 8}, model(8, {})));
    EXPECT_TRUE(is_made_by(object("{}"), {0, 7}, model(8, {})));
    EXPECT_FALSE(is_made_by(object("{}"), Baseline{}, std::nullopt));
    EXPECT_FALSE(is_made_by(object(R"({"description": "d"})"), Baseline{}, model(8, {})));
}

TEST(Absence, is_believed_when_it_lasts) {
    Absence absence(5s);
    EXPECT_FALSE(absence.note(at(0s), at(20s)));
    EXPECT_FALSE(absence.note(at(24s), at(60s)));
    EXPECT_TRUE(absence.note(at(25s), at(61s)));
}

TEST(Absence, is_waited_for_as_long_as_the_answer_was) {
    EXPECT_EQ(patience_after(10ms), 5s);
    EXPECT_EQ(patience_after(20s), 20s);
    EXPECT_EQ(patience_after(110s), 60s);
}

}  // namespace
}  // namespace idempotency
