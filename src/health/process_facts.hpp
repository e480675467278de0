// What the machine says about this process and itself, from /proc (man 5 proc).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace health {

struct ProcessFacts {
    double resident_bytes = 0.0;
    double cpu_percent = 0.0;     // of all cores, between the last two readings; 0 before the second
    double memory_percent = 0.0;  // of the machine's memory in use
};

// Accumulated ticks of all cores.
struct CpuTimes {
    std::uint64_t busy = 0;
    std::uint64_t total = 0;
};

// The parsers take the text of the file; nothing when it is not as expected.
std::optional<CpuTimes> parse_cpu_times(std::string_view proc_stat);
std::optional<double> parse_memory_percent(std::string_view proc_meminfo);
std::optional<std::uint64_t> parse_resident_pages(std::string_view proc_self_statm);

double cpu_percent_between(const CpuTimes& earlier, const CpuTimes& later);

// Reads three small files that the kernel makes from memory: no disk, tens of microseconds. Not safe for concurrent
// use.
class ProcessReader {
public:
    // What can't be read keeps its last value.
    ProcessFacts read();

private:
    ProcessFacts last_;
    std::optional<CpuTimes> last_cpu_;
};

}  // namespace health
