// The journal as commands see it, also beside a running service.
#pragma once

#include <string>

#include "apps/settings.hpp"
#include "base/error.hpp"
#include "journal/entry.hpp"
#include "storage/sqlite_journal_store.hpp"

#include <boost/json/object.hpp>

namespace apps {

// Creates nothing: not_found when there is no journal.
base::Result<storage::SqliteJournalStore> open_journal(const ServiceSettings& settings);

boost::json::object to_json(const journal::RejectedEntry& rejected);

// Two lines for a person.
std::string to_text(const journal::RejectedEntry& rejected);

}  // namespace apps
