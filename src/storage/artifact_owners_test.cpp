#include "storage/artifact_owners.hpp"

#include "storage/sqlite_registry_store.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace storage {
namespace {

class ArtifactOwnersTest : public ::testing::Test {
protected:
    void put(const std::string& name, std::int64_t version, const std::string& uri, const std::string& source = "x") {
        put_in("", name, version, uri, source, {});
    }

    void put_in(const std::string& workspace,
                const std::string& name,
                std::int64_t number,
                const std::string& uri,
                const std::string& source,
                std::vector<registry::Alias> aliases) {
        const auto written = rows->write([&](registry::Writer& writer) -> base::Result<void> {
            registry::RegisteredModel model;
            model.name = name;
            model.aliases = std::move(aliases);
            registry::ModelVersion version;
            version.name = name;
            version.version = number;
            version.source = source;
            version.artifact_uri = uri;
            const auto done = writer.put_model(workspace, model);
            return done ? writer.put_version(workspace, version) : done;
        });
        ASSERT_TRUE(written) << written.error().message;
    }

    testing::TemporaryFolder folder;
    std::unique_ptr<SqliteRegistryStore> rows =
        SqliteRegistryStore::open(open_replica_database(folder.path()).value()).value();
    ArtifactOwners owners{SqliteDatabase::open(replica_file(folder.path())).value()};
};

TEST_F(ArtifactOwnersTest, knows_what_a_version_consists_of) {
    put("fox", 1, "mlflow-artifacts:/1/models/m-1/artifacts");

    EXPECT_TRUE(owners.has_owner("1/models/m-1/artifacts").value());
    EXPECT_TRUE(owners.has_owner("1/models/m-1/artifacts/data/model.pkl").value());
    EXPECT_FALSE(owners.has_owner("1/models/m-1").value());
    EXPECT_FALSE(owners.has_owner("1/models/m-1/artifacts-2/model.pkl").value());
    EXPECT_FALSE(owners.has_owner("1/models/m-2/artifacts/MLmodel").value());
}

TEST_F(ArtifactOwnersTest, goes_by_the_source_where_the_place_is_not_known_yet) {
    put("fox", 1, "", "models:/m-1");
    put("fox", 2, "", "mlflow-artifacts:/1/run/artifacts/model");

    EXPECT_TRUE(owners.has_owner("1/models/m-1/artifacts/MLmodel").value());
    EXPECT_TRUE(owners.has_owner("1/run/artifacts/model/MLmodel").value());
    EXPECT_FALSE(owners.has_owner("1/run/artifacts/plot.png").value());
}

TEST_F(ArtifactOwnersTest, ignores_other_workspaces_and_other_stores) {
    put_in("team", "fox", 1, "mlflow-artifacts:/1/a", "models:/m-1", {{"champion", 1}});
    put_in("", "owl", 1, "s3://bucket/1/b", "x", {{"champion", 1}});

    EXPECT_FALSE(owners.has_owner("1/a/MLmodel").value());
    EXPECT_FALSE(owners.has_owner("1/models/m-1/artifacts/MLmodel").value());
    EXPECT_TRUE(owners.aliased_folders().value().empty());
}

TEST_F(ArtifactOwnersTest, names_the_folders_aliases_lead_to_once) {
    put_in("", "fox", 1, "mlflow-artifacts:/1/a", "x", {});
    put_in("", "fox", 2, "mlflow-artifacts:/1/b", "x", {{"best", 2}, {"champion", 2}});
    put_in("", "owl", 7, "mlflow-artifacts:/1/b", "x", {{"champion", 7}});

    const auto folders = owners.aliased_folders().value();

    ASSERT_EQ(folders.size(), 1U);
    EXPECT_EQ(folders.front().root, "1/b");
    EXPECT_EQ(folders.front().versions, "fox version 2, owl version 7");
}

}  // namespace
}  // namespace storage
