// Measures operations that take nanoseconds: CPU time of the thread and allocations, over fixed numbers of repetitions.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace primitives {

// Performs one operation that many times, on the calling thread.
using Loop = std::move_only_function<void(std::size_t repetitions)>;

struct Benchmark {
    std::string_view name;
    std::size_t repetitions;  // in each round, on each thread
    std::vector<Loop> loops;  // one for each thread; they run at the same time
};

template <class Operation>
Loop repeat(Operation operation) {
    return [operation = std::move(operation)](std::size_t repetitions) mutable {
        for (std::size_t i = 0; i < repetitions; ++i) {
            operation();
        }
    };
}

template <class Operation>
Benchmark on_one_thread(std::string_view name, std::size_t repetitions, Operation operation) {
    std::vector<Loop> loops;
    loops.push_back(repeat(std::move(operation)));
    return {name, repetitions, std::move(loops)};
}

// Each thread has its own copy of `operation`; what it refers to they share.
template <class Operation>
Benchmark on_two_threads(std::string_view name, std::size_t repetitions, const Operation& operation) {
    std::vector<Loop> loops;
    loops.push_back(repeat(operation));
    loops.push_back(repeat(operation));
    return {name, repetitions, std::move(loops)};
}

// The compiler must believe that `value` is looked at, so that it is computed.
template <class T>
void keep(const T& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

// One round of all comes before the next round of any, after one round that does not count. A JSON object by name.
std::string measure(std::vector<Benchmark> benchmarks, unsigned rounds);

}  // namespace primitives
