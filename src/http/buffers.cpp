#include "http/buffers.hpp"

#include <algorithm>
#include <cstring>

namespace http {

namespace {

constexpr std::size_t kFirstCapacity = 8UL * 1024;
constexpr std::size_t kGrowth = 4;

}  // namespace

void InputBuffer::consume(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) {
        begin_ = end_ = 0;
    }
}

boost::asio::mutable_buffer InputBuffer::prepare() {
    const std::size_t size = end_ - begin_;
    if (capacity_ == 0 || ((was_filled_ || size == capacity_) && capacity_ < limit_)) {
        const std::size_t capacity =
            capacity_ == 0 ? std::min(kFirstCapacity, limit_) : std::min(capacity_ * kGrowth, limit_);
        auto grown = std::make_unique_for_overwrite<char[]>(capacity);
        if (size > 0) {
            std::memcpy(grown.get(), data_.get() + begin_, size);
        }
        data_ = std::move(grown);
        capacity_ = capacity;
        begin_ = 0;
        end_ = size;
        was_filled_ = false;
    } else if (begin_ > 0 && end_ == capacity_) {
        std::memmove(data_.get(), data_.get() + begin_, size);
        begin_ = 0;
        end_ = size;
    }
    return {data_.get() + end_, capacity_ - end_};
}

void InputBuffer::commit(std::size_t count) {
    end_ += count;
    was_filled_ = end_ == capacity_ && begin_ == 0;
}

void InputBuffer::release_if_empty() {
    if (begin_ == end_) {
        data_.reset();
        capacity_ = begin_ = end_ = 0;
        was_filled_ = false;
    }
}

}  // namespace http
