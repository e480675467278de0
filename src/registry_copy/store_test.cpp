#include "registry_copy/store.hpp"

#include "registry/testing/memory_store.hpp"

#include <gtest/gtest.h>

namespace registry_copy {
namespace {

class RegistryCopyStore : public ::testing::Test {
protected:
    static ModelCopy make(std::string name, const std::vector<std::int64_t>& numbers, std::int64_t highest) {
        ModelCopy copy;
        copy.model.name = std::move(name);
        copy.highest_version = highest;
        for (const std::int64_t number : numbers) {
            registry::ModelVersion version;
            version.name = copy.model.name;
            version.version = number;
            version.creation_timestamp = 100 + number;
            version.artifact_uri = "s3://b/" + std::to_string(number);
            copy.versions.push_back(version);
        }
        return copy;
    }

    void add(const ModelCopy& model) {
        const auto written = store.write([&](registry::Writer& writer) -> base::Result<void> {
            StoreTarget target(writer);
            const auto there = target.find_model(model.key());
            return there ? target.add_model(model, *there) : std::unexpected(there.error());
        });
        EXPECT_TRUE(written);
    }

    std::vector<ModelCopy> all() {
        std::vector<ModelCopy> models;
        EXPECT_TRUE(StoreSource(store).for_each_model([&](const ModelCopy& model) {
            models.push_back(model);
            return base::Result<void>();
        }));
        return models;
    }

    registry::testing::MemoryStore store;
};

TEST_F(RegistryCopyStore, gives_back_what_it_took) {
    ModelCopy full = make("fraud", {2, 3, 7}, 7);
    full.workspace = "team";
    full.model.description = "d";
    full.model.tags = {{"b", "1"}, {"a", "2"}};
    full.model.aliases = {{"champion", 3}, {"old", 2}};
    full.model.unknown = {{"x", 1}};
    full.versions[0].tags = {{"t", ""}};
    add(full);

    EXPECT_EQ(all(), std::vector{full});
}

TEST_F(RegistryCopyStore, keeps_in_mind_numbers_of_versions_that_are_gone) {
    add(make("all gone", {}, 4));
    add(make("newest gone", {1, 2}, 5));
    add(make("never any", {}, 0));

    EXPECT_EQ(all(), (std::vector{make("all gone", {}, 4), make("never any", {}, 0), make("newest gone", {1, 2}, 5)}));
}

TEST_F(RegistryCopyStore, gives_out_workspace_by_workspace_past_any_page) {
    constexpr int kMany = 2100;
    EXPECT_TRUE(store.write([](registry::Writer& writer) -> base::Result<void> {
        for (int i = 0; i < kMany; ++i) {
            registry::RegisteredModel model;
            model.name = "m" + std::to_string(i);
            if (auto put = writer.put_model(i % 2 == 0 ? "" : "team", model); !put) {
                return put;
            }
        }
        return {};
    }));

    const std::vector<ModelCopy> models = all();

    ASSERT_EQ(models.size(), static_cast<std::size_t>(kMany));
    EXPECT_TRUE(std::ranges::is_sorted(models, {}, [](const ModelCopy& model) { return model.key(); }));
}

TEST_F(RegistryCopyStore, replaces_a_model_that_was_left_unfinished) {
    ModelCopy unfinished = make("fraud", {1, 2, 3}, 8);
    unfinished.model.tags = {{std::string(kUnfinishedTag), "true"}};
    add(unfinished);
    add(make("fraud", {1}, 2));

    EXPECT_EQ(all(), std::vector{make("fraud", {1}, 2)});
}

TEST_F(RegistryCopyStore, stops_with_the_error_of_who_takes_a_model) {
    add(make("a", {}, 0));
    add(make("b", {}, 0));
    int taken = 0;

    const auto done = StoreSource(store).for_each_model([&](const ModelCopy&) {
        ++taken;
        return base::Result<void>(base::fail(base::Code::exhausted, "no room"));
    });

    EXPECT_EQ(done.error().code, base::Code::exhausted);
    EXPECT_EQ(taken, 1);
}

}  // namespace
}  // namespace registry_copy
