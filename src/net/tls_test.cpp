#include "net/tls.hpp"

#include <array>
#include <future>
#include <latch>
#include <memory>
#include <string>

#include "net/connector.hpp"
#include "net/testing/blocking_listener.hpp"
#include "net/testing/blocking_socket.hpp"
#include "net/testing/tls_server.hpp"
#include "net/testing/worker_fixture.hpp"

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

namespace net {
namespace {

using namespace std::chrono_literals;
using testing::call_on;
using testing::Certificate;
using testing::start_on;
using testing::TlsServer;

constexpr auto kServeNothing = [](SSL*) {};

std::string read_line(SSL* session) {
    std::string line;
    char byte = 0;
    while (SSL_read(session, &byte, 1) == 1 && byte != '\n') {
        line.push_back(byte);
    }
    return line;
}

class TlsTest : public testing::WorkerFixture {
protected:
    ~TlsTest() override {
        call_on(worker, [this] { stream_.reset(); });
    }

    base::Result<void> open(const testing::Endpoint& endpoint,
                            const std::string& host,
                            const TlsClientContext& context) {
        base::Result<std::unique_ptr<Stream>> opened = run(connect(worker, {endpoint, &context, host}, 5s));
        if (!opened) {
            return std::unexpected(opened.error());
        }
        stream_ = std::move(*opened);
        return {};
    }

    // What the first read that does not block gives.
    IoResult read_some(std::string& into) {
        std::array<char, 16UL * 1024> bytes{};
        IoResult result{0, boost::asio::error::would_block};
        while (would_block(result.error)) {
            EXPECT_EQ(run(wait(*stream_, Interest::readable)), ErrorCode());
            result = call_on(worker, [&] { return stream_->try_read(boost::asio::buffer(bytes)); });
        }
        into.append(bytes.data(), result.bytes);
        return result;
    }

    IoResult read_to_end(std::string& into) {
        IoResult last;
        while (!last.error) {
            last = read_some(into);
        }
        return last;
    }

    ErrorCode write(std::string_view text) {
        const std::array<boost::asio::const_buffer, 3> parts{
            boost::asio::buffer(text.substr(0, 1)), boost::asio::const_buffer(), boost::asio::buffer(text.substr(1))};
        return run(write_all(*stream_, parts));
    }

    Certificate certificate_{"DNS:localhost,DNS:mlflow.test,IP:127.0.0.1"};
    TlsClientContext trusting_{{.ca_file = certificate_.certificate_file, .cert_file = {}, .key_file = {}}};
    std::unique_ptr<Stream> stream_;
    std::string text_;
};

TEST_F(TlsTest, talks_to_a_server_with_a_certificate_for_its_name) {
    TlsServer server(certificate_,
                     [](SSL* session) {
                         const std::string answer = "you said " + read_line(session);
                         SSL_write(session, answer.data(), static_cast<int>(answer.size()));
                     },
                     {});
    const base::Result<void> opened = open(server.endpoint(), "mlflow.test", trusting_);
    ASSERT_TRUE(opened) << opened.error().message;

    EXPECT_EQ(write("hello\n"), ErrorCode());

    EXPECT_EQ(read_to_end(text_).error, boost::asio::error::eof);
    EXPECT_EQ(text_, "you said hello");
    EXPECT_EQ(server.requested_name(), "mlflow.test");
}

TEST_F(TlsTest, takes_an_address_that_the_certificate_names_and_asks_for_no_server_name) {
    TlsServer server(certificate_, kServeNothing, {});

    const base::Result<void> opened = open(server.endpoint(), "127.0.0.1", trusting_);

    EXPECT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(server.requested_name(), "");
}

TEST_F(TlsTest, refuses_a_certificate_for_another_name_or_address) {
    for (const std::string host : {"other.test", "localhost.other.test", "127.0.0.2"}) {
        const TlsServer server(certificate_, kServeNothing, {});

        const base::Result<void> opened = open(server.endpoint(), host, trusting_);

        ASSERT_FALSE(opened) << host;
        EXPECT_EQ(opened.error().code, base::Code::unavailable);
        EXPECT_NE(opened.error().message.find("mismatch"), std::string::npos) << opened.error().message;
        EXPECT_TRUE(opened.error().message.starts_with("connecting to 127.0.0.1:")) << opened.error().message;
    }
}

TEST_F(TlsTest, refuses_a_certificate_nobody_trusts) {
    const Certificate stranger("DNS:localhost");
    for (const std::string& ca_file : {std::string(), certificate_.certificate_file}) {
        const TlsServer server(stranger, kServeNothing, {});
        const TlsClientContext context({.ca_file = ca_file, .cert_file = {}, .key_file = {}});

        const base::Result<void> opened = open(server.endpoint(), "localhost", context);

        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, base::Code::unavailable);
        EXPECT_NE(opened.error().message.find("self-signed"), std::string::npos) << opened.error().message;
        EXPECT_NE(opened.error().message.find("HOKUSAI_MLFLOW_CA_FILE"), std::string::npos) << opened.error().message;
    }
}

TEST_F(TlsTest, says_so_when_the_server_does_not_speak_tls) {
    testing::BlockingListener listener;
    auto opening = start_on(worker, connect(worker, {listener.endpoint(), &trusting_, "localhost"}, 5s));
    testing::BlockingSocket server = listener.accept();
    server.send("220 mail.example.org ready\r\n");

    const auto opened = opening.get();

    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, base::Code::unavailable);
    EXPECT_NE(opened.error().message.find("TLS handshake failed: "), std::string::npos) << opened.error().message;
}

