#include "registry/operation.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace registry {

namespace {

TEST(Operation, is_found_by_method_and_path_below_both_prefixes) {
    for (const std::string prefix : {"/api/2.0/mlflow", "/ajax-api/2.0/mlflow"}) {
        EXPECT_EQ(find_operation("POST", prefix + "/registered-models/create"), Operation::create_model);
        EXPECT_EQ(find_operation("GET", prefix + "/registered-models/get-latest-versions"),
                  Operation::get_latest_versions);
        EXPECT_EQ(find_operation("POST", prefix + "/registered-models/get-latest-versions"),
                  Operation::get_latest_versions);
        EXPECT_EQ(find_operation("GET", prefix + "/registered-models/alias"), Operation::get_version_by_alias);
        EXPECT_EQ(find_operation("POST", prefix + "/registered-models/alias"), Operation::set_alias);
        EXPECT_EQ(find_operation("DELETE", prefix + "/registered-models/alias"), Operation::delete_alias);
        EXPECT_EQ(find_operation("DELETE", prefix + "/model-versions/delete-tag"), Operation::delete_version_tag);
    }
}

TEST(Operation, is_nothing_else) {
    EXPECT_EQ(find_operation("GET", "/api/2.0/mlflow/registered-models/create"), std::nullopt);
    EXPECT_EQ(find_operation("get", "/api/2.0/mlflow/registered-models/get"), std::nullopt);
    EXPECT_EQ(find_operation("GET", "/api/2.0/mlflow/registered-models/get/"), std::nullopt);
    EXPECT_EQ(find_operation("GET", "/api/3.0/mlflow/registered-models/get"), std::nullopt);
    EXPECT_EQ(find_operation("GET", "/registered-models/get"), std::nullopt);
    EXPECT_EQ(find_operation("GET", "/api/2.0/mlflow"), std::nullopt);
    EXPECT_EQ(find_operation("POST", "/api/2.0/mlflow/runs/create"), std::nullopt);
}

TEST(Operation, reads_are_seven) {
    const std::set<Operation> reads{Operation::get_model,
                                    Operation::search_models,
                                    Operation::get_latest_versions,
                                    Operation::get_version_by_alias,
                                    Operation::get_version,
                                    Operation::search_versions,
                                    Operation::get_download_uri};
    for (int i = 0; i <= static_cast<int>(Operation::delete_version_tag); ++i) {
        const auto operation = static_cast<Operation>(i);
        EXPECT_EQ(is_read(operation), reads.contains(operation)) << i;
    }
}

}  // namespace

}  // namespace registry
