#include "apps/store.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

#include "storage/pepper_file.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace apps {
namespace {

struct StoreTest : public ::testing::Test {
    StoreTest() {
        settings.data_dir = folder.path() / "data";
    }

    // What the operator reads when the store can't be opened.
    std::string complaint() {
        try {
            const Store store(settings);
        } catch (const base::ConfigError& error) {
            return error.what();
        }
        return "opened";
    }

    storage::testing::TemporaryFolder folder;
    ServiceSettings settings;
};

TEST_F(StoreTest, makes_its_folder_and_finds_the_same_pepper_again) {
    const auth::Pepper first = Store(settings).pepper;

    EXPECT_EQ(Store(settings).pepper.bytes, first.bytes);
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "data" / "hokusai.db"));
}

TEST_F(StoreTest, asks_for_a_data_folder_when_there_is_none) {
    settings.data_dir.clear();

    EXPECT_EQ(complaint(), "no data folder: set HOKUSAI_DATA_DIR, or give --data DIR");
}

TEST_F(StoreTest, names_the_folder_it_cannot_use) {
    std::ofstream(folder.path() / "data") << "a file";

    EXPECT_TRUE(complaint().starts_with("cannot use the data folder " + settings.data_dir + ": ")) << complaint();
}

TEST_F(StoreTest, refuses_a_pepper_others_may_read) {
    ASSERT_EQ(complaint(), "opened");
    ASSERT_EQ(::chmod(storage::pepper_file(settings.data_dir).c_str(), 0644), 0);

    EXPECT_TRUE(complaint().starts_with("cannot use the pepper file: ")) << complaint();
    EXPECT_NE(complaint().find("chmod 600"), std::string::npos) << complaint();
}

// Half a backup: the database of one day beside the pepper of another.
TEST_F(StoreTest, refuses_a_pepper_that_does_not_fit_the_keys) {
    ASSERT_EQ(complaint(), "opened");
    std::filesystem::remove(storage::pepper_file(settings.data_dir));

    EXPECT_TRUE(complaint().starts_with("cannot use the keys of " + settings.data_dir + ": ")) << complaint();
    EXPECT_NE(complaint().find("from the same backup"), std::string::npos) << complaint();
}

}  // namespace
}  // namespace apps
