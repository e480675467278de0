// Invariants that hold unless the program itself is wrong.
#pragma once

namespace base {

[[noreturn]] void ensure_failed(const char* condition, const char* why, const char* file, int line);

}  // namespace base

// Aborts with a message on standard error when `condition` is false; `why` says why it must hold.
#define ENSURE(condition, why)                                          \
    do {                                                                \
        if (!(condition)) [[unlikely]] {                                \
            ::base::ensure_failed(#condition, why, __FILE__, __LINE__); \
        }                                                               \
    } while (false)
