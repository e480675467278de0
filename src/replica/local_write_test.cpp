#include "replica/local_write.hpp"

#include "replica/reread.hpp"
#include "replica/testing/replica_fixture.hpp"

namespace replica {
namespace {

struct WriteRow {
    const char* method;
    const char* path;
    const char* body;
};

constexpr const char* kAliasedGet = "registered-models/alias?name=m&alias=champion";

class LocalWriteTest : public testing::ReplicaTest {
protected:
    LocalWriteTest() {
        elsewhere("POST", "registered-models/create", R"({"name": "m"})");
        for (int i = 0; i < 3; ++i) {
            elsewhere("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/x"})");
        }
        elsewhere("POST", "registered-models/alias", R"({"name": "m", "alias": "champion", "version": "1"})");
        elsewhere("POST",
                  "model-versions/transition-stage",
                  R"({"name": "m", "version": "1", "stage": "Production", "archive_existing_versions": false})");
        sweep();
        EXPECT_TRUE(is_equal());
    }
};

constexpr WriteRow kWrites[] = {
    {"POST", "registered-models/create", R"({"name": "n", "description": "d", "tags": [{"key": "k", "value": "v"}]})"},
    {"POST", "registered-models/rename", R"({"name": "m", "new_name": "r"})"},
    {"POST", "registered-models/rename", R"({"name": "m", "new_name": "m"})"},
    {"PATCH", "registered-models/update", R"({"name": "m", "description": "d"})"},
    {"DELETE", "registered-models/delete", R"({"name": "m"})"},
    {"POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "v"})"},
    {"DELETE", "registered-models/delete-tag", R"({"name": "m", "key": "k"})"},
    {"POST", "registered-models/alias", R"({"name": "m", "alias": "champion", "version": "2"})"},
    {"DELETE", "registered-models/alias", R"({"name": "m", "alias": "champion"})"},
    {"POST", "model-versions/create", R"({"name": "m", "source": "s3://b/y", "description": "d"})"},
    {"PATCH", "model-versions/update", R"({"name": "m", "version": "2", "description": "d"})"},
    {"POST",
     "model-versions/transition-stage",
     R"({"name": "m", "version": "2", "stage": "Production", "archive_existing_versions": true})"},
    {"POST",
     "model-versions/transition-stage",
     R"({"name": "m", "version": "2", "stage": "Staging", "archive_existing_versions": false})"},
    {"DELETE", "model-versions/delete", R"({"name": "m", "version": "1"})"},
    {"POST", "model-versions/set-tag", R"({"name": "m", "version": "2", "key": "k", "value": "v"})"},
    {"DELETE", "model-versions/delete-tag", R"({"name": "m", "version": "2", "key": "k"})"},
};

TEST_F(LocalWriteTest, of_every_kind_is_in_the_replica_before_it_is_answered) {
    for (const WriteRow& row : kWrites) {
        EXPECT_EQ(write(row.method, row.path, row.body), 200U) << row.path;
        EXPECT_TRUE(is_equal()) << row.path << row.body;
        EXPECT_TRUE(replica_.marked().empty()) << row.path;
        if (std::string_view(row.body).find(R"("r")") != std::string_view::npos) {
            write("POST", "registered-models/rename", R"({"name": "r", "new_name": "m"})");
        }
        if (std::string_view(row.path) == "registered-models/delete") {
            write("POST", "registered-models/create", R"({"name": "m"})");
            write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/x"})");
            write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/x"})");
        }
        EXPECT_TRUE(is_equal()) << row.path << row.body;
    }
}

TEST_F(LocalWriteTest, tells_where_the_artifacts_of_a_new_version_are) {
    write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/y"})");
    EXPECT_EQ(status_of("model-versions/get-download-uri?name=m&version=4"), 200U);
    EXPECT_EQ(status_of("model-versions/get-download-uri?name=m&version=3"), 0U);
}

