#include "apps/standalone.hpp"

#include <memory>
#include <string>

#include "http/testing/test_server.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace apps {
namespace {

using http::testing::Answer;

constexpr const char* kJson = "Content-Type: application/json\r\n";

// Asks at once what may be answered at once, as the router does for callers it knows.
class StandaloneTest : public ::testing::Test {
protected:
    void TearDown() override {
        registry_.join();
    }

    std::unique_ptr<http::RequestHandler> make_handler() {
        standalone_ = std::make_unique<Standalone>(registry_, loads_, server_.metrics);
        return std::make_unique<http::testing::FunctionHandler>(http::testing::FunctionHandler::Functions{
            .try_answer = nullptr,
            .handle = [this](http::Exchange& exchange) { return standalone_->handle(exchange); },
            .finished = {}});
    }

    Answer post(const std::string& path, const std::string& body) {
        client_.ask_with_body("POST " + path, body, kJson);
        return client_.read();
    }

    void create_champion() {
        post("/api/2.0/mlflow/registered-models/create", R"({"name":"m"})");
        post("/api/2.0/mlflow/model-versions/create", R"({"name":"m","source":"s3://bucket/m"})");
        post("/api/2.0/mlflow/registered-models/alias", R"({"name":"m","alias":"champion","version":"1"})");
    }

    [[nodiscard]] std::string calls(const std::string& source, const std::string& outcome) const {
        const std::string series =
            "hokusai_registry_calls_total{source=\"" + source + "\",outcome=\"" + outcome + "\"} ";
        const std::string text = server_.metrics.render();
        const std::size_t found = text.find(series);
        return found == std::string::npos
                   ? "-"
                   : text.substr(found + series.size(), text.find('\n', found) - found - series.size());
    }

    storage::testing::TemporaryFolder folder_;
    base::SystemClock clock_;
    std::unique_ptr<storage::SqliteDatabase> migrated_ = *storage::open_database(folder_.path());
    LocalRegistry registry_{storage::database_file(folder_.path()), clock_};
    registry::LoadNotes loads_;
    std::unique_ptr<Standalone> standalone_;
    http::testing::TestServer server_{[this](net::Worker&) { return make_handler(); }};
    http::testing::Client client_{server_.endpoint};
};

TEST_F(StandaloneTest, is_the_registry_below_every_prefix_of_mlflows) {
    for (const std::string prefix :
         {"/api", "/ajax-api", "/mlflow/api", "/mlflow/ajax-api", "/api/mlflow/api", "/api/mlflow/ajax-api"}) {
        const std::string models = prefix + "/2.0/mlflow/registered-models";

        EXPECT_EQ(post(models + "/create", R"({"name":"m"})").status, 200U) << prefix;
        EXPECT_EQ(client_.get(models + "/get?name=m").status, 200U) << prefix;
        EXPECT_EQ(post(models + "/rename", R"({"name":"m","new_name":"other"})").status, 200U) << prefix;
        client_.ask_with_body("DELETE " + models + "/delete", R"({"name":"other"})");
        EXPECT_EQ(client_.read().status, 200U) << prefix;
    }
    EXPECT_EQ(calls("native", "answered"), "24");
}

TEST_F(StandaloneTest, answers_aliases_from_memory) {
    create_champion();

    const Answer known = client_.get("/mlflow/api/2.0/mlflow/registered-models/alias?name=m&alias=champion");
    const Answer latest = client_.get("/mlflow/api/2.0/mlflow/registered-models/alias?name=m&alias=latest");

    EXPECT_EQ(known.status, 200U);
    EXPECT_EQ(known.field("Content-Type"), "application/json");
    EXPECT_EQ(known.body, latest.body) << "the same version, from memory and from the store";
    EXPECT_EQ(calls("alias_index", "answered"), "1");
    EXPECT_EQ(calls("native", "answered"), "4");
}

TEST_F(StandaloneTest, answers_errors_as_mlflow_does_and_counts_them) {
    const Answer missing = client_.get("/api/2.0/mlflow/registered-models/get?name=none");
    EXPECT_EQ(missing.status, 404U);
    EXPECT_TRUE(missing.body.starts_with(R"({"error_code": "RESOURCE_DOES_NOT_EXIST")")) << missing.body;

    const Answer alias = client_.get("/api/2.0/mlflow/registered-models/alias?name=none&alias=champion");
    EXPECT_EQ(alias.status, 404U) << alias.body;
    EXPECT_EQ(calls("native", "refused"), "2");
}

TEST_F(StandaloneTest, has_no_workspaces) {
    create_champion();
    const std::string path = "/api/2.0/mlflow/registered-models/alias?name=m&alias=champion";

    const Answer refused = client_.get(path, "X-MLFLOW-WORKSPACE: team\r\n");
    EXPECT_EQ(refused.status, 500U);
    EXPECT_TRUE(refused.body.starts_with(R"({"error_code": "FEATURE_DISABLED")")) << refused.body;
    EXPECT_EQ(client_.get(path, "X-MLFLOW-WORKSPACE:  \r\n").status, 200U) << "a blank one is none";
    EXPECT_EQ(client_.get("/api/3.0/mlflow/server-info", "X-MLFLOW-WORKSPACE: team\r\n").status, 200U);
}

TEST_F(StandaloneTest, says_what_it_is) {
    for (const char* path :
         {"/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info", "/mlflow/api/3.0/mlflow/server-info"}) {
        EXPECT_TRUE(client_.get(path).body.starts_with(R"({"store_type":null,"workspaces_enabled":false)")) << path;
    }
    EXPECT_EQ(client_.get("/mlflow/version").body, "3.17.2");
}

TEST_F(StandaloneTest, names_the_setting_that_would_bring_everything_else) {
    for (const char* path : {"/api/2.0/mlflow/experiments/search",
                             "/api/2.0/mlflow-artifacts/artifacts",
                             "/mlflow",
                             "/mlflow/",
                             "/graphql",
                             "/api/2.0/mlflow/registered-models/get/"}) {
        const Answer answer = client_.get(path);
        EXPECT_EQ(answer.status, 501U) << path;
        EXPECT_NE(answer.body.find("set MLFLOW_SERVER_URL"), std::string::npos) << answer.body;
    }
    EXPECT_EQ(post("/api/3.0/mlflow/server-info", "{}").status, 501U);
}

TEST_F(StandaloneTest, finds_its_models_again_after_a_restart) {
    create_champion();

    LocalRegistry again(storage::database_file(folder_.path()), clock_);
    registry_.join();

    EXPECT_EQ(again.aliases().find("", "m", "champion") != nullptr, true);
    again.join();
}

}  // namespace
}  // namespace apps
