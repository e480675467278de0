#include "offline/run_call.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace offline {
namespace {

using enum RunOperation;

constexpr std::string_view kSeeDocs = " See the API docs for more information about request parameters.";

// "ok", "only mlflow", or MLflow's words.
std::string verdict(RunOperation operation, std::string_view body) {
    const auto arguments = parse_object(body);
    EXPECT_TRUE(arguments) << body;
    const base::Result<void> checked = check_run_call(operation, *arguments);
    return checked                                                ? "ok"
           : checked.error().code == base::Code::invalid_argument ? checked.error().message
                                                                  : "only mlflow";
}

std::string missing(std::string_view path) {
    return "Missing value for required parameter '" + std::string(path) + "'." + std::string(kSeeDocs);
}

TEST(RunCall, finds_calls_by_method_and_path) {
    EXPECT_EQ(find_run_operation("POST", "/api/2.0/mlflow/runs/log-metric"), log_metric);
    EXPECT_EQ(find_run_operation("POST", "/ajax-api/2.0/mlflow/runs/update"), update);
    EXPECT_EQ(find_run_operation("GET", "/api/2.0/mlflow/runs/get"), get);
    EXPECT_EQ(find_run_operation("GET", "/api/2.0/mlflow/runs/update"), std::nullopt);
    EXPECT_EQ(find_run_operation("POST", "/api/2.0/mlflow/runs/search"), std::nullopt);
    EXPECT_EQ(find_run_operation("POST", "/api/2.0/mlflow/runs/log-metric/x"), std::nullopt);
}

TEST(RunCall, only_repeatable_writes_are_deferrable) {
    for (const RunOperation each : {update, log_metric, log_batch, log_parameter, set_tag}) {
        EXPECT_TRUE(is_deferrable(each));
    }
    for (const RunOperation each : {create, get, remove, restore, delete_tag}) {
        EXPECT_FALSE(is_deferrable(each));
    }
}

TEST(RunCall, reads_the_run_as_mlflow_does) {
    EXPECT_EQ(run_id_of(log_metric, *parse_object(R"({"run_id": "a1", "run_uuid": "b2"})")), "a1");
    EXPECT_EQ(run_id_of(log_metric, *parse_object(R"({"run_uuid": "b2"})")), "b2");
    EXPECT_EQ(run_id_of(log_batch, *parse_object(R"({"run_uuid": "b2"})")), "");
    EXPECT_EQ(run_id_of(log_metric, *parse_object(R"({"run_id": "../a"})")), "");
    EXPECT_EQ(run_id_of(log_metric, *parse_object(R"({"run_id": 7})")), "");
    EXPECT_EQ(run_id_of("max=1&run_id=a1"), "a1");
    EXPECT_EQ(run_id_of("run_id=a%2F1"), "");
}

TEST(RunCall, what_is_no_json_object_is_no_call) {
    EXPECT_FALSE(parse_object(""));
    EXPECT_FALSE(parse_object("[1]"));
    EXPECT_FALSE(parse_object(R"("{}")"));
    EXPECT_FALSE(parse_object(std::string(200, '[')));
}

TEST(RunCall, takes_what_clients_send) {
    EXPECT_EQ(
        verdict(
            log_metric,
            R"({"run_uuid": "r", "run_id": "r", "key": "a/b c.d-e_f:g", "value": 1.5, "timestamp": 1, "step": -2})"),
        "ok");
    EXPECT_EQ(verdict(log_metric, R"({"run_id": "r", "key": "m", "value": "NaN", "timestamp": "12"})"), "ok");
    EXPECT_EQ(verdict(log_metric, R"({"run_id": "r", "key": "m", "value": 1, "timestamp": 1, "step": null})"), "ok");
    EXPECT_EQ(verdict(log_parameter, R"({"run_id": "r", "key": "k"})"), "ok");
    EXPECT_EQ(verdict(set_tag, R"({"run_id": "r", "key": "mlflow.note", "value": ""})"), "ok");
    EXPECT_EQ(verdict(update, R"({"run_id": "r", "status": "FINISHED", "end_time": 5, "run_name": "n"})"), "ok");
    EXPECT_EQ(verdict(log_batch, R"({"run_id": "r"})"), "ok");
    EXPECT_EQ(verdict(log_batch,
                      R"({"run_id": "r", "metrics": [{"key": "m", "value": 1, "timestamp": 1}], "params": [],
                          "tags": [{"key": "t", "value": "v"}]})"),
              "ok");
}

TEST(RunCall, names_what_is_missing) {
    EXPECT_EQ(verdict(log_metric, R"({"key": "m", "value": 1, "timestamp": 1})"), missing("run_id"));
    EXPECT_EQ(verdict(log_metric, R"({"run_id": "", "run_uuid": "r", "key": "m", "value": 1, "timestamp": 1})"),
              missing("run_id"));
    EXPECT_EQ(verdict(log_metric, R"({"run_id": "r", "value": 1, "timestamp": 1})"), missing("key"));
    EXPECT_EQ(verdict(log_metric, R"({"run_id": "r", "key": "m", "value": "", "timestamp": 1})"), missing("value"));
    EXPECT_EQ(verdict(log_metric, R"({"run_id": "r", "key": "m", "value": 1})"), missing("timestamp"));
    EXPECT_EQ(verdict(log_parameter, R"({"run_id": "r", "value": "v"})"), missing("key"));
    EXPECT_EQ(verdict(set_tag, R"({"run_id": "r", "key": null})"), missing("key"));
    EXPECT_EQ(verdict(update, R"({"status": "FAILED"})"), missing("run_id"));
    EXPECT_EQ(verdict(log_batch, R"({"run_uuid": "r"})"), missing("run_id"));
    EXPECT_EQ(verdict(log_batch, R"({"run_id": "r", "metrics": [{"key": "m", "value": 1}]})"),
              missing("metrics[0].timestamp"));
    EXPECT_EQ(verdict(log_batch, R"({"run_id": "r", "params": [{"key": "p"}, {"value": "v"}]})"),
              missing("params[1].key"));
}

