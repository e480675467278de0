#include <array>
#include <crypt.h>
#include <memory>
#include <string>

#include "auth/access_control.hpp"
#include "auth/api_key.hpp"
#include "auth/credentials.hpp"
#include "auth/key_hash.hpp"
#include "auth/key_ring.hpp"
#include "base/clock.hpp"
#include "benchmarks.hpp"
#include "mlflow/routes.hpp"

#include <openssl/evp.h>

namespace primitives {

namespace {

constexpr std::size_t kKeys = 10'000;
constexpr std::size_t kSome = 100'000;
constexpr base::SystemClock kClock{};

struct Keys {
    auth::Pepper pepper{.version = 1, .bytes = {7}};
    std::vector<std::string> known;
    std::vector<std::string> unknown;
    auth::KeyRing ring;

    Keys() {
        auth::KeyHasher hasher(pepper);
        std::vector<auth::KeyRecord> records(kKeys);
        for (std::size_t i = 0; i < kKeys; ++i) {
            known.emplace_back(auth::generate_key(auth::Environment::production).reveal());
            unknown.emplace_back(auth::generate_key(auth::Environment::production).reveal());
            records[i].id = records[i].name = std::to_string(i);
            records[i].hash = hasher.hash(known.back());
            records[i].scopes = {auth::Scope::mlflow_write};
        }
        ring.publish(records);
    }
};

// Every thread has its own reader, as every worker has.
template <class Choose>
Loop check_keys(const std::shared_ptr<Keys>& keys, Choose choose) {
    auto reader = std::make_shared<auth::KeyReader>(keys->ring, keys->pepper);
    return repeat([keys, reader, choose, next = std::size_t{0}]() mutable {
        next = (next + 1) % kKeys;
        keep(reader->authenticate(choose(*keys)[next], kClock.wall_now()));
    });
}

template <class Choose>
Benchmark check_keys(std::string_view name, const std::shared_ptr<Keys>& keys, unsigned threads, Choose choose) {
    Benchmark benchmark{name, kSome, {}};
    for (unsigned i = 0; i < threads; ++i) {
        benchmark.loops.push_back(check_keys(keys, choose));
    }
    return benchmark;
}

void hash_with_bcrypt(const std::string& password) {
    crypt_data data{};
    keep(::crypt_r(password.c_str(), "$2b$12$abcdefghijklmnopqrstuu", &data));
}

void hash_with_scrypt(const std::string& password) {
    std::array<unsigned char, 32> hash{};
    const std::array<unsigned char, 16> salt{1};
    EVP_PBE_scrypt(password.data(),
                   password.size(),
                   salt.data(),
                   salt.size(),
                   1U << 14U,
                   8,
                   1,
                   64U << 20U,
                   hash.data(),
                   hash.size());
    keep(hash);
}

}  // namespace

std::vector<Benchmark> auth_benchmarks() {
    const auto keys = std::make_shared<Keys>();
    const auto known = [](const Keys& all) -> const auto& { return all.known; };
    const auto unknown = [](const Keys& all) -> const auto& { return all.unknown; };
    std::vector<Benchmark> all;
    all.push_back(check_keys("key_check", keys, 1, known));
    all.push_back(check_keys("key_check_2_threads", keys, 2, known));
    all.push_back(check_keys("key_check_unknown", keys, 1, unknown));
    all.push_back(check_keys("key_check_unknown_2_threads", keys, 2, unknown));
    all.push_back(on_one_thread("access_decision", 10 * kSome, [] {
        const auth::Principal principal{"id", "name", {auth::Scope::mlflow_write}};
        keep(principal);
        keep(auth::check_access(principal, auth::Scope::mlflow_read));
    }));
    all.push_back(on_one_thread("bcrypt_cost_12", 1, [keys] { hash_with_bcrypt(keys->known.front()); }));
    all.push_back(on_one_thread("scrypt_16_mib", 1, [keys] { hash_with_scrypt(keys->known.front()); }));
    return all;
}

}  // namespace primitives
