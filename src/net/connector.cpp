#include "net/connector.hpp"

#include "net/use_task.hpp"

#include <fmt/format.h>

namespace net {

namespace {

std::string name_of(const ConnectTarget& target) {
    return target.endpoint.address().to_string() + ":" + std::to_string(target.endpoint.port());
}

bool is_local_shortage(const ErrorCode& error) {
    return error == boost::system::errc::too_many_files_open ||
           error == boost::system::errc::too_many_files_open_in_system ||
           error == boost::system::errc::no_buffer_space || error == boost::system::errc::address_not_available ||
           error == boost::system::errc::not_enough_memory;
}

template <class StreamType, class... Arguments>
base::Result<std::unique_ptr<StreamType>> open_stream(Worker& worker,
                                                      boost::asio::ip::tcp::socket& socket,
                                                      const Arguments&... arguments) {
    try {
        return std::make_unique<StreamType>(worker.poller(), socket.release(), arguments...);
    } catch (const boost::system::system_error& error) {
        return base::fail(base::Code::exhausted, error.what());
    }
}

base::Error timed_out(const ConnectTarget& target, base::Duration limit) {
    return {base::Code::deadline_exceeded,
            fmt::format("no connection to {} within {} ms",
                        name_of(target),
                        std::chrono::duration_cast<std::chrono::milliseconds>(limit).count())};
}

}  // namespace

base::Task<base::Result<std::unique_ptr<Stream>>> connect(Worker& worker, ConnectTarget target, base::Duration limit) {
    boost::asio::ip::tcp::socket socket(worker.context());
    Stream* stream_in_handshake = nullptr;
    Deadline deadline(worker.deadlines(), [&socket, &stream_in_handshake] {
        ErrorCode ignored;
        if (stream_in_handshake != nullptr) {
            stream_in_handshake->cancel();
        } else {
            socket.cancel(ignored);
        }
    });
    deadline.set(worker.now() + limit);

    const auto [error] = co_await socket.async_connect(target.endpoint, use_task);
    if (deadline.has_expired()) {
        co_return std::unexpected(timed_out(target, limit));
    }
    if (error) {
        co_return base::fail(is_local_shortage(error) ? base::Code::exhausted : base::Code::unavailable,
                             fmt::format("cannot connect to {}: {}", name_of(target), error.message()));
    }
    if (target.tls == nullptr) {
        co_return open_stream<TcpStream>(worker, socket);
    }
    base::Result<std::unique_ptr<TlsStream>> opened = open_stream<TlsStream>(worker, socket, *target.tls, target.host);
    if (!opened) {
        co_return std::unexpected(opened.error());
    }
    std::unique_ptr<TlsStream> stream = std::move(*opened);
    stream_in_handshake = stream.get();
    const base::Result<void> handshake = co_await stream->handshake(deadline);
    if (deadline.has_expired()) {
        co_return std::unexpected(timed_out(target, limit));
    }
    if (!handshake) {
        co_return std::unexpected(handshake.error().context("connecting to " + name_of(target)));
    }
    co_return stream;
}

}  // namespace net
