#include "offline_registry/promise.hpp"

#include <span>

#include "offline_registry/testing/rows.hpp"

namespace offline_registry {
namespace {

using testing::kModel;
using testing::Rows;

void make_model(Rows& rows) {
    rows.write("POST", "registered-models/create", R"({"name": "m"})");
    rows.write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/1"})");
}

std::vector<journal::Entry> promise_some(Rows& rows) {
    return {rows.promise("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/2"})"),
            rows.promise("DELETE", "model-versions/delete", R"({"name": "m", "version": "2"})"),
            rows.promise("POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "v"})"),
            rows.promise("POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "v"})"),
            rows.promise("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/3"})")};
}

base::Result<std::size_t> catch_up_in(Rows& rows, std::span<const journal::Entry> entries) {
    return rows.change([&](registry::Writer& writer) { return catch_up(writer, kModel, entries); });
}

TEST(Promise, a_lane_names_its_model) {
    for (const registry::ModelKey& key : {registry::ModelKey{"", "m"}, {"w", "a b"}, {"w", "a/b"}}) {
        EXPECT_EQ(model_of_lane(lane_of(key)), key);
        EXPECT_TRUE(lane_of(key).starts_with(kModelLanes));
    }
}

TEST(Promise, keeps_what_was_before_and_after_and_the_number_of_a_version) {
    Rows rows;
    make_model(rows);
    const std::string before = fingerprint(rows.state());
    const journal::Entry entry =
        rows.promise("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/2"})");
    const auto expectation = expectation_of(entry);
    ASSERT_TRUE(expectation);
    EXPECT_EQ(expectation->before, (Point{before, 1}));
    EXPECT_EQ(expectation->after, (Point{fingerprint(rows.state()), 2}));
    const auto call = call_of(entry);
    ASSERT_TRUE(call);
    EXPECT_EQ(call->operation, registry::Operation::create_version);
    EXPECT_EQ(call->content_type, "application/json");
}

TEST(Promise, an_entry_that_says_nothing_is_no_promise) {
    journal::Entry entry;
    entry.method = "POST";
    entry.target = "/api/2.0/mlflow/registered-models/create";
    EXPECT_EQ(call_of(entry).error().code, base::Code::data_loss);
}

TEST(Promise, rows_that_are_behind_by_any_number_of_entries_catch_up) {
    Rows ahead;
    make_model(ahead);
    const std::vector<journal::Entry> entries = promise_some(ahead);
    for (std::size_t done = 0; done <= entries.size(); ++done) {
        Rows rows;
        make_model(rows);
        for (const journal::Entry& entry : std::span(entries).first(done)) {
            const registry::Call call = call_of(entry).value();
            ASSERT_TRUE(rows.change(
                [&](registry::Writer& writer) { return registry::carry_out(writer, call, entry.accepted_at); }));
        }
        EXPECT_TRUE(catch_up_in(rows, entries)) << done;
        EXPECT_EQ(rows.state(), ahead.state()) << done;
        EXPECT_EQ(catch_up_in(rows, entries).value(), 0U);
    }
}

TEST(Promise, a_number_that_was_given_and_taken_back_is_no_step_back) {
    Rows rows;
    make_model(rows);
    const std::vector<journal::Entry> entries{
        rows.promise("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/2"})"),
        rows.promise("DELETE", "model-versions/delete", R"({"name": "m", "version": "2"})")};
    EXPECT_EQ(catch_up_in(rows, entries).value(), 0U);
    Rows behind;
    make_model(behind);
    EXPECT_EQ(catch_up_in(behind, entries).value(), 2U);
}

TEST(Promise, rows_of_another_past_are_not_touched) {
    Rows ahead;
    make_model(ahead);
    const std::vector<journal::Entry> entries = promise_some(ahead);
    Rows rows;
    EXPECT_EQ(catch_up_in(rows, entries).error().code, base::Code::conflict);
    EXPECT_TRUE(rows.state().empty());
}

}  // namespace
}  // namespace offline_registry
