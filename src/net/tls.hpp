// TLS towards upstreams, over OpenSSL: verification on, TLS 1.2 or later, optional client certificate.
#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/task.hpp"
#include "net/deadline.hpp"
#include "net/stream.hpp"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace net {

struct TlsClientSettings {
    std::string ca_file;    // PEM; empty: the system's certificates
    std::string cert_file;  // PEM chain of the client certificate; empty: none
    std::string key_file;   // PEM; required with cert_file
};

// Built once at start, then shared read-only by all workers.
class TlsClientContext {
public:
    // Throws base::ConfigError naming the file that can't be used.
    explicit TlsClientContext(const TlsClientSettings& settings);
    TlsClientContext(const TlsClientContext&) = delete;
    TlsClientContext& operator=(const TlsClientContext&) = delete;

    [[nodiscard]] SSL_CTX* native() const {
        return context_.get();
    }

private:
    struct FreeContext {
        void operator()(SSL_CTX* context) const;
    };

    std::unique_ptr<SSL_CTX, FreeContext> context_;
};

class TlsStream final : public Stream {
public:
    // Takes the socket over as TcpStream does. `host` is sent as server name and is what the certificate must be for; a
    // name or an address.
    TlsStream(Poller& poller, int descriptor, const TlsClientContext& context, const std::string& host);
    ~TlsStream() override;

    // Must succeed before anything is read or written. The error says what the certificate lacks.
    // `limit` cancels the stream when it expires.
    base::Task<base::Result<void>> handshake(const Deadline& limit);

    IoResult try_read(boost::asio::mutable_buffer buffer) override;
    IoResult try_write(std::span<const boost::asio::const_buffer> buffers) override;
    [[nodiscard]] Readiness::Wait wait(Interest interest) override;

    [[nodiscard]] bool is_readable_now() override;

private:
    IoResult failed(int result, Interest& wanted);

    SSL* session_;
    // What OpenSSL waits for before trying again: it may have to write in order to read, and the other way round.
    Interest read_wants_ = Interest::readable;
    Interest write_wants_ = Interest::writable;
};

}  // namespace net
