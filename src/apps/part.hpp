// A part of the service that waits for the disk, as far as its beginning and its end are concerned.
#pragma once

#include "net/worker.hpp"

namespace apps {

// Begun and ended on the control thread, in this order.
class Part {
public:
    Part() = default;
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    virtual ~Part() = default;

    // Begins what it does by itself, as tasks of the control worker, which go on until stop().
    virtual void start(net::Worker& /*control*/) {}

    virtual void stop() {}

    // Whether nobody waits for the disk.
    [[nodiscard]] virtual bool is_idle() const = 0;

    // Waits for what is being read or written; nothing may be asked afterwards.
    virtual void join() = 0;
};

}  // namespace apps
