#include "http/client_pool.hpp"

#include <memory>
#include <string>
#include <vector>

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
using Freshness = ClientPool::Freshness;
using Connection = std::unique_ptr<ClientConnection>;

class ClientPoolTest : public net::testing::WorkerFixture {
protected:
    ~ClientPoolTest() override {
        call_on(worker, [this] {
            taken_.clear();
            pool_.reset();
        });
    }

    // A connection that has just carried an exchange, and the upstream's end of it.
    ClientConnection* use_new(Freshness freshness = Freshness::newly_opened) {
        ClientConnection* connection = acquire(freshness);
        upstreams_.push_back(std::make_unique<BlockingSocket>(listener_.accept()));
        exchange(*connection, *upstreams_.back());
        return connection;
    }

    void exchange(ClientConnection& connection, BlockingSocket& upstream, const std::string& fields = "") {
        connection.end_request();
        upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + fields + "\r\n");
        ASSERT_TRUE(run(connection.read_head(Method::get, clock.now() + 5s)));
    }

    ClientConnection* acquire(Freshness freshness) {
        base::Result<Connection> acquired = run(pool_->acquire(freshness));
        EXPECT_TRUE(acquired) << acquired.error().message;
        taken_.push_back(acquired ? std::move(*acquired) : nullptr);
        return taken_.back().get();
    }

    void release(ClientConnection* connection) {
        call_on(worker, [&] {
            for (Connection& taken : taken_) {
                if (taken.get() == connection) {
                    pool_->release(std::move(taken));
                }
            }
        });
    }

    bool has_new_connection() {
        return listener_.has_waiting_within(0ms);
    }

    BlockingListener listener_;
    net::NameResolver resolver_{worker, "127.0.0.1", listener_.endpoint().port(), {}};
    std::unique_ptr<ClientPool> pool_ = std::make_unique<ClientPool>(
        worker,
        resolver_,
        ClientPoolSettings{.max_idle = 3s, .max_idle_connections = 2, .limits = {}, .host = "127.0.0.1"});
    std::vector<Connection> taken_;
    std::vector<std::unique_ptr<BlockingSocket>> upstreams_;
};

TEST_F(ClientPoolTest, opens_a_connection_when_it_keeps_none) {
    ClientConnection* connection = use_new(Freshness::kept_or_new);

    EXPECT_FALSE(connection->is_reused());
}

TEST_F(ClientPoolTest, gives_a_released_connection_again) {
    ClientConnection* first = use_new();
    release(first);

    ClientConnection* second = acquire(Freshness::kept_or_new);

    EXPECT_EQ(second, first);
    EXPECT_FALSE(has_new_connection());
    exchange(*second, *upstreams_.front());
    EXPECT_TRUE(second->is_reused());
}

TEST_F(ClientPoolTest, gives_the_most_recently_used_one) {
    ClientConnection* first = use_new();
    ClientConnection* second = use_new();
    release(second);
    release(first);

    EXPECT_EQ(acquire(Freshness::kept_or_new), first);
    EXPECT_EQ(acquire(Freshness::kept_or_new), second);
}

TEST_F(ClientPoolTest, opens_a_new_one_when_asked_to_although_it_keeps_one) {
    ClientConnection* kept = use_new();
    release(kept);

    EXPECT_NE(acquire(Freshness::newly_opened), kept);
    EXPECT_TRUE(has_new_connection());
    EXPECT_EQ(acquire(Freshness::kept_or_new), kept);
}

TEST_F(ClientPoolTest, does_not_keep_what_can_not_carry_another_request) {
    ClientConnection* half_read = acquire(Freshness::kept_or_new);
    BlockingSocket upstream = listener_.accept();
    half_read->end_request();
    upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    ASSERT_TRUE(run(half_read->read_head(Method::get, clock.now() + 5s)));
    release(half_read);
    EXPECT_EQ(upstream.receive_all(), "") << "it is closed";

    ClientConnection* last = acquire(Freshness::kept_or_new);
    BlockingSocket closing = listener_.accept();
    exchange(*last, closing, "Connection: close\r\n");
    release(last);
    EXPECT_EQ(closing.receive_all(), "");
}

TEST_F(ClientPoolTest, does_not_keep_a_connection_whose_request_was_not_sent_completely) {
    ClientConnection* unfinished = acquire(Freshness::kept_or_new);
    BlockingSocket upstream = listener_.accept();
    upstream.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(run(unfinished->read_head(Method::post, clock.now() + 5s)));

    release(unfinished);

    EXPECT_EQ(upstream.receive_all(), "") << "what follows would be read as the rest of the request";
}

TEST_F(ClientPoolTest, throws_away_a_kept_connection_that_the_upstream_ended) {
    ClientConnection* gone = use_new();
    release(gone);
    upstreams_.front()->close();

    acquire(Freshness::kept_or_new);

    EXPECT_TRUE(has_new_connection());
}

TEST_F(ClientPoolTest, throws_away_a_kept_connection_on_which_the_upstream_spoke) {
    ClientConnection* chatty = use_new();
    release(chatty);
    upstreams_.front()->send("HTTP/1.1 408 Request Timeout\r\n\r\n");

    acquire(Freshness::kept_or_new);

    EXPECT_TRUE(has_new_connection());
}

