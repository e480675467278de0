#include "registry/indexed_store.hpp"

#include <string>
#include <thread>
#include <vector>

#include "registry/json.hpp"
#include "registry/testing/failing_store.hpp"
#include "registry/testing/memory_store.hpp"
#include "registry/testing/store_fixture.hpp"

#include <gtest/gtest.h>

namespace registry::testing {

namespace {

struct Indexed {
    MemoryStore memory;
    FailingStore store{memory};
    AliasIndex index;
    IndexedStore indexed{store, index};

    void write(const std::function<base::Result<void>(Writer&)>& work) {
        EXPECT_TRUE(indexed.write(work));
    }

    void put(const RegisteredModel& model) {
        write([&](Writer& writer) { return writer.put_model("", model); });
    }

    void put(const ModelVersion& version) {
        write([&](Writer& writer) { return writer.put_version("", version); });
    }

    // fox with versions 1 and 2, the alias `a` on 1.
    void put_fox() {
        RegisteredModel model = make_model("fox");
        put(model);
        put(make_version("fox", 1));
        put(make_version("fox", 2));
        model.aliases = {{"a", 1}};
        put(model);
    }

    // What the index answers.
    std::string find(std::string_view name, std::string_view alias) {
        const AliasIndex::Answer answer = index.find("", name, alias);
        return answer == nullptr ? "none" : *answer;
    }

    // What the store would answer.
    std::string answer(std::string_view name, std::int64_t number) {
        std::string text;
        EXPECT_TRUE(indexed.read([&](Reader& reader) -> base::Result<void> {
            const auto version = reader.find_version({"", std::string(name)}, number).value();
            text = registry::serialize({{"model_version", to_json(version.value())}});
            return {};
        }));
        return text;
    }
};

TEST(IndexedStore, holds_the_bytes_of_get_by_alias) {
    Indexed under_test;
    under_test.put_fox();

    EXPECT_EQ(under_test.find("fox", "a"), under_test.answer("fox", 1));
    EXPECT_NE(under_test.find("fox", "a").find("\"aliases\": [\n      \"a\"\n    ]"), std::string::npos);
    EXPECT_EQ(under_test.find("fox", "b"), "none");
}

TEST(IndexedStore, follows_every_kind_of_write) {
    Indexed under_test;
    under_test.put_fox();
    RegisteredModel model = make_model("fox");

    model.aliases = {{"a", 2}, {"b", 2}};
    under_test.put(model);
    EXPECT_EQ(under_test.find("fox", "a"), under_test.answer("fox", 2));
    EXPECT_EQ(under_test.find("fox", "b"), under_test.find("fox", "a"));

    ModelVersion version = make_version("fox", 2);
    version.description = "new";
    under_test.put(version);
    EXPECT_EQ(under_test.find("fox", "a"), under_test.answer("fox", 2));

    under_test.write([](Writer& writer) { return writer.rename_model({"", "fox"}, "owl"); });
    EXPECT_EQ(under_test.find("fox", "a"), "none");
    EXPECT_EQ(under_test.find("owl", "a"), under_test.answer("owl", 2));

    under_test.write([](Writer& writer) { return writer.erase_version({"", "owl"}, 2); });
    EXPECT_EQ(under_test.find("owl", "a"), "none");

    model = make_model("owl");
    model.aliases = {{"a", 1}};
    under_test.put(model);
    EXPECT_EQ(under_test.find("owl", "a"), under_test.answer("owl", 1));
    under_test.write([](Writer& writer) { return writer.erase_model({"", "owl"}); });
    EXPECT_EQ(under_test.find("owl", "a"), "none");
}

TEST(IndexedStore, a_refused_write_changes_nothing) {
    Indexed under_test;
    under_test.put_fox();
    const std::string before = under_test.find("fox", "a");

    EXPECT_FALSE(under_test.indexed.write([](Writer& writer) -> base::Result<void> {
        EXPECT_TRUE(writer.erase_model({"", "fox"}));
        return base::fail(base::Code::missing_resource, "no");
    }));

    EXPECT_EQ(under_test.find("fox", "a"), before);
}

TEST(IndexedStore, forgets_a_model_when_the_outcome_of_a_commit_is_unknown) {
    for (const Commit commit : {Commit::fails, Commit::takes_place_unseen}) {
        Indexed under_test;
        under_test.put_fox();
        under_test.store.set_commit(commit);

        EXPECT_FALSE(under_test.indexed.write([](Writer& writer) { return writer.erase_version({"", "fox"}, 1); }));

        EXPECT_EQ(under_test.find("fox", "a"), "none");
    }
}

TEST(IndexedStore, loads_all_models_page_by_page) {
    Indexed under_test;
    constexpr int kModels = 1201;
    EXPECT_TRUE(under_test.memory.write([](Writer& writer) -> base::Result<void> {
        for (int i = 0; i < kModels; ++i) {
            RegisteredModel model = make_model("m" + std::to_string(i));
            model.aliases = {{"a", 1}, {"dangling", 7}};
            EXPECT_TRUE(writer.put_model("", model));
            EXPECT_TRUE(writer.put_version("", make_version(model.name, 1)));
        }
        return {};
    }));
    EXPECT_EQ(under_test.find("m0", "a"), "none");

    ASSERT_TRUE(under_test.indexed.load());

    for (int i = 0; i < kModels; ++i) {
        EXPECT_NE(under_test.find("m" + std::to_string(i), "a"), "none");
    }
    EXPECT_EQ(under_test.find("m7", "a"), under_test.answer("m7", 1));
    EXPECT_EQ(under_test.find("m7", "dangling"), "none");
}

TEST(IndexedStore, agrees_with_the_store_after_writes_from_many_threads) {
    Indexed under_test;
    under_test.put_fox();
    std::vector<std::jthread> writers;
    for (int thread = 0; thread < 4; ++thread) {
        writers.emplace_back([&under_test, thread] {
            for (int i = 0; i < 100; ++i) {
                RegisteredModel model = make_model("fox");
                model.aliases = {{"a", (thread + i) % 2 + 1}};
                under_test.put(model);
                const std::string seen = under_test.find("fox", "a");
                EXPECT_NE(seen, "none");
            }
        });
    }
    writers.clear();

    std::int64_t number = 0;
    EXPECT_TRUE(under_test.indexed.read([&](Reader& reader) -> base::Result<void> {
        number = reader.find_model({"", "fox"}).value()->aliases.front().version;
        return {};
    }));
    EXPECT_EQ(under_test.find("fox", "a"), under_test.answer("fox", number));
}

}  // namespace

}  // namespace registry::testing
