#include "health/process_facts.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <span>
#include <string>
#include <unistd.h>
#include <vector>

#include "base/strings.hpp"

namespace health {

namespace {

constexpr std::size_t kIdleColumn = 3;
constexpr std::size_t kIowaitColumn = 4;
constexpr std::size_t kAccountedColumns = 8;  // guest time, further right, is already part of user time

std::string read_head(const char* path) {
    std::ifstream file(path);
    std::array<char, 4096> buffer{};
    file.read(buffer.data(), buffer.size());
    return {buffer.data(), static_cast<std::size_t>(file.gcount())};
}

// The value of a line "NAME:   123 kB".
std::optional<std::uint64_t> find_kibibytes(std::string_view meminfo, std::string_view name) {
    for (const std::string_view line : base::split_list(meminfo, '\n')) {
        if (line.starts_with(name)) {
            const std::vector<std::string_view> words = base::split_list(line.substr(name.size()), ' ');
            return words.empty() ? std::nullopt : base::parse_uint(words.front());
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<CpuTimes> parse_cpu_times(std::string_view proc_stat) {
    const std::vector<std::string_view> words = base::split_list(proc_stat.substr(0, proc_stat.find('\n')), ' ');
    if (words.size() <= kIowaitColumn + 1 || words.front() != "cpu") {
        return std::nullopt;
    }
    CpuTimes times;
    const std::span columns = std::span(words).subspan(1, std::min(kAccountedColumns, words.size() - 1));
    for (std::size_t column = 0; column < columns.size(); ++column) {
        const std::optional<std::uint64_t> ticks = base::parse_uint(columns[column]);
        if (!ticks) {
            return std::nullopt;
        }
        times.total += *ticks;
        times.busy += column == kIdleColumn || column == kIowaitColumn ? 0 : *ticks;
    }
    return times;
}

std::optional<double> parse_memory_percent(std::string_view proc_meminfo) {
    const std::optional<std::uint64_t> total = find_kibibytes(proc_meminfo, "MemTotal:");
    const std::optional<std::uint64_t> available = find_kibibytes(proc_meminfo, "MemAvailable:");
    if (!total || !available || *total == 0 || *available > *total) {
        return std::nullopt;
    }
    return 100.0 * static_cast<double>(*total - *available) / static_cast<double>(*total);
}

std::optional<std::uint64_t> parse_resident_pages(std::string_view proc_self_statm) {
    const std::vector<std::string_view> words = base::split_list(proc_self_statm, ' ');
    return words.size() < 2 ? std::nullopt : base::parse_uint(words[1]);
}

double cpu_percent_between(const CpuTimes& earlier, const CpuTimes& later) {
    // Idle time may step back by a tick when a core goes offline.
    if (later.total <= earlier.total || later.busy < earlier.busy) {
        return 0.0;
    }
    const double percent =
        100.0 * static_cast<double>(later.busy - earlier.busy) / static_cast<double>(later.total - earlier.total);
    return std::min(percent, 100.0);
}

ProcessFacts ProcessReader::read() {
    if (const auto pages = parse_resident_pages(read_head("/proc/self/statm"))) {
        last_.resident_bytes = static_cast<double>(*pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
    }
    if (const auto memory = parse_memory_percent(read_head("/proc/meminfo"))) {
        last_.memory_percent = *memory;
    }
    if (const auto cpu = parse_cpu_times(read_head("/proc/stat"))) {
        if (last_cpu_) {
            last_.cpu_percent = cpu_percent_between(*last_cpu_, *cpu);
        }
        last_cpu_ = cpu;
    }
    return last_;
}

}  // namespace health
