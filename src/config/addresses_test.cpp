#include "config/addresses.hpp"

#include <string>

#include <gtest/gtest.h>

namespace config {
namespace {

TEST(HostPort, is_a_name_or_an_address_and_a_port) {
    EXPECT_EQ(parse_host_port("127.0.0.1:8000")->port, 8000);
    EXPECT_EQ(parse_host_port("localhost:0")->host, "localhost");
    EXPECT_EQ(parse_host_port("[::1]:65535")->host, "::1");
    EXPECT_EQ(to_text(*parse_host_port("[fe80::1]:80")), "[fe80::1]:80");
    EXPECT_EQ(to_text(*parse_host_port("my_host-1.example:80")), "my_host-1.example:80");
}

TEST(HostPort, refuses_what_is_incomplete_or_ambiguous) {
    for (const char* text : {"",
                             ":8000",
                             "8000",
                             "localhost",
                             "localhost:",
                             "localhost:65536",
                             "localhost:-1",
                             "::1:8000",
                             "[::1]",
                             "[127.0.0.1]:80",
                             "[::1:80",
                             "999.1.1.1:80",
                             "1.2.3:80",
                             "a b:80",
                             "http://a:80"}) {
        EXPECT_FALSE(parse_host_port(text)) << text;
    }
}

TEST(Loopback, is_localhost_or_a_loopback_address) {
    for (const char* host : {"localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "0:0:0:0:0:0:0:1"}) {
        EXPECT_TRUE(is_loopback(host)) << host;
    }
    for (const char* host : {"0.0.0.0", "::", "10.0.0.1", "127.example.com", "example.com", ""}) {
        EXPECT_FALSE(is_loopback(host)) << host;
    }
}

TEST(HttpUrl, has_scheme_host_port_and_base_path) {
    const auto url = parse_http_url("HTTPS://MLflow.Example/base/path/");

    ASSERT_TRUE(url);
    EXPECT_TRUE(url->is_tls);
    EXPECT_EQ(url->host, "mlflow.example");
    EXPECT_EQ(url->port, 443);
    EXPECT_EQ(url->base_path, "/base/path");
    EXPECT_EQ(to_text(*url), "https://mlflow.example/base/path");
}

TEST(HttpUrl, is_written_with_a_port_only_where_it_is_not_the_schemes_own) {
    EXPECT_EQ(to_text(*parse_http_url("http://h:80/")), "http://h");
    EXPECT_EQ(to_text(*parse_http_url("http://h:443")), "http://h:443");
    EXPECT_EQ(to_text(*parse_http_url("http://[::1]:5000")), "http://[::1]:5000");
}

TEST(HttpUrl, refuses_what_would_be_silently_dropped_or_misread) {
    for (const char* text : {"",
                             "mlflow:5000",
                             "ftp://h",
                             "http://",
                             "http:///path",
                             "http://h:0",
                             "http://h:70000",
                             "http://h:5000x",
                             "http://user:pw@h",
                             "http://h?x=1",
                             "http://h/p#f",
                             "http://h/a b",
                             "http://h/\r\nX: 1",
                             "http://h\xc3\xa9"}) {
        EXPECT_FALSE(parse_http_url(text)) << text;
    }
}

TEST(Network, is_an_address_or_cidr) {
    for (const char* text : {"10.0.0.0/8", "192.0.2.1", "0.0.0.0/0", "192.0.2.1/32", "fd00::/8", "::1", "::/128"}) {
        EXPECT_EQ(parse_network(text), std::string(text)) << text;
    }
    for (const char* text :
         {"", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "fd00::/129", "host/8", "/8", "*"}) {
        EXPECT_FALSE(parse_network(text)) << text;
    }
    EXPECT_FALSE(parse_network(std::string("10.0.0.1\0x", 10)));
}

TEST(IpAddress, has_no_prefix_length) {
    EXPECT_TRUE(parse_ip_address("10.0.0.7"));
    EXPECT_TRUE(parse_ip_address("fd00::7"));
    EXPECT_FALSE(parse_ip_address("10.0.0.7/32"));
    EXPECT_FALSE(parse_ip_address("mlflow"));
}

}  // namespace
}  // namespace config
