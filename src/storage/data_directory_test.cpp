#include "storage/data_directory.hpp"

#include <fstream>
#include <string>
#include <unistd.h>

#include "storage/testing/file_size_limit.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace storage {
namespace {

TEST(ServiceLock, is_held_by_one_and_names_it) {
    const testing::TemporaryFolder folder;
    const auto first = ServiceLock::acquire(folder.path());
    ASSERT_TRUE(first);

    const auto second = ServiceLock::acquire(folder.path());

    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, base::Code::conflict);
    EXPECT_NE(second.error().message.find("process " + std::to_string(::getpid()) + " already serves"),
              std::string::npos);
    EXPECT_NE(second.error().message.find(folder.path().string()), std::string::npos);
}

TEST(ServiceLock, ends_with_its_holder) {
    const testing::TemporaryFolder folder;
    ASSERT_TRUE(ServiceLock::acquire(folder.path()));
    EXPECT_TRUE(ServiceLock::acquire(folder.path()));
}

TEST(ServiceLock, moves_with_its_holder) {
    const testing::TemporaryFolder folder;
    auto first = ServiceLock::acquire(folder.path());
    const ServiceLock moved = std::move(*first);

    EXPECT_FALSE(ServiceLock::acquire(folder.path()));
}

TEST(ServiceLock, ignores_what_a_crash_left_in_the_file) {
    const testing::TemporaryFolder folder;
    std::ofstream(folder.path() / "hokusai.lock") << "4000000000000000000\nlonger than any process id of this system";

    const auto lock = ServiceLock::acquire(folder.path());

    ASSERT_TRUE(lock);
    EXPECT_NE(ServiceLock::acquire(folder.path()).error().message.find("process " + std::to_string(::getpid()) + " "),
              std::string::npos);
}

TEST(ServiceLock, is_not_held_when_its_file_cannot_be_written) {
    const testing::TemporaryFolder folder;
    {
        const testing::FileSizeLimit limit(0);
        const auto refused = ServiceLock::acquire(folder.path());
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, base::Code::unavailable);
        EXPECT_TRUE(refused.error().message.starts_with("can't write " + folder.path().string() + "/hokusai.lock: "))
            << refused.error().message;
    }
    EXPECT_TRUE(ServiceLock::acquire(folder.path()));
}

TEST(ServiceLock, of_two_folders_are_independent) {
    const testing::TemporaryFolder one;
    const testing::TemporaryFolder two;
    const auto first = ServiceLock::acquire(one.path());
    EXPECT_TRUE(ServiceLock::acquire(two.path()));
    EXPECT_EQ(ServiceLock::acquire(one.path() / "missing").error().code, base::Code::unavailable);
}

}  // namespace
}  // namespace storage
