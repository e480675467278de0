#include "telemetry/log.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

namespace telemetry {
namespace {

class LogFileTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = ::testing::TempDir() + "hokusai-log-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }

    void TearDown() override {
        shutdown_log();
        std::filesystem::remove_all(folder_);
    }

    [[nodiscard]] std::string file() const {
        return folder_ / "hokusai.log";
    }

    // All lines, once the writing thread has ended.
    [[nodiscard]] std::vector<std::string> finished_lines() const {
        shutdown_log();
        std::ifstream in(file());
        std::vector<std::string> lines;
        for (std::string line; std::getline(in, line);) {
            lines.push_back(line);
        }
        return lines;
    }

    std::filesystem::path folder_;
};

TEST(Log, shows_warnings_and_errors_before_it_is_started) {
    EXPECT_FALSE(log_enabled(LogLevel::debug));
    EXPECT_FALSE(log_enabled(LogLevel::info));
    EXPECT_TRUE(log_enabled(LogLevel::warn));
    EXPECT_TRUE(log_enabled(LogLevel::error));

    ::testing::internal::CaptureStderr();
    log_info("quiet");
    log_warn("loud", {{"why", "no log yet"}});
    const std::string shown = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(shown.find("Z warn  loud why=\"no log yet\"\n"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("quiet"), std::string::npos) << shown;
}

TEST_F(LogFileTest, writes_events_of_its_level_and_above) {
    start_log({LogLevel::info, LogFormat::text, file()});
    EXPECT_FALSE(log_enabled(LogLevel::debug));
    EXPECT_TRUE(log_enabled(LogLevel::info));
    log_debug("one");
    log_info("two", {{"count", 2}});
    log_warn("three");
    log_error("four");

    const std::vector<std::string> lines = finished_lines();
    ASSERT_EQ(lines.size(), 3U);
    constexpr std::size_t kTimeSize = 27;
    EXPECT_EQ(lines[0].substr(kTimeSize), " info  two count=2");
    EXPECT_EQ(lines[1].substr(kTimeSize), " warn  three");
    EXPECT_EQ(lines[2].substr(kTimeSize), " error four");
}

TEST_F(LogFileTest, writes_one_line_per_event_whatever_its_text_is) {
    start_log({LogLevel::debug, LogFormat::json, file()});
    log_debug("odd", {{"text", "a\nb%v {} %s"}});

    const std::vector<std::string> lines = finished_lines();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(lines[0].ends_with(R"("level":"debug","event":"odd","text":"a\u000ab%v {} %s"})")) << lines[0];
}

TEST_F(LogFileTest, continues_a_file_that_is_there) {
    for (const char* event : {"first_run", "second_run"}) {
        start_log({LogLevel::info, LogFormat::text, file()});
        log_info(event);
        shutdown_log();
    }
    EXPECT_EQ(finished_lines().size(), 2U);
}

TEST_F(LogFileTest, keeps_lines_of_several_threads_whole) {
    constexpr int kThreads = 4;
    constexpr int kLines = 250;
    start_log({LogLevel::info, LogFormat::text, file()});
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back([thread] {
                for (int line = 0; line < kLines; ++line) {
                    log_info("event", {{"thread", thread}, {"line", line}});
                }
            });
        }
    }
    const std::vector<std::string> lines = finished_lines();
    EXPECT_EQ(lines.size(), static_cast<std::size_t>(kThreads * kLines));
    for (const std::string& line : lines) {
        EXPECT_EQ(line.substr(27, 20), " info  event thread=") << line;
    }
}

TEST_F(LogFileTest, names_the_setting_of_a_file_it_cannot_open) {
    try {
        start_log({LogLevel::info, LogFormat::text, "/dev/null/hokusai.log"});
        FAIL() << "a file below a device cannot be opened";
    } catch (const base::ConfigError& error) {
        EXPECT_NE(std::string(error.what()).find("HOKUSAI_LOG_FILE"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("/dev/null/hokusai.log"), std::string::npos);
    }
}

}  // namespace
}  // namespace telemetry
