#include "net/connector.hpp"

#include <fcntl.h>
#include <future>
#include <memory>
#include <vector>

#include "net/testing/blocking_listener.hpp"
#include "net/testing/blocking_socket.hpp"
#include "net/testing/no_descriptors_left.hpp"
#include "net/testing/worker_fixture.hpp"

#include <gtest/gtest.h>

namespace net {
namespace {

using namespace std::chrono_literals;
using testing::BlockingListener;
using testing::BlockingSocket;
using testing::call_on;
using testing::start_on;

using Connected = base::Result<std::unique_ptr<Stream>>;

class ConnectorTest : public testing::WorkerFixture {
protected:
    ~ConnectorTest() override {
        call_on(worker, [this] { opened_.clear(); });
    }

    Connected connect_to(const testing::Endpoint& endpoint) {
        return run(connect(worker, {endpoint, nullptr, ""}, 5s));
    }

    std::vector<std::unique_ptr<Stream>> opened_;  // streams end on their worker
};

TEST_F(ConnectorTest, opens_a_stream_to_who_listens) {
    BlockingListener listener;

    Connected connected = connect_to(listener.endpoint());

    ASSERT_TRUE(connected) << connected.error().message;
    opened_.push_back(std::move(*connected));
    BlockingSocket peer = listener.accept();
    peer.send("x");
    EXPECT_EQ(run(wait(*opened_.front(), Interest::readable)), ErrorCode());
    EXPECT_TRUE(call_on(worker, [this] { return opened_.front()->is_readable_now(); }));
}

TEST_F(ConnectorTest, is_refused_at_once_and_names_the_address) {
    BlockingListener listener;
    listener.close();

    const Connected connected = connect_to(listener.endpoint());

    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error().code, base::Code::unavailable);
    EXPECT_EQ(connected.error().message,
              "cannot connect to 127.0.0.1:" + std::to_string(listener.endpoint().port()) + ": Connection refused");
}

TEST_F(ConnectorTest, tells_a_shortage_of_this_machine_from_a_peer_that_is_down) {
    if (!testing::kCanLackDescriptors) {
        GTEST_SKIP() << "the sanitizer needs descriptors of its own";
    }
    const BlockingListener listener;
    Connected before = connect_to(listener.endpoint());
    ASSERT_TRUE(before);
    opened_.push_back(std::move(*before));
    {
        const testing::NoDescriptorsLeft shortage;

        const Connected connected = connect_to(listener.endpoint());

        ASSERT_FALSE(connected);
        EXPECT_EQ(connected.error().code, base::Code::exhausted);
    }

    Connected after = connect_to(listener.endpoint());
    ASSERT_TRUE(after);
    opened_.push_back(std::move(*after));
}

// A listener whose queue is full: the kernel drops further attempts, as a host that vanished does.
class ConnectorToSilence : public ConnectorTest {
protected:
    ConnectorToSilence() {
        for (int i = 0; i < 4; ++i) {
            const BlockingSocket& filler = fillers_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
            const auto* address = static_cast<const sockaddr*>(listener_.endpoint().data());
            static_cast<void>(::connect(filler.descriptor(), address, sizeof(sockaddr_in)));
        }
    }

    BlockingListener listener_{0};
    std::vector<BlockingSocket> fillers_;
};

TEST_F(ConnectorToSilence, gives_up_at_its_limit) {
    auto connecting = start_on(worker, connect(worker, {listener_.endpoint(), nullptr, ""}, 250ms));

    const Connected connected = advance_until(std::move(connecting), 300ms);

    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error().code, base::Code::deadline_exceeded);
    EXPECT_EQ(connected.error().message,
              "no connection to 127.0.0.1:" + std::to_string(listener_.endpoint().port()) + " within 250 ms");
}

}  // namespace
}  // namespace net
