// What every store must do with transactions, facts and workspaces:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreTransactionContract, ::testing::Values(&make_memory_store));
#pragma once

#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "registry/testing/store_fixture.hpp"

#include <gtest/gtest.h>

namespace registry::testing {

class StoreTransactionContract : public StoreFixture {
protected:
    // One of every kind of write on top of what `put_something` has put.
    static void change_everything(Writer& writer) {
        const ModelKey fox{"", "fox"};
        EXPECT_TRUE(writer.put_model("", make_model("new")));
        EXPECT_TRUE(writer.put_version("", make_version("new", 1)));
        EXPECT_TRUE(writer.erase_version(fox, 2));
        EXPECT_TRUE(writer.rename_model(fox, "renamed"));
        EXPECT_TRUE(writer.erase_model({"", "owl"}));
        EXPECT_TRUE(writer.put_fact("epoch", "2"));
    }

    void put_something() {
        RegisteredModel fox = make_model("fox");
        fox.aliases = {{"a", 2}};
        put(fox);
        put(make_version("fox", 1));
        put(make_version("fox", 2));
        put(make_model("owl"));
        write([](Writer& writer) { return writer.put_fact("epoch", "1"); });
    }

    void expect_only_something() {
        EXPECT_EQ(list_models(std::nullopt, 10), (std::vector<std::string>{"/fox", "/owl"}));
        EXPECT_EQ(version_numbers({"", "fox"}), (std::vector<std::int64_t>{1, 2}));
        EXPECT_EQ(find_model({"", "fox"})->aliases, (std::vector<Alias>{{"a", 2}}));
        EXPECT_EQ(find_fact("epoch"), "1");
        EXPECT_EQ(highest_version({"", "new"}), 0);
    }
};

TEST_P(StoreTransactionContract, a_write_sees_what_it_wrote_before) {
    write([](Writer& writer) -> base::Result<void> {
        EXPECT_TRUE(writer.put_model("", make_model("fox")));
        EXPECT_TRUE(writer.put_version("", make_version("fox", 1)));
        EXPECT_TRUE(writer.find_model({"", "fox"}).value());
        EXPECT_EQ(writer.highest_version({"", "fox"}).value(), 1);
        EXPECT_EQ(writer.counts().value().versions, 1);
        return {};
    });
}

TEST_P(StoreTransactionContract, a_failed_write_leaves_nothing_and_gives_its_error) {
    put_something();

    const auto written = store->write([](Writer& writer) -> base::Result<void> {
        change_everything(writer);
        return base::fail(base::Code::already_exists, "no");
    });

    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, base::Code::already_exists);
    EXPECT_EQ(written.error().message, "no");
    expect_only_something();
}

TEST_P(StoreTransactionContract, a_write_that_throws_leaves_nothing_and_lets_others_write) {
    put_something();

    EXPECT_THROW(std::ignore = store->write([](Writer& writer) -> base::Result<void> {
        change_everything(writer);
        throw std::runtime_error("bug");
    }),
                 std::runtime_error);

    expect_only_something();
    write([](Writer& writer) { return writer.put_fact("epoch", "1"); });
}

TEST_P(StoreTransactionContract, a_failed_read_gives_its_error) {
    const auto read =
        store->read([](Reader&) -> base::Result<void> { return base::fail(base::Code::missing_resource, "no"); });

    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, base::Code::missing_resource);
    EXPECT_EQ(read.error().message, "no");
}

TEST_P(StoreTransactionContract, writes_take_turns) {
    constexpr int kThreads = 4;
    constexpr int kWrites = 25;
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < kWrites; ++j) {
                write([](Writer& writer) -> base::Result<void> {
                    const int count = std::stoi(writer.find_fact("count").value().value_or("0"));
                    return writer.put_fact("count", std::to_string(count + 1));
                });
            }
        });
    }
    threads.clear();

    EXPECT_EQ(find_fact("count"), std::to_string(kThreads * kWrites));
}

