#include "net/stream.hpp"

#include <array>
#include <future>
#include <memory>
#include <string>

#include "net/testing/blocking_listener.hpp"
#include "net/testing/blocking_socket.hpp"
#include "net/testing/worker_fixture.hpp"

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

namespace net {
namespace {

using testing::BlockingListener;
using testing::BlockingSocket;
using testing::call_on;
using testing::start_on;

class TcpStreamTest : public testing::WorkerFixture {
protected:
    TcpStreamTest() {
        boost::asio::ip::tcp::socket socket(worker.context());
        socket.connect(listener_.endpoint());
        call_on(worker, [&] { stream_ = std::make_unique<TcpStream>(worker.poller(), socket.release()); });
        peer_ = std::make_unique<BlockingSocket>(listener_.accept());
    }

    ~TcpStreamTest() override {
        call_on(worker, [this] { stream_.reset(); });
    }

    IoResult read(std::string& into, std::size_t size = 100) {
        std::array<char, 100> bytes{};
        const IoResult result = call_on(worker, [&] { return stream_->try_read({bytes.data(), size}); });
        into.assign(bytes.data(), result.bytes);
        return result;
    }

    void wait_readable() {
        EXPECT_EQ(run(wait(*stream_, Interest::readable)), ErrorCode());
    }

