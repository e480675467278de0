// Structured logs: an event name and fields, written by a background thread so that a slow or full disk never stops a
// request.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"

namespace telemetry {

enum class LogLevel { debug, info, warn, error };
enum class LogFormat { text, json };

struct LogSettings {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::json;
    std::string file;  // empty: standard error
};

struct LogField {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, double, bool> value;

    LogField(std::string_view name, std::string_view text) : key(name), value(text) {}

    LogField(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}

    LogField(std::string_view name, const std::string& text) : key(name), value(std::string_view(text)) {}

    LogField(std::string_view name, bool flag) : key(name), value(flag) {}

    LogField(std::string_view name, double number) : key(name), value(number) {}

    template <std::integral T>
    LogField(std::string_view name, T number) : key(name), value(static_cast<std::int64_t>(number)) {}
};

// Call once at start, before threads, and shutdown_log() once at the end. Throws base::ConfigError when the file can't
// be opened. Without it, events of level warn and above go to standard error.
void start_log(const LogSettings& settings);
void shutdown_log();

// Safe from any thread; never blocks: when the queue is full the oldest lines are dropped and counted.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

inline void log_debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::debug, event, fields);
}

inline void log_info(std::string_view event, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::info, event, fields);
}

inline void log_warn(std::string_view event, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::warn, event, fields);
}

inline void log_error(std::string_view event, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::error, event, fields);
}

bool log_enabled(LogLevel level);

// From now on, on all threads.
void set_log_level(LogLevel level);

// The fields as they are written, exposed for tests: `key=value key="two words"` or a JSON object's members.
std::string format_line(LogFormat format,
                        std::string_view timestamp,
                        LogLevel level,
                        std::string_view event,
                        std::initializer_list<LogField> fields);

}  // namespace telemetry
