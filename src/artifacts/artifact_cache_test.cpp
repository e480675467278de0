#include "artifacts/artifact_cache.hpp"

#include <filesystem>
#include <fstream>
#include <set>

#include "artifacts/filling.hpp"
#include "mlflow/testing/heads.hpp"
#include "net/testing/shared_clock.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace artifacts {
namespace {

using storage::ArtifactKind;

constexpr std::int64_t kKept = std::int64_t{8} << 20U;

class ArtifactCacheTest : public ::testing::Test {
protected:
    ArtifactCacheTest() {
        reopen();
    }

    // As after a start of the process.
    void reopen(CacheSettings settings = {.limit = kKept, .keep_free = 0}) {
        cache_.reset();
        index_.emplace(storage::open_artifact_database(folder_.path()).value());
        const auto has_owner = [this](const std::string& path) -> base::Result<bool> {
            return !strangers_.contains(path);
        };
        cache_.emplace(ArtifactCache::Deps{files_, *index_, has_owner, clock_, metrics_}, settings);
        ASSERT_TRUE(cache_->open());
    }

    static ArtifactHead head_for(std::size_t size, const std::string& etag = "1") {
        return {fmt::format("Content-Type: text/plain\r\nETag: \"{}\"\r\n", etag), static_cast<std::int64_t>(size)};
    }

    base::Result<void> fill(const std::string& path, const std::string& bytes, const std::string& etag = "1") {
        return fill(*cache_->begin({ArtifactKind::file, path}), bytes, etag);
    }

    static base::Result<void> fill(Filling& filling, const std::string& bytes, const std::string& etag = "1") {
        const auto is_wanted = filling.prepare(head_for(bytes.size(), etag));
        if (!is_wanted || !*is_wanted) {
            return is_wanted ? base::Result<void>() : std::unexpected(is_wanted.error());
        }
        for (std::size_t at = 0; at < bytes.size(); at += storage::kPieceSize) {
            if (const auto appended = filling.append(bytes.substr(at, storage::kPieceSize)); !appended) {
                return appended;
            }
        }
        return filling.finish();
    }

    // Empty: it is not here, or damaged.
    std::string read(const std::string& path) {
        const auto found = cache_->find({ArtifactKind::file, path});
        if (!found || !*found) {
            return {};
        }
        std::string bytes;
        for (std::size_t index = 0; bytes.size() < static_cast<std::size_t>((*found)->reader->size()); ++index) {
            const auto piece = cache_->read_piece(**found, index);
            if (!piece) {
                return {};
            }
            bytes += *piece;
        }
        return bytes;
    }

    std::vector<std::filesystem::path> files() {
        std::vector<std::filesystem::path> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path() / "artifacts")) {
            if (entry.is_regular_file()) {
                found.push_back(entry.path());
            }
        }
        return found;
    }

    static void damage(const std::filesystem::path& file, std::streamoff at) {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(at);
        stream.put('!');
    }

    std::int64_t bytes() {
        return index_->usage().value().bytes;
    }

    storage::testing::TemporaryFolder folder_;
    storage::ContentStore files_ = storage::ContentStore::open(folder_.path() / "artifacts").value();
    std::optional<storage::ArtifactIndex> index_;
    net::testing::SharedClock clock_;
    telemetry::Metrics metrics_;
    std::set<std::string> strangers_;
    std::optional<ArtifactCache> cache_;
    const std::string mib_ = std::string(std::size_t{1} << 20U, 'm');
};

TEST_F(ArtifactCacheTest, hands_out_what_was_filled_in) {
    const std::string large = mib_ + mib_ + "end";

    ASSERT_TRUE(fill("1/a", large));
    ASSERT_TRUE(fill("1/empty", ""));

    EXPECT_EQ(read("1/a"), large);
    const auto empty = cache_->find({ArtifactKind::file, "1/empty"}).value();
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->reader->size(), 0);
    EXPECT_EQ(empty->fields, head_for(0).fields);
    EXPECT_EQ(empty->seen_at, clock_.wall_now());
}

TEST_F(ArtifactCacheTest, keeps_only_what_belongs_to_a_version) {
    strangers_.insert("1/plot.png");

    ASSERT_TRUE(fill("1/plot.png", "bytes"));

    EXPECT_EQ(read("1/plot.png"), "");
    EXPECT_TRUE(files().empty());
}

