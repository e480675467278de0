#include "storage/registry_search.hpp"

#include <functional>
#include <memory>
#include <vector>

#include "registry/testing/store_fixture.hpp"
#include "storage/registry_transaction.hpp"
#include "storage/sqlite_database.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

namespace storage {
namespace {

using registry::Column;
using registry::Comparator;
using registry::Condition;
using registry::ModelVersion;
using registry::OrderTerm;
using registry::Query;
using registry::RegisteredModel;

std::vector<OrderTerm> version_order() {
    return {{Column::last_updated_timestamp, true}, {Column::name, false}, {Column::version, true}};
}

// What SQLite did, by its own account.
struct Effort {
    int steps = 0;
    int scanned = 0;
    int sorted = 0;
};

// A registry of `models` with ten versions each, every second one a prompt that comes before the others in each
// order, and one model with as many versions as all of them.
class Filled {
public:
    explicit Filled(int models) {
        measure([&](RegistryTransaction& transaction) {
            for (int i = 0; i < models; ++i) {
                const bool is_prompt = i % 2 == 1;
                fill(transaction, (is_prompt ? "a-prompt-" : "model-") + std::to_string(i), is_prompt, 10);
            }
            fill(transaction, "big", false, models * 10);
        });
    }

    Effort measure(const std::function<void(RegistryTransaction&)>& work) {
        StatementCache statements;
        return database_
            ->transaction([&](SQLite::Database& connection) -> base::Result<Effort> {
                RegistryTransaction transaction(connection, statements, "test.db");
                work(transaction);
                SQLite::Statement figures(connection,
                                          "SELECT sum(nstep), sum(nscan + naidx), sum(nsort) FROM sqlite_stmt"
                                          " WHERE sql LIKE '%registry%' AND sql NOT LIKE '%sqlite_stmt%'");
                figures.executeStep();
                return Effort{
                    figures.getColumn(0).getInt(), figures.getColumn(1).getInt(), figures.getColumn(2).getInt()};
            })
            .value();
    }

private:
    static void fill(RegistryTransaction& transaction, const std::string& name, bool is_prompt, int versions) {
        RegisteredModel model = registry::testing::make_model(name);
        model.last_updated_timestamp = is_prompt ? versions + 1 : versions;
        model.tags = {{"common", "yes"}, {"own", name}};
        model.aliases = {{"champion", 1}};
        if (is_prompt) {
            model.tags.push_back({std::string(registry::kPromptTag), "true"});
        }
        ASSERT_TRUE(transaction.put_model("", model));
        for (int i = 1; i <= versions; ++i) {
            ModelVersion version = registry::testing::make_version(name, i);
            version.last_updated_timestamp = is_prompt ? i + 1'000'000 : i;
            version.current_stage = i == 1 ? "Production" : "None";
            version.run_id = i % 2 == 0 ? "" : name + "-" + std::to_string(i);
            version.source = i % 2 == 0 ? "s3://common" : "s3://" + *version.run_id;
            version.tags = model.tags;
            ASSERT_TRUE(transaction.put_version("", version));
        }
    }

