// Where a command writes, and how it ends.
#pragma once

#include <iosfwd>

namespace apps {

struct Console {
    std::ostream& out;     // results
    std::ostream& errors;  // complaints
};

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

}  // namespace apps
