#include "storage/content_store.hpp"

#include <fstream>
#include <iterator>

#include "storage/testing/file_size_limit.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace storage {
namespace {

class ContentStoreTest : public ::testing::Test {
protected:
    Content write(const std::vector<std::string>& pieces) {
        ContentWriter writer = store.create().value();
        for (const std::string& piece : pieces) {
            EXPECT_TRUE(writer.append(piece));
        }
        EXPECT_TRUE(writer.sync());
        return writer.publish().value();
    }

    std::filesystem::path file_of(const Content& content) {
        const std::string hex = to_hex(content.digest);
        return folder.path() / hex.substr(0, 2) / hex;
    }

    std::vector<std::filesystem::path> files() {
        std::vector<std::filesystem::path> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
            if (entry.is_regular_file()) {
                found.push_back(entry.path());
            }
        }
        return found;
    }

    void flip_bit(const Content& content, std::streamoff at) {
        std::fstream file(file_of(content), std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(at);
        const char byte = static_cast<char>(file.get());
        file.seekp(at);
        file.put(static_cast<char>(byte ^ 1));
    }

    testing::TemporaryFolder folder;
    ContentStore store = ContentStore::open(folder.path()).value();
    const std::string full = std::string(kPieceSize, 'a');
};

TEST_F(ContentStoreTest, gives_back_what_was_written) {
    const Content content = write({full, "rest"});

    const auto reader = store.read(content);

    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->size(), static_cast<std::int64_t>(kPieceSize + 4));
    EXPECT_EQ(reader->read_piece(0), full);
    EXPECT_EQ(reader->read_piece(1), "rest");
}

TEST_F(ContentStoreTest, names_equal_contents_alike) {
    EXPECT_EQ(write({"same"}).digest, write({"same"}).digest);
    EXPECT_EQ(write({"same"}).digest, content_of("same").digest);
    EXPECT_NE(write({"same"}).digest, write({"other"}).digest);
    EXPECT_EQ(files().size(), 2U);
}

TEST_F(ContentStoreTest, keeps_an_empty_file) {
    ContentWriter writer = store.create().value();
    ASSERT_TRUE(writer.sync());

    const Content content = writer.publish().value();

    EXPECT_EQ(content.digest, content_of("").digest);
    EXPECT_EQ(store.read(content).value().size(), 0);
}

TEST_F(ContentStoreTest, tells_a_flipped_bit_in_any_piece) {
    const Content content = write({full, "rest"});
    flip_bit(content, static_cast<std::streamoff>(kPieceSize) + 2);

    const auto reader = store.read(content);

    ASSERT_TRUE(reader);
    EXPECT_TRUE(reader->read_piece(0));
    EXPECT_EQ(reader->read_piece(1).error().code, base::Code::data_loss);
}

TEST_F(ContentStoreTest, tells_a_file_that_is_gone_or_too_short) {
    const Content gone = write({"gone"});
    const Content cut = write({"cut short"});
    store.remove(gone.digest);
    std::filesystem::resize_file(file_of(cut), 3);

    EXPECT_EQ(store.read(gone).error().code, base::Code::data_loss);
    EXPECT_EQ(store.read(cut).error().code, base::Code::data_loss);
}

TEST_F(ContentStoreTest, trusts_no_digest_that_does_not_fit_the_name) {
    Content content = write({"text"});
    content.pieces = content_of("txet").pieces;

    EXPECT_EQ(store.read(content).error().code, base::Code::data_loss);
}

TEST_F(ContentStoreTest, leaves_nothing_of_what_was_not_published) {
    {
        ContentWriter writer = store.create().value();
        ASSERT_TRUE(writer.append("half"));
        EXPECT_EQ(files().size(), 1U);
    }

    EXPECT_TRUE(files().empty());
}

TEST_F(ContentStoreTest, removes_what_a_killed_process_left) {
    const Content known = write({"known"});
    const Content orphan = write({"orphan"});
    std::ofstream(folder.path() / "writing-x1y2z3") << "half";

    const std::size_t removed =
        store.remove_leftovers([&](const std::string& name) { return name == to_hex(known.digest); });

    EXPECT_EQ(removed, 2U);
    EXPECT_TRUE(store.read(known));
    EXPECT_FALSE(store.read(orphan));
}

TEST_F(ContentStoreTest, says_that_the_disk_is_full) {
    ContentWriter writer = store.create().value();
    const testing::FileSizeLimit limit(kPieceSize / 2);

    EXPECT_EQ(writer.append(full).error().code, base::Code::unavailable);
}

TEST_F(ContentStoreTest, goes_on_reading_what_is_removed_meanwhile) {
    const Content content = write({full, "rest"});
    const auto reader = store.read(content);

    store.remove(content.digest);

    EXPECT_EQ(reader->read_piece(1), "rest");
}

}  // namespace
}  // namespace storage
