#include "replica/merge.hpp"

#include <algorithm>
#include <set>

#include "registry/testing/memory_store.hpp"

#include <gtest/gtest.h>

namespace replica {
namespace {

registry::ModelVersion version_of(std::int64_t number, std::string stage = "None", registry::Timestamp created = 1) {
    registry::ModelVersion version;
    version.name = "m";
    version.version = number;
    version.creation_timestamp = created;
    version.current_stage = std::move(stage);
    version.source = "s3://bucket/" + std::to_string(number);
    return version;
}

registry::RegisteredModel model_of(registry::Timestamp created, std::vector<registry::ModelVersion> latest = {}) {
    registry::RegisteredModel model;
    model.name = "m";
    model.creation_timestamp = created;
    model.latest_versions = std::move(latest);
    return model;
}

const registry::ModelKey kModel{"", "m"};

ModelView whole(registry::RegisteredModel model, std::vector<registry::ModelVersion> versions) {
    ModelView view;
    view.key = kModel;
    view.model = std::move(model);
    view.versions = std::move(versions);
    view.is_whole = true;
    return view;
}

ModelView seen(registry::RegisteredModel model) {
    ModelView view;
    view.key = kModel;
    view.model = std::move(model);
    return view;
}

ModelView seen(std::vector<registry::ModelVersion> versions) {
    ModelView view;
    view.key = kModel;
    view.versions = std::move(versions);
    return view;
}

class MergeTest : public ::testing::Test {
protected:
    Merged put(const ModelView& view, Filling filling = Filling::whole) {
        Merged merged;
        const base::Result<void> done = store_.write([&](registry::Writer& writer) -> base::Result<void> {
            base::Result<Merged> result = merge(writer, view, filling);
            merged = result.value();
            return {};
        });
        EXPECT_TRUE(done);
        return merged;
    }

    std::optional<registry::RegisteredModel> model(const registry::ModelKey& key = kModel) {
        std::optional<registry::RegisteredModel> found;
        EXPECT_TRUE(store_.read([&](registry::Reader& reader) -> base::Result<void> {
            found = reader.find_model(key).value();
            return {};
        }));
        return found;
    }

    std::optional<registry::ModelVersion> version(std::int64_t number, const registry::ModelKey& key = kModel) {
        std::optional<registry::ModelVersion> found;
        EXPECT_TRUE(store_.read([&](registry::Reader& reader) -> base::Result<void> {
            found = reader.find_version(key, number).value();
            return {};
        }));
        return found;
    }

