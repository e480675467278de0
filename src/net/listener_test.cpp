#include "net/listener.hpp"

#include <future>
#include <memory>

#include "base/error.hpp"
#include "net/testing/blocking_socket.hpp"
#include "net/testing/no_descriptors_left.hpp"
#include "net/testing/worker_fixture.hpp"

#include <gtest/gtest.h>

namespace net {
namespace {

using testing::BlockingSocket;
using testing::call_on;
using testing::loopback;
using testing::start_on;

std::string listener_refusal(auto action) {
    try {
        action();
    } catch (const base::ConfigError& error) {
        return error.what();
    }
    return "no ConfigError";
}

TEST(ParseEndpoint, takes_an_address_and_a_port) {
    EXPECT_EQ(parse_endpoint("127.0.0.1:8000"), loopback(8000));
    EXPECT_EQ(parse_endpoint("localhost:0"), loopback(0));
    EXPECT_EQ(parse_endpoint("[::1]:65535").address(), boost::asio::ip::address_v6::loopback());
    EXPECT_EQ(parse_endpoint("[::]:1").port(), 1);
}

TEST(ParseEndpoint, names_what_it_can_not_read) {
    for (const char* text : {"",
                             "8000",
                             ":8000",
                             "127.0.0.1",
                             "127.0.0.1:",
                             "127.0.0.1:65536",
                             "127.0.0.1:-1",
                             "127.0.0.1:80x",
                             "example.org:80",
                             "[]:80",
                             "1.2.3:80"}) {
        const std::string why = listener_refusal([text] { parse_endpoint(text); });

        EXPECT_NE(why.find('"' + std::string(text) + "\" is not ADDRESS:PORT"), std::string::npos) << why;
    }
}

class ListenerTest : public testing::WorkerFixture {
protected:
    ListenerTest()
        : listener_(worker, loopback(), [this](int descriptor) { accepted_.set_value(descriptor); }),
          running_(start_on(worker, listener_.run())) {}

    ~ListenerTest() override {
        close();
    }

    void close() {
        if (running_.valid()) {
            call_on(worker, [this] { listener_.close(); });
            running_.get();
        }
    }

    std::promise<int> accepted_;
    Listener listener_;
    std::future<void> running_;
};

TEST_F(ListenerTest, hands_over_the_descriptor_of_who_connects) {
    BlockingSocket client = BlockingSocket::connect_to(listener_.local_endpoint());

    BlockingSocket server(accepted_.get_future().get());

    server.send("welcome");
    EXPECT_EQ(client.receive(7), "welcome");
}

TEST_F(ListenerTest, says_which_port_the_kernel_chose) {
    EXPECT_NE(listener_.local_endpoint().port(), 0);
}

TEST_F(ListenerTest, stops_the_start_when_the_address_is_taken) {
    const std::string why = listener_refusal([this] { Listener(worker, listener_.local_endpoint(), [](int) {}); });

    EXPECT_NE(why.find("cannot listen on 127.0.0.1:" + std::to_string(listener_.local_endpoint().port()) + ": "),
              std::string::npos)
        << why;
}

TEST_F(ListenerTest, refuses_connections_once_closed) {
    close();

    EXPECT_THROW(BlockingSocket::connect_to(listener_.local_endpoint()), std::system_error);
}

TEST_F(ListenerTest, goes_on_after_the_process_ran_out_of_descriptors) {
    if (!testing::kCanLackDescriptors) {
        GTEST_SKIP() << "the sanitizer needs descriptors of its own";
    }
    BlockingSocket client(::socket(AF_INET, SOCK_STREAM, 0));
    const testing::Endpoint to = listener_.local_endpoint();
    {
        const testing::NoDescriptorsLeft shortage;
        ASSERT_EQ(::connect(client.descriptor(), static_cast<const sockaddr*>(to.data()), sizeof(sockaddr_in)), 0);
        call_on(worker, [] {});
        call_on(worker, [] {});
    }

    BlockingSocket server(accepted_.get_future().get());

    server.send("late");
    EXPECT_EQ(client.receive(4), "late");
}

}  // namespace
}  // namespace net
