// primitives ROUNDS [TEXT]: measures the operations whose name contains TEXT, and prints JSON.
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "benchmarks.hpp"
#include "telemetry/log.hpp"

#include <fmt/format.h>

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 0;
    if (rounds < 1 || argc > 3) {
        fmt::print(stderr, "usage: primitives ROUNDS [TEXT]\n");
        return 2;
    }
    telemetry::start_log(
        {.level = telemetry::LogLevel::info, .format = telemetry::LogFormat::json, .file = "/dev/null"});
    std::vector<primitives::Benchmark> all;
    for (auto make : {primitives::resilience_benchmarks,
                      primitives::auth_benchmarks,
                      primitives::http_benchmarks,
                      primitives::service_benchmarks}) {
        std::ranges::move(make(), std::back_inserter(all));
    }
    const std::string_view wanted = argc > 2 ? argv[2] : "";
    std::erase_if(all, [wanted](const primitives::Benchmark& each) { return !each.name.contains(wanted); });
    fmt::print("{}", primitives::measure(std::move(all), static_cast<unsigned>(rounds)));
    telemetry::shutdown_log();
    return 0;
}
