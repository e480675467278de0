#include "net/tls.hpp"

#include <algorithm>
#include <utility>

#include "base/ensure.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <climits>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace net {

namespace {

std::string openssl_reason() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "unknown TLS error" : reason;
}

std::string reason_of_distrust(long verdict) {
    const std::string reason = X509_verify_cert_error_string(verdict);
    const bool is_of_unknown_origin = verdict == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
                                      verdict == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
                                      verdict == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    return is_of_unknown_origin
               ? reason + "; to trust it, install ca-certificates or name its authority in HOKUSAI_MLFLOW_CA_FILE"
               : reason;
}

[[noreturn]] void refuse_file(const char* setting, const std::string& file) {
    throw base::ConfigError(std::string(setting) + ": cannot use " + file + ": " + openssl_reason() +
                            "; it must be a readable PEM file");
}

}  // namespace

TlsClientContext::TlsClientContext(const TlsClientSettings& settings) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX* context = context_.get();
    ENSURE(context != nullptr, "OpenSSL has memory for one context at start");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (settings.ca_file.empty()) {
        SSL_CTX_set_default_verify_paths(context);
    } else if (SSL_CTX_load_verify_locations(context, settings.ca_file.c_str(), nullptr) != 1) {
        refuse_file("HOKUSAI_MLFLOW_CA_FILE", settings.ca_file);
    }
    if (settings.cert_file.empty()) {
        return;
    }
    if (SSL_CTX_use_certificate_chain_file(context, settings.cert_file.c_str()) != 1) {
        refuse_file("HOKUSAI_MLFLOW_CERT_FILE", settings.cert_file);
    }
    if (SSL_CTX_use_PrivateKey_file(context, settings.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        refuse_file("HOKUSAI_MLFLOW_KEY_FILE", settings.key_file);
    }
}

void TlsClientContext::FreeContext::operator()(SSL_CTX* context) const {
    SSL_CTX_free(context);
}

TlsStream::TlsStream(Poller& poller, int owned, const TlsClientContext& context, const std::string& host)
    : Stream(poller, owned), session_(SSL_new(context.native())) {
    ENSURE(session_ != nullptr, "OpenSSL has memory for a session");
    SSL_set_fd(session_, descriptor());
    SSL_set_connect_state(session_);
    ErrorCode not_an_address;
    boost::asio::ip::make_address(host, not_an_address);
    if (not_an_address) {
        SSL_set_tlsext_host_name(session_, host.c_str());
        SSL_set1_host(session_, host.c_str());
    } else {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session_), host.c_str());
    }
}

TlsStream::~TlsStream() {
    // A connection that is dropped sends its close_notify if the socket takes it; nobody waits for the answer.
    if (SSL_is_init_finished(session_) == 1) {
        SSL_shutdown(session_);
    }
    ERR_clear_error();
    SSL_free(session_);
}

base::Task<base::Result<void>> TlsStream::handshake(const Deadline& limit) {
    for (;;) {
        const int result = SSL_do_handshake(session_);
        if (result == 1) {
            co_return base::Result<void>{};
        }
        const int reason = SSL_get_error(session_, result);
        if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) {
            const long verdict = SSL_get_verify_result(session_);
            const std::string detail = verdict == X509_V_OK ? openssl_reason() : reason_of_distrust(verdict);
            ERR_clear_error();
            co_return base::fail(base::Code::unavailable, "TLS handshake failed: " + detail);
        }
        ErrorCode error = boost::asio::error::operation_aborted;
        if (!limit.has_expired()) {
            const Interest wanted = reason == SSL_ERROR_WANT_READ ? Interest::readable : Interest::writable;
            readiness().clear(wanted);
            error = co_await Readiness::Wait(readiness(), wanted);
        }
        if (error) {
            co_return base::fail(base::Code::deadline_exceeded, "TLS handshake did not end in time");
        }
    }
}

IoResult TlsStream::failed(int result, Interest& wanted) {
    const int reason = SSL_get_error(session_, result);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
        wanted = reason == SSL_ERROR_WANT_READ ? Interest::readable : Interest::writable;
        readiness().clear(wanted);
        return {0, boost::asio::error::would_block};
    }
    ERR_clear_error();
    if (reason == SSL_ERROR_ZERO_RETURN) {
        return {0, boost::asio::error::eof};
    }
    return {0, boost::asio::error::connection_reset};
}

IoResult TlsStream::try_read(boost::asio::mutable_buffer buffer) {
    const int result =
        SSL_read(session_, buffer.data(), static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX)));
    if (result <= 0) {
        return failed(result, read_wants_);
    }
    read_wants_ = Interest::readable;
    return {static_cast<std::size_t>(result), {}};
}

IoResult TlsStream::try_write(std::span<const boost::asio::const_buffer> buffers) {
    IoResult total;
    for (const boost::asio::const_buffer& buffer : buffers) {
        if (buffer.size() == 0) {
            continue;
        }
        const int result =
            SSL_write(session_, buffer.data(), static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX)));
        if (result <= 0) {
            return total.bytes > 0 ? total : failed(result, write_wants_);
        }
        write_wants_ = Interest::writable;
        total.bytes += static_cast<std::size_t>(result);
        if (static_cast<std::size_t>(result) < buffer.size()) {
            break;
        }
    }
    return total;
}

Readiness::Wait TlsStream::wait(Interest interest) {
    Readiness::Wait wait(readiness(), interest == Interest::readable ? read_wants_ : write_wants_);
    if (interest == Interest::readable && SSL_pending(session_) > 0) {
        wait.end_at_once();
    }
    return wait;
}

bool TlsStream::is_readable_now() {
    // Session tickets arrive after the handshake, so bytes on the socket alone do not mean that the peer said
    // something.
    char byte = 0;
    const int result = SSL_peek(session_, &byte, 1);
    return result > 0 || !would_block(failed(result, read_wants_).error);
}

}  // namespace net
