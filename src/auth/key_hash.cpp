#include "auth/key_hash.hpp"

#include <cstddef>
#include <string>

#include "base/ensure.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace auth {

namespace {

struct FreeMac {
    void operator()(EVP_MAC* mac) const {
        EVP_MAC_free(mac);
    }
};

}  // namespace

void KeyHasher::FreeContext::operator()(evp_mac_ctx_st* context) const {
    EVP_MAC_CTX_free(context);
}

KeyHasher::KeyHasher(const Pepper& pepper) : pepper_version_(pepper.version) {
    const std::unique_ptr<EVP_MAC, FreeMac> mac(EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr));
    ENSURE(mac != nullptr, "OpenSSL's default provider has HMAC");
    context_.reset(EVP_MAC_CTX_new(mac.get()));

    std::string digest = OSSL_DIGEST_NAME_SHA2_256;
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
    ENSURE(EVP_MAC_init(context_.get(), pepper.bytes.data(), pepper.bytes.size(), parameters.data()) == 1,
           "SHA-256 is in OpenSSL's default provider");
}

KeyHash KeyHasher::hash(std::string_view key) {
    KeyHash hash{};
    std::size_t length = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(key.data());
    // Without a key, EVP_MAC_init starts a new message under the pepper of the constructor.
    const bool done = EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1 &&
                      EVP_MAC_update(context_.get(), bytes, key.size()) == 1 &&
                      EVP_MAC_final(context_.get(), hash.data(), &length, hash.size()) == 1;
    ENSURE(done && length == hash.size(), "HMAC of bytes in memory can't fail");
    return hash;
}

bool equal_in_constant_time(const KeyHash& left, const KeyHash& right) {
    return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace auth
