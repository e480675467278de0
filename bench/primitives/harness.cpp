#include "harness.hpp"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <ctime>
#include <thread>

#include "allocations.hpp"

#include <fmt/format.h>

namespace primitives {

namespace {

struct Samples {
    std::vector<double> nanoseconds;  // of CPU time for one operation
    std::vector<double> per_second;   // of elapsed time, all threads together
    double allocations = 0;           // for one operation, in the worst round
};

using Clock = std::chrono::steady_clock;

struct Run {
    Clock::time_point start;
    Clock::time_point end;
    double nanoseconds = 0;
    double allocations = 0;
};

double thread_cpu_nanoseconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
}

Run run_loop(Loop& loop, std::size_t repetitions) {
    Run run;
    run.start = Clock::now();
    const std::size_t allocations = allocations_of_this_thread();
    const double nanoseconds = thread_cpu_nanoseconds();
    loop(repetitions);
    const auto count = static_cast<double>(repetitions);
    run.nanoseconds = (thread_cpu_nanoseconds() - nanoseconds) / count;
    run.allocations = static_cast<double>(allocations_of_this_thread() - allocations) / count;
    run.end = Clock::now();
    return run;
}

void run_round(Benchmark& benchmark, Samples& samples) {
    const std::size_t count = benchmark.loops.size();
    std::vector<Run> runs(count);
    std::barrier ready(static_cast<std::ptrdiff_t>(count));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            ready.arrive_and_wait();
            runs[i] = run_loop(benchmark.loops[i], benchmark.repetitions);
        });
    }
    threads.clear();  // joins
    double nanoseconds = 0;
    for (const Run& run : runs) {
        nanoseconds += run.nanoseconds / static_cast<double>(count);
        samples.allocations = std::max(samples.allocations, run.allocations);
    }
    const std::chrono::duration<double> elapsed =
        std::ranges::max(runs, {}, &Run::end).end - std::ranges::min(runs, {}, &Run::start).start;
    samples.nanoseconds.push_back(nanoseconds);
    samples.per_second.push_back(static_cast<double>(count * benchmark.repetitions) / elapsed.count());
}

std::string to_json(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return fmt::format(
        R"({{"median":{:.6g},"min":{:.6g},"max":{:.6g}}})", values[values.size() / 2], values.front(), values.back());
}

}  // namespace

std::string measure(std::vector<Benchmark> benchmarks, unsigned rounds) {
    std::vector<Samples> samples(benchmarks.size());
    for (unsigned round = 0; round <= rounds; ++round) {
        for (std::size_t i = 0; i < benchmarks.size(); ++i) {
            if (round == 1) {
                samples[i] = {};
            }
            run_round(benchmarks[i], samples[i]);
        }
    }
    std::string json;
    for (std::size_t i = 0; i < benchmarks.size(); ++i) {
        json += fmt::format(R"({}"{}":{{"threads":{},"nanoseconds":{},"per_second":{},"allocations":{:.3g}}})",
                            i == 0 ? "" : ",\n",
                            benchmarks[i].name,
                            benchmarks[i].loops.size(),
                            to_json(samples[i].nanoseconds),
                            to_json(samples[i].per_second),
                            samples[i].allocations);
    }
    return "{" + json + "}\n";
}

}  // namespace primitives
