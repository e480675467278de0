#include "offline/parcel.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace offline {
namespace {

using journal::Entry;

Entry entry_of(std::string_view call, std::string body) {
    Entry entry;
    entry.lane = "run//r1";
    entry.workspace = "w";
    entry.method = "POST";
    entry.target = "/api/2.0/mlflow/runs/" + std::string(call);
    entry.body = std::move(body);
    return entry;
}

Entry metric(std::string value) {
    return entry_of("log-metric",
                    R"({"run_id": "r1", "key": "m", "value": )" + std::move(value) + R"(, "timestamp": 1})");
}

TEST(Parcel, one_entry_goes_as_it_came) {
    const Entry entry = metric("0.1");
    const Parcel parcel = pack(std::vector{entry});
    EXPECT_EQ(parcel.entries, 1U);
    EXPECT_EQ(parcel.method + " " + parcel.target, "POST /api/2.0/mlflow/runs/log-metric");
    EXPECT_EQ(parcel.workspace, "w");
    EXPECT_EQ(parcel.body, entry.body);
}

TEST(Parcel, metrics_go_together_in_the_digits_they_came_in) {
    const Parcel parcel =
        pack(std::vector{metric("0.1000000000000000055511151231257827"),
                         entry_of("log-batch",
                                  R"({"run_id": "r1", "metrics": [ {"key": "a,]}\"", "value": 1e-7}, {"key": "b"} ],)"
                                  R"( "params": [], "tags": null})"),
                         metric("\"NaN\"")});
    EXPECT_EQ(parcel.entries, 3U);
    EXPECT_EQ(parcel.target, "/api/2.0/mlflow/runs/log-batch");
    EXPECT_EQ(parcel.body,
              R"({"run_id": "r1", "metrics": [)"
              R"({"run_id": "r1", "key": "m", "value": 0.1000000000000000055511151231257827, "timestamp": 1},)"
              R"({"key": "a,]}\"", "value": 1e-7},{"key": "b"},)"
              R"({"run_id": "r1", "key": "m", "value": "NaN", "timestamp": 1}]})");
}

TEST(Parcel, parameters_and_tags_go_with_them_in_order) {
    const Parcel parcel = pack(std::vector{entry_of("set-tag", R"({"key": "t", "value": "1"})"),
                                           entry_of("log-parameter", R"({"key": "p", "value": "2"})"),
                                           entry_of("log-batch", R"({"tags": [{"key": "t", "value": "3"}]})")});
    EXPECT_EQ(parcel.entries, 3U);
    EXPECT_EQ(parcel.body,
              R"({"run_id": "r1", "params": [{"key": "p", "value": "2"}], )"
              R"("tags": [{"key": "t", "value": "1"},{"key": "t", "value": "3"}]})");
}

TEST(Parcel, a_parameter_logged_again_begins_another) {
    const Entry param = entry_of("log-parameter", R"({"key": "p", "value": "2"})");
    EXPECT_EQ(pack(std::vector{metric("1"), param, metric("2"), param}).entries, 3U);
}

TEST(Parcel, an_update_goes_alone) {
    const Entry update = entry_of("update", R"({"run_id": "r1", "status": "FINISHED"})");
    EXPECT_EQ(pack(std::vector{metric("1"), metric("2"), update, metric("3")}).entries, 2U);
    const Parcel parcel = pack(std::vector{update, metric("1")});
    EXPECT_EQ(parcel.entries, 1U);
    EXPECT_EQ(parcel.target, update.target);
    EXPECT_EQ(parcel.body, update.body);
}

TEST(Parcel, holds_no_more_than_mlflow_takes) {
    const auto batch_of = [](std::string_view list, int count) {
        std::string body = "{\"" + std::string(list) + "\": [";
        for (int i = 0; i < count; ++i) {
            body += fmt::format("{}{{\"key\": \"{}\"}}", i > 0 ? "," : "", i);
        }
        return entry_of("log-batch", body + "]}");
    };
    EXPECT_EQ(pack(std::vector<Entry>(11, batch_of("metrics", 100))).entries, 10U);
    EXPECT_EQ(pack(std::vector<Entry>(4, batch_of("tags", 30))).entries, 3U);
    EXPECT_EQ(pack(std::vector{batch_of("metrics", 950), batch_of("tags", 50), batch_of("params", 1)}).entries, 2U);
    EXPECT_EQ(pack(std::vector(3, metric(std::string(kMaxParcelBytes / 2, '1')))).entries, 1U);
}

TEST(Parcel, finds_the_text_of_a_member) {
    constexpr std::string_view kObject = R"( { "a" : [1, {"b": 2}] , "b":"x\"y,}", "c": -1.50 , "b" : {} } )";
    EXPECT_EQ(raw_member(kObject, "a"), R"([1, {"b": 2}])");
    EXPECT_EQ(raw_member(kObject, "b"), "{}");
    EXPECT_EQ(raw_member(kObject, "c"), "-1.50");
    EXPECT_EQ(raw_member(kObject, "d"), "");
    EXPECT_EQ(raw_member("{}", "a"), "");
}

}  // namespace
}  // namespace offline
