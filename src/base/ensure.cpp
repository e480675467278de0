#include "base/ensure.hpp"

#include <cstdio>
#include <cstdlib>

namespace base {

void ensure_failed(const char* condition, const char* why, const char* file, int line) {
    std::fprintf(stderr, "hokusai: broken invariant at %s:%d: %s (%s)\n", file, line, condition, why);
    std::abort();
}

}  // namespace base
