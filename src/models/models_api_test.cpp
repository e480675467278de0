#include "models/models_api.hpp"

#include "models/testing/fake_mlflow.hpp"
#include "models/testing/memory_stores.hpp"
#include "net/testing/run_on.hpp"
#include "net/testing/shared_clock.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace {

using base::Code;
using http::Method;
using models::RegistrationState;
using models::Request;
using models::testing::answer_of;
using models::testing::FakeMlflow;
using models::testing::refusal_of;

constexpr const char* kBody = R"({"model_name":"fox","model_type":"ranking","model_data":{"a":1}})";

class ModelsApiTest : public testing::Test {
protected:
    ModelsApiTest() {
        keep_applying_later(true);
        worker.start();
    }

    ~ModelsApiTest() override {
        worker.stop();
        pool.join();
    }

    void keep_applying_later(bool applies_later) {
        registrations.emplace(models::Registrations::Deps{store, pool, clock, applies_later});
    }

    http::Response ask(Method method, std::string path, std::string query = "", std::string body = "") {
        models::ModelsApi api({worker, pool, facts, *registrations});
        Request request{.method = method,
                        .path = std::move(path),
                        .query = std::move(query),
                        .content_type = "application/json",
                        .body = std::move(body)};
        return net::testing::run_on(worker, api.answer(std::move(request), mlflow));
    }

    boost::json::object object(const http::Response& response) {
        return boost::json::parse(response.body).as_object();
    }

    // Applies what is due, as the keeper does.
    bool apply_next() {
        auto turn = net::testing::run_on(worker, registrations->take(worker));
        if (turn) {
            net::testing::run_on(worker,
                                 registrations->apply(worker, mlflow, std::move(*turn), models::Attempt::again));
        }
        return turn.has_value();
    }

    // A model whose versions have a run each: r1, r2 ...
    void add_versions(int count) {
        boost::json::array list;
        for (int i = 1; i <= count; ++i) {
            list.push_back(boost::json::object{{"name", "fox"},
                                               {"version", std::to_string(i)},
                                               {"run_id", fmt::format("r{}", i)},
                                               {"creation_timestamp", i}});
        }
        const std::string order = "&order_by=name%20ASC&order_by=version_number%20ASC";
        const std::string search = "GET /api/2.0/mlflow/model-versions/search?max_results=1000";
        mlflow.canned[search + order] = answer_of({{"model_versions", list}});
        mlflow.canned[search + "&filter=name%3D%27fox%27" + order] = answer_of({{"model_versions", list}});
    }

    void add_run(int number, const char* status) {
        mlflow.canned[fmt::format("GET /api/2.0/mlflow/runs/get?run_id=r{}", number)] = answer_of(
            {{"run",
              boost::json::object{
                  {"info", boost::json::object{{"run_id", fmt::format("r{}", number)}, {"status", status}}}}}});
    }

    net::testing::SharedClock clock;
    net::Worker worker{"worker", 0, clock};
    net::BlockingPool pool{1, 64};
    models::testing::MemoryRegistrations store;
    models::testing::MemoryFacts facts;
    std::optional<models::Registrations> registrations;
    FakeMlflow mlflow;
};

TEST_F(ModelsApiTest, a_path_tells_its_methods) {
    EXPECT_EQ(ask(Method::put, "/models/register").headers.at(0).second, "POST");
    EXPECT_EQ(ask(Method::post, "/models/fox/1").headers.at(0).second, "GET, HEAD, PATCH, DELETE");
    EXPECT_EQ(ask(Method::delete_, "/models/registrations/1").status, 405U);
    EXPECT_EQ(ask(Method::patch, "/models/fox/lineage", "", "{}").status, 405U);
    EXPECT_EQ(ask(Method::other, "/models").status, 405U);
    EXPECT_EQ(
        ask(Method::get, "/models/fox/1/predictions").body.find("Predictions are not recorded") == std::string::npos,
        false);
}

