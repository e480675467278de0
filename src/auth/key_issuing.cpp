#include "auth/key_issuing.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "auth/secret_bytes.hpp"
#include "base/strings.hpp"

#include <fmt/format.h>

namespace auth {

namespace {

constexpr std::size_t kMaxNameLength = 100;

// Bytes of the character that starts with `first` (RFC 3629, section 3); 0 when none does.
std::size_t utf8_length(unsigned char first) {
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

// The number of characters of UTF-8 text without control characters; nothing for any other bytes.
std::optional<std::size_t> count_characters(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); ++count) {
        const auto first = static_cast<unsigned char>(text[at]);
        const std::size_t length = utf8_length(first);
        if (length == 0 || at + length > text.size() || first < 0x20 || first == 0x7F) {
            return std::nullopt;
        }
        std::uint32_t code_point = length == 1 ? first : first & (0x7FU >> length);
        for (std::size_t next = at + 1; next < at + length; ++next) {
            const auto byte = static_cast<unsigned char>(text[next]);
            if ((byte & 0xC0U) != 0x80U) {
                return std::nullopt;
            }
            code_point = (code_point << 6U) | (byte & 0x3FU);
        }
        const bool is_overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
        const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
        const bool is_control = code_point >= 0x80 && code_point < 0xA0;
        if (is_overlong || is_surrogate || is_control || code_point > 0x10FFFF) {
            return std::nullopt;
        }
        at += length;
    }
    return count;
}

base::Result<std::string> check_name(std::string_view text) {
    const std::string_view name = base::trim(text);
    const std::optional<std::size_t> length = count_characters(name);
    if (!length) {
        return base::fail(base::Code::invalid_argument, "the name of a key must be UTF-8 without control characters");
    }
    if (*length == 0 || *length > kMaxNameLength) {
        return base::fail(
            base::Code::invalid_argument,
            fmt::format("the name of a key must have 1 to {} characters, this one has {}", kMaxNameLength, *length));
    }
    return std::string(name);
}

KeyRecord make_record(std::string name, const base::Secret& key, KeyHasher& hasher, Scopes scopes, base::WallTime now) {
    KeyRecord record;
    record.id = random_uuid();
    record.name = std::move(name);
    record.prefix = display_prefix(key.reveal());
    record.hash = hasher.hash(key.reveal());
    record.pepper_version = hasher.pepper_version();
    record.scopes = scopes;
    record.created_at = std::chrono::floor<std::chrono::microseconds>(now);  // what every store can keep
    return record;
}

base::Result<bool> lacks_admin(KeyStore& store, base::WallTime now) {
    const base::Result<std::vector<KeyRecord>> records = store.load_all();
    if (!records) {
        return std::unexpected(records.error());
    }
    return std::ranges::none_of(*records, [now](const KeyRecord& record) {
        return record.scopes.allows(Scope::admin) && is_active(record, now);
    });
}

AuditEntry describe_creation(const KeyRecord& record, std::string_view actor) {
    return {record.created_at,
            std::string(actor),
            "key.create",
            record.id,
            fmt::format("name '{}', prefix {}, scopes {}, expires {}",
                        record.name,
                        record.prefix,
                        to_string(record.scopes),
                        record.expires_at ? base::to_iso8601(*record.expires_at) : "never")};
}

}  // namespace

base::Result<IssuedKey> issue_key(
    KeyStore& store, KeyHasher& hasher, const KeyRequest& request, std::string_view actor, base::WallTime now) {
    base::Result<std::string> name = check_name(request.name);
    if (!name) {
        return std::unexpected(std::move(name.error()));
    }
    if (request.scopes.is_empty()) {
        return std::unexpected(parse_scopes({}).error());
    }
    if (request.expires_at && *request.expires_at <= now) {
        return base::fail(base::Code::invalid_argument,
                          "the key would be expired at once: choose a time in the future");
    }

    IssuedKey issued{.record = {}, .key = generate_key(request.environment)};
    issued.record = make_record(std::move(*name), issued.key, hasher, request.scopes, now);
    if (request.expires_at) {
        issued.record.expires_at = std::chrono::floor<std::chrono::microseconds>(*request.expires_at);
    }
    if (base::Result<void> stored = store.insert(issued.record, describe_creation(issued.record, actor)); !stored) {
        return std::unexpected(std::move(stored.error()));
    }
    return issued;
}

base::Result<KeyRecord> revoke_key(KeyStore& store, std::string_view id, std::string_view actor, base::WallTime now) {
    const auto at = std::chrono::floor<std::chrono::microseconds>(now);
    return store.revoke(id, at, {at, std::string(actor), "key.revoke", std::string(id), ""});
}

base::Result<bool> ensure_bootstrap_key(KeyStore& store,
                                        KeyHasher& hasher,
                                        const base::Secret& key,
                                        base::WallTime now) {
    if (!looks_like_key(key.reveal())) {
        return base::fail(base::Code::invalid_argument, fmt::format("the bootstrap admin key must be {}", kKeyFormat));
    }
    base::Result<bool> needed = lacks_admin(store, now);
    if (!needed || !*needed) {
        return needed;
    }

    const KeyRecord record = make_record("bootstrap admin", key, hasher, {Scope::admin}, now);
    base::Result<void> stored = store.insert(record, describe_creation(record, "bootstrap"));
    if (stored) {
        return true;
    }
    if (stored.error().code != base::Code::conflict) {
        return std::unexpected(std::move(stored.error()));
    }
    // Another process started at the same time, or the key was stored long ago.
    needed = lacks_admin(store, now);
    if (!needed || !*needed) {
        return needed;
    }
    return base::fail(
        base::Code::conflict,
        "the bootstrap admin key is known, but revoked, expired or without the scope admin: choose a new one, or "
        "make an admin key with 'hokusai keys create'");
}

}  // namespace auth
