// What SQLite's failures mean to people.
#pragma once

#include <string_view>

#include "base/error.hpp"

namespace SQLite {
class Exception;
}

namespace storage {

// `file` names the database in the message, which says what to do and never shows SQL. A violated constraint is a
// conflict; a damaged file is data_loss; everything an operator can cure (full, locked, read-only, not openable) is
// unavailable.
base::Error to_error(const SQLite::Exception& exception, std::string_view file);

}  // namespace storage
