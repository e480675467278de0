// Memory of coroutine frames, kept for the next frame of the same size: a request needs about twenty, and the general
// allocator's own cache holds seven of a size.
#pragma once

#include <cstddef>

namespace base {

// One cache a thread; frames may be given back on another thread than they came from. Both are thread-safe. At most
// 64 frames of each size up to 2 KiB are kept.
void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

}  // namespace base
