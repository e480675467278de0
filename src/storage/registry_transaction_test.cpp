#include "storage/registry_transaction.hpp"

#include <functional>
#include <memory>

#include "registry/testing/store_fixture.hpp"
#include "storage/sqlite_database.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

namespace storage {
namespace {

using registry::Column;
using registry::Comparator;
using registry::ModelVersion;
using registry::Query;
using registry::RegisteredModel;
using registry::testing::make_model;
using registry::testing::make_version;

struct RegistryTransactionTest : public ::testing::Test {
    using Work = std::function<void(RegistryTransaction&)>;

    // In a transaction with statements of its own, whose figures are therefore those of `work` alone.
    void run(const Work& work, const std::function<void(SQLite::Database&)>& look = {}) {
        StatementCache statements;
        const auto done = database->transaction([&](SQLite::Database& connection) -> base::Result<void> {
            RegistryTransaction transaction(connection, statements, "test.db");
            work(transaction);
            if (look) {
                look(connection);
            }
            return {};
        });
        EXPECT_TRUE(done) << done.error().message;
    }

    // Rows inserted, changed or deleted, by triggers too.
    int changes(const Work& work) {
        int before = 0;
        int after = 0;
        run([&](RegistryTransaction&) {}, [&](SQLite::Database& connection) { before = connection.getTotalChanges(); });
        run(work, [&](SQLite::Database& connection) { after = connection.getTotalChanges(); });
        return after - before;
    }

