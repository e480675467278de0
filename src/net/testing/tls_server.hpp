// A TLS server on a thread of its own, with a certificate made on the spot.
#pragma once

#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>

#include "net/testing/blocking_listener.hpp"
#include "net/testing/blocking_socket.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace net::testing {

// Frees an OpenSSL object.
template <auto Free>
struct OpensslDelete {
    void operator()(auto* object) const {
        Free(object);
    }
};

using OwnedKey = std::unique_ptr<EVP_PKEY, OpensslDelete<EVP_PKEY_free>>;
using OwnedCertificate = std::unique_ptr<X509, OpensslDelete<X509_free>>;

// A self-signed certificate, its key, and both in PEM files that live as long.
class Certificate {
public:
    // `names` in OpenSSL's form: "DNS:localhost,IP:127.0.0.1".
    explicit Certificate(const std::string& names) : key(EVP_EC_gen("P-256")), certificate(X509_new()) {
        X509_set_version(certificate.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
        X509_set_pubkey(certificate.get(), key.get());
        X509_NAME* subject = X509_get_subject_name(certificate.get());
        const std::string common_name = "made for " + names;
        X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC, bytes_of(common_name), -1, -1, 0);
        X509_set_issuer_name(certificate.get(), subject);
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
        X509_add_ext(certificate.get(), extension, -1);
        X509_EXTENSION_free(extension);
        if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) {
            throw std::runtime_error("the test certificate could not be signed");
        }
        certificate_file = write_file([this](FILE* file) { PEM_write_X509(file, certificate.get()); });
        key_file = write_file(
            [this](FILE* file) { PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    }

    Certificate(const Certificate&) = delete;
    Certificate& operator=(const Certificate&) = delete;

    ~Certificate() {
        ::unlink(certificate_file.c_str());
        ::unlink(key_file.c_str());
    }

    OwnedKey key;
    OwnedCertificate certificate;
    std::string certificate_file;
    std::string key_file;

private:
    static const unsigned char* bytes_of(const std::string& text) {
        return reinterpret_cast<const unsigned char*>(text.c_str());
    }

    static std::string write_file(const std::function<void(FILE*)>& write) {
        std::string name = ::testing::TempDir() + "hokusai-certificate-XXXXXX";
        FILE* file = ::fdopen(::mkstemp(name.data()), "w");
        write(file);
        std::fclose(file);
        return name;
    }
};

// Serves one connection. `serve` runs after a good handshake; afterwards the server says goodbye properly.
class TlsServer {
public:
    struct Settings {
        std::string client_ca_file;  // not empty: asks for a client certificate that this one signed
        bool says_goodbye = true;
    };

    using Serve = std::function<void(SSL*)>;

    TlsServer(const Certificate& certificate, Serve serve, Settings settings)
        : context_(SSL_CTX_new(TLS_server_method())), settings_(std::move(settings)) {
        std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
        SSL_CTX_use_certificate(context_.get(), certificate.certificate.get());
        SSL_CTX_use_PrivateKey(context_.get(), certificate.key.get());
        if (!settings_.client_ca_file.empty()) {
            SSL_CTX_load_verify_locations(context_.get(), settings_.client_ca_file.c_str(), nullptr);
            SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        }
        thread_ = std::jthread([this, serve = std::move(serve)] { run(serve); });
    }

    [[nodiscard]] const Endpoint& endpoint() const {
        return listener_.endpoint();
    }

    // The name the client asked for. Waits for the end of the connection.
    std::string requested_name() {
        thread_.join();
        return requested_name_;
    }

private:
    void run(const Serve& serve) {
        const BlockingSocket socket = listener_.accept();
        const std::unique_ptr<SSL, OpensslDelete<SSL_free>> session(SSL_new(context_.get()));
        SSL_set_fd(session.get(), socket.descriptor());
        if (SSL_accept(session.get()) != 1) {
            return;
        }
        const char* name = SSL_get_servername(session.get(), TLSEXT_NAMETYPE_host_name);
        requested_name_ = name == nullptr ? "" : name;
        serve(session.get());
        if (settings_.says_goodbye) {
            SSL_shutdown(session.get());
        }
    }

    std::unique_ptr<SSL_CTX, OpensslDelete<SSL_CTX_free>> context_;
    Settings settings_;
    BlockingListener listener_;
    std::string requested_name_;
    std::jthread thread_;  // last, so that it ends before what it uses
};

}  // namespace net::testing
