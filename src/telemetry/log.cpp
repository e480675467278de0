#include "telemetry/log.hpp"

#include <array>
#include <atomic>
#include <cmath>
#include <memory>

#include "base/clock.hpp"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace telemetry {

namespace {

constexpr std::size_t kQueueLines = 8192;

struct LogBackend {
    std::atomic<LogLevel> level = LogLevel::info;
    LogFormat format = LogFormat::json;
    std::shared_ptr<spdlog::details::thread_pool> pool;
    std::shared_ptr<spdlog::logger> logger;
};

// Set before threads start and cleared after they end.
std::unique_ptr<LogBackend> g_backend;

constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warn", "error"};

std::string_view level_name(LogLevel level) {
    return kLevelNames.at(static_cast<std::size_t>(level));
}

void append_json_string(std::string& out, std::string_view text) {
    out.push_back('"');
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (byte < 0x20 || byte == 0x7F) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
        } else {
            out.push_back(c);
        }
    }
    out.push_back('"');
}

bool is_plain_word(std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte == 0x7F || c == '"' || c == '=' || c == '\\') {
            return false;
        }
    }
    return !text.empty();
}

void append_value(std::string& out, const LogField& field, LogFormat format) {
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        if (format == LogFormat::text && is_plain_word(*text)) {
            out.append(*text);
        } else {
            append_json_string(out, *text);
        }
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
        fmt::format_to(std::back_inserter(out), "{}", *number);
    } else if (const auto* flag = std::get_if<bool>(&field.value)) {
        out.append(*flag ? "true" : "false");
    } else {
        const double value = std::get<double>(field.value);
        fmt::format_to(std::back_inserter(out), "{}", std::isfinite(value) ? value : 0.0);
    }
}

}  // namespace

std::string format_line(LogFormat format,
                        std::string_view timestamp,
                        LogLevel level,
                        std::string_view event,
                        std::initializer_list<LogField> fields) {
    std::string line;
    if (format == LogFormat::json) {
        line = fmt::format(R"({{"time":"{}","level":"{}","event":)", timestamp, level_name(level));
        append_json_string(line, event);
        for (const LogField& field : fields) {
            line.push_back(',');
            append_json_string(line, field.key);
            line.push_back(':');
            append_value(line, field, format);
        }
        line.push_back('}');
        return line;
    }
    line = fmt::format("{} {:<5} {}", timestamp, level_name(level), event);
    for (const LogField& field : fields) {
        line.push_back(' ');
        line.append(field.key);
        line.push_back('=');
        append_value(line, field, format);
    }
    return line;
}

void start_log(const LogSettings& settings) {
    auto backend = std::make_unique<LogBackend>();
    backend->level = settings.level;
    backend->format = settings.format;
    spdlog::sink_ptr sink;
    if (settings.file.empty()) {
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
        try {
            sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(settings.file);
        } catch (const spdlog::spdlog_ex& error) {
            throw base::ConfigError("HOKUSAI_LOG_FILE: " + std::string(error.what()) +
                                    "; name a file in a folder that exists and can be written");
        }
    }
    backend->pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
    backend->logger = std::make_shared<spdlog::async_logger>(
        "hokusai", sink, backend->pool, spdlog::async_overflow_policy::overrun_oldest);
    backend->logger->set_pattern("%v");
    backend->logger->set_level(spdlog::level::trace);
    // A log line that can't be written must not take the service down, nor print about itself for ever.
    backend->logger->set_error_handler([](const std::string&) {});
    backend->logger->flush_on(spdlog::level::info);
    g_backend = std::move(backend);
}

void shutdown_log() {
    g_backend.reset();
}

bool log_enabled(LogLevel level) {
    return level >= (g_backend ? g_backend->level.load(std::memory_order_relaxed) : LogLevel::warn);
}

void set_log_level(LogLevel level) {
    if (g_backend) {
        g_backend->level.store(level, std::memory_order_relaxed);
    }
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    if (!log_enabled(level)) {
        return;
    }
    const LogFormat format = g_backend ? g_backend->format : LogFormat::text;
    const std::string line =
        format_line(format, base::to_iso8601(base::SystemClock().wall_now()), level, event, fields);
    if (g_backend) {
        g_backend->logger->log(spdlog::level::info, spdlog::string_view_t(line));
    } else {
        fmt::print(stderr, "{}\n", line);
    }
}

}  // namespace telemetry
