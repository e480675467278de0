#include "storage/artifact_index.hpp"

#include <set>

#include "storage/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace storage {
namespace {

constexpr base::WallTime kNoon{std::chrono::hours(1'000'012)};

class ArtifactIndexTest : public ::testing::Test {
protected:
    void put(const std::string& path, const std::string& bytes, ArtifactKind kind = ArtifactKind::file) {
        ASSERT_TRUE(index.put({kind, path}, {content_of(bytes), "ETag: \"1\"\r\n", kNoon}));
    }

    bool has(const std::string& path, ArtifactKind kind = ArtifactKind::file) {
        return index.find({kind, path}).value().has_value();
    }

    bool evict() {
        return index.evict_one([](const Digest&) { return true; }).value();
    }

    std::set<Digest> unwanted() {
        const auto digests = index.take_unwanted().value();
        return {digests.begin(), digests.end()};
    }

    std::int64_t bytes() {
        return index.usage().value().bytes;
    }

    testing::TemporaryFolder folder;
    ArtifactIndex index{open_artifact_database(folder.path()).value()};
};

TEST_F(ArtifactIndexTest, finds_what_was_put) {
    put("1/model/MLmodel", "flavors");

    const auto found = index.find({ArtifactKind::file, "1/model/MLmodel"}).value();

    ASSERT_TRUE(found);
    EXPECT_EQ(found->content.digest, content_of("flavors").digest);
    EXPECT_EQ(found->content.pieces, content_of("flavors").pieces);
    EXPECT_EQ(found->content.size, 7);
    EXPECT_EQ(found->fields, "ETag: \"1\"\r\n");
    EXPECT_EQ(found->seen_at, kNoon);
    EXPECT_FALSE(has("1/model/MLmodel", ArtifactKind::listing));
}

TEST_F(ArtifactIndexTest, counts_what_is_kept_twice_once) {
    put("1/a", "same");
    const std::int64_t once = bytes();
    put("1/b", "same");

    EXPECT_EQ(bytes(), once);
    EXPECT_EQ(index.usage().value().entries, 2);
}

TEST_F(ArtifactIndexTest, lets_go_of_a_content_with_its_last_path) {
    put("1/a", "same");
    put("1/b", "same");

    ASSERT_TRUE(evict());
    EXPECT_TRUE(unwanted().empty());
    ASSERT_TRUE(evict());

    EXPECT_EQ(unwanted(), std::set{content_of("same").digest});
    EXPECT_EQ(bytes(), 0);
}

TEST_F(ArtifactIndexTest, wants_a_content_again_that_comes_back) {
    put("1/a", "same");
    ASSERT_TRUE(index.forget_all());
    put("1/a", "same");

    EXPECT_TRUE(unwanted().empty());
}

TEST_F(ArtifactIndexTest, new_bytes_replace_old_ones) {
    put("1/a", "old");
    put("1/a", "new");

    EXPECT_EQ(index.find({ArtifactKind::file, "1/a"}).value()->content.digest, content_of("new").digest);
    EXPECT_EQ(unwanted(), std::set{content_of("old").digest});
    EXPECT_EQ(index.usage().value().entries, 1);
}

TEST_F(ArtifactIndexTest, evicts_what_was_not_used_for_longest) {
    put("1/a", "a");
    put("1/b", "b");
    put("1/c", "c");
    ASSERT_TRUE(index.note_use({ArtifactKind::file, "1/a"}));

    ASSERT_TRUE(evict());
    EXPECT_FALSE(has("1/b"));
    ASSERT_TRUE(evict());
    EXPECT_FALSE(has("1/c"));
    EXPECT_TRUE(has("1/a"));
}

TEST_F(ArtifactIndexTest, evicts_nothing_that_may_not_go) {
    put("1/a", "a");
    put("1/b", "b");

    const auto evicted = index.evict_one([](const Digest& digest) { return digest != content_of("a").digest; });

    EXPECT_TRUE(evicted.value());
    EXPECT_TRUE(has("1/a"));
}

TEST_F(ArtifactIndexTest, keeps_what_is_pinned) {
    ASSERT_TRUE(index.set_pins({{.root = "1/model", .versions = "fox version 1"}}));
    put("1/model/MLmodel", "pinned");
    put("1/model", "{}", ArtifactKind::listing);
    put("1/model-2/MLmodel", "a neighbour");

    EXPECT_TRUE(evict());
    EXPECT_FALSE(evict());
    EXPECT_TRUE(has("1/model/MLmodel"));
    EXPECT_TRUE(has("1/model", ArtifactKind::listing));
    EXPECT_FALSE(has("1/model-2/MLmodel"));
}

TEST_F(ArtifactIndexTest, an_alias_that_moves_pins_what_is_there_and_lets_go_of_the_other) {
    put("1/old/MLmodel", "old");
    put("1/new/MLmodel", "new");
    ASSERT_TRUE(index.set_pins({{.root = "1/old", .versions = "fox version 1"}}));

    ASSERT_TRUE(index.set_pins({{.root = "1/new", .versions = "fox version 2"}}));

    EXPECT_TRUE(evict());
    EXPECT_FALSE(evict());
    EXPECT_TRUE(has("1/new/MLmodel"));
}

TEST_F(ArtifactIndexTest, a_pin_that_stays_remembers_that_it_is_whole) {
    ASSERT_TRUE(index.set_pins({{.root = "1/a", .versions = "fox version 1"}}));
    ASSERT_TRUE(index.note_pin("1/a", true, ""));

    ASSERT_TRUE(index.set_pins({{.root = "1/a", .versions = "fox version 1"}, {.root = "1/b", .versions = "x"}}));

    EXPECT_TRUE(index.pins().value().front().is_whole);
    EXPECT_FALSE(index.pins().value().back().is_whole);
}

TEST_F(ArtifactIndexTest, a_change_is_forgotten_with_what_it_may_have_made_untrue) {
    ASSERT_TRUE(index.set_pins({{.root = "1/model", .versions = "fox version 1"}}));
    ASSERT_TRUE(index.note_pin("1/model", true, ""));
    put("1/model/data/a", "a");
    put("1/model/data/b", "b");
    put("1/model/data.txt", "c");
    put("1/model/data", "{}", ArtifactKind::listing);
    put("1/model", "{ }", ArtifactKind::listing);

    ASSERT_TRUE(index.forget("1/model/data"));

    EXPECT_FALSE(has("1/model/data/a"));
    EXPECT_FALSE(has("1/model/data/b"));
    EXPECT_FALSE(has("1/model/data", ArtifactKind::listing));
    EXPECT_FALSE(has("1/model", ArtifactKind::listing));
    EXPECT_TRUE(has("1/model/data.txt"));
    EXPECT_FALSE(index.pins().value().front().is_whole);
}

TEST_F(ArtifactIndexTest, a_damaged_content_takes_all_its_paths_along) {
    put("1/a", "same");
    put("1/b", "same");
    put("1/c", "other");

    ASSERT_TRUE(index.forget_content(content_of("same").digest));

    EXPECT_FALSE(has("1/a") || has("1/b"));
    EXPECT_TRUE(has("1/c"));
}

}  // namespace
}  // namespace storage
