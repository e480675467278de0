#include "net/stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

#include "base/ensure.hpp"

#include <boost/asio/error.hpp>

namespace net {

namespace {

IoResult to_result(ssize_t count) {
    return count >= 0 ? IoResult{static_cast<std::size_t>(count), {}}
                      : IoResult{0, {errno, boost::system::system_category()}};
}

}  // namespace

bool would_block(const ErrorCode& error) {
    return error == boost::asio::error::would_block || error == boost::asio::error::try_again;
}

Stream::Descriptor::~Descriptor() {
    ::close(value);
}

Stream::Stream(Poller& poller, int descriptor) : descriptor_(descriptor), readiness_(poller, descriptor) {
    // A socket that already failed shows it at the first read.
    int on = 1;
    ::ioctl(descriptor, FIONBIO, &on);
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void Stream::notify_readable(std::function<void(bool)> on_readable) {
    if (readiness_.is_ready(Interest::readable) && !is_readable_now()) {
        readiness_.clear(Interest::readable);
    }
    readiness_.notify_readable(std::move(on_readable));
}

bool Stream::is_readable_now() {
    char byte = 0;
    const ssize_t count = ::recv(descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

bool Stream::has_peer_closed() {
    char byte = 0;
    const ssize_t count = ::recv(descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

bool Stream::is_acknowledged() const {
    int unacknowledged = 0;
    return ::ioctl(descriptor(), SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0;
}

void Stream::shutdown_send() {
    ::shutdown(descriptor(), SHUT_WR);  // the peer may be gone already
}

void Stream::reset_when_closed() {
    const linger at_once{1, 0};
    ::setsockopt(descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Stream::acknowledge_now() {
    const int on = 1;
    ::setsockopt(descriptor(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

// Reading or writing less than asked for means that there is no more until the kernel says so (epoll(7), question 9).
IoResult TcpStream::try_read(boost::asio::mutable_buffer buffer) {
    const ssize_t count = ::recv(descriptor(), buffer.data(), buffer.size(), 0);
    if (count == 0) {
        return {0, boost::asio::error::eof};
    }
    const IoResult result = to_result(count);
    if (would_block(result.error) || (count > 0 && result.bytes < buffer.size())) {
        readiness().clear(Interest::readable);
    }
    return result;
}

IoResult TcpStream::try_write(std::span<const boost::asio::const_buffer> buffers) {
    ENSURE(buffers.size() <= kMaxBuffers, "the interface promises at most so many");
    std::array<iovec, kMaxBuffers> parts{};
    std::size_t size = 0;
    msghdr message{};
    message.msg_iov = parts.data();
    for (const boost::asio::const_buffer& buffer : buffers) {
        // sendmsg() only reads from it.
        parts.at(message.msg_iovlen++) = {const_cast<void*>(buffer.data()), buffer.size()};
        size += buffer.size();
    }
    const IoResult result = to_result(::sendmsg(descriptor(), &message, MSG_NOSIGNAL));
    if (would_block(result.error) || (!result.error && result.bytes < size)) {
        readiness().clear(Interest::writable);
    }
    return result;
}

UnsentBuffers::UnsentBuffers(std::span<const boost::asio::const_buffer> buffers)
    : count_(buffers.size()), bytes_(boost::asio::buffer_size(buffers)) {
    ENSURE(count_ <= kMaxBuffers, "the interface promises at most so many");
    std::copy(buffers.begin(), buffers.end(), buffers_.begin());
}

void UnsentBuffers::consume(std::size_t bytes) {
    bytes_ -= bytes;
    for (boost::asio::const_buffer& buffer : std::span(buffers_).first(count_)) {
        const std::size_t sent = std::min(bytes, buffer.size());
        buffer += sent;
        bytes -= sent;
    }
}

}  // namespace net
