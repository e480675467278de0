// A shortage every long-lived server meets one day.
#pragma once

#include <sys/resource.h>

namespace net::testing {

// UBSan opens a pipe for its type checks and takes every object for a wrong one without it.
#if __has_feature(undefined_behavior_sanitizer)
inline constexpr bool kCanLackDescriptors = false;
#else
inline constexpr bool kCanLackDescriptors = true;
#endif

// Takes every descriptor away from the process while it lives.
class NoDescriptorsLeft {
public:
    NoDescriptorsLeft() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
    }

    ~NoDescriptorsLeft() {
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }

private:
    rlimit before_{};
};

}  // namespace net::testing