TEST(RunCall, refuses_names_in_the_words_of_mlflow) {
    EXPECT_EQ(verdict(set_tag, R"({"run_id": "r", "key": "a?"})"),
              "Invalid value \"a?\" for parameter 'key' supplied: Names may only contain alphanumerics, underscores "
              "(_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).");
    EXPECT_EQ(verdict(log_metric, R"({"run_id": "r", "key": "../m", "value": 1, "timestamp": 1})"),
              "Invalid value \"../m\" for parameter 'name' supplied: Names may be treated as files in certain cases, "
              "and must not resolve to other names when treated as such. This name would resolve to '../m'");
    const std::string key(251, 'k');
    EXPECT_EQ(verdict(log_metric, R"({"run_id": "r", "key": ")" + key + R"(", "value": 1, "timestamp": 1})"),
              "'Metric name' exceeds the maximum length of 250 characters");
    EXPECT_EQ(verdict(log_parameter, R"({"run_id": "r", "key": ")" + key + R"("})"),
              "'Param key' exceeds the maximum length of 250 characters");
    EXPECT_EQ(verdict(log_batch, R"({"run_id": "r", "tags": [{"key": ")" + key + R"("}]})"),
              "'tags[0].key' exceeds the maximum length of 250 characters");
}

TEST(RunCall, refuses_a_time_before_1970) {
    EXPECT_EQ(verdict(log_metric, R"({"run_id": "r", "key": "m", "value": 1, "timestamp": -1})"),
              "Invalid value -1 for parameter 'timestamp' supplied: metric 'm' (value=1.0). Timestamp must be a "
              "nonnegative long (64-bit integer) ");
}

TEST(RunCall, refuses_batches_beyond_the_limits_of_mlflow) {
    const auto batch = [](std::string_view list, int count, std::string_view item) {
        std::string body = R"({"run_id": "r", ")" + std::string(list) + "\": [";
        for (int i = 0; i < count; ++i) {
            body += (i > 0 ? "," : "") + fmt::format(fmt::runtime(item), i);
        }
        return body + "]}";
    };
    constexpr std::string_view kMetricItem = R"({{"key": "m{}", "value": 1, "timestamp": 1}})";
    constexpr std::string_view kParamItem = R"({{"key": "p{}", "value": "v"}})";
    EXPECT_EQ(verdict(log_batch, batch("metrics", 1000, kMetricItem)), "ok");
    EXPECT_EQ(verdict(log_batch, batch("metrics", 1001, kMetricItem)),
              "A batch logging request can contain at most 1000 metrics. Got 1001 metrics. Please split up metrics "
              "across multiple requests and try again.");
    EXPECT_EQ(verdict(log_batch, batch("params", 100, kParamItem)), "ok");
    EXPECT_EQ(verdict(log_batch, batch("params", 101, kParamItem)),
              "A batch logging request can contain at most 100 params. Got 101 params. Please split up params across "
              "multiple requests and try again.");
    EXPECT_EQ(verdict(log_batch, R"({"run_id": "r", "params": [{"key": "a"}, {"key": "b"}, {"key": "a"}]})"),
              "Duplicate parameter keys have been submitted: ['a']. Please ensure the request contains only one param "
              "value per param key.");
}

TEST(RunCall, leaves_to_mlflow_what_is_written_in_another_way) {
    for (const char* body : {R"({"runId": "r", "key": "m", "value": 1, "timestamp": 1})",
                             R"({"run_id": "r", "key": 7, "value": 1, "timestamp": 1})",
                             R"({"run_id": "r", "key": "m", "value": true, "timestamp": 1})",
                             R"({"run_id": "r", "key": "m", "value": "1.5", "timestamp": 1})",
                             R"({"run_id": "r", "key": "m", "value": 1, "timestamp": 1.5})",
                             R"({"run_id": "r", "key": "m", "value": 1, "timestamp": 1, "dataset_name": "d"})"}) {
        EXPECT_EQ(verdict(log_metric, body), "only mlflow") << body;
    }
    EXPECT_EQ(verdict(update, R"({"run_id": "r", "status": "DONE"})"), "only mlflow");
    EXPECT_EQ(verdict(log_batch, R"({"run_id": "r", "metrics": {"key": "m"}})"), "only mlflow");
    EXPECT_EQ(verdict(log_batch, R"({"run_id": "r", "tags": ["t"]})"), "only mlflow");
    EXPECT_EQ(verdict(delete_tag, R"({"run_id": "r"})"), "only mlflow");
}

}  // namespace
}  // namespace offline