    testing::TemporaryFolder folder;
    std::unique_ptr<SqliteDatabase> database = std::move(open_replica_database(folder.path()).value());
};

TEST_F(RegistryTransactionTest, puts_write_only_what_differs) {
    RegisteredModel model = make_model("fox");
    model.tags = {{"a", "1"}, {"b", "2"}};
    model.aliases = {{"x", 1}, {"y", 1}};
    model.unknown = {{"z", 1}, {"a", {1, 2}}};
    ModelVersion version = make_version("fox", 1);
    version.tags = {{"a", "1"}, {"b", "2"}};
    version.unknown = model.unknown;
    const auto put = [&](RegistryTransaction& transaction) {
        EXPECT_TRUE(transaction.put_model("", model));
        EXPECT_TRUE(transaction.put_version("", version));
        EXPECT_TRUE(transaction.put_fact("epoch", "1"));
    };

    EXPECT_GT(changes(put), 0);
    EXPECT_EQ(changes(put), 0);

    model.tags.push_back({"c", "3"});
    EXPECT_EQ(changes(put), 2);  // the row and the tag
    model.aliases = {{"x", 1}, {"z", 1}};
    EXPECT_EQ(changes(put), 1);
    version.tags[0].value = "other";
    EXPECT_EQ(changes(put), 2);
    version.current_stage = "Staging";
    EXPECT_EQ(changes(put), 1);
    version.tags.pop_back();
    EXPECT_EQ(changes(put), 2);
    version.last_updated_timestamp = 1;
    EXPECT_EQ(changes(put), 2);  // the row and the copy in its tag
}

TEST_F(RegistryTransactionTest, a_version_needs_its_model) {
    run([](RegistryTransaction& transaction) {
        const auto put = transaction.put_version("", make_version("fox", 1));

        ASSERT_FALSE(put);
        EXPECT_EQ(put.error().code, base::Code::missing_resource);
        EXPECT_FALSE(transaction.failure());
    });
}

TEST_F(RegistryTransactionTest, a_number_beyond_32_bits_is_no_version) {
    run([](RegistryTransaction& transaction) {
        ASSERT_TRUE(transaction.put_model("", make_model("fox")));
        ASSERT_TRUE(transaction.put_model("", make_model("owl")));
        ASSERT_TRUE(transaction.put_version("", make_version("fox", 1)));
        ASSERT_TRUE(transaction.put_version("", make_version("owl", 1)));
        ASSERT_TRUE(transaction.put_version("", make_version("owl", kHighestVersion)));

        for (const std::int64_t beyond : {kHighestVersion + 2, std::int64_t{-1}}) {
            EXPECT_EQ(transaction.find_version({"", "fox"}, beyond).value(), std::nullopt);
            EXPECT_EQ(transaction.put_version("", make_version("fox", beyond)).error().code,
                      base::Code::invalid_argument);
            EXPECT_TRUE(transaction.erase_version({"", "fox"}, beyond));
        }
        EXPECT_EQ(transaction.version_numbers({"", "fox"}).value(), (std::vector<std::int64_t>{1}));
        EXPECT_EQ(transaction.version_numbers({"", "owl"}).value(), (std::vector<std::int64_t>{1, kHighestVersion}));
    });
}

TEST_F(RegistryTransactionTest, a_name_that_is_taken_is_a_conflict) {
    run([](RegistryTransaction& transaction) {
        ASSERT_TRUE(transaction.put_model("", make_model("fox")));
        ASSERT_TRUE(transaction.put_model("", make_model("owl")));

        EXPECT_EQ(transaction.rename_model({"", "fox"}, "owl").error().code, base::Code::conflict);
    });
}

TEST_F(RegistryTransactionTest, versions_are_hidden_as_long_as_one_of_the_model_is_a_prompt) {
    const auto visible = [&] {
        std::size_t count = 0;
        run([&](RegistryTransaction& transaction) {
            Query query{.workspace = "", .conditions = {}, .order = {{Column::version, false}}, .limit = 10};
            count = transaction.search_versions(query).value().size();
            for (const registry::Condition& all : {registry::Condition{Column::name, Comparator::equal, "fox"},
                                                   registry::Condition{"k", Comparator::equal, "v"}}) {
                query.conditions = {all};
                EXPECT_EQ(transaction.search_versions(query).value().size(), count);
            }
        });
        return count;
    };
    const auto make_plain = [](std::int64_t number) {
        ModelVersion version = make_version("fox", number);
        version.tags = {{"k", "v"}};
        return version;
    };
    ModelVersion prompt = make_plain(2);
    prompt.tags.push_back({std::string(registry::kPromptTag), "true"});
    run([&](RegistryTransaction& transaction) {
        ASSERT_TRUE(transaction.put_model("", make_model("fox")));
        ASSERT_TRUE(transaction.put_version("", make_plain(1)));
    });
    EXPECT_EQ(visible(), 1U);

    run([&](RegistryTransaction& transaction) { ASSERT_TRUE(transaction.put_version("", prompt)); });
    EXPECT_EQ(visible(), 0U);
    prompt.version = 3;
    run([&](RegistryTransaction& transaction) { ASSERT_TRUE(transaction.put_version("", prompt)); });
    run([&](RegistryTransaction& transaction) { ASSERT_TRUE(transaction.put_version("", make_plain(4))); });
    EXPECT_EQ(visible(), 0U);

    run([](RegistryTransaction& transaction) { ASSERT_TRUE(transaction.erase_version({"", "fox"}, 2)); });
    EXPECT_EQ(visible(), 0U);
    run([&](RegistryTransaction& transaction) { ASSERT_TRUE(transaction.put_version("", make_plain(3))); });
    EXPECT_EQ(visible(), 3U);

    prompt.version = 5;
    run([&](RegistryTransaction& transaction) { ASSERT_TRUE(transaction.put_version("", prompt)); });
    EXPECT_EQ(visible(), 0U);
    run([](RegistryTransaction& transaction) { ASSERT_TRUE(transaction.erase_version({"", "fox"}, 5)); });
    EXPECT_EQ(visible(), 3U);
}

TEST_F(RegistryTransactionTest, searches_by_tag_follow_renames_and_new_times) {
    const auto found = [&] {
        std::string names;
        run([&](RegistryTransaction& transaction) {
            Query query{.workspace = "",
                        .conditions = {{"k", Comparator::equal, "v"}},
                        .order = {{Column::last_updated_timestamp, true}, {Column::name, false}},
                        .limit = 10};
            for (const ModelVersion& version : transaction.search_versions(query).value()) {
                names += version.name + " ";
            }
            query.order = {{Column::name, false}};
            for (const RegisteredModel& model : transaction.search_models(query).value()) {
                names += model.name;
            }
        });
        return names;
    };
    for (const char* name : {"a", "b", "c"}) {
        RegisteredModel model = make_model(name);
        ModelVersion version = make_version(name, 1);
        version.tags = {{"k", "v"}};
        model.tags = version.tags;
        run([&](RegistryTransaction& transaction) {
            ASSERT_TRUE(transaction.put_model("", model));
            ASSERT_TRUE(transaction.put_version("", version));
        });
    }
    EXPECT_EQ(found(), "a b c abc");

    run([](RegistryTransaction& transaction) { ASSERT_TRUE(transaction.rename_model({"", "a"}, "z")); });
    EXPECT_EQ(found(), "b c z bcz");
    ModelVersion later = make_version("c", 1);
    later.tags = {{"k", "v"}};
    later.last_updated_timestamp = 1;
    run([&](RegistryTransaction& transaction) { ASSERT_TRUE(transaction.put_version("", later)); });
    EXPECT_EQ(found(), "c b z bcz");
    later.tags.clear();
    run([&](RegistryTransaction& transaction) { ASSERT_TRUE(transaction.put_version("", later)); });
    EXPECT_EQ(found(), "b z bcz");
}

TEST_F(RegistryTransactionTest, tags_that_differ_far_inside_are_told_apart) {
    const std::string head(100'000, 'x');
    run([&](RegistryTransaction& transaction) {
        for (const char* name : {"a", "b"}) {
            RegisteredModel model = make_model(name);
            model.tags = {{"k", head + name}};
            ASSERT_TRUE(transaction.put_model("", model));
        }
        const Query query{.workspace = "",
                          .conditions = {{"k", Comparator::equal, head + "b"}},
                          .order = {{Column::name, false}},
                          .limit = 10};
        const auto models = transaction.search_models(query).value();
        ASSERT_EQ(models.size(), 1U);
        EXPECT_EQ(models[0].name, "b");
    });
}

}  // namespace
}  // namespace storage
