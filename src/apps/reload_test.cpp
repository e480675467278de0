#include "apps/reload.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include "apps/settings.hpp"
#include "config/testing/temporary_file.hpp"
#include "telemetry/log.hpp"

#include <gtest/gtest.h>

namespace apps {
namespace {

using config::testing::TemporaryFile;

class ReloadTest : public ::testing::Test {
protected:
    ReloadTest() {
        sources_.file = file_.path();
        known_ = load_settings(sources_).loaded;
        telemetry::start_log({telemetry::LogLevel::info, telemetry::LogFormat::text, log_.path()});
    }

    ~ReloadTest() override {
        telemetry::shutdown_log();
    }

    void reload_with(const std::string& content) {
        std::ofstream(file_.path()) << content;
        reload_settings(sources_, known_);
    }

    // All that was logged; ends the log.
    std::string logged() {
        telemetry::shutdown_log();
        std::ifstream in(log_.path());
        return {std::istreambuf_iterator<char>(in), {}};
    }

    TemporaryFile file_{"[log]\nlevel = \"info\"\n"};
    TemporaryFile log_{""};
    config::Sources sources_{.flags = {}, .environment = {{"HOME", "/home/ann"}}, .file = {}};
    config::Loaded known_;
};

TEST_F(ReloadTest, applies_the_log_level_at_once) {
    reload_with("[log]\nlevel = \"debug\"\n");

    EXPECT_TRUE(telemetry::log_enabled(telemetry::LogLevel::debug));
    EXPECT_EQ(known_.at("log.level").text, "debug");
    const std::string text = logged();
    EXPECT_NE(text.find("setting_changed setting=log.level from=info to=debug effect=applied"), std::string::npos)
        << text;
    EXPECT_NE(text.find("settings_reloaded"), std::string::npos) << text;
}

TEST_F(ReloadTest, names_what_needs_a_restart_and_only_once) {
    reload_with("[server]\nthreads = 3\n");
    reload_settings(sources_, known_);

    const std::string text = logged();
    const std::string line = "setting_changed setting=server.threads from=0 to=3 effect=\"needs a restart\"";
    EXPECT_NE(text.find(line), std::string::npos) << text;
    EXPECT_EQ(text.find(line, text.find(line) + 1), std::string::npos) << text;
}

TEST_F(ReloadTest, of_an_unchanged_file_changes_nothing) {
    reload_settings(sources_, known_);

    const std::string text = logged();
    EXPECT_EQ(text.find("setting_changed"), std::string::npos) << text;
    EXPECT_NE(text.find("settings_reloaded"), std::string::npos) << text;
}

TEST_F(ReloadTest, of_an_invalid_file_keeps_what_was_known_and_says_why) {
    reload_with("[log]\nlevel = \"loud\"\n");

    EXPECT_FALSE(telemetry::log_enabled(telemetry::LogLevel::debug));
    EXPECT_EQ(known_.at("log.level").text, "info");
    const std::string text = logged();
    EXPECT_NE(text.find("settings_not_reloaded"), std::string::npos) << text;
    EXPECT_NE(text.find("log.level"), std::string::npos) << text;
    EXPECT_NE(text.find("the settings known so far stay in force"), std::string::npos) << text;
}

TEST_F(ReloadTest, shows_no_secret) {
    reload_with("[mlflow]\ntoken = \"hush-hush\"\n");

    const std::string text = logged();
    EXPECT_NE(text.find("setting=mlflow.token from=<unset> to=<set>"), std::string::npos) << text;
    EXPECT_EQ(text.find("hush"), std::string::npos) << text;
}

}  // namespace
}  // namespace apps
