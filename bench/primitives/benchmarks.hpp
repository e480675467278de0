// What is measured, by module.
#pragma once

#include <vector>

#include "harness.hpp"

namespace primitives {

std::vector<Benchmark> auth_benchmarks();
std::vector<Benchmark> http_benchmarks();
std::vector<Benchmark> resilience_benchmarks();
std::vector<Benchmark> service_benchmarks();  // deadlines, metrics, log, trace context

}  // namespace primitives
