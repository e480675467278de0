#include "storage/sqlite_errors.hpp"

#include <sqlite3.h>
#include <string>
#include <vector>

#include <SQLiteCpp/Exception.h>
#include <gtest/gtest.h>

namespace storage {
namespace {

struct ErrorRow {
    int sqlite;
    base::Code code;
    std::string_view told;
};

TEST(SqliteErrors, say_what_is_wrong_with_the_file_and_what_to_do) {
    const std::vector<ErrorRow> rows{
        {SQLITE_FULL, base::Code::unavailable, "the disk of /d/hokusai.db is full: free some space"},
        {SQLITE_BUSY, base::Code::unavailable, "locked by another process"},
        {SQLITE_LOCKED, base::Code::unavailable, "locked by another process"},
        {SQLITE_READONLY, base::Code::unavailable, "check its owner, its mode and that its disk is writable"},
        {SQLITE_PERM, base::Code::unavailable, "can't be written"},
        {SQLITE_CANTOPEN, base::Code::unavailable, "check that its folder exists and is ours"},
        {SQLITE_IOERR, base::Code::unavailable, "input/output error: check the disk"},
        {SQLITE_CORRUPT, base::Code::data_loss, "restore it from a backup"},
        {SQLITE_NOTADB, base::Code::data_loss, "is not a SQLite database"},
        {SQLITE_CONSTRAINT, base::Code::conflict, "already has such a record"},
        {SQLITE_MISUSE, base::Code::internal, "/d/hokusai.db failed: "},
    };
    for (const ErrorRow& row : rows) {
        const base::Error error = to_error(SQLite::Exception("no such column: secret", row.sqlite), "/d/hokusai.db");

        EXPECT_EQ(error.code, row.code) << row.sqlite;
        EXPECT_NE(error.message.find(row.told), std::string::npos) << error.message;
        EXPECT_NE(error.message.find("/d/hokusai.db"), std::string::npos) << error.message;
        EXPECT_EQ(error.message.find("secret"), std::string::npos) << error.message;
    }
}

TEST(SqliteErrors, of_a_finer_kind_read_as_their_family) {
    const base::Error error = to_error(SQLite::Exception("fsync", SQLITE_IOERR_FSYNC), "f");

    EXPECT_EQ(error.code, base::Code::unavailable);
    EXPECT_EQ(error.message, "the disk of f reports an input/output error: check the disk");
}

}  // namespace
}  // namespace storage
