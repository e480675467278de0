#include "storage/sqlite_registration_store.hpp"

#include <string>
#include <utility>

#include "storage/sqlite_time.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

namespace storage {

namespace {

using models::Event;
using models::Registration;
using models::RegistrationState;

constexpr std::string_view kColumns =
    "id, model_name, model_type, model_data, metadata, key_id, key_name, idempotency_key, created_at, state, run_id, "
    "version, error";

std::string text_of(RegistrationState state) {
    return std::string(models::to_string(state));
}

Registration registration_row(SQLite::Statement& row) {
    Registration registration;
    registration.id = row.getColumn(0).getString();
    registration.model_name = row.getColumn(1).getString();
    registration.model_type = row.getColumn(2).getString();
    registration.model_data = row.getColumn(3).getString();
    registration.metadata = row.getColumn(4).getString();
    registration.key_id = row.getColumn(5).getString();
    registration.key_name = row.getColumn(6).getString();
    registration.idempotency_key = row.getColumn(7).getString();
    registration.created_at = from_microseconds(row.getColumn(8).getInt64());
    registration.state = models::parse_state(row.getColumn(9).getString()).value_or(RegistrationState::pending);
    registration.run_id = row.getColumn(10).getString();
    registration.version = row.getColumn(11).getInt64();
    registration.error = row.getColumn(12).getString();
    return registration;
}

std::optional<Registration> find_by_key(SQLite::Database& connection, const Registration& registration) {
    if (registration.idempotency_key.empty()) {
        return std::nullopt;
    }
    SQLite::Statement select(
        connection,
        fmt::format("SELECT {} FROM registrations WHERE key_id = ? AND idempotency_key = ? AND idempotency_key <> ''",
                    kColumns));
    select.bind(1, registration.key_id);
    select.bind(2, registration.idempotency_key);
    return select.executeStep() ? std::optional(registration_row(select)) : std::nullopt;
}

void insert(SQLite::Database& connection, const Registration& registration) {
    SQLite::Statement statement(
        connection,
        fmt::format("INSERT INTO registrations ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", kColumns));
    statement.bind(1, registration.id);
    statement.bind(2, registration.model_name);
    statement.bind(3, registration.model_type);
    statement.bind(4, registration.model_data);
    statement.bind(5, registration.metadata);
    statement.bind(6, registration.key_id);
    statement.bind(7, registration.key_name);
    statement.bind(8, registration.idempotency_key);
    statement.bind(9, to_microseconds(registration.created_at));
    statement.bind(10, text_of(registration.state));
    statement.bind(11, registration.run_id);
    statement.bind(12, registration.version);
    statement.bind(13, registration.error);
    statement.exec();
}

void insert(SQLite::Database& connection, const Event& event) {
    SQLite::Statement statement(
        connection, "INSERT INTO events (id, type, model, version, payload, created_at) VALUES (?, ?, ?, ?, ?, ?)");
    statement.bind(1, event.id);
    statement.bind(2, event.type);
    statement.bind(3, event.model);
    statement.bind(4, event.version);
    statement.bind(5, event.payload);
    statement.bind(6, to_microseconds(event.created_at));
    statement.exec();
}

}  // namespace

base::Result<SqliteRegistrationStore::Added> SqliteRegistrationStore::add(const Registration& registration) {
    return database_.transaction([&](SQLite::Database& connection) -> base::Result<Added> {
        if (std::optional<Registration> same = find_by_key(connection, registration)) {
            return Added{std::move(*same), false};
        }
        const std::int64_t pending =
            connection.execAndGet("SELECT count(*) FROM registrations WHERE state = 'pending'").getInt64();
        if (pending >= kMaxPending) {
            return base::fail(base::Code::exhausted, fmt::format("{} registrations wait for MLflow", pending));
        }
        insert(connection, registration);
        return Added{registration, true};
    });
}

base::Result<std::optional<Registration>> SqliteRegistrationStore::find(const std::string& id) {
    return database_.read([&](SQLite::Database& connection) -> base::Result<std::optional<Registration>> {
        SQLite::Statement select(connection, fmt::format("SELECT {} FROM registrations WHERE id = ?", kColumns));
        select.bind(1, id);
        return select.executeStep() ? std::optional(registration_row(select)) : std::nullopt;
    });
}

base::Result<std::vector<models::WaitingRegistration>> SqliteRegistrationStore::list_pending() {
    return database_.read([](SQLite::Database& connection) -> base::Result<std::vector<models::WaitingRegistration>> {
        SQLite::Statement select(connection,
                                 "SELECT id, model_name FROM registrations WHERE state = 'pending' ORDER BY sequence");
        std::vector<models::WaitingRegistration> waiting;
        while (select.executeStep()) {
            waiting.push_back({select.getColumn(0).getString(), select.getColumn(1).getString()});
        }
        return waiting;
    });
}

base::Result<void> SqliteRegistrationStore::settle(const Registration& registration,
                                                   const std::optional<Event>& event) {
    return database_.transaction([&](SQLite::Database& connection) -> base::Result<void> {
        SQLite::Statement update(connection,
                                 "UPDATE registrations SET state = ?, run_id = ?, version = ?, error = ? "
                                 "WHERE id = ? AND state = 'pending'");
        update.bind(1, text_of(registration.state));
        update.bind(2, registration.run_id);
        update.bind(3, registration.version);
        update.bind(4, registration.error);
        update.bind(5, registration.id);
        if (update.exec() == 1 && event) {
            insert(connection, *event);
        }
        return {};
    });
}

}  // namespace storage
