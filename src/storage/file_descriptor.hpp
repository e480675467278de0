// Ownership of a POSIX file descriptor.
#pragma once

#include <unistd.h>
#include <utility>

namespace storage {

class FileDescriptor {
public:
    // Takes what open(2) returned; a negative number owns nothing.
    explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}

    FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }

    ~FileDescriptor() {
        if (is_open()) {
            ::close(descriptor_);
        }
    }

    [[nodiscard]] bool is_open() const {
        return descriptor_ >= 0;
    }

    [[nodiscard]] int get() const {
        return descriptor_;
    }

private:
    int descriptor_;
};

}  // namespace storage
