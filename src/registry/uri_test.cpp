#include "registry/uri.hpp"

#include <gtest/gtest.h>

namespace registry {

namespace {

TEST(Uri, splits_as_python_does) {
    const auto expect =
        [](std::string_view text, std::string_view scheme, std::string_view authority, std::string_view path) {
            const Uri uri = parse_uri(text);
            EXPECT_EQ(uri.scheme, scheme) << text;
            EXPECT_EQ(uri.authority, authority) << text;
            EXPECT_EQ(uri.path, path) << text;
        };
    expect("s3://b/x/y", "s3", "b", "/x/y");
    expect("S3:/b", "s3", "", "/b");
    expect("s3:x", "s3", "", "x");
    expect("s3://b", "s3", "b", "");
    expect("s3://b?q", "s3", "b", "");
    expect("s3://b/x?q=/..#f", "s3", "b", "/x");
    expect("/tmp/x:y", "", "", "/tmp/x:y");
    expect("tmp", "", "", "tmp");
    expect("1s://b/x", "", "", "1s://b/x");
    expect(":x", "", "", ":x");
    expect(" s3://b/x", "s3", "b", "/x");
    expect("s3://b/x\ny", "s3", "b", "/xy");
    expect("a+b-c.d:x", "a+b-c.d", "", "x");
    expect("", "", "", "");
    EXPECT_EQ(parse_uri("models:/m/1#x", Fragment::kept).path, "/m/1#x");
}

TEST(Uri, finds_the_host) {
    EXPECT_EQ(host_of("User:pass@Host.Example:80"), "host.example");
    EXPECT_EQ(host_of("[::1]:80"), "::1");
    EXPECT_EQ(host_of("host"), "host");
    EXPECT_EQ(host_of(""), "");
}

}  // namespace

}  // namespace registry
