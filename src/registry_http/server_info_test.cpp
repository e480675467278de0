#include "registry_http/server_info.hpp"

#include <gtest/gtest.h>

namespace registry_http {
namespace {

TEST(ServerInfo, claims_nothing_but_a_registry) {
    EXPECT_EQ(server_info().body,
              R"({"store_type":null,"workspaces_enabled":false,"trace_archival_enabled":false,)"
              R"("multipart_uploads_enabled":false,"multipart_downloads_enabled":false,)"
              R"("presigned_upload_run_id_supported":false,"presigned_upload_model_id_supported":false,)"
              R"("features_enabled":{"gateway":false}})");
}

TEST(ServerInfo, names_the_mlflow_whose_registry_it_is) {
    EXPECT_EQ(mlflow_version().body, "3.17.2");
}

}  // namespace
}  // namespace registry_http
