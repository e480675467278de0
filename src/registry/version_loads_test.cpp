#include "registry/version_loads.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace registry {
namespace {

VersionLoad make_load(const std::string& model, std::int64_t version, const std::string& key, Timestamp at) {
    return {.model = {"", model}, .version = version, .by = {key, "name of " + key}, .at = at};
}

AliasIndex::Answer make_answer(const std::string& model, const std::string& version) {
    return std::make_shared<const std::string>(R"({"model_version": {"name": ")" + model + R"(", "version": ")" +
                                               version + R"("}})");
}

TEST(VersionLoads, are_the_last_of_each_key_and_version_the_newest_first) {
    VersionLoads loads(2);
    const std::string key = "k1";
    const auto answer = make_answer("fox", "3");
    loads.notes(0).note(key, "one", "", answer, 10);
    loads.notes(0).note(key, "one", "", answer, 12);
    loads.notes(1).note(key, "one", "", answer, 11);
    loads.notes(1).note(make_load("fox", 2, "k2", 20));
    loads.notes(1).note(make_load("owl", 2, "k2", 21));

    const auto of_fox = loads.of({"", "fox"});

    ASSERT_EQ(of_fox.size(), 2U);
    EXPECT_EQ(of_fox[0], make_load("fox", 2, "k2", 20));
    EXPECT_EQ(of_fox[1], (VersionLoad{{"", "fox"}, 3, {"k1", "one"}, 12}));
    EXPECT_TRUE(loads.of({"team", "fox"}).empty());
}

TEST(VersionLoads, tell_once_what_is_new_unless_it_could_not_be_kept) {
    VersionLoads loads(1);
    loads.restore({make_load("fox", 1, "k", 5)});
    EXPECT_TRUE(loads.take_new().empty());
    loads.notes(0).note(make_load("fox", 1, "k", 9));
    const auto taken = loads.take_new();
    EXPECT_EQ(taken, (std::vector{make_load("fox", 1, "k", 9)}));
    EXPECT_TRUE(loads.take_new().empty());
    loads.give_back(taken);
    EXPECT_EQ(loads.take_new(), taken);
}

TEST(VersionLoads, forget_those_longest_ago_beyond_their_capacity) {
    VersionLoads loads(1);
    const auto capacity = static_cast<Timestamp>(VersionLoads::kCapacity);
    for (Timestamp i = 0; i < capacity; ++i) {
        loads.restore({make_load("m" + std::to_string(i), 1, "k", i)});
    }
    loads.restore({make_load("m0", 1, "k", capacity)});
    loads.restore({make_load("new", 1, "k", capacity + 1)});
    EXPECT_EQ(loads.of({"", "m0"}).size(), 1U);
    EXPECT_TRUE(loads.of({"", "m1"}).empty());
    EXPECT_EQ(loads.of({"", "m2"}).size(), 1U);
}

TEST(LoadNotes, are_bounded) {
    LoadNotes notes;
    for (std::size_t i = 0; i < LoadNotes::kCapacity + 10; ++i) {
        notes.note(make_load("fox", static_cast<std::int64_t>(i) + 1, "k", 1));
    }
    EXPECT_EQ(notes.take().size(), LoadNotes::kCapacity);
    EXPECT_TRUE(notes.take().empty());
}

TEST(LoadOf, is_what_a_call_gave_out) {
    Call call{.operation = Operation::get_version_by_alias,
              .method = "GET",
              .workspace = "default",
              .query = "",
              .content_type = "",
              .body = "",
              .user = "",
              .author = {"k", "one"}};
    EXPECT_EQ(load_of(call, *make_answer("fox", "3"), 7), (VersionLoad{{"", "fox"}, 3, {"k", "one"}, 7}));
    EXPECT_FALSE(load_of(call, "not JSON", 7));
    EXPECT_FALSE(load_of(call, R"({"model_version": {"name": "fox", "version": "x"}})", 7));
    call.operation = Operation::get_download_uri;
    call.query = "name=fox&version=4";
    EXPECT_EQ(load_of(call, R"({"artifact_uri": "s3://x"})", 7), (VersionLoad{{"", "fox"}, 4, {"k", "one"}, 7}));
    call.operation = Operation::get_model;
    EXPECT_FALSE(load_of(call, *make_answer("fox", "3"), 7));
}

}  // namespace
}  // namespace registry
