// How often the calling thread has allocated: this program replaces the global operator new.
#pragma once

#include <cstddef>

namespace primitives {

std::size_t allocations_of_this_thread();

}  // namespace primitives
