#include "http/client_connection.hpp"

#include <array>
#include <future>
#include <memory>
#include <string>

#include "net/testing/blocking_listener.hpp"
#include "net/testing/blocking_socket.hpp"
#include "net/testing/worker_fixture.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

using namespace std::chrono_literals;
using net::testing::BlockingListener;
using net::testing::BlockingSocket;
using net::testing::call_on;
using net::testing::start_on;

class ClientConnectionTest : public net::testing::WorkerFixture {
protected:
    ClientConnectionTest() {
        boost::asio::ip::tcp::socket socket(worker.context());
        socket.connect(listener_.endpoint());
        connection_ = std::make_unique<ClientConnection>(
            worker, std::make_unique<net::TcpStream>(worker.poller(), socket.release()), ParserLimits{});
        upstream_ = std::make_unique<BlockingSocket>(listener_.accept());
    }

    ~ClientConnectionTest() override {
        call_on(worker, [this] { connection_.reset(); });
    }

    // What a whole exchange gives: "status body", or "code: message".
    static base::Task<std::string> exchange(ClientConnection& connection, Method method, base::MonotonicTime limit) {
        const base::Result<const ResponseHead*> head = co_await connection.read_head(method, limit);
        if (!head) {
            co_return std::string(to_string(head.error().code)) + ": " + head.error().message;
        }
        std::string text = std::to_string((*head)->status) + " ";
        for (;;) {
            const base::Result<std::string_view> piece = co_await connection.read_body(5s);
            if (!piece) {
                co_return text + " " + std::string(to_string(piece.error().code)) + ": " + piece.error().message;
            }
            if (piece->empty()) {
                co_return text;
            }
            text += *piece;
        }
    }

    std::future<std::string> start_exchange(Method method = Method::get) {
        call_on(worker, [this] {
            connection_->start_request();
            connection_->end_request();
        });
        return start_on(worker, exchange(*connection_, method, clock.now() + 10s));
    }

    std::string exchange_with(std::string_view answer, Method method = Method::get) {
        std::future<std::string> result = start_exchange(method);
        upstream_->send(answer);
        return result.get();
    }

    bool is_reusable() {
        return call_on(worker, [this] { return connection_->is_reusable(); });
    }

    base::Result<void> write(const std::string& text) {
        const std::array<boost::asio::const_buffer, 1> buffers{boost::asio::buffer(text)};
        return run(connection_->write(buffers, 5s));
    }

    BlockingListener listener_;
    std::unique_ptr<BlockingSocket> upstream_;
    std::unique_ptr<ClientConnection> connection_;
};

TEST_F(ClientConnectionTest, sends_what_it_is_given) {
    const std::array<boost::asio::const_buffer, 3> buffers{
        boost::asio::buffer("GET / ", 6), boost::asio::const_buffer(), boost::asio::buffer("HTTP/1.1", 8)};

    EXPECT_TRUE(run(connection_->write(buffers, 5s)));

    EXPECT_EQ(upstream_->receive(14), "GET / HTTP/1.1");
}

TEST_F(ClientConnectionTest, reads_answer_after_answer) {
    EXPECT_EQ(exchange_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), "200 hi");
    EXPECT_TRUE(is_reusable());
    EXPECT_FALSE(connection_->is_reused());

    EXPECT_EQ(
        exchange_with("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\nT: 1\r\n\r\n"),
        "404 abc");
    EXPECT_TRUE(is_reusable());
    EXPECT_TRUE(connection_->is_reused());

    EXPECT_EQ(exchange_with("HTTP/1.1 204 No Content\r\n\r\n"), "204 ");
    EXPECT_TRUE(is_reusable());
    EXPECT_EQ(exchange_with("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", Method::head), "200 ");
    EXPECT_TRUE(is_reusable());
}

TEST_F(ClientConnectionTest, reads_an_answer_byte_after_byte) {
    std::future<std::string> result = start_exchange();
    for (const char byte : std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")) {
        upstream_->send({&byte, 1});
    }
    EXPECT_EQ(result.get(), "200 hi");
}

