#include "offline_registry/model_state.hpp"

#include <array>

#include "offline_registry/testing/rows.hpp"

namespace offline_registry {
namespace {

using testing::Rows;

struct RowsWithAVersion : Rows {
    RowsWithAVersion() {
        write("POST", "registered-models/create", R"({"name": "m"})");
        write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/1"})");
    }
};

TEST(ModelState, is_the_same_in_the_rows_and_as_mlflow_shows_it) {
    Rows rows;
    EXPECT_EQ(state_of(rows.view()), rows.state());
    rows.write("POST", "registered-models/create", R"({"name": "m", "tags": [{"key": "a", "value": "b"}]})");
    rows.write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/1", "run_id": "r"})");
    rows.write("POST", "registered-models/alias", R"({"name": "m", "version": "1", "alias": "champion"})");
    EXPECT_EQ(state_of(rows.view()), rows.state());
    EXPECT_EQ(rows.state().at("alias champion"), "version 1");
}

TEST(ModelState, a_fingerprint_tells_every_kind_of_change) {
    const std::vector<std::array<std::string, 3>> changes{
        {"PATCH", "registered-models/update", R"({"name": "m", "description": "d"})"},
        {"POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "v"})"},
        {"POST", "registered-models/alias", R"({"name": "m", "version": "1", "alias": "champion"})"},
        {"POST", "model-versions/create", R"({"name": "m", "source": "s3://b/2"})"},
        {"PATCH", "model-versions/update", R"({"name": "m", "version": "1", "description": "d"})"},
        {"POST", "model-versions/set-tag", R"({"name": "m", "version": "1", "key": "k", "value": "v"})"},
        {"POST", "model-versions/transition-stage", R"({"name": "m", "version": "1", "stage": "Staging"})"},
        {"DELETE", "model-versions/delete", R"({"name": "m", "version": "1"})"},
        {"DELETE", "registered-models/delete", R"({"name": "m"})"}};
    const std::string before = fingerprint(RowsWithAVersion().state());
    EXPECT_EQ(before, fingerprint(RowsWithAVersion().state()));
    for (const auto& [method, path, body] : changes) {
        RowsWithAVersion rows;
        rows.write(method, path, body);
        EXPECT_NE(fingerprint(rows.state()), before) << path;
    }
}

TEST(ModelState, a_fingerprint_keeps_names_and_values_apart) {
    EXPECT_NE(fingerprint({{"tag a", "bc"}}), fingerprint({{"tag ab", "c"}}));
    EXPECT_NE(fingerprint({{"tag a", "1"}, {"tag b", "2"}}), fingerprint({{"tag a", "11:"}}));
    EXPECT_NE(fingerprint({}), fingerprint({{"", ""}}));
}

TEST(ModelState, differences_are_told_in_words_and_are_not_too_many) {
    const ModelState in_mlflow{{"alias a", "version 2"}, {"tag x", "1"}};
    const ModelState here{{"alias a", "version 3"}, {"tag y", std::string(300, 'z')}};
    const auto all = differences(in_mlflow, here, 10);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0], "alias a is version 2 in MLflow, and version 3 here");
    EXPECT_EQ(all[1], "tag x is only in MLflow: 1");
    EXPECT_LT(all[2].size(), 150U);
    EXPECT_EQ(differences(in_mlflow, here, 1).back(), "and 2 more differences");
    EXPECT_TRUE(differences(here, here, 10).empty());
}

}  // namespace
}  // namespace offline_registry
