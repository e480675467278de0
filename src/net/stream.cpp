#include "net/stream.hpp"

#include <array>
#include <cerrno>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

#include "base/ensure.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace net {

namespace {

constexpr std::size_t kMaxBuffers = 16;

ErrorCode last_system_error() {
    return {errno, boost::system::system_category()};
}

}  // namespace

bool would_block(const ErrorCode& error) {
    return error == boost::asio::error::would_block || error == boost::asio::error::try_again ||
           error == boost::asio::error::interrupted;
}

Stream::Stream(boost::asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
    ErrorCode ignored;  // a socket that already failed shows it at the first read
    socket_.native_non_blocking(true, ignored);
    socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
}

void Stream::cancel() {
    ErrorCode ignored;
    socket_.cancel(ignored);
}

void Stream::notify_readable(std::function<void(bool)> on_readable) {
    socket_.async_wait(boost::asio::ip::tcp::socket::wait_read,
                       [callback = std::move(on_readable)](const ErrorCode& error) {
                           callback(error == boost::asio::error::operation_aborted);
                       });
}

bool Stream::is_readable_now() {
    char byte = 0;
    const ssize_t count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

bool Stream::has_peer_closed() {
    char byte = 0;
    const ssize_t count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

void Stream::shutdown_send() {
    ErrorCode ignored;  // the peer may be gone already
    socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
}

void Stream::reset_when_closed() {
    // Not through Asio, whose destructor takes such a setting back.
    const linger at_once{1, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Stream::acknowledge_now() {
    const int on = 1;
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

TcpStream::TcpStream(boost::asio::ip::tcp::socket socket) : Stream(std::move(socket)) {}

IoResult TcpStream::try_read(boost::asio::mutable_buffer buffer) {
    const ssize_t count = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
    if (count > 0) {
        return {static_cast<std::size_t>(count), {}};
    }
    return {0, count == 0 ? ErrorCode(boost::asio::error::eof) : last_system_error()};
}

IoResult TcpStream::try_write(std::span<const boost::asio::const_buffer> buffers) {
    ENSURE(buffers.size() <= kMaxBuffers, "the interface promises at most 16 buffers");
    std::array<iovec, kMaxBuffers> parts{};
    msghdr message{};
    message.msg_iov = parts.data();
    for (const boost::asio::const_buffer& buffer : buffers) {
        // sendmsg() only reads from it.
        parts.at(message.msg_iovlen++) = {const_cast<void*>(buffer.data()), buffer.size()};
    }
    const ssize_t count = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
    if (count >= 0) {
        return {static_cast<std::size_t>(count), {}};
    }
    return {0, last_system_error()};
}

base::Task<ErrorCode> TcpStream::wait(Interest interest) {
    const auto direction = interest == Interest::readable ? boost::asio::ip::tcp::socket::wait_read
                                                          : boost::asio::ip::tcp::socket::wait_write;
    const auto [error] = co_await socket_.async_wait(direction, boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return error;
}

base::Task<ErrorCode> write_all(Stream& stream, std::span<const boost::asio::const_buffer> buffers) {
    std::array<boost::asio::const_buffer, kMaxBuffers> rest;
    std::copy(buffers.begin(), buffers.end(), rest.begin());
    std::span<boost::asio::const_buffer> pending(rest.data(), buffers.size());
    while (!pending.empty()) {
        IoResult result = stream.try_write(pending);
        if (would_block(result.error)) {
            result.error = co_await stream.wait(Interest::writable);
        }
        if (result.error) {
            co_return result.error;
        }
        while (!pending.empty() && result.bytes >= pending.front().size()) {
            result.bytes -= pending.front().size();
            pending = pending.subspan(1);
        }
        if (!pending.empty()) {
            pending.front() += result.bytes;
        }
    }
    co_return ErrorCode{};
}

}  // namespace net
