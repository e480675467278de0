// What every store must do with rows, whatever it is made of; transactions and searches are in the headers beside.
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, ::testing::Values(&make_memory_store));
#pragma once

#include <string>
#include <vector>

#include "registry/testing/store_fixture.hpp"

#include <gtest/gtest.h>

namespace registry::testing {

class StoreContract : public StoreFixture {};

TEST_P(StoreContract, is_empty_at_first) {
    EXPECT_EQ(find_model({"", "fox"}), std::nullopt);
    EXPECT_EQ(find_version({"", "fox"}, 1), std::nullopt);
    EXPECT_EQ(highest_version({"", "fox"}), 0);
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{0, 0, 0}));
    EXPECT_EQ(find_fact("epoch"), std::nullopt);
    EXPECT_TRUE(list_models(std::nullopt, 10).empty());
}

TEST_P(StoreContract, gives_back_a_model_with_its_tags_in_order_and_its_aliases_by_name) {
    RegisteredModel model = make_model("fox's \"naïve\" % _ \\ name");
    model.description = "über";
    model.creation_timestamp = 1'755'172'800'123;
    model.last_updated_timestamp = 1'755'172'800'456;
    model.tags = {{"z", "1"}, {"a", ""}, {"m", "3"}};
    model.aliases = {{"zeta", 2}, {"Beta", 1}, {"alpha", 2}};
    model.unknown = {{"deployment_job_id", "7"}, {"more", {1, 2}}};
    model.latest_versions = {make_version(model.name, 9)};
    put(model);

    model.aliases = {{"Beta", 1}, {"alpha", 2}, {"zeta", 2}};
    model.latest_versions.clear();
    EXPECT_EQ(find_model({"", model.name}), model);
}

TEST_P(StoreContract, gives_back_a_version_with_its_aliases_by_name) {
    ModelVersion version = make_version("fox", 2);
    version.creation_timestamp = 11;
    version.last_updated_timestamp = 12;
    version.user_id = "ada";
    version.current_stage = "Staging";
    version.description = "d";
    version.source = "s3://b/p";
    version.run_id = "run";
    version.run_link = "link";
    version.status = "FAILED_REGISTRATION";
    version.status_message = "why";
    version.artifact_uri = "s3://b/stored";
    version.tags = {{"z", "1"}, {"a", "2"}};
    version.unknown = {{"model_id", "m-1"}};
    RegisteredModel model = make_model("fox");
    model.aliases = {{"two", 2}, {"one", 1}, {"also-two", 2}};
    put(model);
    put(make_version("fox", 1));
    version.aliases = {"nobody looks at these"};
    put(version);

    version.aliases = {"also-two", "two"};
    EXPECT_EQ(find_version({"", "fox"}, 2), version);
    EXPECT_EQ(find_version({"", "fox"}, 3), std::nullopt);
}

TEST_P(StoreContract, tells_an_empty_text_from_none) {
    put(make_model("fox"));
    put(make_version("fox", 1));
    ModelVersion version = make_version("fox", 2);
    version.description = "";
    version.run_id = "";
    version.run_link = "";
    put(version);

    EXPECT_EQ(find_version({"", "fox"}, 1), make_version("fox", 1));
    EXPECT_EQ(find_version({"", "fox"}, 2), version);
}

TEST_P(StoreContract, puts_replace_everything_of_the_row_and_leave_the_versions) {
    RegisteredModel model = make_model("fox");
    model.tags = {{"old", "1"}, {"both", "1"}};
    model.aliases = {{"old", 1}};
    model.unknown = {{"old", 1}};
    put(model);
    put(make_version("fox", 1));

    model = make_model("fox");
    model.tags = {{"both", "2"}, {"new", "2"}};
    model.aliases = {{"new", 1}};
    put(model);
    ModelVersion version = make_version("fox", 1);
    version.tags = {{"a", "b"}};
    put(version);

    EXPECT_EQ(find_model({"", "fox"}), model);
    version.aliases = {"new"};
    EXPECT_EQ(find_version({"", "fox"}, 1), version);
}