TEST_F(ModelsApiTest, a_registration_is_kept_before_mlflow_is_asked) {
    store.trouble = base::Error{Code::unavailable, "the disk is full"};
    const http::Response refused = ask(Method::post, "/models/register", "", kBody);
    EXPECT_EQ(refused.status, 503U);
    EXPECT_EQ(refused.headers.at(0).first, "Retry-After");
    EXPECT_TRUE(mlflow.calls.empty());
}

TEST_F(ModelsApiTest, a_registration_waits_while_mlflow_is_away) {
    mlflow.reachable = false;
    const http::Response accepted = ask(Method::post, "/models/register", "", kBody);
    EXPECT_EQ(accepted.status, 201U);
    EXPECT_EQ(object(accepted).at("mlflow_sync"), "pending");
    EXPECT_TRUE(object(accepted).at("version").is_null());
    EXPECT_TRUE(mlflow.calls.empty());
    EXPECT_FALSE(apply_next());
    clock.advance(std::chrono::seconds(1));
    EXPECT_TRUE(apply_next());
    EXPECT_EQ(store.rows.at(0).state, RegistrationState::registered);
    EXPECT_EQ(store.events.size(), 1U);
    EXPECT_EQ(registrations->waiting(), 0U);
}

TEST_F(ModelsApiTest, nobody_waits_for_long_for_an_mlflow_that_hangs) {
    mlflow.worker_of_hang = &worker;
    mlflow.hang = [this] { clock.advance(std::chrono::seconds(21)); };
    const http::Response accepted = ask(Method::post, "/models/register", "", kBody);
    EXPECT_EQ(accepted.status, 201U);
    EXPECT_EQ(object(accepted).at("mlflow_sync"), "pending");
    EXPECT_EQ(registrations->waiting(), 1U);
}

TEST_F(ModelsApiTest, a_version_that_could_not_be_put_on_record_is_found_again) {
    mlflow.after = [this](std::size_t call) -> std::optional<base::Result<models::ApiAnswer>> {
        if (mlflow.calls.at(call - 1).ends_with("model-versions/create")) {
            store.trouble = base::Error{Code::unavailable, "the disk is full"};
        }
        return std::nullopt;
    };
    EXPECT_EQ(object(ask(Method::post, "/models/register", "", kBody)).at("mlflow_sync"), "pending");
    store.trouble.reset();
    clock.advance(std::chrono::seconds(1));
    EXPECT_TRUE(apply_next());
    EXPECT_EQ(mlflow.versions.size(), 1U);
    EXPECT_EQ(store.rows.at(0).version, 1);
}

TEST_F(ModelsApiTest, what_mlflow_refuses_is_told_and_ends_there) {
    mlflow.canned["POST /api/2.0/mlflow/registered-models/create"] =
        refusal_of(400, "INVALID_PARAMETER_VALUE", "no such name");
    const http::Response refused = ask(Method::post, "/models/register", "", kBody);
    EXPECT_EQ(refused.status, 422U);
    EXPECT_NE(refused.body.find("no such name"), std::string::npos);
    EXPECT_EQ(store.rows.at(0).state, RegistrationState::failed);
    EXPECT_EQ(registrations->waiting(), 0U);
}

TEST_F(ModelsApiTest, words_that_may_be_a_fault_count_at_the_tenth_time) {
    mlflow.canned["POST /api/2.0/mlflow/registered-models/create"] = refusal_of(500, "INTERNAL_ERROR", "oops");
    ask(Method::post, "/models/register", "", kBody);
    for (int attempt = 2; attempt < 10; ++attempt) {
        clock.advance(std::chrono::minutes(2));
        EXPECT_TRUE(apply_next());
    }
    EXPECT_EQ(store.rows.at(0).state, RegistrationState::pending);
    clock.advance(std::chrono::minutes(2));
    EXPECT_TRUE(apply_next());
    EXPECT_EQ(store.rows.at(0).state, RegistrationState::failed);
    EXPECT_EQ(store.rows.at(0).error, "oops");
}