    BlockingListener listener_;
    std::unique_ptr<BlockingSocket> peer_;
    std::unique_ptr<TcpStream> stream_;
    std::string text_;
};

TEST_F(TcpStreamTest, says_that_reading_would_block_when_nothing_is_there) {
    EXPECT_TRUE(would_block(read(text_).error));
    EXPECT_FALSE(call_on(worker, [this] { return stream_->is_readable_now(); }));
    EXPECT_FALSE(call_on(worker, [this] { return stream_->has_peer_closed(); }));
}

TEST_F(TcpStreamTest, reads_what_is_there_and_leaves_the_rest) {
    peer_->send("hello");
    wait_readable();
    EXPECT_TRUE(call_on(worker, [this] { return stream_->is_readable_now(); }));

    EXPECT_EQ(read(text_, 3).bytes, 3U);
    EXPECT_EQ(text_, "hel");
    EXPECT_EQ(read(text_).bytes, 2U);
    EXPECT_EQ(text_, "lo");
    EXPECT_TRUE(would_block(read(text_).error));
}

TEST_F(TcpStreamTest, tells_the_end_only_after_the_last_byte) {
    peer_->send("x");
    peer_->end_sending();
    wait_readable();
    EXPECT_FALSE(call_on(worker, [this] { return stream_->has_peer_closed(); }));

    EXPECT_EQ(read(text_).bytes, 1U);
    wait_readable();

    EXPECT_TRUE(call_on(worker, [this] { return stream_->has_peer_closed(); }));
    EXPECT_TRUE(call_on(worker, [this] { return stream_->is_readable_now(); }));
    EXPECT_EQ(read(text_).error, boost::asio::error::eof);
}

TEST_F(TcpStreamTest, tells_a_reset_as_an_error) {
    peer_->reset();
    wait_readable();

    EXPECT_EQ(read(text_).error, boost::asio::error::connection_reset);
}

TEST_F(TcpStreamTest, sees_a_reset_without_reading) {
    peer_->reset();
    wait_readable();

    EXPECT_TRUE(call_on(worker, [this] { return stream_->is_readable_now(); }));
    EXPECT_TRUE(call_on(worker, [this] { return stream_->has_peer_closed(); }));
}

TEST_F(TcpStreamTest, writes_several_buffers_as_one_sequence_of_bytes) {
    const std::array<boost::asio::const_buffer, 3> parts{
        boost::asio::buffer("ab", 2), boost::asio::const_buffer(), boost::asio::buffer("cde", 3)};

    const IoResult result = call_on(worker, [&] { return stream_->try_write(parts); });

    EXPECT_FALSE(result.error);
    EXPECT_EQ(result.bytes, 5U);
    EXPECT_EQ(peer_->receive(5), "abcde");
}

TEST_F(TcpStreamTest, reports_a_write_to_a_peer_that_is_gone_without_a_signal) {
    peer_->reset();
    wait_readable();
    const std::array<boost::asio::const_buffer, 1> part{boost::asio::buffer("x", 1)};

    EXPECT_TRUE(call_on(worker, [&] { return stream_->try_write(part); }).error);
    EXPECT_EQ(call_on(worker, [&] { return stream_->try_write(part); }).error, boost::asio::error::broken_pipe);
}

TEST_F(TcpStreamTest, takes_a_part_when_the_reader_is_slow_and_the_rest_after_a_wait) {
    const std::string large(8UL * 1024 * 1024, 'z');
    const std::array<boost::asio::const_buffer, 2> parts{boost::asio::buffer("head", 4), boost::asio::buffer(large)};
    std::future<ErrorCode> written = start_on(worker, write_all(*stream_, parts));

    const std::string received = peer_->receive(4 + large.size());

    EXPECT_EQ(written.get(), ErrorCode());
    EXPECT_EQ(received.substr(0, 6), "headzz");
    EXPECT_EQ(received.substr(4), large);
}

TEST_F(TcpStreamTest, ends_a_wait_for_room_when_the_reader_goes_away) {
    const std::string large(64UL * 1024 * 1024, 'z');
    const std::array<boost::asio::const_buffer, 1> parts{boost::asio::buffer(large)};
    std::future<ErrorCode> written = start_on(worker, write_all(*stream_, parts));
    static_cast<void>(peer_->receive(1));

    peer_->reset();

    EXPECT_TRUE(written.get());
}

TEST_F(TcpStreamTest, lets_others_go_first_when_it_never_has_to_wait) {
    peer_->send("unread");
    wait_readable();
    bool is_over = false;
    const auto wait_until_over = [](Stream& stream, const bool& flag) -> base::Task<int> {
        int waits = 0;
        while (!flag) {
            const ErrorCode error = co_await stream.wait(Interest::readable);
            waits += error ? 0 : 1;
        }
        co_return waits;
    };
    std::future<int> waits = start_on(worker, wait_until_over(*stream_, is_over));

    call_on(worker, [&is_over] { is_over = true; });

    EXPECT_GT(waits.get(), 0);
}

TEST_F(TcpStreamTest, cancel_ends_a_wait_and_the_stream_stays_usable) {
    std::future<ErrorCode> waiting = start_on(worker, wait(*stream_, Interest::readable));
    call_on(worker, [this] { stream_->cancel(); });
    EXPECT_EQ(waiting.get(), boost::asio::error::operation_aborted);

    peer_->send("still");
    wait_readable();
    EXPECT_EQ(read(text_).bytes, 5U);
}

TEST_F(TcpStreamTest, notifies_once_when_bytes_arrive) {
    std::promise<bool> notified;
    call_on(worker, [&] { stream_->notify_readable([&](bool is_cancelled) { notified.set_value(is_cancelled); }); });

    peer_->send("x");

    EXPECT_FALSE(notified.get_future().get());
    EXPECT_EQ(read(text_).bytes, 1U) << "a notification consumes nothing";
}

TEST_F(TcpStreamTest, notifies_that_it_was_cancelled) {
    std::promise<bool> notified;
    call_on(worker, [&] {
        stream_->notify_readable([&](bool is_cancelled) { notified.set_value(is_cancelled); });
        stream_->cancel();
    });

    EXPECT_TRUE(notified.get_future().get());
}

TEST_F(TcpStreamTest, shows_the_peer_an_end_and_can_still_read) {
    call_on(worker, [this] { stream_->shutdown_send(); });
    EXPECT_EQ(peer_->receive_all(), "");

    peer_->send("late");
    wait_readable();
    EXPECT_EQ(read(text_).bytes, 4U);
}

TEST_F(TcpStreamTest, closes_the_connection_when_destroyed) {
    call_on(worker, [this] { stream_.reset(); });

    EXPECT_EQ(peer_->receive_all(), "");
    EXPECT_FALSE(peer_->was_reset());
}

TEST_F(TcpStreamTest, resets_the_connection_when_destroyed_if_told_so) {
    call_on(worker, [this] { stream_->reset_when_closed(); });
    call_on(worker, [this] { stream_.reset(); });

    EXPECT_EQ(peer_->receive_all(), "");
    EXPECT_TRUE(peer_->was_reset());
}

}  // namespace
}  // namespace net
