#include "artifacts/artifact_call.hpp"

#include "mlflow/routes.hpp"
#include "mlflow/testing/heads.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace artifacts {
namespace {

using storage::ArtifactKey;
using storage::ArtifactKind;
using Kind = ArtifactCall::Kind;

const std::string kFiles = "/api/2.0/mlflow-artifacts/artifacts";

ArtifactCall call(const std::string& line, const std::string& field = "Accept: */*") {
    const mlflow::testing::ParsedRequest request({line + " HTTP/1.1", "Host: x", field});
    return artifact_call(*request, mlflow::to_upstream(*request).target);
}

TEST(ArtifactCall, knows_the_calls_of_a_client_that_loads_a_model) {
    const ArtifactCall file = call("GET " + kFiles + "/1/models/m-1/artifacts/MLmodel");
    EXPECT_EQ(file.kind, Kind::read);
    EXPECT_EQ(file.key, (ArtifactKey{ArtifactKind::file, "1/models/m-1/artifacts/MLmodel"}));

    const ArtifactCall listing = call("GET " + kFiles + "?path=1%2Fmodels%2Fm-1%2Fmy+data");
    EXPECT_EQ(listing.kind, Kind::read);
    EXPECT_EQ(listing.key, (ArtifactKey{ArtifactKind::listing, "1/models/m-1/my data"}));

    EXPECT_EQ(call("GET /api/3.0/mlflow/server-info").key.kind, ArtifactKind::look_up);
}

TEST(ArtifactCall, every_prefix_means_the_same) {
    for (const std::string prefix : {"/api", "/ajax-api", "/mlflow/api", "/api/mlflow/ajax-api"}) {
        EXPECT_EQ(call("GET " + prefix + "/2.0/mlflow-artifacts/artifacts/1/a").key.path, "1/a") << prefix;
        EXPECT_EQ(call("HEAD " + prefix + "/2.0/mlflow-artifacts/artifacts/1/a").kind, Kind::read) << prefix;
    }
}

TEST(ArtifactCall, leaves_to_mlflow_what_is_written_in_an_unusual_way) {
    for (const std::string_view path : {"/../a",
                                        "/1/./a",
                                        "/1/%2e%2e/a",
                                        "/1//a",
                                        "/1/a/",
                                        "//1/a",
                                        "/",
                                        "/1%5ca",
                                        "/1/%00a",
                                        "/1/%2541",
                                        "/1/a%0d",
                                        "/1/a?download=1",
                                        "/1/a%3f",
                                        "/workspaces/team/a",
                                        "?path=",
                                        "?path=1%2F..%2Fa",
                                        "?path=1&path=2",
                                        "?other=1",
                                        ""}) {
        EXPECT_EQ(call(fmt::format("GET {}{}", kFiles, path)).kind, Kind::other) << path;
    }
    EXPECT_EQ(call("GET " + kFiles + "/" + std::string(1025, 'a')).kind, Kind::other);
    EXPECT_EQ(call("GET " + kFiles + "/1/a", "X-MLFLOW-WORKSPACE: team").kind, Kind::other);
    EXPECT_EQ(call("GET /api/2.0/mlflow-artifacts/presigned/1/a").kind, Kind::other);
    EXPECT_EQ(call("GET /api/2.0/mlflow/registered-models/get?name=/mlflow-artifacts/").kind, Kind::other);
}

TEST(ArtifactCall, takes_the_default_workspace_for_none) {
    EXPECT_EQ(call("GET " + kFiles + "/1/a", "X-MLFLOW-WORKSPACE: default").kind, Kind::read);
}

TEST(ArtifactCall, sees_every_way_to_change_an_artifact) {
    for (const std::string& line : {"PUT " + kFiles + "/1/a",
                                    "DELETE " + kFiles + "/1/a",
                                    std::string("POST /api/2.0/mlflow-artifacts/mpu/create/1/a"),
                                    std::string("POST /ajax-api/2.0/mlflow-artifacts/mpu/complete/1/a"),
                                    std::string("POST /mlflow/api/2.0/mlflow-artifacts/mpu/abort/1/a")}) {
        EXPECT_EQ(call(line).kind, Kind::write) << line;
        EXPECT_EQ(call(line).key.path, "1/a") << line;
    }
}

TEST(ArtifactCall, a_change_in_an_unusual_place_is_one_of_the_folder_above) {
    EXPECT_EQ(call("PUT " + kFiles + "/1/a//b").key.path, "1/a");
    EXPECT_EQ(call("DELETE " + kFiles + "/1/a/../b").key.path, "1/a");
    EXPECT_EQ(call("PUT " + kFiles + "/1/a/%2541").key.path, "1/a");
}

TEST(ArtifactCall, asks_mlflow_as_a_client_does) {
    for (const ArtifactKey& key : {ArtifactKey{ArtifactKind::file, "1/my data/ü&+.pkl"},
                                   ArtifactKey{ArtifactKind::listing, "1/my data/ü&+"},
                                   ArtifactKey{ArtifactKind::look_up, std::string(kServerInfo)}}) {
        EXPECT_EQ(call("GET " + target_of(key)).key, key) << target_of(key);
    }
}

TEST(ArtifactCall, takes_paths_of_its_own_server_only) {
    EXPECT_EQ(path_of_uri("mlflow-artifacts:/1/a"), "1/a");
    EXPECT_EQ(path_of_uri("mlflow-artifacts://other:5000/1/a"), std::nullopt);
    EXPECT_EQ(path_of_uri("s3://bucket/1/a"), std::nullopt);
}

TEST(ArtifactCall, overlaps_above_and_below_but_not_beside) {
    EXPECT_TRUE(overlap("1/a", "1/a"));
    EXPECT_TRUE(overlap("1/a/b", "1/a"));
    EXPECT_TRUE(overlap("1", "1/a"));
    EXPECT_FALSE(overlap("1/a", "1/ab"));
    EXPECT_FALSE(overlap("1/a", "2/a"));
}

}  // namespace
}  // namespace artifacts
