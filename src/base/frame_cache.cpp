#include "base/frame_cache.hpp"

#include <array>
#include <new>

namespace base {

namespace {

// A frame that is used after its end must be seen by the sanitizer, so nothing is kept then.
#if __has_feature(address_sanitizer)
constexpr std::size_t kKept = 0;
#else
constexpr std::size_t kKept = 64;
#endif
constexpr std::size_t kStep = 64;
constexpr std::size_t kClasses = 2048 / kStep;

class FrameCache {
public:
    FrameCache() = default;
    FrameCache(const FrameCache&) = delete;
    FrameCache& operator=(const FrameCache&) = delete;

    ~FrameCache() {
        for (List& list : lists_) {
            while (Free* frame = list.take()) {
                ::operator delete(frame);
            }
        }
    }

    void* allocate(std::size_t size) {
        const std::size_t place = place_of(size);
        if (place >= kClasses) {
            return ::operator new(size);
        }
        void* frame = lists_[place].take();
        return frame != nullptr ? frame : ::operator new((place + 1) * kStep);
    }

    void free(void* frame, std::size_t size) {
        const std::size_t place = place_of(size);
        if (place >= kClasses || !lists_[place].keep(frame)) {
            ::operator delete(frame);
        }
    }

private:
    struct Free {
        Free* next;
    };

    struct List {
        Free* take() {
            Free* frame = first;
            if (frame != nullptr) {
                first = frame->next;
                --count;
            }
            return frame;
        }

        bool keep(void* frame) {
            if (count == kKept) {
                return false;
            }
            first = new (frame) Free{first};
            ++count;
            return true;
        }

        Free* first = nullptr;
        std::size_t count = 0;
    };

    static std::size_t place_of(std::size_t size) {
        return (size - 1) / kStep;
    }

    std::array<List, kClasses> lists_{};
};

thread_local FrameCache g_frames;

}  // namespace

void* allocate_frame(std::size_t size) {
    return g_frames.allocate(size);
}

void free_frame(void* frame, std::size_t size) noexcept {
    g_frames.free(frame, size);
}

}  // namespace base