    registry::testing::MemoryStore store_;
};

TEST_F(MergeTest, writes_nothing_when_nothing_differs_but_the_order) {
    registry::RegisteredModel shown = model_of(1, {version_of(2)});
    shown.tags = {{"a", "1"}, {"b", "2"}};
    shown.aliases = {{"x", 1}, {"y", 2}};
    EXPECT_EQ(put(whole(shown, {version_of(1), version_of(2)})).changes, 3);

    std::ranges::reverse(shown.tags);
    std::ranges::reverse(shown.aliases);
    const Merged again = put(whole(shown, {version_of(1), version_of(2)}));
    EXPECT_EQ(again.changes, 0);
    EXPECT_FALSE(again.is_torn);
    EXPECT_FALSE(again.aliases_changed);
}

TEST_F(MergeTest, sees_what_changes_no_timestamp) {
    put(whole(model_of(1, {version_of(1)}), {version_of(1)}));

    registry::RegisteredModel aliased = model_of(1, {version_of(1)});
    aliased.aliases = {{"champion", 1}};
    const Merged moved = put(seen(aliased));
    EXPECT_EQ(moved.changes, 1);
    EXPECT_TRUE(moved.aliases_changed);
    EXPECT_EQ(model()->aliases, aliased.aliases);

    registry::ModelVersion tagged = version_of(1);
    tagged.tags = {{"k", "v"}};
    EXPECT_EQ(put(seen({tagged})).changes, 1);
    EXPECT_EQ(version(1)->tags, tagged.tags);
    EXPECT_EQ(model()->aliases, aliased.aliases);

    registry::ModelVersion newer = tagged;
    newer.unknown["field_of_tomorrow"] = 1;
    EXPECT_EQ(put(seen({newer})).changes, 1);
    EXPECT_EQ(version(1)->unknown, newer.unknown);
}

TEST_F(MergeTest, takes_the_aliases_of_a_single_version_for_all_that_name_it) {
    registry::RegisteredModel shown = model_of(1, {version_of(2)});
    shown.aliases = {{"champion", 1}, {"old", 1}, {"other", 2}};
    put(whole(shown, {version_of(1), version_of(2)}));

    ModelView view = seen({version_of(1)});
    view.knows_aliases = true;
    view.versions.front().aliases = {"champion", "new", "other"};
    EXPECT_TRUE(put(view).aliases_changed);
    EXPECT_EQ(model()->aliases, (std::vector<registry::Alias>{{"champion", 1}, {"new", 1}, {"other", 1}}));
}

TEST_F(MergeTest, keeps_where_artifacts_are_and_tells_where_it_is_unknown) {
    registry::ModelVersion known = version_of(1);
    known.artifact_uri = "s3://store/1";
    registry::RegisteredModel shown = model_of(1, {version_of(2)});
    shown.aliases = {{"champion", 2}};
    const Merged first = put(whole(shown, {known, version_of(2)}));
    ASSERT_EQ(first.without_uri.size(), 2U);  // as one of the versions and as the latest
    EXPECT_EQ(first.without_uri.front().version, 2);
    EXPECT_TRUE(first.without_uri.front().is_aliased);

    EXPECT_EQ(put(seen({version_of(1)})).changes, 0);
    EXPECT_EQ(version(1)->artifact_uri, "s3://store/1");

    const registry::ModelVersion other = version_of(1, "None", 99);
    EXPECT_EQ(put(seen({other})).changes, 1);
    EXPECT_EQ(version(1)->artifact_uri, "");
}

TEST_F(MergeTest, takes_a_model_it_does_not_have_only_as_a_whole) {
    EXPECT_TRUE(put(seen(model_of(1))).is_torn);
    EXPECT_TRUE(put(seen({version_of(1)})).is_torn);
    EXPECT_FALSE(model());

    EXPECT_FALSE(put(seen(model_of(1, {version_of(1)})), Filling::rows).is_torn);
    EXPECT_TRUE(model());
    EXPECT_TRUE(version(1));
}

TEST_F(MergeTest, drops_all_of_another_model_that_had_the_name) {
    put(whole(model_of(1, {version_of(2)}), {version_of(1), version_of(2)}));

    EXPECT_TRUE(put(seen(model_of(7, {version_of(1)}))).is_torn);
    EXPECT_EQ(model()->creation_timestamp, 1);

    const Merged merged = put(whole(model_of(7, {version_of(1, "None", 7)}), {version_of(1, "None", 7)}));
    EXPECT_TRUE(merged.is_other_model);
    EXPECT_EQ(merged.erased, 3);
    EXPECT_EQ(model()->creation_timestamp, 7);
    EXPECT_FALSE(version(2));
}

TEST_F(MergeTest, notices_by_the_latest_versions_that_one_is_gone_or_has_moved) {
    put(whole(model_of(1, {version_of(2)}), {version_of(1), version_of(2)}));
    EXPECT_TRUE(put(seen(model_of(1, {version_of(1)}))).is_torn);
    EXPECT_FALSE(put(seen(model_of(1, {version_of(3)}))).is_torn);
    EXPECT_TRUE(version(3));
}

TEST_F(MergeTest, erases_what_is_gone) {
    registry::RegisteredModel shown = model_of(1, {version_of(2)});
    shown.aliases = {{"champion", 2}};
    put(whole(shown, {version_of(1), version_of(2)}));

    ModelView without_two = seen(std::vector<registry::ModelVersion>{});
    without_two.gone_versions = {2, 5};
    const Merged merged = put(without_two);
    EXPECT_EQ(merged.erased, 1);
    EXPECT_TRUE(merged.aliases_changed);
    EXPECT_FALSE(version(2));
    EXPECT_TRUE(model()->aliases.empty());

    ModelView gone;
    gone.key = kModel;
    gone.is_gone = true;
    EXPECT_EQ(put(gone).erased, 2);
    EXPECT_FALSE(model());
    EXPECT_EQ(put(gone).changes, 0);
}

TEST_F(MergeTest, follows_a_rename_with_all_rows) {
    registry::ModelVersion known = version_of(1);
    known.artifact_uri = "s3://store/1";
    put(whole(model_of(1, {version_of(1)}), {known}));

    registry::RegisteredModel renamed = model_of(1);
    renamed.name = "r";
    registry::ModelVersion version_of_r = version_of(1);
    version_of_r.name = "r";
    renamed.latest_versions = {version_of_r};
    ModelView view = whole(renamed, {version_of_r});
    view.key.name = "r";
    view.renamed_from = "m";
    EXPECT_FALSE(put(view).is_torn);
    EXPECT_FALSE(model());
    EXPECT_TRUE(model({"", "r"}));
    EXPECT_EQ(version(1, {"", "r"})->artifact_uri, "s3://store/1");
}

}  // namespace
}  // namespace replica
