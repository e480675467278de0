#include "auth/api_key.hpp"

#include <algorithm>
#include <array>

#include "auth/secret_bytes.hpp"
#include "base/ensure.hpp"

namespace auth {

namespace {

constexpr std::string_view kKeyAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t kShownRandomLength = 3;

// In the order of Environment.
constexpr std::array<std::string_view, 3> kKeyPrefixes{"hk_live_", "hk_test_", "hk_dev_"};

constexpr bool is_key_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

std::optional<Environment> parse_environment(std::string_view text) {
    if (text == "production" || text == "live") {
        return Environment::production;
    }
    if (text == "test") {
        return Environment::test;
    }
    if (text == "development" || text == "dev") {
        return Environment::development;
    }
    return std::nullopt;
}

base::Secret generate_key(Environment environment) {
    std::string key(kKeyPrefixes.at(static_cast<std::size_t>(environment)));
    const std::size_t length = key.size() + kKeyRandomLength;
    key.reserve(length);
    std::array<unsigned char, 64> bytes{};
    while (key.size() < length) {
        fill_secret_bytes(bytes);
        for (const unsigned char byte : bytes) {
            // Six bits give 64 values for 62 characters: the other two are thrown away, so that none is likelier.
            const std::size_t index = byte & 0x3FU;
            if (index < kKeyAlphabet.size() && key.size() < length) {
                key.push_back(kKeyAlphabet[index]);
            }
        }
    }
    return base::Secret(std::move(key));
}

bool looks_like_key(std::string_view text) {
    for (const std::string_view prefix : kKeyPrefixes) {
        if (text.size() == prefix.size() + kKeyRandomLength && text.starts_with(prefix)) {
            return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(prefix.size()), text.end(), is_key_character);
        }
    }
    return false;
}

std::string display_prefix(std::string_view key) {
    ENSURE(looks_like_key(key), "only whole keys are stored");
    return std::string(key.substr(0, key.size() - kKeyRandomLength + kShownRandomLength));
}

}  // namespace auth
