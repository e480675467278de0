#include "net/name_resolver.hpp"

#include <future>
#include <string>

#include "net/testing/run_on.hpp"
#include "net/testing/shared_clock.hpp"

#include <gtest/gtest.h>

namespace net {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using testing::run_here;
using testing::start_on;

// Longer than a label of a name may be, so that looking it up fails without asking anybody.
const std::string kImpossibleName(70, 'a');

class NameResolverTest : public ::testing::Test {
protected:
    NameResolver make(const std::string& host, std::vector<boost::asio::ip::address> fallback = {}) {
        return {worker_, host, 5000, {.fallback = std::move(fallback)}};
    }

    // Runs the look-ups until `is_done`, and then ends them.
    template <class Condition>
    void run_until(NameResolver& resolver, Condition is_done) {
        const std::future<void> running = start_on(worker_, resolver.run());
        while (!is_done()) {
            worker_.context().run_one();
        }
        resolver.stop();
        while (running.wait_for(0s) != std::future_status::ready) {
            worker_.context().run_one();
        }
    }

    testing::SharedClock clock_;
    Worker worker_{"test", 0, clock_};
};

TEST_F(NameResolverTest, knows_an_address_without_looking_it_up) {
    for (const char* address : {"127.0.0.9", "::1"}) {
        NameResolver resolver = make(address, {make_address("192.0.2.1")});

        EXPECT_EQ(*resolver.current(), (Endpoints{{make_address(address), 5000}}));

        run_here(worker_, resolver.run());
        EXPECT_EQ(resolver.current()->size(), 1U);
        EXPECT_EQ(resolver.last_error(), std::nullopt);
    }
}

TEST_F(NameResolverTest, knows_nothing_of_a_name_before_the_first_answer) {
    EXPECT_TRUE(make("localhost").current()->empty());
}

TEST_F(NameResolverTest, looks_a_name_up_and_replaces_the_fallback) {
    NameResolver resolver = make("localhost", {make_address("192.0.2.1")});
    EXPECT_EQ(*resolver.current(), (Endpoints{{make_address("192.0.2.1"), 5000}}));
    const auto before = resolver.current();

    run_until(resolver, [&] { return resolver.current() != before; });

    ASSERT_FALSE(resolver.current()->empty());
    for (const auto& endpoint : *resolver.current()) {
        EXPECT_TRUE(endpoint.address().is_loopback()) << endpoint;
        EXPECT_EQ(endpoint.port(), 5000);
    }
    EXPECT_EQ(resolver.last_error(), std::nullopt);
    EXPECT_EQ(before->size(), 1U) << "a snapshot already taken stays as it is";
}

TEST_F(NameResolverTest, keeps_the_fallback_when_the_look_up_fails_and_says_why) {
    NameResolver resolver = make(kImpossibleName, {make_address("192.0.2.1"), make_address("192.0.2.2")});

    run_until(resolver, [&] { return resolver.last_error().has_value(); });

    EXPECT_EQ(*resolver.current(), (Endpoints{{make_address("192.0.2.1"), 5000}, {make_address("192.0.2.2"), 5000}}));
    EXPECT_FALSE(resolver.last_error()->empty());
}

TEST_F(NameResolverTest, stops_while_a_look_up_is_under_way) {
    NameResolver resolver = make("localhost");

    run_until(resolver, [] { return true; });

    EXPECT_TRUE(resolver.current()->empty());
}

}  // namespace
}  // namespace net