TEST_F(ArtifactCacheTest, an_answer_that_broke_off_leaves_nothing) {
    {
        const auto filling = cache_->begin({ArtifactKind::file, "1/a"});
        ASSERT_TRUE(filling->prepare(head_for(3 * mib_.size())).value());
        ASSERT_TRUE(filling->append(mib_));
        ASSERT_TRUE(filling->append(mib_));
        EXPECT_EQ(files().size(), 1U);
    }

    EXPECT_EQ(read("1/a"), "");
    EXPECT_TRUE(files().empty());
}

TEST_F(ArtifactCacheTest, refuses_what_is_not_as_long_as_it_said) {
    const auto filling = cache_->begin({ArtifactKind::file, "1/a"});
    ASSERT_TRUE(filling->prepare(head_for(10)).value());
    ASSERT_TRUE(filling->append("short"));

    EXPECT_EQ(filling->finish().error().code, base::Code::data_loss);
    EXPECT_EQ(read("1/a"), "");
}

TEST_F(ArtifactCacheTest, does_not_copy_again_what_has_not_changed) {
    ASSERT_TRUE(fill("1/a", "text", "1"));
    clock_.advance(std::chrono::minutes(5));

    const auto filling = cache_->begin({ArtifactKind::file, "1/a"});
    EXPECT_FALSE(filling->prepare(head_for(4, "1")).value());

    EXPECT_EQ(cache_->find({ArtifactKind::file, "1/a"}).value()->seen_at, clock_.wall_now());
}

TEST_F(ArtifactCacheTest, new_bytes_of_a_path_replace_the_old_ones) {
    ASSERT_TRUE(fill("1/a", "old!", "1"));
    ASSERT_TRUE(fill("1/a", "new!", "2"));

    EXPECT_EQ(read("1/a"), "new!");
    ASSERT_TRUE(cache_->settle());
    EXPECT_EQ(files().size(), 1U);
}

TEST_F(ArtifactCacheTest, drops_what_is_damaged_and_hands_out_no_byte_of_the_damaged_piece) {
    ASSERT_TRUE(fill("1/a", mib_ + "end"));
    damage(files().front(), static_cast<std::streamoff>(mib_.size()) + 1);

    const auto found = cache_->find({ArtifactKind::file, "1/a"}).value();
    ASSERT_TRUE(found);
    EXPECT_TRUE(cache_->read_piece(*found, 0));
    EXPECT_EQ(cache_->read_piece(*found, 1).error().code, base::Code::data_loss);

    EXPECT_EQ(cache_->metrics.corrupt.value(), 1U);
    EXPECT_FALSE(cache_->find({ArtifactKind::file, "1/a"}).value());
    EXPECT_TRUE(files().empty());
}

TEST_F(ArtifactCacheTest, a_file_that_is_gone_is_no_entry) {
    ASSERT_TRUE(fill("1/a", "text"));
    std::filesystem::remove(files().front());

    EXPECT_EQ(read("1/a"), "");
    EXPECT_EQ(cache_->metrics.corrupt.value(), 1U);
    EXPECT_EQ(bytes(), 0);
}

TEST_F(ArtifactCacheTest, makes_room_by_letting_go_of_what_was_not_used_for_longest) {
    for (int number = 0; number < 6; ++number) {
        ASSERT_TRUE(fill(fmt::format("1/{}", number), mib_ + std::to_string(number)));
    }
    EXPECT_NE(read("1/0"), "");

    for (int number = 6; number < 9; ++number) {
        ASSERT_TRUE(fill(fmt::format("1/{}", number), mib_ + std::to_string(number)));
        EXPECT_LE(bytes(), kKept);
    }

    EXPECT_NE(read("1/0"), "");
    EXPECT_EQ(read("1/1"), "");
    EXPECT_NE(read("1/8"), "");
    EXPECT_GT(cache_->metrics.evictions.value(), 0U);
    EXPECT_EQ(files().size(), static_cast<std::size_t>(index_->usage().value().entries));
}

