#include "mlflow/routes.hpp"

#include <string>

#include "mlflow/testing/heads.hpp"

#include <gtest/gtest.h>

namespace mlflow {
namespace {

using testing::ParsedRequest;

ParsedRequest request_for(std::string_view method, std::string_view target) {
    return ParsedRequest({std::string(method) + " " + std::string(target) + " HTTP/1.1", "Host: hokusai"});
}

TEST(MlflowPath, is_any_that_its_server_mounts) {
    for (const std::string_view path : {
             "/api/2.0/mlflow",
             "/api/2.0/mlflow/registered-models/search",
             "/api/3.0/mlflow/traces/search",
             "/ajax-api/2.0/mlflow/runs/search",
             "/ajax-api/3.0/mlflow/server-info",
             "/ajax-api",
             "/api/2.0/mlflow-artifacts/artifacts/1/model.pkl",
             "/v1/traces",
             "/v1/traces/x",
             "/graphql",
             "/get-artifact",
             "/model-versions/get-artifact",
             "/mlflow",
             "/mlflow/",
             "/mlflow/static-files/index.html",
             "/mlflow/anything/at/all",
             "/api/mlflow",
             "/api/mlflow/version",
         }) {
        EXPECT_TRUE(is_mlflow_path(path)) << path;
    }
}

TEST(MlflowPath, is_none_that_only_looks_like_one) {
    for (const std::string_view path : {
             "",
             "/",
             "*",
             "/health",
             "/models",
             "/api/models",
             "/api/health/mlflow",
             "/api/v1/models",
             "/api/2.0",
             "/api/2.0/mlflowx/registered-models/search",
             "/api/2.0/preview/mlflow/experiments/list",
             "/api/4.0/mlflow/registered-models/search",
             "/API/2.0/mlflow/registered-models/search",
             "/ajax-apis/2.0/mlflow",
             "/graphqlx",
             "/get-artifacts",
             "/model-versions/get-artifact/x",
             "/model-versions",
             "/mlflowing",
             "/mlflow-artifacts",
             "/%6dlflow/version",
             "/x/mlflow/version",
         }) {
        EXPECT_FALSE(is_mlflow_path(path)) << path;
    }
}

struct MountRow {
    std::string_view target;
    std::string_view upstream;
};

TEST(UpstreamCall, drops_our_prefix_and_nothing_else) {
    for (const auto& [target, upstream] : {
             MountRow{"/mlflow", ""},
             MountRow{"/mlflow?a=1", "?a=1"},
             MountRow{"/mlflow/", "/"},
             MountRow{"/mlflow/?a=1", "/?a=1"},
             MountRow{"/mlflow/api/2.0/mlflow/runs/get?run_id=1", "/api/2.0/mlflow/runs/get?run_id=1"},
             MountRow{"/mlflow/mlflow/x", "/mlflow/x"},
             MountRow{"/mlflow//x", "//x"},
             MountRow{"/api/mlflow", ""},
             MountRow{"/api/mlflow/version", "/version"},
             MountRow{"/api/mlflow?x=/mlflow/y", "?x=/mlflow/y"},
             MountRow{"/api/2.0/mlflow/runs/get?x=/mlflow/y", "/api/2.0/mlflow/runs/get?x=/mlflow/y"},
             MountRow{"/ajax-api/2.0/mlflow/runs/search?f=a%2Fb+c&f=d&e=",
                      "/ajax-api/2.0/mlflow/runs/search?f=a%2Fb+c&f=d&e="},
             MountRow{"/get-artifact?path=a/../b%00", "/get-artifact?path=a/../b%00"},
             MountRow{"/mlflow/a%2Fb/%E2%82%AC;p=1", "/a%2Fb/%E2%82%AC;p=1"},
         }) {
        const ParsedRequest request = request_for("GET", target);
        EXPECT_EQ(to_upstream(*request).target, upstream) << target;
    }
}

TEST(UpstreamCall, takes_an_absolute_target_for_its_path) {
    const ParsedRequest request = request_for("GET", "http://hokusai/mlflow/version?x=1");
    EXPECT_EQ(to_upstream(*request).target, "/version?x=1");
}

struct KindRow {
    std::string_view method;
    std::string_view target;
    CallKind kind;
};

constexpr KindRow kKinds[]{
    // Reads by their method.
    {"GET", "/api/2.0/mlflow/registered-models/get?name=a", CallKind::read},
    {"HEAD", "/api/2.0/mlflow/registered-models/get?name=a", CallKind::read},
    {"OPTIONS", "/api/2.0/mlflow/registered-models/create", CallKind::read},
    {"GET", "/api/2.0/mlflow/registered-models/create", CallKind::read},
    {"GET", "/mlflow", CallKind::read},
    {"GET", "/mlflow/static-files/main.js", CallKind::read},
    // POSTs that search.
    {"POST", "/api/2.0/mlflow/runs/search", CallKind::read},
    {"POST", "/mlflow/api/2.0/mlflow/runs/search", CallKind::read},
    {"POST", "/ajax-api/2.0/mlflow/runs/search?x=1", CallKind::read},
    {"POST", "/api/2.0/mlflow/experiments/search", CallKind::read},
    {"POST", "/api/2.0/mlflow/logged-models/search", CallKind::read},
    {"POST", "/api/3.0/mlflow/traces/search", CallKind::read},
    {"POST", "/api/2.0/mlflow/registered-models/get-latest-versions", CallKind::read},
    {"POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", CallKind::read},
    {"POST", "/graphql", CallKind::read},
    // Writes.
    {"POST", "/api/2.0/mlflow/registered-models/create", CallKind::write},
    {"POST", "/api/2.0/mlflow/registered-models/rename", CallKind::write},
    {"PATCH", "/api/2.0/mlflow/registered-models/update", CallKind::write},
    {"DELETE", "/api/2.0/mlflow/registered-models/delete", CallKind::write},
    {"POST", "/api/2.0/mlflow/registered-models/set-tag", CallKind::write},
    {"POST", "/api/2.0/mlflow/registered-models/alias", CallKind::write},
    {"DELETE", "/api/2.0/mlflow/registered-models/alias?name=a", CallKind::write},
    {"POST", "/api/2.0/mlflow/model-versions/transition-stage", CallKind::write},
    {"POST", "/api/2.0/mlflow/runs/log-batch", CallKind::write},
    {"POST", "/api/2.0/mlflow/webhooks/1/test", CallKind::write},
    {"POST", "/v1/traces", CallKind::write},
    {"PUT", "/api/2.0/mlflow/runs/search", CallKind::write},
    {"PATCH", "/api/2.0/mlflow/runs/search", CallKind::write},
    {"DELETE", "/api/2.0/mlflow/runs/search", CallKind::write},
    {"PROPFIND", "/api/2.0/mlflow/runs/search", CallKind::write},
    {"get", "/api/2.0/mlflow/runs/search", CallKind::write},
    {"POST", "/mlflow", CallKind::write},
    // What only looks like a search.
    {"POST", "/api/2.0/mlflow/runs/create?x=/search", CallKind::write},
    {"POST", "/api/2.0/mlflow/runs/create?/search", CallKind::write},
    {"POST", "/api/2.0/mlflow/runs/search/", CallKind::write},
    {"POST", "/api/2.0/mlflow/runs/Search", CallKind::write},
    {"POST", "/api/2.0/mlflow/runs/research", CallKind::write},
    {"POST", "/api/2.0/mlflow/runs/search/create", CallKind::write},
    {"POST", "/api/2.0/mlflow/runs/create%2Fsearch", CallKind::write},
    // Artifacts.
    {"GET", "/api/2.0/mlflow-artifacts/artifacts/1/model.pkl", CallKind::artifact_read},
    {"GET", "/mlflow/api/2.0/mlflow-artifacts/artifacts?path=1", CallKind::artifact_read},
    {"GET", "/ajax-api/2.0/mlflow-artifacts/artifacts/1/search", CallKind::artifact_read},
    {"PUT", "/api/2.0/mlflow-artifacts/artifacts/1/search", CallKind::artifact_write},
    {"DELETE", "/api/2.0/mlflow-artifacts/artifacts/1", CallKind::artifact_write},
    {"POST", "/api/2.0/mlflow-artifacts/mpu/create/1/model.pkl", CallKind::artifact_write},
    {"GET", "/get-artifact?run_id=1&path=a", CallKind::artifact_read},
    {"HEAD", "/mlflow/get-artifact?run_id=1", CallKind::artifact_read},
    {"GET", "/model-versions/get-artifact?name=a", CallKind::artifact_read},
    {"POST", "/ajax-api/2.0/mlflow/upload-artifact?path=a", CallKind::artifact_write},
    {"GET", "/ajax-api/2.0/mlflow/get-trace-artifact?request_id=1", CallKind::artifact_read},
    {"GET", "/ajax-api/2.0/mlflow/logged-models/m-1/artifacts/files?artifact_file_path=a", CallKind::artifact_read},
    {"GET", "/api/2.0/mlflow/artifacts/list?run_id=1", CallKind::read},
    {"GET", "/api/2.0/mlflow/runs/get?x=/mlflow-artifacts/", CallKind::read},
};

TEST(UpstreamCall, has_the_kind_of_its_method_and_path) {
    for (const auto& [method, target, kind] : kKinds) {
        const ParsedRequest request = request_for(method, target);
        const UpstreamCall call = to_upstream(*request);
        EXPECT_EQ(call.kind, kind) << method << ' ' << target;

        const bool is_write = kind == CallKind::write || kind == CallKind::artifact_write;
        EXPECT_EQ(call.is_write(), is_write);
        EXPECT_EQ(call.is_artifact(), kind == CallKind::artifact_read || kind == CallKind::artifact_write);
        EXPECT_EQ(required_scope(*request), is_write ? "mlflow:write" : "mlflow:read") << method << ' ' << target;
    }
}

TEST(TrafficClass, is_what_a_call_does_and_not_what_it_does_it_to) {
    const auto of = [](std::string_view target) { return traffic_class(http::Method::get, target); };
    constexpr std::string_view kAlias = "/api/2.0/mlflow/registered-models/alias";
    EXPECT_EQ(of(kAlias), of("/api/2.0/mlflow/registered-models/alias?name=a&alias=b"));
    EXPECT_EQ(of("/api/3.0/mlflow/traces/tr-1"), of("/api/3.0/mlflow/traces/tr-2?x=/2.0/"));
    EXPECT_NE(of(kAlias), of("/api/2.0/mlflow/registered-models/search"));
    EXPECT_NE(of(kAlias), traffic_class(http::Method::delete_, kAlias));
    EXPECT_NE(of("/"), of("/graphql"));
}

TEST(ArtifactProxy, is_what_lies_below_its_prefix) {
    EXPECT_TRUE(is_artifact_proxy_path("/api/2.0/mlflow-artifacts/artifacts"));
    EXPECT_TRUE(is_artifact_proxy_path("/ajax-api/2.0/mlflow-artifacts/artifacts/a/b"));
    EXPECT_TRUE(is_artifact_proxy_path("/api/2.0/mlflow-artifacts/mpu/create/a"));
    EXPECT_FALSE(is_artifact_proxy_path("/api/2.0/mlflow-artifacts"));
    EXPECT_FALSE(is_artifact_proxy_path("/api/2.0/mlflow/artifacts/list"));
    EXPECT_FALSE(is_artifact_proxy_path("/get-artifact"));
}

TEST(DotSegment, is_found_however_it_is_written) {
    for (const std::string_view path :
         {"/..", "/../x", "/a/../b", "/a/.", "/a/./b", "/a/%2e%2E/b", "/a%2f..%2Fb", "/a/..;/b", "/a\\..\\b"}) {
        EXPECT_TRUE(has_dot_segment(path)) << path;
    }
    for (const std::string_view path : {"/", "/a/b.c", "/a/...", "/a..b/c", "/..a", "/a;../b", "/%252e%252e/"}) {
        EXPECT_FALSE(has_dot_segment(path)) << path;
    }
}

}  // namespace
}  // namespace mlflow
