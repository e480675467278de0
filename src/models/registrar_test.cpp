#include "models/registrar.hpp"

#include "base/clock.hpp"
#include "models/testing/fake_mlflow.hpp"
#include "net/testing/run_on.hpp"
#include "net/testing/shared_clock.hpp"

#include <gtest/gtest.h>

namespace {

using base::Code;
using models::Attempt;
using models::Registration;
using models::RegistrationState;
using models::testing::FakeMlflow;
using models::testing::refusal_of;

class RegistrarTest : public testing::Test {
protected:
    base::Result<Registration> apply(Attempt attempt) {
        return net::testing::run_here(worker, models::apply_registration(mlflow, registration, attempt));
    }

    net::testing::SharedClock clock;
    net::Worker worker{"worker", 0, clock};
    FakeMlflow mlflow;
    Registration registration{.id = "0f8fad5b-d9cb-469f-a165-70867728950e",
                              .model_name = "fraud",
                              .model_type = "ranking",
                              .model_data = R"({"a":1})",
                              .metadata = R"({"rows":12,"baseline_model_id":"fraud/1"})"};
};

TEST_F(RegistrarTest, a_registration_becomes_a_run_and_a_version) {
    const auto applied = apply(Attempt::first);
    ASSERT_TRUE(applied);
    EXPECT_EQ(applied->state, RegistrationState::registered);
    EXPECT_EQ(applied->version, 1);
    EXPECT_EQ(applied->run_id, "run1");
    ASSERT_EQ(mlflow.versions.size(), 1U);
    EXPECT_EQ(mlflow.versions[0].source, "mlflow-artifacts:/0/run1/artifacts/model");
    EXPECT_EQ(mlflow.versions[0].tag, registration.id);
    EXPECT_EQ(mlflow.artifacts.at("/api/2.0/mlflow-artifacts/artifacts/0/run1/artifacts/model/model_data.json"),
              registration.model_data);
    const std::string params = boost::json::serialize(mlflow.runs[0].params);
    EXPECT_NE(params.find(R"({"key":"is_baseline","value":"False"})"), std::string::npos);
    EXPECT_NE(params.find(R"({"key":"metadata_rows","value":"12"})"), std::string::npos);
    EXPECT_NE(params.find(R"({"key":"baseline_model_id","value":"fraud/1"})"), std::string::npos);
}

TEST_F(RegistrarTest, a_registry_of_our_own_has_no_runs) {
    mlflow.runs_exist = false;
    const auto applied = apply(Attempt::first);
    ASSERT_TRUE(applied);
    EXPECT_EQ(applied->run_id, "");
    EXPECT_TRUE(mlflow.runs.empty());
    EXPECT_EQ(mlflow.versions[0].source, "hokusai:/registrations/" + registration.id);
}

TEST_F(RegistrarTest, a_source_the_caller_names_is_that_of_the_version) {
    registration.model_data = R"({"source":"s3://models/fraud/3"})";
    ASSERT_TRUE(apply(Attempt::first));
    EXPECT_EQ(mlflow.versions[0].source, "s3://models/fraud/3");
    EXPECT_EQ(mlflow.artifacts.size(), 1U);
}

TEST_F(RegistrarTest, whatever_call_gets_lost_the_next_attempt_makes_one_version_of_it) {
    for (const bool is_carried_out : {false, true}) {
        for (std::size_t lost = 1; lost <= 6; ++lost) {
            mlflow = FakeMlflow();
            (is_carried_out ? mlflow.after : mlflow.before) =
                [lost](std::size_t call) -> std::optional<base::Result<models::ApiAnswer>> {
                return call == lost ? std::optional(base::Result<models::ApiAnswer>(
                                          base::fail(Code::deadline_exceeded, "no answer came in time")))
                                    : std::nullopt;
            };
            const auto first = apply(Attempt::first);
            EXPECT_FALSE(first) << lost;
            const auto again = apply(Attempt::again);
            ASSERT_TRUE(again) << lost;
            EXPECT_EQ(again->state, RegistrationState::registered);
            EXPECT_EQ(mlflow.versions.size(), 1U) << lost;
            EXPECT_EQ(mlflow.runs.size(), 1U) << lost;
        }
    }
}

TEST_F(RegistrarTest, a_copy_that_knows_of_no_version_proves_nothing) {
    mlflow.before = [](std::size_t) -> std::optional<base::Result<models::ApiAnswer>> {
        models::ApiAnswer answer = models::testing::answer_of({});
        answer.is_copy = true;
        return answer;
    };
    const auto applied = apply(Attempt::again);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, Code::unavailable);
    EXPECT_EQ(mlflow.calls.size(), 1U);
}

TEST_F(RegistrarTest, answers_are_told_apart) {
    const auto outcome_of = [this](models::ApiAnswer answer) {
        mlflow = FakeMlflow();
        mlflow.before = [answer](std::size_t) { return std::optional(base::Result<models::ApiAnswer>(answer)); };
        const auto applied = apply(Attempt::first);
        return applied ? std::string(models::to_string(applied->state))
                       : std::string(base::to_string(applied.error().code));
    };
    EXPECT_EQ(outcome_of(refusal_of(400, "INVALID_PARAMETER_VALUE", "no")), "failed");
    EXPECT_EQ(outcome_of(refusal_of(400, "BAD_REQUEST", "a fault of the database")), base::to_string(Code::internal));
    EXPECT_EQ(outcome_of(refusal_of(500, "INTERNAL_ERROR", "oops")), base::to_string(Code::internal));
    const std::string later(base::to_string(Code::unavailable));
    for (const unsigned status : {401U, 403U, 409U, 429U, 500U, 502U, 503U, 504U}) {
        EXPECT_EQ(outcome_of(refusal_of(status, "SOMETHING", "no")), later) << status;
    }
    EXPECT_EQ(outcome_of({400, "<html>a proxy's</html>"}), later);
}

TEST_F(RegistrarTest, a_server_that_takes_no_artifacts_is_no_reason_to_refuse) {
    mlflow.before = [](std::size_t call) -> std::optional<base::Result<models::ApiAnswer>> {
        return call == 3 ? std::optional(base::Result<models::ApiAnswer>(refusal_of(501, "NOT_IMPLEMENTED", "off")))
                         : std::nullopt;
    };
    EXPECT_EQ(apply(Attempt::first)->state, RegistrationState::registered);
}

}  // namespace
