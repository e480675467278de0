#include "offline_registry/rebase.hpp"

#include "offline_registry/testing/rows.hpp"

namespace offline_registry {
namespace {

using testing::kModel;
using testing::kNoon;
using testing::Rows;

constexpr const char* kCreate = R"({"name": "m", "source": "s3://b/ours"})";
constexpr const char* kAlias = R"({"name": "m", "version": "2", "alias": "champion"})";

void make_model(Rows& rows) {
    rows.write("POST", "registered-models/create", R"({"name": "m"})");
    rows.write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/1"})");
}

class RebaseTest : public ::testing::Test {
protected:
    RebaseTest() {
        make_model(here_);
        make_model(mlflow_);
    }

    Rebased rebase_on_mlflow(std::vector<journal::Entry> entries, Numbers numbers = {}) {
        auto rebased = here_.change([&](registry::Writer& writer) -> base::Result<Rebased> {
            const auto started = start_over(writer, mlflow_.view(), 1);
            return started ? rebase(writer, kModel, std::move(entries), std::move(numbers), kNoon)
                           : base::Result<Rebased>(std::unexpected(started.error()));
        });
        EXPECT_TRUE(rebased);
        return rebased.value();
    }

    std::int64_t next_number() {
        const journal::Entry entry = here_.promise("POST", "model-versions/create", kCreate);
        return expectation_of(entry)->after.highest_version;
    }

    Rows here_;
    Rows mlflow_;
};

TEST_F(RebaseTest, a_number_that_is_taken_becomes_the_next_one_and_all_that_names_it_follows) {
    const std::vector<journal::Entry> entries{here_.promise("POST", "model-versions/create", kCreate),
                                              here_.promise("POST", "registered-models/alias", kAlias)};
    mlflow_.write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/theirs"})");
    const Rebased rebased = rebase_on_mlflow(entries);
    EXPECT_EQ(rebased.numbers, (Numbers{{2, 3}}));
    EXPECT_TRUE(rebased.rejected.empty());
    ASSERT_EQ(rebased.rewritten.size(), 2U);
    EXPECT_EQ(rebased.rewritten[0].body, kCreate);
    EXPECT_NE(rebased.rewritten[1].body.find(R"("version":"3")"), std::string::npos);
    EXPECT_EQ(expectation_of(rebased.rewritten[0])->before.fingerprint, fingerprint(mlflow_.state()));
    EXPECT_EQ(expectation_of(rebased.rewritten[1])->after.fingerprint, fingerprint(here_.state()));
    EXPECT_EQ(here_.state().at("version 2"), "of s3://b/theirs");
    EXPECT_EQ(here_.state().at("alias champion"), "version 3");
}

TEST_F(RebaseTest, what_mlflow_would_refuse_by_now_is_set_aside_with_all_that_is_about_it) {
    const auto create = here_.promise("POST", "model-versions/create", R"({"name": "m", "source": "models:/m/1"})");
    const auto alias = here_.promise("POST", "registered-models/alias", kAlias);
    const auto tag = here_.promise("POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "v"})");
    mlflow_.write("DELETE", "model-versions/delete", R"({"name": "m", "version": "1"})");
    mlflow_.write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/theirs"})");
    const Rebased rebased = rebase_on_mlflow({create, alias, tag});
    ASSERT_EQ(rebased.rejected.size(), 2U);
    EXPECT_EQ(rebased.rejected[0].sequence, create.sequence);
    EXPECT_EQ(rebased.rejected[0].status, 404U);
    EXPECT_EQ(rebased.rejected[1].sequence, alias.sequence);
    ASSERT_EQ(rebased.rewritten.size(), 1U);
    EXPECT_EQ(rebased.rewritten[0].sequence, tag.sequence);
    EXPECT_EQ(rebased.numbers, (Numbers{{2, 0}}));
    EXPECT_FALSE(here_.state().contains("alias champion"));
}

TEST_F(RebaseTest, a_number_mlflow_gave_already_is_known) {
    const auto create = here_.promise("POST", "model-versions/create", kCreate);
    const auto alias = here_.promise("POST", "registered-models/alias", kAlias);
    mlflow_.write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/theirs"})");
    mlflow_.write("DELETE", "model-versions/delete", R"({"name": "m", "version": "2"})");
    mlflow_.write("POST", "model-versions/create", kCreate);
    const Rebased rebased = rebase_on_mlflow({alias}, {{2, 3}});
    EXPECT_EQ(here_.state().at("alias champion"), "version 3");
    EXPECT_EQ(rebased.numbers, (Numbers{{2, 3}}));
}