TEST_F(LocalWriteTest, brings_along_what_was_written_elsewhere) {
    elsewhere("POST", "registered-models/create", R"({"name": "unknown"})");
    elsewhere("POST", "model-versions/create", R"({"name": "unknown", "source": "s3://b/x"})");
    write("POST", "model-versions/create", R"({"name": "unknown", "source": "s3://b/x"})");
    EXPECT_TRUE(is_equal());

    elsewhere("DELETE", "registered-models/delete", R"({"name": "m"})");
    elsewhere("POST", "registered-models/create", R"({"name": "m"})");
    elsewhere("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/x"})");
    write("POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "v"})");
    EXPECT_TRUE(is_equal());

    elsewhere("DELETE", "registered-models/delete", R"({"name": "m"})");
    write("POST", "registered-models/create", R"({"name": "m"})");
    EXPECT_TRUE(is_equal());
}

TEST_F(LocalWriteTest, that_mlflow_refuses_changes_nothing) {
    const std::int64_t revision = replica_.revision();
    EXPECT_EQ(write("POST", "registered-models/create", R"({"name": "m"})"), 400U);
    EXPECT_EQ(write("POST", "registered-models/rename", R"({"name": "x", "new_name": "y"})"), 404U);
    EXPECT_EQ(write("DELETE", "model-versions/delete", R"({"name": "m", "version": "9"})"), 404U);
    EXPECT_EQ(replica_.revision(), revision);
    EXPECT_TRUE(replica_.marked().empty());
}

TEST_F(LocalWriteTest, of_unknown_outcome_marks_the_model_and_what_is_missing_there_stays_open) {
    write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/y"})", Fate::lost_after);
    ASSERT_EQ(replica_.marked().size(), 1U);
    EXPECT_EQ(replica_.marked().front().reason, MarkReason::unknown_outcome);
    EXPECT_EQ(status_of("model-versions/get?name=m&version=4"), 0U);
    EXPECT_EQ(status_of("model-versions/get?name=m&version=1"), 200U);
    EXPECT_EQ(status_of(kAliasedGet), 200U);
    EXPECT_EQ(status_of("model-versions/get?name=n&version=1"), 404U);
}

TEST_F(LocalWriteTest, that_never_reached_mlflow_marks_nothing) {
    write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/y"})", Fate::refused);
    EXPECT_TRUE(replica_.marked().empty());
}

TEST_F(LocalWriteTest, of_a_rename_of_unknown_outcome_marks_both_names) {
    write("POST", "registered-models/rename", R"({"name": "m", "new_name": "r"})", Fate::lost_after);
    EXPECT_EQ(replica_.marked().size(), 2U);
}

TEST_F(LocalWriteTest, of_every_kind_is_applied_when_mlflow_dies_before_it_was_read_back) {
    for (const WriteRow& row : kWrites) {
        if (std::string_view(row.path) == "registered-models/delete" ||
            std::string_view(row.path) == "registered-models/rename") {
            continue;
        }
        EXPECT_EQ(write(row.method, row.path, row.body, Fate::answer_unread), 200U) << row.path;
        EXPECT_TRUE(is_equal()) << row.path << row.body;
        EXPECT_FALSE(replica_.confirmations.has_lost_any()) << row.path;
    }
    EXPECT_EQ(write("POST", "registered-models/rename", R"({"name": "m", "new_name": "r"})", Fate::answer_unread),
              200U);
    EXPECT_TRUE(is_equal());
    EXPECT_EQ(write("DELETE", "registered-models/delete", R"({"name": "r"})", Fate::answer_unread), 200U);
    EXPECT_TRUE(is_equal());
    EXPECT_FALSE(replica_.marked().empty());
}

TEST_F(LocalWriteTest, that_the_store_does_not_take_silences_the_model) {
    store_.is_broken = true;
    EXPECT_EQ(write("POST", "registered-models/alias", R"({"name": "m", "alias": "champion", "version": "2"})"), 200U);
    store_.is_broken = false;
    EXPECT_EQ(status_of(kAliasedGet), 0U);
    EXPECT_EQ(status_of("registered-models/search"), 0U);
    ASSERT_EQ(replica_.marked().size(), 1U);
    EXPECT_EQ(replica_.marked().front().reason, MarkReason::not_stored);

    write("POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "v"})");
    EXPECT_EQ(status_of(kAliasedGet), 0U);

    ASSERT_TRUE(run(reread(worker_, replica_, reader_, {.key = {"", "m"}})));
    EXPECT_EQ(status_of(kAliasedGet), 200U);
    EXPECT_TRUE(is_equal());
}

TEST_F(LocalWriteTest, waits_for_the_one_before_it) {
    mlflow_.most_turns = 5;
    auto first = net::testing::start_on(
        worker_,
        write_task(call_of("POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "1"})"),
                   Fate::answered));
    EXPECT_EQ(write("POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "2"})"), 200U);
    EXPECT_EQ(first.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_TRUE(is_equal());
}

}  // namespace
}  // namespace replica
