#include "storage/sqlite_errors.hpp"

#include <sqlite3.h>

#include <SQLiteCpp/Exception.h>
#include <fmt/format.h>

namespace storage {

base::Error to_error(const SQLite::Exception& exception, std::string_view file) {
    constexpr int kPrimaryCodeMask = 0xFF;  // the higher bits say which kind
    const int code = exception.getErrorCode() & kPrimaryCodeMask;
    switch (code) {
        case SQLITE_FULL:
            return {base::Code::unavailable, fmt::format("the disk of {} is full: free some space", file)};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {base::Code::unavailable,
                    fmt::format("{} is locked by another process: try again, and end what keeps it locked", file)};
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return {base::Code::unavailable,
                    fmt::format("{} can't be written: check its owner, its mode and that its disk is writable", file)};
        case SQLITE_CANTOPEN:
            return {base::Code::unavailable,
                    fmt::format("{} can't be opened: check that its folder exists and is ours", file)};
        case SQLITE_IOERR:
            return {base::Code::unavailable,
                    fmt::format("the disk of {} reports an input/output error: check the disk", file)};
        case SQLITE_CORRUPT:
            return {base::Code::data_loss,
                    fmt::format("{} is damaged: stop the service and restore it from a backup", file)};
        case SQLITE_NOTADB:
            return {base::Code::data_loss,
                    fmt::format("{} is not a SQLite database: restore it from a backup, or move it away to start anew",
                                file)};
        case SQLITE_CONSTRAINT:
            return {base::Code::conflict, fmt::format("{} already has such a record", file)};
        default:
            return {base::Code::internal, fmt::format("{} failed: {}", file, ::sqlite3_errstr(code))};
    }
}

}  // namespace storage