TEST_F(TlsTest, gives_up_on_a_handshake_at_the_limit_of_the_connect) {
    testing::BlockingListener listener;
    auto opening = start_on(worker, connect(worker, {listener.endpoint(), &trusting_, "localhost"}, 2s));
    const testing::BlockingSocket silent = listener.accept();

    const auto opened = advance_until(std::move(opening), 3s);

    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, base::Code::deadline_exceeded);
    EXPECT_NE(opened.error().message.find("within 2000 ms"), std::string::npos) << opened.error().message;
}

TEST_F(TlsTest, shows_its_own_certificate_to_a_server_that_asks) {
    const Certificate own("DNS:client.test");
    const TlsClientContext with_certificate(
        {.ca_file = certificate_.certificate_file, .cert_file = own.certificate_file, .key_file = own.key_file});
    const TlsServer server(
        certificate_, [](SSL* session) { SSL_write(session, "welcome", 7); }, {.client_ca_file = own.certificate_file});

    ASSERT_TRUE(open(server.endpoint(), "localhost", with_certificate));

    EXPECT_EQ(read_to_end(text_).error, boost::asio::error::eof);
    EXPECT_EQ(text_, "welcome");
}

TEST_F(TlsTest, carries_more_than_any_buffer_holds_in_both_directions) {
    const std::string large(6UL * 1024 * 1024, 'z');
    const TlsServer server(certificate_,
                           [&large](SSL* session) {
                               std::string received(large.size(), '\0');
                               std::size_t size = 0;
                               while (size < received.size()) {
                                   const int count = SSL_read(
                                       session, received.data() + size, static_cast<int>(received.size() - size));
                                   if (count <= 0) {
                                       return;
                                   }
                                   size += static_cast<std::size_t>(count);
                               }
                               SSL_write(session, received.data(), static_cast<int>(received.size()));
                           },
                           {});
    ASSERT_TRUE(open(server.endpoint(), "localhost", trusting_));

    EXPECT_EQ(write(large), ErrorCode());

    EXPECT_EQ(read_to_end(text_).error, boost::asio::error::eof);
    EXPECT_TRUE(text_ == large) << text_.size();
}

TEST_F(TlsTest, does_not_wait_for_bytes_it_has_decrypted_already) {
    std::latch may_end(1);
    const TlsServer server(certificate_,
                           [&may_end](SSL* session) {
                               SSL_write(session, "abc", 3);
                               may_end.wait();
                           },
                           {});
    ASSERT_TRUE(open(server.endpoint(), "localhost", trusting_));
    std::array<char, 1> one{};
    IoResult result{0, boost::asio::error::would_block};
    while (would_block(result.error)) {
        EXPECT_EQ(run(wait(*stream_, Interest::readable)), ErrorCode());
        result = call_on(worker, [&] { return stream_->try_read(boost::asio::buffer(one)); });
    }
    EXPECT_EQ(result.bytes, 1U);

    const std::future<ErrorCode> waited = start_on(worker, wait(*stream_, Interest::readable));

    EXPECT_EQ(waited.wait_for(5s), std::future_status::ready);
    EXPECT_TRUE(call_on(worker, [&] { return stream_->is_readable_now(); }));
    EXPECT_EQ(call_on(worker, [&] { return stream_->try_read(boost::asio::buffer(one)); }).bytes, 1U);
    EXPECT_EQ(one[0], 'b');
    may_end.count_down();
}

TEST_F(TlsTest, takes_session_tickets_for_no_answer) {
    std::latch may_end(1);
    const TlsServer server(certificate_, [&may_end](SSL*) { may_end.wait(); }, {});
    ASSERT_TRUE(open(server.endpoint(), "localhost", trusting_));
    EXPECT_EQ(run(wait(*stream_, Interest::readable)), ErrorCode()) << "TLS 1.3 sends tickets after the handshake";

    const bool is_readable = call_on(worker, [this] { return stream_->is_readable_now(); });

    EXPECT_FALSE(is_readable);
    may_end.count_down();
    EXPECT_EQ(read_to_end(text_).error, boost::asio::error::eof);
    EXPECT_TRUE(call_on(worker, [this] { return stream_->is_readable_now(); }));
}

TEST_F(TlsTest, tells_a_connection_cut_short_from_one_that_ended) {
    const TlsServer server(
        certificate_, [](SSL* session) { SSL_write(session, "ab", 2); }, {.client_ca_file = {}, .says_goodbye = false});
    ASSERT_TRUE(open(server.endpoint(), "localhost", trusting_));

    EXPECT_EQ(read_to_end(text_).error, boost::asio::error::connection_reset);
    EXPECT_EQ(text_, "ab");
}

TEST(TlsClientContextTest, names_the_setting_and_the_file_it_can_not_use) {
    const Certificate good("DNS:localhost");
    const std::string missing = "/does/not/exist.pem";
    const auto refusal = [](const TlsClientSettings& settings) -> std::string {
        try {
            const TlsClientContext context(settings);
        } catch (const base::ConfigError& error) {
            return error.what();
        }
        return "no ConfigError";
    };

    EXPECT_TRUE(refusal({missing, "", ""}).starts_with("HOKUSAI_MLFLOW_CA_FILE: cannot use " + missing));
    EXPECT_TRUE(refusal({"", missing, good.key_file}).starts_with("HOKUSAI_MLFLOW_CERT_FILE: cannot use " + missing));
    EXPECT_TRUE(
        refusal({"", good.certificate_file, missing}).starts_with("HOKUSAI_MLFLOW_KEY_FILE: cannot use " + missing));
    const Certificate other("DNS:localhost");
    EXPECT_TRUE(refusal({"", good.certificate_file, other.key_file}).starts_with("HOKUSAI_MLFLOW_KEY_FILE"));
}

}  // namespace
}  // namespace net