TEST_F(ArtifactCacheTest, never_lets_go_of_what_is_pinned) {
    ASSERT_TRUE(cache_->set_pins({{.root = "1/pinned", .versions = "fox version 1"}}));
    ASSERT_TRUE(fill("1/pinned/a", mib_ + mib_ + "a"));
    for (int number = 0; number < 20; ++number) {
        ASSERT_TRUE(fill(fmt::format("1/{}", number), mib_ + std::to_string(number)));
    }

    EXPECT_NE(read("1/pinned/a"), "");
}

TEST_F(ArtifactCacheTest, says_when_what_is_pinned_does_not_fit) {
    ASSERT_TRUE(cache_->set_pins({{.root = "1", .versions = "fox version 1"}}));
    ASSERT_TRUE(fill("1/a", std::string(5 * mib_.size(), 'a')));

    EXPECT_EQ(fill("1/b", std::string(5 * mib_.size(), 'b')).error().code, base::Code::exhausted);
    EXPECT_EQ(cache_->can_pin(static_cast<std::int64_t>(5 * mib_.size())).error().code, base::Code::exhausted);
    EXPECT_TRUE(cache_->can_pin(1000));

    EXPECT_LE(bytes(), kKept);
    EXPECT_NE(read("1/a"), "");
    EXPECT_EQ(files().size(), 1U);
}

TEST_F(ArtifactCacheTest, never_lets_go_of_what_is_being_read) {
    ASSERT_TRUE(fill("1/read", mib_ + "read"));
    const auto reading = cache_->find({ArtifactKind::file, "1/read"}).value();
    for (int number = 0; number < 20; ++number) {
        ASSERT_TRUE(fill(fmt::format("1/{}", number), mib_ + std::to_string(number)));
    }

    EXPECT_NE(read("1/read"), "");
    EXPECT_FALSE(cache_->is_idle());
}

TEST_F(ArtifactCacheTest, takes_nothing_larger_than_itself) {
    const auto filling = cache_->begin({ArtifactKind::file, "1/a"});

    EXPECT_FALSE(filling->prepare(head_for(static_cast<std::size_t>(kKept) + 1)).value());
}

TEST_F(ArtifactCacheTest, stops_before_the_disk_is_full) {
    reopen({.limit = kKept, .keep_free = std::uint64_t{1} << 60U});

    EXPECT_EQ(fill("1/a", "text").error().code, base::Code::unavailable);
    EXPECT_TRUE(files().empty());
}

TEST_F(ArtifactCacheTest, a_change_makes_what_was_copied_before_void) {
    const auto filling = cache_->begin({ArtifactKind::file, "1/a/file"});
    ASSERT_TRUE(filling->prepare(head_for(4)).value());
    ASSERT_TRUE(filling->append("old!"));
    {
        const ArtifactCache::Change change(*cache_, "1/a");
        ASSERT_TRUE(cache_->settle());
    }

    EXPECT_EQ(filling->finish().error().code, base::Code::conflict);
    EXPECT_EQ(read("1/a/file"), "");
    EXPECT_TRUE(files().size() <= 1U);
}

TEST_F(ArtifactCacheTest, takes_nothing_while_it_changes) {
    const ArtifactCache::Change change(*cache_, "1/a");

    EXPECT_FALSE(cache_->begin({ArtifactKind::file, "1/a"})->prepare(head_for(4)).value());
    EXPECT_TRUE(cache_->begin({ArtifactKind::file, "1/ab"})->prepare(head_for(4)).value());
}

TEST_F(ArtifactCacheTest, hands_out_nothing_that_changes_even_before_it_is_forgotten) {
    ASSERT_TRUE(fill("1/a", "text"));
    ASSERT_TRUE(fill("1/b", "text"));
    {
        const ArtifactCache::Change change(*cache_, "1/a");
    }

    EXPECT_EQ(read("1/a"), "");
    EXPECT_EQ(read("1/b"), "text");
    ASSERT_TRUE(cache_->settle());
    ASSERT_TRUE(fill("1/a", "more"));
    EXPECT_EQ(read("1/a"), "more");
}

TEST_F(ArtifactCacheTest, forgets_everything_when_it_lost_track_of_what_changed) {
    ASSERT_TRUE(fill("1/a", "text"));
    for (int number = 0; number < 2000; ++number) {
        const ArtifactCache::Change change(*cache_, fmt::format("2/{}", number));
    }

    EXPECT_EQ(read("1/a"), "");
    ASSERT_TRUE(cache_->settle());
    EXPECT_FALSE(index_->find({ArtifactKind::file, "1/a"}).value());
    ASSERT_TRUE(fill("1/a", "text"));
    EXPECT_EQ(read("1/a"), "text");
}

