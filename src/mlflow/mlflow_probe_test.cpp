#include "mlflow/mlflow_probe.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace mlflow {
namespace {

struct SearchRow {
    unsigned status;
    bool asks_for_time;
    std::string_view body;
    bool sends_credentials;
    std::string_view kind;
};

UpstreamAnswer answer_of(unsigned status, bool asks_for_time, std::string body) {
    return {.status = status, .asks_for_time = asks_for_time, .body = std::move(body)};
}

constexpr std::string_view kOperationalError =
    R"({"error_code":"TEMPORARILY_UNAVAILABLE","message":"(psycopg2.OperationalError) could not connect to server"})";
constexpr std::string_view kProgrammingError =
    R"({"error_code":"BAD_REQUEST","message":"(sqlite3.DatabaseError) no such table: registered_models"})";
constexpr std::string_view kBadArgument =
    R"({"error_code":"INVALID_PARAMETER_VALUE","message":"Invalid value 0 for parameter 'max_results'"})";

TEST(RegistrySearch, passes_with_200_alone) {
    for (const bool sends_credentials : {false, true}) {
        const health::ProbeResult result = judge_search(answer_of(200, false, "{}"), sends_credentials, "mlflow:5000");
        EXPECT_TRUE(result.passed);
        EXPECT_EQ(result.status_code, 200U);
        EXPECT_EQ(result.kind, "");
        EXPECT_EQ(result.error, "");
    }
}

TEST(RegistrySearch, passes_whatever_words_a_good_answer_holds) {
    EXPECT_TRUE(judge_search(answer_of(200, true, std::string(kOperationalError)), false, "h").passed);
}

TEST(RegistrySearch, names_what_went_wrong) {
    for (const auto& [status, asks_for_time, body, sends_credentials, kind] : {
             SearchRow{401, false, "", false, "credentials"},
             SearchRow{401, false, "", true, "credentials"},
             SearchRow{403, false, "", true, "credentials"},
             SearchRow{403, false, "Invalid Host header", false, "host_check"},
             SearchRow{503, true, "", false, "overload"},
             SearchRow{429, true, "", false, "overload"},
             SearchRow{503, true, kOperationalError, false, "overload"},
             SearchRow{503, false, kOperationalError, false, "database"},
             SearchRow{400, false, kProgrammingError, false, "database"},
             SearchRow{400, false, "pymysql.err.InterfaceError", true, "database"},
             SearchRow{400, false, "(sqlalchemy.exc.InternalError)", true, "database"},
             SearchRow{400, true, kProgrammingError, false, "database"},
             SearchRow{400, false, kBadArgument, false, "status"},
             SearchRow{400, false, "", false, "status"},
             SearchRow{503, false, "artifact serving is off", false, "status"},
             SearchRow{500, false, kOperationalError, false, "status"},
             SearchRow{404, false, "", false, "status"},
             SearchRow{302, false, "", false, "status"},
             SearchRow{204, false, "", false, "status"},
             SearchRow{502, false, "", false, "status"},
         }) {
        const health::ProbeResult result =
            judge_search(answer_of(status, asks_for_time, std::string(body)), sends_credentials, "mlflow:5000");
        EXPECT_EQ(result.kind, kind) << status << ' ' << body;
        EXPECT_FALSE(result.passed) << status;
        EXPECT_FALSE(result.refused) << status;
        EXPECT_EQ(result.status_code, status);
        EXPECT_NE(result.error, "") << status;
    }
}

TEST(RegistrySearch, tells_the_remedy) {
    const std::string host_check = judge_search(answer_of(403, false, ""), false, "mlflow:5000").error;
    EXPECT_NE(host_check.find("\"mlflow:5000\""), std::string::npos) << host_check;
    EXPECT_NE(host_check.find("MLFLOW_SERVER_ALLOWED_HOSTS"), std::string::npos) << host_check;
    EXPECT_NE(host_check.find("HOKUSAI_MLFLOW_HOST"), std::string::npos) << host_check;

    const std::string credentials = judge_search(answer_of(401, false, ""), false, "mlflow:5000").error;
    EXPECT_NE(credentials.find("HOKUSAI_MLFLOW_TOKEN"), std::string::npos) << credentials;

    const std::string status = judge_search(answer_of(418, false, ""), false, "mlflow:5000").error;
    EXPECT_NE(status.find("418"), std::string::npos) << status;
}

TEST(RegistrySearch, repeats_nothing_of_the_body_to_those_who_ask) {
    const std::string body = std::string(kOperationalError) + " password=hunter2";
    for (const unsigned status : {400U, 401U, 403U, 404U, 500U, 503U}) {
        EXPECT_EQ(judge_search(answer_of(status, false, body), false, "h").error.find("hunter2"), std::string::npos)
            << status;
    }
}

}  // namespace
}  // namespace mlflow
