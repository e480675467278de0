#include "offline/run_info.hpp"

#include <gtest/gtest.h>

namespace offline {
namespace {

constexpr std::string_view kInfo =
    R"({"run_id":"r","run_uuid":"r","experiment_id":"7","status":"RUNNING","lifecycle_stage":"active"})";

std::string after(RunOperation operation, std::string_view arguments, std::string_view info = kInfo) {
    return after_call(operation, *parse_object(arguments), info);
}

TEST(RunInfo, is_read_from_the_answers_of_mlflow) {
    const std::string info(kInfo);
    for (const auto& seen : {seen_in_answer(RunOperation::create, R"({"run": {"info": )" + info + R"(, "data": {}}})"),
                             seen_in_answer(RunOperation::get, R"({"run": {"info": )" + info + "}}"),
                             seen_in_answer(RunOperation::update, R"({"run_info": )" + info + "}")}) {
        ASSERT_TRUE(seen);
        EXPECT_EQ(seen->run_id, "r");
        EXPECT_EQ(seen->info, info);
    }
    EXPECT_FALSE(seen_in_answer(RunOperation::remove, R"({"run": {"info": )" + info + "}}"));
    EXPECT_FALSE(seen_in_answer(RunOperation::get, R"({"run": 7})"));
    EXPECT_FALSE(seen_in_answer(RunOperation::get, "<html>"));
}

TEST(RunInfo, follows_what_was_accepted) {
    const std::string updated =
        after(RunOperation::update, R"({"run_id": "r", "status": "FINISHED", "end_time": 5, "run_name": "n"})");
    EXPECT_NE(updated.find(R"("status":"FINISHED")"), std::string::npos);
    EXPECT_NE(updated.find(R"("end_time":5)"), std::string::npos);
    EXPECT_NE(updated.find(R"("run_name":"n")"), std::string::npos);
    EXPECT_EQ(after(RunOperation::update, R"({"run_id": "r", "run_name": ""})"), kInfo);
    EXPECT_NE(after(RunOperation::set_tag, R"({"key": "mlflow.runName", "value": "t"})").find(R"("run_name":"t")"),
              std::string::npos);
    EXPECT_NE(after(RunOperation::log_batch, R"({"tags": [{"key": "mlflow.runName", "value": "t"}]})")
                  .find(R"("run_name":"t")"),
              std::string::npos);
    EXPECT_EQ(after(RunOperation::log_metric, R"({"key": "m"})"), kInfo);
}

TEST(RunInfo, knows_a_deleted_run) {
    EXPECT_FALSE(is_deleted(kInfo));
    EXPECT_FALSE(is_deleted(""));
    const std::string deleted = after(RunOperation::remove, R"({"run_id": "r"})");
    EXPECT_TRUE(is_deleted(deleted));
    EXPECT_FALSE(is_deleted(after(RunOperation::restore, R"({"run_id": "r"})", deleted)));
}

TEST(RunInfo, answers_with_what_is_known_and_no_more) {
    EXPECT_EQ(answer_to(RunOperation::log_metric, "r", kInfo), "{}");
    const std::string info = after(RunOperation::update, R"({"run_id": "r", "status": "FAILED"})", "");
    EXPECT_EQ(answer_to(RunOperation::update, "r", info), R"({
  "run_info": {
    "status": "FAILED",
    "run_id": "r",
    "run_uuid": "r"
  }
})");
}

}  // namespace
}  // namespace offline
