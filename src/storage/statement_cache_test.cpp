#include "storage/statement_cache.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

namespace storage {
namespace {

struct StatementCacheTest : public ::testing::Test {
    int ask(StatementCache& cache, const char* text) {
        PreparedStatement statement(cache.prepare(connection, text));
        statement->executeStep();
        return statement->getColumn(0).getInt();
    }

    SQLite::Database connection{":memory:", SQLite::OPEN_READWRITE};
};

TEST_F(StatementCacheTest, prepares_a_text_once) {
    StatementCache cache;

    EXPECT_EQ(&cache.prepare(connection, "SELECT 1"), &cache.prepare(connection, "SELECT 1"));
    EXPECT_NE(&cache.prepare(connection, "SELECT 1"), &cache.prepare(connection, "SELECT 2"));
    EXPECT_EQ(cache.size(), 2U);
}

TEST_F(StatementCacheTest, drops_the_one_not_used_for_longest) {
    StatementCache cache(2);
    for (const char* text : {"SELECT 1", "SELECT 2", "SELECT 1", "SELECT 3"}) {
        EXPECT_GT(ask(cache, text), 0);
    }

    EXPECT_EQ(cache.size(), 2U);
    EXPECT_EQ(connection
                  .execAndGet("SELECT group_concat(sql) FROM (SELECT sql FROM sqlite_stmt"
                              " WHERE sql LIKE 'SELECT _' ORDER BY sql)")
                  .getString(),
              "SELECT 1,SELECT 3");
}

TEST_F(StatementCacheTest, a_used_statement_lets_go_of_the_database) {
    connection.exec("CREATE TABLE t (x)");
    connection.exec("INSERT INTO t VALUES (1), (2)");
    StatementCache cache;

    EXPECT_EQ(ask(cache, "SELECT x FROM t"), 1);

    connection.exec("DROP TABLE t");  // refused while a statement reads it
}

TEST_F(StatementCacheTest, a_text_that_is_no_sql_is_not_kept) {
    StatementCache cache;

    EXPECT_THROW(cache.prepare(connection, "SELEKT"), SQLite::Exception);
    EXPECT_EQ(cache.size(), 0U);
}

}  // namespace
}  // namespace storage
