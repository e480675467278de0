// The two byte buffers of a connection.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <boost/asio/buffer.hpp>

namespace http {

// Bytes received and not yet parsed. Starts small, so that idle connections are cheap, and grows up to `limit` when
// reads fill it.
class InputBuffer {
public:
    explicit InputBuffer(std::size_t limit) : limit_(limit) {}

    [[nodiscard]] std::string_view bytes() const {
        return {data_.get() + begin_, end_ - begin_};
    }

    void consume(std::size_t count);

    // Room for a read, or an empty buffer when `limit` bytes are waiting to be parsed.
    boost::asio::mutable_buffer prepare();
    void commit(std::size_t count);

    // Gives the memory back when nothing is buffered.
    void release_if_empty();

private:
    std::unique_ptr<char[]> data_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t limit_;
    bool was_filled_ = false;
};

}  // namespace http
