// Registrations and their events in SQLite.
#pragma once

#include "models/registration.hpp"
#include "storage/sqlite_database.hpp"

namespace storage {

// Safe from any thread; the database, of the main schema, must outlive it.
class SqliteRegistrationStore final : public models::RegistrationStore {
public:
    explicit SqliteRegistrationStore(SqliteDatabase& database) : database_(database) {}

    base::Result<Added> add(const models::Registration& registration) override;
    base::Result<std::optional<models::Registration>> find(const std::string& id) override;
    base::Result<std::vector<models::WaitingRegistration>> list_pending() override;
    base::Result<void> settle(const models::Registration& registration,
                              const std::optional<models::Event>& event) override;

private:
    SqliteDatabase& database_;
};

}  // namespace storage