TEST_F(ClientPoolTest, closes_what_was_not_used_for_long) {
    release(use_new());
    clock.advance(3s + net::DeadlineWheel::kTick);

    EXPECT_EQ(upstreams_.front()->receive_all(), "") << "without anybody asking";
}

TEST_F(ClientPoolTest, gives_no_expired_connection_before_the_sweep_either) {
    ClientConnection* kept = use_new();
    release(kept);
    // On the worker, so that no sweep comes between.
    static constexpr auto kAdvanceAndAcquire =
        [](ClientPool& pool, net::testing::SharedClock& time) -> base::Task<base::Result<Connection>> {
        time.advance(3s);
        co_return co_await pool.acquire(Freshness::kept_or_new);
    };

    base::Result<Connection> acquired = run(kAdvanceAndAcquire(*pool_, clock));

    ASSERT_TRUE(acquired);
    EXPECT_TRUE(has_new_connection());
    taken_.push_back(std::move(*acquired));
}

TEST_F(ClientPoolTest, keeps_a_younger_connection_when_an_older_one_expires) {
    ClientConnection* older = use_new();
    ClientConnection* younger = use_new();
    release(older);
    clock.advance(2s);
    release(younger);
    clock.advance(2s);

    EXPECT_EQ(upstreams_.front()->receive_all(), "");
    EXPECT_EQ(acquire(Freshness::kept_or_new), younger);
}

TEST_F(ClientPoolTest, goes_on_closing_after_the_first_one_expired) {
    ClientConnection* older = use_new();
    ClientConnection* younger = use_new();
    release(older);
    clock.advance(2s);
    release(younger);
    clock.advance(2s);
    EXPECT_EQ(upstreams_.front()->receive_all(), "");

    clock.advance(2s);

    EXPECT_EQ(upstreams_.back()->receive_all(), "");
}

TEST_F(ClientPoolTest, keeps_no_more_than_its_limit_and_drops_the_oldest) {
    ClientConnection* first = use_new();
    ClientConnection* second = use_new();
    ClientConnection* third = use_new();
    release(first);
    release(second);
    release(third);

    EXPECT_EQ(upstreams_[0]->receive_all(), "");
    EXPECT_EQ(acquire(Freshness::kept_or_new), third);
    EXPECT_EQ(acquire(Freshness::kept_or_new), second);
}

TEST_F(ClientPoolTest, drops_everything_when_cleared) {
    release(use_new());
    call_on(worker, [this] { pool_->clear(); });

    EXPECT_EQ(upstreams_.front()->receive_all(), "");
}

TEST_F(ClientPoolTest, says_why_no_connection_can_be_opened) {
    listener_.close();

    const base::Result<Connection> refused = run(pool_->acquire(Freshness::kept_or_new));

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::unavailable);
    EXPECT_NE(refused.error().message.find("Connection refused"), std::string::npos) << refused.error().message;
}

TEST_F(ClientPoolTest, says_that_the_name_is_not_resolved_yet) {
    const net::NameResolver unresolved(worker, "mlflow.test", 5000, {});
    ClientPool pool(worker, unresolved, {.limits = {}, .host = "mlflow.test"});

    const base::Result<Connection> nowhere = advance_until(start_on(worker, pool.acquire(Freshness::kept_or_new)), 1s);

    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().code, base::Code::unavailable);
    EXPECT_EQ(nowhere.error().message, "the name mlflow.test has not been resolved: the look-up is still running");
}

TEST_F(ClientPoolTest, waits_for_the_first_look_up_of_a_name) {
    net::NameResolver resolver(worker, "localhost", listener_.endpoint().port(), {});
    ClientPool pool(worker, resolver, {.limits = {}, .host = "localhost"});
    auto acquiring = start_on(worker, pool.acquire(Freshness::kept_or_new));
    call_on(worker, [] {});

    auto resolving = start_on(worker, resolver.run());
    base::Result<Connection> acquired = acquiring.get();

    EXPECT_TRUE(acquired) << acquired.error().message;
    call_on(worker, [&] {
        acquired = base::fail(base::Code::cancelled, "the connection ends on its worker");
        resolver.stop();
    });
    resolving.get();
}

TEST_F(ClientPoolTest, tries_the_next_address_when_one_refuses) {
    const net::NameResolver both(
        worker,
        "mlflow.test",
        listener_.endpoint().port(),
        {.fallback = {boost::asio::ip::make_address("127.0.0.2"), boost::asio::ip::make_address("127.0.0.1")}});
    ClientPool pool(worker, both, {.limits = {}, .host = "mlflow.test"});

    base::Result<Connection> acquired = run(pool.acquire(Freshness::kept_or_new));

    ASSERT_TRUE(acquired) << acquired.error().message;
    EXPECT_TRUE(has_new_connection());
    taken_.push_back(std::move(*acquired));
    call_on(worker, [this] { taken_.clear(); });
}

}  // namespace
}  // namespace http