TEST_F(RebaseTest, numbers_start_again_with_a_model_that_is_made_again) {
    mlflow_.write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/theirs"})");
    const std::vector<journal::Entry> entries{here_.promise("POST", "model-versions/create", kCreate),
                                              here_.promise("DELETE", "registered-models/delete", R"({"name": "m"})"),
                                              here_.promise("POST", "registered-models/create", R"({"name": "m"})"),
                                              here_.promise("POST", "model-versions/create", kCreate),
                                              here_.promise("POST", "model-versions/create", kCreate),
                                              here_.promise("POST", "registered-models/alias", kAlias)};
    const Rebased rebased = rebase_on_mlflow(entries);
    EXPECT_EQ(rebased.numbers, Numbers());
    EXPECT_EQ(here_.state().at("alias champion"), "version 2");
}

TEST_F(RebaseTest, starting_over_forgets_what_was_only_promised_and_no_number_that_was_given) {
    here_.write("POST", "model-versions/create", kCreate);
    here_.write("DELETE", "model-versions/delete", R"({"name": "m", "version": "2"})");
    here_.promise("POST", "model-versions/create", kCreate);
    ASSERT_TRUE(here_.change([&](registry::Writer& writer) { return start_over(writer, mlflow_.view(), 2); }));
    EXPECT_EQ(here_.state(), mlflow_.state());
    EXPECT_EQ(next_number(), 3);
}

TEST_F(RebaseTest, starting_over_keeps_where_artifacts_are) {
    ASSERT_TRUE(here_.change([&](registry::Writer& writer) -> base::Result<void> {
        registry::ModelVersion version = writer.find_version(kModel, 1).value().value();
        version.artifact_uri = "s3://elsewhere";
        return writer.put_version("", version);
    }));
    ASSERT_TRUE(here_.change([&](registry::Writer& writer) { return start_over(writer, mlflow_.view(), 0); }));
    const auto uri = here_.change([&](registry::Writer& writer) -> base::Result<std::string> {
        return writer.find_version(kModel, 1).value().value().artifact_uri;
    });
    EXPECT_EQ(uri.value(), "s3://elsewhere");
}

TEST_F(RebaseTest, starting_over_with_a_model_that_is_gone_leaves_nothing) {
    mlflow_.write("DELETE", "registered-models/delete", R"({"name": "m"})");
    ASSERT_TRUE(here_.change([&](registry::Writer& writer) { return start_over(writer, mlflow_.view(), 5); }));
    EXPECT_TRUE(here_.state().empty());
}

TEST(Numbers, are_put_into_whatever_form_a_version_has) {
    const Numbers numbers{{2, 7}};
    EXPECT_EQ(renumbered(R"({"version": "2"})", kModel, numbers), R"({"version":"7"})");
    EXPECT_EQ(renumbered(R"({"version": 2})", kModel, numbers), R"({"version":"7"})");
    EXPECT_EQ(renumbered(R"({"version": " 2 "})", kModel, numbers), R"({"version":"7"})");
    EXPECT_EQ(renumbered(R"("{\"version\": \"2\"}")", kModel, numbers), R"({"version":"7"})");
    EXPECT_EQ(renumbered(R"({"source": "models:/m/2"})", kModel, numbers), R"({"source":"models:/m/7"})");
    EXPECT_EQ(renumbered(R"({"source": "models:/n/2"})", kModel, numbers), R"({"source":"models:/n/2"})");
    EXPECT_EQ(renumbered(R"({"version": "3"})", kModel, numbers), R"({"version":"3"})");
    EXPECT_EQ(renumbered("no JSON", kModel, numbers), "no JSON");
    EXPECT_EQ(renumbered(R"({ "version": "2" })", kModel, {}), R"({ "version": "2" })");
}

TEST(Numbers, come_back_from_their_text) {
    const Numbers numbers{{2, 7}, {3, 0}};
    EXPECT_EQ(numbers_from(to_text(numbers)), numbers);
    EXPECT_EQ(numbers_from(""), Numbers());
}

}  // namespace
}  // namespace offline_registry
