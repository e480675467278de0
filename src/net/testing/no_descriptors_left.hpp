// A shortage every long-lived server meets one day.
#pragma once

#include <sys/resource.h>

namespace net::testing {

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