TEST_F(ClientConnectionTest, skips_interim_answers) {
    EXPECT_EQ(exchange_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
                            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
              "200 hi");
    EXPECT_TRUE(is_reusable());
}

TEST_F(ClientConnectionTest, reads_a_body_that_lasts_until_the_close) {
    std::future<std::string> result = start_exchange();
    upstream_->send("HTTP/1.1 200 OK\r\n\r\nall of it");
    upstream_->close();

    EXPECT_EQ(result.get(), "200 all of it");
    EXPECT_FALSE(is_reusable());
}

TEST_F(ClientConnectionTest, is_not_reusable_when_the_upstream_says_close_or_is_old) {
    EXPECT_EQ(exchange_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), "200 ");
    EXPECT_FALSE(is_reusable());
    EXPECT_EQ(exchange_with("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), "200 ");
    EXPECT_FALSE(is_reusable());
}

TEST_F(ClientConnectionTest, is_not_reusable_before_the_body_is_read_or_when_more_than_the_answer_came) {
    connection_->end_request();
    const auto head = start_on(worker, connection_->read_head(Method::get, clock.now() + 10s));
    upstream_->send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    head.wait();
    EXPECT_FALSE(is_reusable());
    EXPECT_EQ(run(connection_->read_body(5s)).value(), "hi");
    EXPECT_EQ(run(connection_->read_body(5s)).value(), "");
    EXPECT_TRUE(is_reusable());

    EXPECT_EQ(exchange_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n"), "200 hi");
    EXPECT_FALSE(is_reusable());
}

TEST_F(ClientConnectionTest, is_not_reusable_when_the_request_was_left_unfinished) {
    call_on(worker, [this] { connection_->start_request(); });
    upstream_->send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_EQ(run(exchange(*connection_, Method::post, clock.now() + 10s)), "200 hi");

    EXPECT_FALSE(is_reusable());
}

TEST_F(ClientConnectionTest, knows_whether_a_byte_of_the_request_went_out) {
    connection_->start_request();
    EXPECT_FALSE(connection_->has_sent());
    EXPECT_TRUE(write("G"));
    EXPECT_TRUE(connection_->has_sent());
    connection_->start_request();
    EXPECT_FALSE(connection_->has_sent());
}

TEST_F(ClientConnectionTest, tells_whether_a_byte_of_the_answer_came_before_the_end) {
    upstream_->close();
    EXPECT_EQ(start_exchange().get(), "unavailable: the upstream closed the connection");
    EXPECT_FALSE(connection_->has_received());
}

TEST_F(ClientConnectionTest, tells_an_answer_cut_short_in_its_head) {
    std::future<std::string> result = start_exchange();
    upstream_->send("HTTP/1.1 200 OK\r\nContent-Le");
    upstream_->close();

    EXPECT_EQ(result.get(), "unavailable: the upstream closed the connection");
    EXPECT_TRUE(connection_->has_received());
    EXPECT_FALSE(is_reusable());
}

TEST_F(ClientConnectionTest, tells_a_body_cut_short_of_its_length) {
    std::future<std::string> result = start_exchange();
    upstream_->send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    upstream_->close();

    EXPECT_EQ(result.get(), "200 ab unavailable: the upstream closed the connection");
    EXPECT_FALSE(is_reusable());
}

TEST_F(ClientConnectionTest, tells_a_chunked_body_cut_short_of_its_last_chunk) {
    std::future<std::string> result = start_exchange();
    upstream_->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
    upstream_->close();

    EXPECT_EQ(result.get(), "200 ab unavailable: the upstream closed the connection");
}

TEST_F(ClientConnectionTest, tells_a_reset) {
    std::future<std::string> result = start_exchange();
    upstream_->reset();

    EXPECT_EQ(result.get(), "unavailable: the connection to the upstream broke: Connection reset by peer");
}

TEST_F(ClientConnectionTest, trusts_no_answer_that_is_not_http) {
    EXPECT_TRUE(exchange_with("220 mail.example.org ready\r\n\r\n")
                    .starts_with("data_loss: the upstream's answer cannot be trusted: "));
    EXPECT_FALSE(is_reusable());
}

TEST_F(ClientConnectionTest, waits_for_the_head_until_its_limit) {
    EXPECT_EQ(advance_until(start_exchange(), 11s), "deadline_exceeded: the upstream did not answer in time");
    EXPECT_FALSE(is_reusable());
}

TEST_F(ClientConnectionTest, waits_for_each_piece_of_the_body_until_its_limit) {
    std::future<std::string> result = start_exchange();
    upstream_->send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");

    EXPECT_EQ(advance_until(std::move(result), 6s), "200 ab deadline_exceeded: the upstream did not answer in time");
}

TEST_F(ClientConnectionTest, gives_up_on_an_upstream_that_takes_nothing) {
    const std::string large(64UL * 1024 * 1024, 'x');
    const std::array<boost::asio::const_buffer, 1> buffers{boost::asio::buffer(large)};

    const base::Result<void> written = advance_until(start_on(worker, connection_->write(buffers, 5s)), 6s);

    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, base::Code::deadline_exceeded);
}

TEST_F(ClientConnectionTest, ends_what_waits_when_cancelled) {
    std::future<std::string> result = start_exchange();
    call_on(worker, [this] { connection_->cancel(); });

    EXPECT_EQ(result.get(), "cancelled: the exchange was ended");
    EXPECT_FALSE(is_reusable());
    EXPECT_EQ(start_exchange().get(), "cancelled: the exchange was ended");
}

TEST_F(ClientConnectionTest, gives_without_waiting_what_has_arrived) {
    const auto head = start_on(worker, connection_->read_head(Method::get, clock.now() + 10s));
    upstream_->send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    head.wait();

    EXPECT_EQ(call_on(worker, [this] { return connection_->read_buffered_body(); }).value(), "ab");
    EXPECT_EQ(call_on(worker, [this] { return connection_->read_buffered_body(); }).value(), "");
    EXPECT_FALSE(connection_->is_body_complete());
    upstream_->send("cd");
    EXPECT_EQ(run(connection_->read_body(5s)).value(), "cd");
    EXPECT_EQ(call_on(worker, [this] { return connection_->read_buffered_body(); }).value(), "");
    EXPECT_TRUE(connection_->is_body_complete());
}

TEST_F(ClientConnectionTest, notices_an_upstream_that_ended_or_spoke_out_of_turn) {
    EXPECT_TRUE(call_on(worker, [this] { return connection_->is_quiet(); }));
    upstream_->send("x");
    EXPECT_FALSE(call_on(worker, [this] { return connection_->is_quiet(); }));
}

TEST_F(ClientConnectionTest, ends_a_write_when_the_upstream_answers_early_and_can_read_that_answer) {
    std::promise<void> answered;
    call_on(worker, [&] { connection_->watch_for_early_answer([&answered] { answered.set_value(); }); });
    const std::string large(64UL * 1024 * 1024, 'x');
    const std::array<boost::asio::const_buffer, 1> buffers{boost::asio::buffer(large)};
    auto writing = start_on(worker, connection_->write(buffers, 5s));

    upstream_->send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");

    answered.get_future().get();
    EXPECT_FALSE(writing.get());
    EXPECT_TRUE(connection_->has_early_answer());
    call_on(worker, [this] { connection_->stop_watching(); });
    EXPECT_EQ(run(exchange(*connection_, Method::post, clock.now() + 10s)), "413 no");
    EXPECT_FALSE(is_reusable());
}

TEST_F(ClientConnectionTest, stops_watching_without_a_trace) {
    call_on(worker, [this] {
        connection_->watch_for_early_answer([] { ADD_FAILURE() << "told after the end of the watch"; });
        connection_->stop_watching();
    });
    EXPECT_EQ(exchange_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), "200 hi");
    EXPECT_TRUE(write("more"));
    EXPECT_FALSE(connection_->has_early_answer());
    EXPECT_TRUE(is_reusable());
}

}  // namespace
}  // namespace http
