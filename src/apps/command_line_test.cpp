#include "apps/command_line.hpp"

#include <fstream>
#include <string>
#include <vector>

#include "apps/build_info.hpp"
#include "auth/api_key.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace apps {
namespace {

struct Outcome {
    int code = 0;
    std::string out;
    std::string errors;
};

Outcome hokusai(std::vector<std::string> words) {
    words.insert(words.begin(), "hokusai");
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.code = run_command_line(static_cast<int>(argv.size()), argv.data());
    outcome.out = ::testing::internal::GetCapturedStdout();
    outcome.errors = ::testing::internal::GetCapturedStderr();
    return outcome;
}

TEST(CommandLine, answers_help_and_version_with_0) {
    EXPECT_EQ(hokusai({"--help"}).code, 0);
    EXPECT_NE(hokusai({"serve", "--help"}).out.find("--mlflow"), std::string::npos);
    EXPECT_TRUE(hokusai({"--version"}).out.starts_with(std::string("hokusai ") + kVersion));
}

TEST(CommandLine, answers_wrong_usage_with_2_and_says_where_help_is) {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{}, {"sreve"}, {"serve", "--thread"}, {"keys"}, {"keys", "create", "--name", "x"}}) {
        const Outcome outcome = hokusai(words);
        EXPECT_EQ(outcome.code, 2);
        EXPECT_NE(outcome.errors.find("--help"), std::string::npos) << outcome.errors;
        EXPECT_TRUE(outcome.out.empty()) << outcome.out;
    }
}

TEST(CommandLine, answers_a_wrong_setting_with_2_and_names_its_flag) {
    const Outcome outcome = hokusai({"serve", "--listen", "nowhere"});

    EXPECT_EQ(outcome.code, 2);
    EXPECT_TRUE(outcome.errors.starts_with("hokusai: ")) << outcome.errors;
    EXPECT_NE(outcome.errors.find("flag --listen"), std::string::npos) << outcome.errors;
}

TEST(CommandLine, takes_one_value_for_a_flag_that_is_no_list) {
    EXPECT_EQ(hokusai({"config", "check", "--threads", "1", "--threads", "2"}).code, 2);
}

class KeysCommandLine : public ::testing::Test {
protected:
    Outcome keys(std::vector<std::string> words) {
        words.insert(words.begin(), "keys");
        words.insert(words.end(), {"--data", folder_.path() / "data"});
        return hokusai(words);
    }

    storage::testing::TemporaryFolder folder_;
};

TEST_F(KeysCommandLine, makes_lists_and_revokes_a_key) {
    const Outcome created = keys({"create", "--name", "ci", "--scopes", "mlflow:read", "--json"});
    ASSERT_EQ(created.code, 0) << created.errors;
    const boost::json::object key = boost::json::parse(created.out).as_object();
    EXPECT_TRUE(auth::looks_like_key(std::string_view(key.at("key").as_string())));
    const std::string id(key.at("id").as_string());

    EXPECT_NE(keys({"list"}).out.find("active"), std::string::npos);
    EXPECT_EQ(keys({"revoke", id}).code, 0);
    EXPECT_NE(keys({"list"}).out.find("revoked"), std::string::npos);
}

TEST_F(KeysCommandLine, fails_with_2_when_the_folder_cannot_be_used) {
    std::ofstream(folder_.path() / "data") << "a file";

    const Outcome outcome = keys({"list"});

    EXPECT_EQ(outcome.code, 2);
    EXPECT_TRUE(outcome.errors.starts_with("hokusai: cannot use the data folder ")) << outcome.errors;
}

TEST_F(KeysCommandLine, fails_with_1_for_a_key_that_does_not_exist) {
    const Outcome outcome = keys({"revoke", "nobody"});

    EXPECT_EQ(outcome.code, 1);
    EXPECT_NE(outcome.errors.find("'nobody'"), std::string::npos) << outcome.errors;
}

}  // namespace
}  // namespace apps