TEST_P(StoreTransactionContract, a_read_sees_one_state) {
    const std::jthread writing([&] {
        for (int i = 1; i <= 50; ++i) {
            write([&](Writer& writer) -> base::Result<void> {
                EXPECT_TRUE(writer.put_fact("left", std::to_string(i)));
                return writer.put_fact("right", std::to_string(i));
            });
        }
    });
    for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(store->read([](Reader& reader) -> base::Result<void> {
            const auto left = reader.find_fact("left").value();
            EXPECT_EQ(left, reader.find_fact("right").value());
            return {};
        }));
    }
}

TEST_P(StoreTransactionContract, facts_are_replaced_and_hold_any_bytes) {
    const std::string value("a\0b'\xff", 5);
    write([&](Writer& writer) { return writer.put_fact("it's", "first"); });
    write([&](Writer& writer) { return writer.put_fact("it's", value); });
    write([&](Writer& writer) { return writer.put_fact("empty", ""); });

    EXPECT_EQ(find_fact("it's"), value);
    EXPECT_EQ(find_fact("empty"), "");
    EXPECT_EQ(find_fact("other"), std::nullopt);
}

TEST_P(StoreTransactionContract, lists_models_by_pages_in_the_order_of_workspace_and_name) {
    for (const char* name : {"b", "C", "a", "é", "z"}) {
        put(make_model(name));
    }
    put(make_model("a"), "team");
    put(make_model("m"), "Team");

    EXPECT_EQ(list_models(std::nullopt, 3), (std::vector<std::string>{"/C", "/a", "/b"}));
    EXPECT_EQ(list_models(ModelKey{"", "b"}, 3), (std::vector<std::string>{"/z", "/é", "Team/m"}));
    EXPECT_EQ(list_models(ModelKey{"", "gone"}, 1), (std::vector<std::string>{"/z"}));
    EXPECT_EQ(list_models(ModelKey{"Team", "m"}, 3), (std::vector<std::string>{"team/a"}));
    EXPECT_TRUE(list_models(ModelKey{"team", "a"}, 3).empty());
}

TEST_P(StoreTransactionContract, lists_models_that_have_aliases_by_pages) {
    for (const char* name : {"b", "c", "a", "d"}) {
        RegisteredModel model = make_model(name);
        model.aliases = {{"y", 2}, {"x", 1}};
        put(std::string_view(name) == "c" ? make_model(name) : model);
    }
    const std::vector<Alias> aliases{{"x", 1}, {"y", 2}};
    const auto list = [&](const std::optional<ModelKey>& after) {
        return ask([&](Reader& reader) { return reader.list_aliased_models(after, 2); });
    };
    EXPECT_EQ(list(std::nullopt), (std::vector<AliasedModel>{{{"", "a"}, aliases}, {{"", "b"}, aliases}}));
    EXPECT_EQ(list(ModelKey{"", "b"}), (std::vector<AliasedModel>{{{"", "d"}, aliases}}));
}

TEST_P(StoreTransactionContract, keeps_workspaces_apart) {
    RegisteredModel model = make_model("fox");
    model.aliases = {{"a", 1}};
    put(model);
    put(make_version("fox", 1));
    put(make_model("fox"), "team");
    put(make_version("fox", 1), "team");
    put(make_version("fox", 2), "team");

    write([](Writer& writer) { return writer.erase_version({"", "fox"}, 1); });
    EXPECT_EQ(version_numbers({"team", "fox"}), (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(highest_version({"", "fox"}), 1);

    write([](Writer& writer) { return writer.rename_model({"team", "fox"}, "owl"); });
    EXPECT_TRUE(find_model({"", "fox"}));
    write([](Writer& writer) { return writer.erase_model({"", "fox"}); });
    EXPECT_EQ(version_numbers({"team", "owl"}), (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{1, 2, 0}));
}

}  // namespace registry::testing
