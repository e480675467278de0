#include "auth/key_hash.hpp"

#include <algorithm>
#include <string>

#include "base/strings.hpp"

#include <gtest/gtest.h>

namespace auth {
namespace {

std::string hex_of(const KeyHash& hash) {
    return base::to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

// RFC 4231, test case 2; HMAC pads a short key with zeros, as Pepper does.
TEST(KeyHasher, is_hmac_sha256) {
    Pepper pepper;
    std::ranges::copy(std::string_view("Jefe"), pepper.bytes.begin());
    KeyHasher hasher(pepper);

    EXPECT_EQ(hex_of(hasher.hash("what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(KeyHasher, forgets_the_message_before) {
    KeyHasher hasher({.version = 1, .bytes = {7}});
    const KeyHash first = hasher.hash("a key");

    EXPECT_NE(hasher.hash("another key"), first);
    EXPECT_EQ(hasher.hash("a key"), first);
    EXPECT_NE(hasher.hash(""), first);
}

TEST(KeyHasher, depends_on_the_pepper) {
    KeyHasher one({.version = 1, .bytes = {1}});
    KeyHasher two({.version = 2, .bytes = {2}});

    EXPECT_NE(one.hash("a key"), two.hash("a key"));
    EXPECT_EQ(two.pepper_version(), 2U);
}

TEST(KeyHasher, comparison_sees_every_byte) {
    KeyHasher hasher({.version = 1, .bytes = {}});
    const KeyHash hash = hasher.hash("a key");

    EXPECT_TRUE(equal_in_constant_time(hash, KeyHash(hash)));
    for (std::size_t at = 0; at < hash.size(); ++at) {
        KeyHash other = hash;
        other[at] ^= 1U;
        EXPECT_FALSE(equal_in_constant_time(hash, other)) << at;
    }
}

}  // namespace
}  // namespace auth
