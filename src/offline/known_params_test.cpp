#include "offline/known_params.hpp"

#include <gtest/gtest.h>

namespace offline {
namespace {

using enum RunOperation;

class KnownParamsTest : public ::testing::Test {
protected:
    void note(RunOperation operation, std::string_view body, std::string_view lane = "run//r") {
        params_.note(lane, operation, *parse_object(body));
    }

    std::string verdict(RunOperation operation, std::string_view body, std::string_view lane = "run//r") {
        const base::Result<void> checked = params_.check(lane, operation, *parse_object(body));
        return checked ? "ok" : checked.error().message;
    }

    KnownParams params_{1000};
};

TEST_F(KnownParamsTest, a_parameter_keeps_its_value) {
    note(log_parameter, R"({"key": "p", "value": "1"})");
    EXPECT_EQ(verdict(log_parameter, R"({"key": "p", "value": "1"})"), "ok");
    EXPECT_EQ(verdict(log_parameter, R"({"key": "q", "value": "2"})"), "ok");
    EXPECT_EQ(verdict(log_parameter, R"({"key": "p", "value": "2"})", "run//other"), "ok");
    EXPECT_EQ(verdict(set_tag, R"({"key": "p", "value": "2"})"), "ok");
    EXPECT_EQ(verdict(log_parameter, R"({"key": "p", "value": "2"})"),
              "Changing param values is not allowed. Param with key='p' was already logged with value='1' for run "
              "ID='r'. Attempted logging new value '2'.");
}

TEST_F(KnownParamsTest, a_batch_is_judged_as_a_whole) {
    note(log_batch, R"({"params": [{"key": "p", "value": "1"}, {"key": "q", "value": "2"}]})");
    EXPECT_EQ(verdict(log_batch, R"({"params": [{"key": "p", "value": "1"}, {"key": "r", "value": "3"}]})"), "ok");
    EXPECT_EQ(verdict(log_batch, R"({"params": [{"key": "p", "value": "1"}, {"key": "q", "value": "3"}]})"),
              "Changing param values is not allowed. Params were already logged='[{'key': 'q', 'old_value': '2', "
              "'new_value': '3'}]' for run ID='r'.");
}

TEST_F(KnownParamsTest, forgets_rather_than_grow) {
    note(log_parameter, R"({"key": "p", "value": "1"})");
    for (int i = 0; i < 20; ++i) {
        note(log_parameter, R"({"key": "x)" + std::to_string(i) + R"(", "value": "1"})");
    }
    EXPECT_EQ(verdict(log_parameter, R"({"key": "p", "value": "2"})"), "ok");
    EXPECT_NE(verdict(log_parameter, R"({"key": "x19", "value": "2"})"), "ok");
}

}  // namespace
}  // namespace offline