TEST_F(ArtifactCacheTest, a_start_removes_what_a_kill_left_and_keeps_what_is_whole) {
    ASSERT_TRUE(fill("1/whole", "whole"));
    ASSERT_TRUE(fill("1/cut", "this is cut"));
    storage::ContentWriter orphan = files_.create().value();
    ASSERT_TRUE(orphan.append("orphan"));
    ASSERT_TRUE(orphan.publish());
    std::ofstream(folder_.path() / "artifacts" / "writing-abcdef") << "half";
    for (const auto& file : files()) {
        if (std::filesystem::file_size(file) == 11) {
            std::filesystem::resize_file(file, 4);
        }
    }

    reopen();

    EXPECT_EQ(files().size(), 1U);
    EXPECT_EQ(read("1/whole"), "whole");
    EXPECT_EQ(read("1/cut"), "");
    EXPECT_EQ(index_->usage().value().entries, 1);
}

TEST_F(ArtifactCacheTest, a_start_with_less_room_lets_go_of_the_rest) {
    for (int number = 0; number < 6; ++number) {
        ASSERT_TRUE(fill(fmt::format("1/{}", number), mib_ + std::to_string(number)));
    }

    reopen({.limit = kKept / 4, .keep_free = 0});

    EXPECT_LE(bytes(), kKept / 4);
    EXPECT_EQ(files().size(), static_cast<std::size_t>(index_->usage().value().entries));
    EXPECT_NE(read("1/5"), "");
}

TEST_F(ArtifactCacheTest, counts_files_on_their_way_in) {
    const auto filling = cache_->begin({ArtifactKind::file, "1/slow"});
    ASSERT_TRUE(filling->prepare(head_for(6 * mib_.size())).value());
    for (int number = 0; number < 5; ++number) {
        ASSERT_TRUE(filling->append(mib_));
    }
    for (int number = 0; number < 4; ++number) {
        ASSERT_TRUE(fill(fmt::format("1/{}", number), mib_ + std::to_string(number)));
        EXPECT_LE(bytes() + static_cast<std::int64_t>(5 * mib_.size()), kKept);
    }
}

ArtifactHead head_of(std::initializer_list<std::string_view> lines) {
    const mlflow::testing::ParsedAnswer answer(lines);
    return artifact_head(*answer).value_or(ArtifactHead{"none", {}});
}

TEST(ArtifactHead, keeps_what_tells_a_client_about_the_artifact) {
    const ArtifactHead head = head_of({"HTTP/1.1 200 OK",
                                       "content-type: text/plain",
                                       "etag: \"1\"",
                                       "server: uvicorn",
                                       "content-disposition: attachment; filename=a",
                                       "content-length: 7"});

    EXPECT_EQ(head.fields,
              "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a\r\nETag: \"1\"\r\n");
    EXPECT_EQ(head.size, 7);
}

TEST(ArtifactHead, takes_no_answer_that_is_not_the_whole_artifact) {
    EXPECT_EQ(head_of({"HTTP/1.1 206 Partial Content", "Content-Length: 7"}).fields, "none");
    EXPECT_EQ(head_of({"HTTP/1.1 404 Not Found", "Content-Length: 7"}).fields, "none");
    EXPECT_EQ(head_of({"HTTP/1.1 200 OK", "Content-Length: 7", "Content-Range: bytes 0-6/9"}).fields, "none");
    EXPECT_EQ(head_of({"HTTP/1.1 200 OK", "Content-Length: 7", "Content-Encoding: gzip"}).fields, "none");
    EXPECT_EQ(head_of({"HTTP/1.1 200 OK", "Content-Length: 7", "Set-Cookie: a=b"}).fields, "none");
    EXPECT_EQ(head_of({"HTTP/1.1 200 OK", "Content-Length: 7", "Cache-Control: private, No-Store"}).fields, "none");
    EXPECT_EQ(head_of({"HTTP/1.1 200 OK", "Connection: close"}).fields, "none");
}

}  // namespace
}  // namespace artifacts
