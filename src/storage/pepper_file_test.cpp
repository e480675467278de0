#include "storage/pepper_file.hpp"

#include <barrier>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include "storage/testing/file_size_limit.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace storage {
namespace {

struct PepperFile : public ::testing::Test {
    base::Result<auth::Pepper> load() {
        return load_or_create_pepper(folder.path());
    }

    void write(const std::string& text) {
        std::ofstream(pepper_file(folder.path())) << text;
        ASSERT_EQ(::chmod(pepper_file(folder.path()).c_str(), 0600), 0);
    }

    testing::TemporaryFolder folder;
};

TEST_F(PepperFile, is_made_once_and_read_afterwards) {
    const auth::Pepper first = load().value();
    const auth::Pepper second = load().value();

    EXPECT_EQ(first.version, 1U);
    EXPECT_EQ(first.bytes, second.bytes);
    EXPECT_NE(first.bytes, (auth::Pepper{}.bytes));
}

TEST_F(PepperFile, differs_between_folders) {
    const testing::TemporaryFolder other;
    EXPECT_NE(load()->bytes, load_or_create_pepper(other.path())->bytes);
}

TEST_F(PepperFile, is_private_and_leaves_nothing_else_behind) {
    ASSERT_TRUE(load());

    struct ::stat facts{};
    ASSERT_EQ(::stat(pepper_file(folder.path()).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST_F(PepperFile, is_the_same_for_all_who_start_at_once) {
    for (int round = 0; round < 200; ++round) {
        const testing::TemporaryFolder fresh;
        std::vector<auth::Pepper> peppers(4);
        std::barrier start(static_cast<std::ptrdiff_t>(peppers.size()));
        std::vector<std::jthread> threads;
        for (auth::Pepper& pepper : peppers) {
            threads.emplace_back([&fresh, &start, &pepper] {
                start.arrive_and_wait();
                pepper = load_or_create_pepper(fresh.path()).value_or(auth::Pepper{});
            });
        }
        threads.clear();

        for (const auth::Pepper& pepper : peppers) {
            EXPECT_EQ(pepper.version, 1U);
            EXPECT_EQ(pepper.bytes, peppers[0].bytes);
        }
    }
}

TEST_F(PepperFile, open_to_others_is_refused_with_the_remedy) {
    ASSERT_TRUE(load());
    for (const unsigned mode : {0644U, 0640U, 0620U, 0601U}) {
        ASSERT_EQ(::chmod(pepper_file(folder.path()).c_str(), mode), 0);
        EXPECT_EQ(load().error().code, base::Code::permission_denied) << mode;
        EXPECT_NE(load().error().message.find("chmod 600"), std::string::npos);
    }
    ASSERT_EQ(::chmod(pepper_file(folder.path()).c_str(), 0400), 0);
    EXPECT_TRUE(load());
}

TEST_F(PepperFile, reads_a_later_version) {
    write("7:" + std::string(62, '0') + "ff\n");

    EXPECT_EQ(load()->version, 7U);
    EXPECT_EQ(load()->bytes[30], 0U);
    EXPECT_EQ(load()->bytes[31], 255U);
}

TEST_F(PepperFile, of_another_form_is_refused_and_not_replaced) {
    const std::string digits(64, 'a');
    for (const std::string& text : {std::string(),
                                    std::string("\n"),
                                    digits + "\n",
                                    "1:" + digits,
                                    "1:" + digits + "a\n",
                                    "1:" + digits.substr(1) + "\n",
                                    "0:" + digits + "\n",
                                    "x:" + digits + "\n",
                                    "1:" + digits.substr(1) + "g\n",
                                    "1:" + digits + "\n\n",
                                    std::string(5000, 'a')}) {
        write(text);
        EXPECT_EQ(load().error().code, base::Code::data_loss) << text;
        EXPECT_EQ(load().error().message.find("aaaa"), std::string::npos);
        EXPECT_EQ(std::filesystem::file_size(pepper_file(folder.path())), text.size());
    }
}

TEST_F(PepperFile, that_is_a_folder_cannot_be_read) {
    ASSERT_EQ(::mkdir(pepper_file(folder.path()).c_str(), 0700), 0);

    EXPECT_EQ(load().error().code, base::Code::unavailable);
    EXPECT_EQ(load().error().message, "can't read " + pepper_file(folder.path()).string() + ": Is a directory");
}

TEST_F(PepperFile, behind_a_link_that_leads_nowhere_is_not_made_anew) {
    std::filesystem::create_symlink(folder.path() / "unmounted" / "pepper", pepper_file(folder.path()));

    EXPECT_EQ(load().error().code, base::Code::unavailable);
    EXPECT_TRUE(std::filesystem::is_symlink(pepper_file(folder.path())));
}

// A part of a pepper would be a pepper nobody has a copy of.
TEST_F(PepperFile, is_whole_or_not_there_when_the_disk_fills_up) {
    for (const rlim_t room : {0U, 20U}) {
        const testing::FileSizeLimit limit(room);
        EXPECT_EQ(load().error().code, base::Code::unavailable);
        EXPECT_TRUE(load().error().message.starts_with("can't write " + pepper_file(folder.path()).string() + ": "))
            << load().error().message;
        EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    }
    EXPECT_TRUE(load());
}

TEST_F(PepperFile, needs_its_folder) {
    EXPECT_EQ(load_or_create_pepper(folder.path() / "missing").error().code, base::Code::unavailable);
}

}  // namespace
}  // namespace storage
