#include "apps/keys_command.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <ostream>
#include <vector>

#include "auth/expiry.hpp"
#include "auth/key_issuing.hpp"
#include "auth/scopes.hpp"
#include "base/strings.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace apps {

namespace {

namespace json = boost::json;

constexpr std::string_view kCliActor = "cli";

int complain(const Console& console, const base::Error& error) {
    console.errors << "hokusai keys: " << error.message << '\n';
    return error.code == base::Code::invalid_argument ? kWrongUsage : kFailed;
}

base::Result<auth::KeyRequest> parse_request(const KeysCreateRequest& request, base::WallTime now) {
    auth::KeyRequest parsed{.name = request.name};
    const base::Result<auth::Scopes> scopes = auth::parse_scopes(base::split_list(request.scopes, ','));
    if (!scopes) {
        return std::unexpected(scopes.error());
    }
    parsed.scopes = *scopes;
    if (!request.expires.empty()) {
        const base::Result<base::WallTime> expires_at = auth::parse_expiry(request.expires, now);
        if (!expires_at) {
            return std::unexpected(expires_at.error());
        }
        parsed.expires_at = *expires_at;
    }
    const std::optional<auth::Environment> environment = auth::parse_environment(request.environment);
    if (!environment) {
        return base::fail(
            base::Code::invalid_argument,
            fmt::format("unknown environment '{}': production, test or development", request.environment));
    }
    parsed.environment = *environment;
    return parsed;
}

json::value to_json(std::optional<base::WallTime> time) {
    return time ? json::value(base::to_iso8601(*time)) : json::value(nullptr);
}

json::array to_json(auth::Scopes scopes) {
    json::array names;
    for (const std::string_view name : scopes.names()) {
        names.emplace_back(json::string_view(name));
    }
    return names;
}

std::string_view state_of(const auth::KeyRecord& record, base::WallTime now) {
    if (record.revoked_at) {
        return "revoked";
    }
    return auth::is_active(record, now) ? "active" : "expired";
}

json::object to_json(const auth::KeyRecord& record, base::WallTime now) {
    return {{"id", record.id},
            {"name", record.name},
            {"prefix", record.prefix},
            {"scopes", to_json(record.scopes)},
            {"created_at", to_json(std::optional(record.created_at))},
            {"expires_at", to_json(record.expires_at)},
            {"last_used_at", to_json(record.last_used_at)},
            {"state", json::string_view(state_of(record, now))}};
}

// "2025-08-14 12:00", for people.
std::string to_minute(std::optional<base::WallTime> time, std::string_view otherwise) {
    if (!time) {
        return std::string(otherwise);
    }
    constexpr std::size_t kDateLength = 10;
    const std::string text = base::to_iso8601(*time);
    return text.substr(0, kDateLength) + ' ' + text.substr(kDateLength + 1, 5);
}

constexpr std::size_t kColumns = 8;
using TableRow = std::array<std::string, kColumns>;

std::vector<TableRow> to_table(const std::vector<auth::KeyRecord>& records, base::WallTime now) {
    std::vector<TableRow> rows{
        {"ID", "NAME", "PREFIX", "SCOPES", "CREATED (UTC)", "EXPIRES (UTC)", "LAST USED (UTC)", "STATE"}};
    for (const auth::KeyRecord& record : records) {
        rows.push_back({record.id,
                        record.name,
                        record.prefix,
                        to_string(record.scopes),
                        to_minute(record.created_at, ""),
                        to_minute(record.expires_at, "never"),
                        to_minute(record.last_used_at, "never"),
                        std::string(state_of(record, now))});
    }
    return rows;
}

// Characters of UTF-8, not bytes.
std::size_t shown_width(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void print_table(const std::vector<TableRow>& rows, std::ostream& out) {
    constexpr std::size_t kGap = 2;
    std::array<std::size_t, kColumns> widths{};
    for (const TableRow& row : rows) {
        for (std::size_t column = 0; column < kColumns; ++column) {
            widths[column] = std::max(widths[column], shown_width(row[column]));
        }
    }
    for (const TableRow& row : rows) {
        for (std::size_t column = 0; column + 1 < kColumns; ++column) {
            out << row[column] << std::string(widths[column] + kGap - shown_width(row[column]), ' ');
        }
        out << row.back() << '\n';
    }
}

}  // namespace

int keys_create(auth::KeyStore& store,
                auth::KeyHasher& hasher,
                const KeysCreateRequest& request,
                base::WallTime now,
                const Console& console) {
    const base::Result<auth::KeyRequest> parsed = parse_request(request, now);
    if (!parsed) {
        return complain(console, parsed.error());
    }
    const base::Result<auth::IssuedKey> issued = auth::issue_key(store, hasher, *parsed, kCliActor, now);
    if (!issued) {
        return complain(console, issued.error());
    }

    const auth::KeyRecord& record = issued->record;
    if (request.json) {
        console.out << json::object{{"id", record.id},
                                    {"key", issued->key.reveal()},
                                    {"name", record.name},
                                    {"scopes", to_json(record.scopes)},
                                    {"expires_at", to_json(record.expires_at)}}
                    << '\n';
        return kDone;
    }
    console.out << fmt::format(
        "{}\n\nSave this key now: it will not be shown again.\nid {}, name '{}', scopes {}, expires {}\n",
        issued->key.reveal(),
        record.id,
        record.name,
        to_string(record.scopes),
        record.expires_at ? base::to_iso8601(*record.expires_at) : "never");
    return kDone;
}

int keys_list(auth::KeyStore& store, bool as_json, base::WallTime now, const Console& console) {
    const base::Result<std::vector<auth::KeyRecord>> records = store.load_all();
    if (!records) {
        return complain(console, records.error());
    }
    if (as_json) {
        json::array list;
        for (const auth::KeyRecord& record : *records) {
            list.push_back(to_json(record, now));
        }
        console.out << list << '\n';
    } else if (records->empty()) {
        console.out << "There are no API keys. Make one with: hokusai keys create --name NAME --scopes mlflow:write\n";
    } else {
        print_table(to_table(*records, now), console.out);
    }
    return kDone;
}

int keys_revoke(auth::KeyStore& store, std::string_view id, base::WallTime now, const Console& console) {
    const base::Result<auth::KeyRecord> revoked = auth::revoke_key(store, id, kCliActor, now);
    if (!revoked && revoked.error().code == base::Code::not_found) {
        return complain(
            console,
            {base::Code::not_found, fmt::format("there is no API key with the id '{}'; see hokusai keys list", id)});
    }
    if (!revoked) {
        return complain(console, revoked.error());
    }
    console.out << fmt::format("API key '{}' ({}) is revoked since {}. Running services notice within seconds.\n",
                               revoked->name,
                               revoked->prefix,
                               base::to_iso8601(*revoked->revoked_at));
    return kDone;
}

}  // namespace apps
