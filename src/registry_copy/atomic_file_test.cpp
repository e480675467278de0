#include "registry_copy/atomic_file.hpp"

#include <fstream>
#include <sstream>
#include <sys/stat.h>

#include "storage/testing/file_size_limit.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace registry_copy {
namespace {

class AtomicFileTest : public ::testing::Test {
protected:
    [[nodiscard]] std::string content() const {
        std::ostringstream text;
        text << std::ifstream(file).rdbuf();
        return text.str();
    }

    [[nodiscard]] std::ptrdiff_t count_files() const {
        return std::distance(std::filesystem::directory_iterator(folder.path()), {});
    }

    storage::testing::TemporaryFolder folder;
    std::filesystem::path file = folder.path() / "models.jsonl";
};

TEST_F(AtomicFileTest, appears_when_it_is_published) {
    std::ofstream(file) << "old";
    auto made = AtomicFile::create(file);
    ASSERT_TRUE(made);
    made->stream() << "new";
    EXPECT_EQ(content(), "old");

    ASSERT_TRUE(made->publish());

    EXPECT_EQ(content(), "new");
    EXPECT_EQ(count_files(), 1);
    struct ::stat facts{};
    ASSERT_EQ(::stat(file.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(AtomicFileTest, leaves_nothing_behind_when_it_is_not) {
    {
        auto made = AtomicFile::create(file);
        made->stream() << "new" << std::flush;
        const auto moved = *std::move(made);
        EXPECT_EQ(count_files(), 1);
    }
    EXPECT_EQ(count_files(), 0);
}

TEST_F(AtomicFileTest, says_why_there_can_be_none) {
    const auto nowhere = AtomicFile::create(folder.path() / "no" / "folder");

    EXPECT_EQ(nowhere.error().code, base::Code::unavailable);
    EXPECT_NE(nowhere.error().message.find("No such file or directory"), std::string::npos);
}

TEST_F(AtomicFileTest, keeps_what_was_there_when_the_disk_is_full) {
    std::ofstream(file) << "old";
    auto made = AtomicFile::create(file);
    made->stream() << std::string(100'000, 'x');
    const storage::testing::FileSizeLimit limit(1000);
    made->stream() << std::string(100'000, 'x');

    EXPECT_EQ(made->publish().error().code, base::Code::unavailable);

    EXPECT_EQ(content(), "old");
}

}  // namespace
}  // namespace registry_copy