    testing::TemporaryFolder folder_;
    std::unique_ptr<SqliteDatabase> database_ = std::move(open_replica_database(folder_.path()).value());
};

enum class Sorting { none, some };

void expect_constant(const char* what, const std::function<void(RegistryTransaction&)>& work, Sorting sorting) {
    static Filled small(20);
    static Filled large(200);
    const Effort few = small.measure(work);
    const Effort many = large.measure(work);
    EXPECT_GT(few.steps, 0) << what;
    EXPECT_LE(many.steps, few.steps * 11 / 10) << what;
    EXPECT_EQ(many.scanned, 0) << what;
    EXPECT_TRUE(sorting == Sorting::some || many.sorted == 0) << what;
}

Query page(std::vector<Condition> conditions, std::vector<OrderTerm> order) {
    return {.workspace = "", .conditions = std::move(conditions), .order = std::move(order), .offset = 2, .limit = 2};
}

void expect_constant_versions(const char* what, const Query& query, Sorting sorting = Sorting::none) {
    expect_constant(
        what, [&](RegistryTransaction& transaction) { EXPECT_TRUE(transaction.search_versions(query)); }, sorting);
}

// Their latest versions come sorted, a few each.
void expect_constant_models(const char* what, const Query& query) {
    expect_constant(
        what, [&](RegistryTransaction& transaction) { EXPECT_TRUE(transaction.search_models(query)); }, Sorting::some);
}

TEST(RegistrySearch, of_versions_takes_as_long_however_many_there_are) {
    const Condition big{Column::name, Comparator::equal, "big"};
    const Condition common{"common", Comparator::equal, "yes"};
    Query prompts = page({{std::string(registry::kPromptTag), Comparator::equal, "true"}}, version_order());
    prompts.hides_prompts = false;
    Query anything_of_a_run = page({{Column::run_id, Comparator::equal, "model-2-3"}}, version_order());
    anything_of_a_run.hides_prompts = false;

    expect_constant_versions("all", page({}, version_order()));
    expect_constant_versions("name", page({big}, version_order()));
    expect_constant_versions("name, by number", page({big}, {{Column::version, true}, {Column::name, false}}));
    expect_constant_versions("number", page({big, {Column::version, Comparator::equal, 7}}, version_order()));
    expect_constant_versions("run", page({{Column::run_id, Comparator::equal, "model-2-3"}}, version_order()));
    expect_constant_versions("no run", page({{Column::run_id, Comparator::equal, ""}}, version_order()));
    expect_constant_versions("source", page({{Column::source, Comparator::equal, "s3://common"}}, version_order()));
    expect_constant_versions("tag of one model", page({{"own", Comparator::equal, "model-2"}}, version_order()));
    expect_constant_versions("tag of all", page({common}, version_order()));
    expect_constant_versions("name and tag", page({big, common}, version_order()));
    expect_constant_versions("name and pattern", page({big, {"own", Comparator::like, "b%"}}, version_order()));
    expect_constant_versions("prompts", prompts);
    expect_constant_versions("run of anything", anything_of_a_run, Sorting::some);
}

TEST(RegistrySearch, of_models_takes_as_long_however_many_there_are) {
    const std::vector<OrderTerm> by_name{{Column::name, false}};

    expect_constant_models("all", page({}, by_name));
    expect_constant_models("by time", page({}, {{Column::last_updated_timestamp, true}, {Column::name, false}}));
    expect_constant_models("name", page({{Column::name, Comparator::equal, "big"}}, by_name));
    expect_constant_models("prefix", page({{Column::name, Comparator::like, "model-1%"}}, by_name));
    expect_constant_models("end of the alphabet", page({{Column::name, Comparator::like, "z%"}}, by_name));
    expect_constant_models("tag of one model", page({{"own", Comparator::equal, "model-2"}}, by_name));
    expect_constant_models("tag of all", page({{"common", Comparator::equal, "yes"}}, by_name));
}

TEST(RegistrySearch, of_a_list_takes_as_long_however_many_are_not_listed) {
    const std::vector<std::string> runs{"model-2-1", "model-2-3", "model-4-1", "model-6-1"};
    const std::vector<std::string> names{"model-2", "model-4"};

    expect_constant_versions("runs", page({{Column::run_id, Comparator::in, runs}}, version_order()), Sorting::some);
    expect_constant_versions("names", page({{Column::name, Comparator::in, names}}, version_order()), Sorting::some);
    expect_constant_models("models", page({{Column::name, Comparator::in, names}}, {{Column::name, false}}));
}

TEST(RegistryRows, are_read_as_fast_however_many_there_are) {
    const auto expect = [](const char* what, const std::function<void(RegistryTransaction&)>& work) {
        expect_constant(what, work, Sorting::none);
    };

    expect("model", [](RegistryTransaction& rows) { EXPECT_TRUE(rows.find_model({"", "big"}).value()); });
    expect("version", [](RegistryTransaction& rows) { EXPECT_TRUE(rows.find_version({"", "big"}, 77).value()); });
    expect("highest", [](RegistryTransaction& rows) { EXPECT_GT(rows.highest_version({"", "big"}).value(), 0); });
    expect("numbers",
           [](RegistryTransaction& rows) { EXPECT_EQ(rows.version_numbers({"", "model-2"}).value().size(), 10U); });
    expect("keys", [](RegistryTransaction& rows) {
        EXPECT_EQ(rows.list_models(registry::ModelKey{"", "model-1"}, 2).value().size(), 2U);
    });
    expect_constant(
        "latest",
        [](RegistryTransaction& rows) { EXPECT_EQ(rows.latest_versions({"", "big"}, {}).value().size(), 2U); },
        Sorting::some);
}

TEST(RegistryRows, are_written_as_fast_however_many_there_are) {
    const auto expect = [](const char* what, const std::function<void(RegistryTransaction&)>& work) {
        expect_constant(what, work, Sorting::none);
    };
    RegisteredModel model = registry::testing::make_model("big");
    model.description = "new";
    ModelVersion version = registry::testing::make_version("big", 100'000);
    version.tags = {{"common", "yes"}};

    expect("put model", [&](RegistryTransaction& rows) { EXPECT_TRUE(rows.put_model("", model)); });
    expect("put version", [&](RegistryTransaction& rows) { EXPECT_TRUE(rows.put_version("", version)); });
    expect("erase version", [&](RegistryTransaction& rows) { EXPECT_TRUE(rows.erase_version({"", "big"}, 100'000)); });
    expect("rename", [](RegistryTransaction& rows) { EXPECT_TRUE(rows.rename_model({"", "model-4"}, "renamed")); });
    expect("erase model", [](RegistryTransaction& rows) { EXPECT_TRUE(rows.erase_model({"", "renamed"})); });
}

}  // namespace
}  // namespace storage
