#include "mlflow/gateway.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace mlflow {
namespace {

using boost::asio::ip::make_address;

bool trusts(const std::vector<std::string>& networks, const char* address) {
    return TrustedProxies(networks).contains(make_address(address));
}

TEST(TrustedProxies, are_nobody_by_default) {
    EXPECT_FALSE(trusts({}, "127.0.0.1"));
    EXPECT_FALSE(trusts({}, "::1"));
}

TEST(TrustedProxies, are_single_addresses) {
    EXPECT_TRUE(trusts({"192.0.2.7"}, "192.0.2.7"));
    EXPECT_FALSE(trusts({"192.0.2.7"}, "192.0.2.6"));
    EXPECT_TRUE(trusts({"2001:db8::1"}, "2001:db8::1"));
    EXPECT_FALSE(trusts({"2001:db8::1"}, "2001:db8::2"));
}

TEST(TrustedProxies, are_networks_to_their_first_and_last_address) {
    for (const char* inside :
         {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "2001:db8::", "2001:db8:ffff::1"}) {
        EXPECT_TRUE(trusts({"10.0.0.0/8", "172.16.0.0/12", "2001:db8::/32"}, inside)) << inside;
    }
    for (const char* outside :
         {"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "2001:db7:ffff::", "2001:db9::"}) {
        EXPECT_FALSE(trusts({"10.0.0.0/8", "172.16.0.0/12", "2001:db8::/32"}, outside)) << outside;
    }
}

TEST(TrustedProxies, may_have_a_prefix_that_ends_within_a_byte) {
    EXPECT_TRUE(trusts({"192.0.2.128/25"}, "192.0.2.255"));
    EXPECT_FALSE(trusts({"192.0.2.128/25"}, "192.0.2.127"));
    EXPECT_TRUE(trusts({"192.0.2.6/31"}, "192.0.2.7"));
    EXPECT_FALSE(trusts({"192.0.2.6/31"}, "192.0.2.8"));
    EXPECT_TRUE(trusts({"192.0.2.6/32"}, "192.0.2.6"));
    EXPECT_FALSE(trusts({"192.0.2.6/32"}, "192.0.2.7"));
}

TEST(TrustedProxies, are_found_by_the_prefix_of_an_address_within) {
    EXPECT_TRUE(trusts({"10.1.2.3/8"}, "10.9.9.9"));
}

TEST(TrustedProxies, know_an_ipv4_peer_on_an_ipv6_socket) {
    EXPECT_TRUE(trusts({"10.0.0.0/8"}, "::ffff:10.1.2.3"));
    EXPECT_FALSE(trusts({"10.0.0.0/8"}, "::ffff:11.1.2.3"));
    EXPECT_TRUE(trusts({"::ffff:10.0.0.0/104"}, "10.1.2.3"));
}

TEST(TrustedProxies, of_all_of_ipv4_are_not_those_of_ipv6) {
    EXPECT_TRUE(trusts({"0.0.0.0/0"}, "203.0.113.1"));
    EXPECT_FALSE(trusts({"0.0.0.0/0"}, "2001:db8::1"));
    EXPECT_FALSE(trusts({"0.0.0.0/0"}, "::1"));
    EXPECT_TRUE(trusts({"::/0"}, "2001:db8::1"));
}

TEST(TrustedProxies, refuse_to_start_with_anything_else) {
    for (const char* text : {"",
                             "/8",
                             "10.0.0.0/",
                             "10.0.0.0/33",
                             "10.0.0.0/-1",
                             "10.0.0.0/8x",
                             "10.0.0.0/8/8",
                             "10.0.0.0/18446744073709551624",
                             "2001:db8::/129",
                             "10.0.0",
                             "10.0.0.0.0",
                             "proxy.example",
                             "*",
                             "10.0.0.0 /8",
                             "[::1]"}) {
        try {
            const TrustedProxies proxies({"127.0.0.1", text});
            ADD_FAILURE() << '"' << text << "\" was taken";
        } catch (const base::ConfigError& error) {
            EXPECT_NE(std::string(error.what()).find("HOKUSAI_TRUSTED_PROXIES"), std::string::npos);
            EXPECT_NE(std::string(error.what()).find('"' + std::string(text) + '"'), std::string::npos);
        }
    }
}

TEST(GatewayMetrics, show_every_outcome_from_the_start_and_add_up_workers) {
    telemetry::Metrics metrics;
    GatewayMetrics first(metrics);
    GatewayMetrics second(metrics);
    first.failures.add();
    second.failures.add();
    second.refused_by_breaker.add();
    first.time_to_head.observe(0.02);

    const std::string text = metrics.render();
    for (const char* sample : {"hokusai_mlflow_calls_total{outcome=\"success\"} 0\n",
                               "hokusai_mlflow_calls_total{outcome=\"failure\"} 2\n",
                               "hokusai_mlflow_calls_total{outcome=\"overload\"} 0\n",
                               "hokusai_mlflow_calls_total{outcome=\"cancelled\"} 0\n",
                               "hokusai_mlflow_calls_total{outcome=\"refused_by_breaker\"} 1\n",
                               "hokusai_mlflow_calls_total{outcome=\"refused_by_queue\"} 0\n",
                               "hokusai_mlflow_retries_total 0\n",
                               "mlflow_response_time_seconds_count 1\n"}) {
        EXPECT_NE(text.find(sample), std::string::npos) << sample << text;
    }
}

}  // namespace
}  // namespace mlflow