TEST_F(ModelsApiTest, nothing_is_applied_later_for_callers_who_authenticate_at_mlflow) {
    keep_applying_later(false);
    mlflow.reachable = false;
    EXPECT_EQ(ask(Method::post, "/models/register", "", kBody).status, 503U);
    EXPECT_TRUE(store.rows.empty());
    mlflow.reachable = true;
    EXPECT_EQ(ask(Method::post, "/models/register", "", kBody).status, 201U);
    mlflow.before = [](std::size_t) { return std::optional(base::Result<models::ApiAnswer>(refusal_of(503, "", ""))); };
    ask(Method::post, "/models/register", "", kBody);
    EXPECT_EQ(store.rows.at(1).state, RegistrationState::failed);
}

TEST_F(ModelsApiTest, so_many_runs_are_asked_for_at_once_and_ended_ones_once) {
    add_versions(102);
    for (int i = 1; i <= 102; ++i) {
        add_run(i, "FINISHED");
    }
    const std::string path = "/models/contributors/0x0000000000000000000000000000000000000000/impact";
    const auto first = object(ask(Method::get, path)).at("missing").as_array();
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first.at(0), "run of fox:101");
    const std::size_t asked = mlflow.calls.size();
    EXPECT_TRUE(object(ask(Method::get, path)).at("missing").as_array().empty());
    EXPECT_EQ(mlflow.calls.size() - asked, 3U);
}

TEST_F(ModelsApiTest, what_is_kept_of_a_run_is_told_with_its_age) {
    add_versions(1);
    add_run(1, "RUNNING");
    EXPECT_TRUE(ask(Method::get, "/models/fox/lineage").headers.empty());
    mlflow.canned.erase("GET /api/2.0/mlflow/runs/get?run_id=r1");
    mlflow.canned["GET /api/2.0/mlflow/runs/get?run_id=r1"] = refusal_of(503, "TEMPORARILY_UNAVAILABLE", "away");
    clock.advance(std::chrono::seconds(7));
    const http::Response answer = ask(Method::get, "/models/fox/lineage");
    EXPECT_EQ(answer.status, 200U);
    ASSERT_EQ(answer.headers.size(), 2U);
    EXPECT_EQ(answer.headers.at(1).first, "Age");
}

TEST_F(ModelsApiTest, a_run_mlflow_has_forgotten_is_missing) {
    add_versions(1);
    const auto line = object(ask(Method::get, "/models/fox/lineage"));
    const auto& entry = line.at("lineage").as_array().at(0).as_object();
    EXPECT_TRUE(entry.at("is_baseline").is_null());
    EXPECT_EQ(entry.at("missing"), boost::json::array{"run"});
}

TEST_F(ModelsApiTest, mlflows_trouble_is_told_as_what_it_is) {
    const std::string target = "GET /api/2.0/mlflow/model-versions/get?name=fox&version=1";
    const auto status_for = [&](const models::ApiAnswer& answer) {
        mlflow.canned[target] = answer;
        return ask(Method::get, "/models/fox/1").status;
    };
    EXPECT_EQ(status_for(refusal_of(404, "RESOURCE_DOES_NOT_EXIST", "")), 404U);
    EXPECT_EQ(status_for(refusal_of(404, "ENDPOINT_NOT_FOUND", "")), 503U);
    EXPECT_EQ(status_for(refusal_of(400, "INVALID_PARAMETER_VALUE", "")), 422U);
    EXPECT_EQ(status_for(refusal_of(401, "UNAUTHENTICATED", "")), 403U);
    EXPECT_EQ(status_for(refusal_of(500, "INTERNAL_ERROR", "")), 503U);
    EXPECT_EQ(status_for(refusal_of(504, "DEADLINE_EXCEEDED", "")), 504U);
    EXPECT_EQ(status_for({200, "[]"}), 503U);
    EXPECT_EQ(status_for({200, "{}"}), 503U);
}

}  // namespace