TEST_P(StoreContract, numbers_given_out_stay_so_until_the_model_is_erased) {
    put(make_model("fox"));
    put(make_version("fox", 1));
    put(make_version("fox", 4));
    put(make_version("fox", 2));
    EXPECT_EQ(highest_version({"", "fox"}), 4);
    EXPECT_EQ(version_numbers({"", "fox"}), (std::vector<std::int64_t>{1, 2, 4}));

    write([](Writer& writer) { return writer.erase_version({"", "fox"}, 4); });
    put(make_model("fox"));
    EXPECT_EQ(highest_version({"", "fox"}), 4);
    EXPECT_EQ(version_numbers({"", "fox"}), (std::vector<std::int64_t>{1, 2}));

    write([](Writer& writer) { return writer.erase_model({"", "fox"}); });
    EXPECT_EQ(highest_version({"", "fox"}), 0);
    put(make_model("fox"));
    EXPECT_EQ(highest_version({"", "fox"}), 0);
    EXPECT_TRUE(version_numbers({"", "fox"}).empty());
}

TEST_P(StoreContract, erasing_a_version_takes_the_aliases_that_name_it) {
    RegisteredModel model = make_model("fox");
    model.aliases = {{"a", 1}, {"b", 2}, {"c", 1}};
    put(model);
    put(make_version("fox", 1));
    put(make_version("fox", 2));

    write([](Writer& writer) { return writer.erase_version({"", "fox"}, 1); });

    EXPECT_EQ(find_model({"", "fox"})->aliases, (std::vector<Alias>{{"b", 2}}));
    EXPECT_EQ(find_version({"", "fox"}, 1), std::nullopt);
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{1, 1, 1}));
}

TEST_P(StoreContract, erasing_what_is_absent_is_no_error) {
    write([](Writer& writer) { return writer.erase_version({"", "fox"}, 1); });
    write([](Writer& writer) { return writer.erase_model({"", "fox"}); });
}

TEST_P(StoreContract, renaming_takes_everything_along) {
    RegisteredModel model = make_model("fox");
    model.tags = {{"k", "v"}};
    model.aliases = {{"champion", 1}};
    put(model);
    ModelVersion version = make_version("fox", 1);
    version.tags = {{"a", "b"}};
    put(version);
    put(make_version("fox", 2));
    write([](Writer& writer) { return writer.erase_version({"", "fox"}, 2); });

    write([](Writer& writer) { return writer.rename_model({"", "fox"}, "owl"); });

    model.name = "owl";
    version.name = "owl";
    version.aliases = {"champion"};
    EXPECT_EQ(find_model({"", "fox"}), std::nullopt);
    EXPECT_EQ(find_version({"", "fox"}, 1), std::nullopt);
    EXPECT_EQ(highest_version({"", "fox"}), 0);
    EXPECT_EQ(find_model({"", "owl"}), model);
    EXPECT_EQ(find_version({"", "owl"}, 1), version);
    EXPECT_EQ(highest_version({"", "owl"}), 2);
}

TEST_P(StoreContract, latest_versions_are_the_newest_of_each_stage_in_the_order_of_the_oldest) {
    put(make_model("fox"));
    const std::vector<std::string> stages{"Production", "Staging", "Production", "Archived", "Staging", "None"};
    for (std::size_t i = 0; i < stages.size(); ++i) {
        ModelVersion version = make_version("fox", static_cast<std::int64_t>(i) + 1);
        version.current_stage = stages[i];
        version.tags = {{"k", "v"}};
        put(version);
    }
    EXPECT_EQ(latest_versions({"", "fox"}, {}), (std::vector<std::int64_t>{3, 5, 4, 6}));
    EXPECT_EQ(latest_versions({"", "fox"}, {"None", "Production"}), (std::vector<std::int64_t>{3, 6}));
    EXPECT_TRUE(latest_versions({"", "owl"}, {}).empty());

    write([](Writer& writer) { return writer.erase_version({"", "fox"}, 1); });
    write([](Writer& writer) { return writer.erase_version({"", "fox"}, 6); });
    EXPECT_EQ(latest_versions({"", "fox"}, {}), (std::vector<std::int64_t>{5, 3, 4}));
}

}  // namespace registry::testing
