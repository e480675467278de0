#include "registry/recorded_store.hpp"

#include <map>
#include <memory>

#include "base/random.hpp"
#include "base/testing/manual_clock.hpp"
#include "registry/registry.hpp"
#include "registry/testing/failing_store.hpp"
#include "registry/testing/memory_history.hpp"
#include "registry/testing/memory_store.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace registry {
namespace {

using testing::Commit;

// MLflow's calls on rows whose history is in their own transactions, or beside.
class RecordedStoreTest : public ::testing::TestWithParam<bool> {
protected:
    [[nodiscard]] bool is_beside() const {
        return GetParam();
    }

    static Call call_of(Operation operation, const boost::json::object& arguments) {
        return {.operation = operation,
                .method = "POST",
                .workspace = "",
                .query = "",
                .content_type = "application/json",
                .body = boost::json::serialize(arguments),
                .user = "",
                .author = {"id", "Ada"}};
    }

    bool change(Operation operation, const boost::json::object& arguments) {
        clock_.advance(std::chrono::milliseconds(1));
        return registry_.answer(call_of(operation, arguments)).has_value();
    }

    void create(const std::string& name, int versions = 3) {
        EXPECT_TRUE(change(Operation::create_model, {{"name", name}}));
        for (int i = 0; i < versions; ++i) {
            EXPECT_TRUE(change(Operation::create_version, {{"name", name}, {"source", "s3://b/x"}}));
        }
    }

    bool point(const std::string& name, const std::string& alias, int version) {
        return change(Operation::set_alias, {{"name", name}, {"alias", alias}, {"version", std::to_string(version)}});
    }

    // Behind the back of the recorded store.
    void elsewhere(Operation operation, const boost::json::object& arguments) {
        EXPECT_TRUE(Registry(rows_, clock_).answer(call_of(operation, arguments)));
    }

    template <class Ask>
    void with_history(Ask ask) {
        if (is_beside()) {
            ask(beside_);
            return;
        }
        EXPECT_TRUE(rows_.write([&](Writer& writer) -> base::Result<void> {
            ask(writer.alias_history());
            return {};
        }));
    }

    std::vector<AliasChange> changes(const std::string& name) {
        std::vector<AliasChange> found;
        with_history([&](AliasHistory& history) { found = history.changes({"", name}, 10'000).value(); });
        return found;
    }

    std::vector<Alias> aliases_of(const std::string& name) {
        std::vector<Alias> aliases;
        EXPECT_TRUE(rows_.read([&](Reader& reader) -> base::Result<void> {
            const auto model = reader.find_model({"", name}).value();
            aliases = model ? model->aliases : aliases;
            return {};
        }));
        return aliases;
    }

    // Each change begins where the one before it ended, and the last ends where the rows are.
    void expect_whole(const std::string& name) {
        std::map<std::string, std::int64_t> told;
        std::vector<AliasChange> kept = changes(name);
        for (auto change = kept.rbegin(); change != kept.rend(); ++change) {
            const auto before = told.find(change->alias);
            EXPECT_EQ(change->from, before == told.end() ? std::nullopt : std::optional(before->second));
            EXPECT_NE(change->from, change->to);
            told.erase(change->alias);
            if (change->to) {
                told.emplace(change->alias, *change->to);
            }
        }
        std::vector<Alias> last;
        for (const auto& [alias, version] : told) {
            last.push_back({alias, version});
        }
        EXPECT_EQ(last, aliases_of(name));
        with_history([&](AliasHistory& history) { EXPECT_EQ(history.last_seen({"", name}).value(), last); });
    }

    base::testing::ManualClock clock_;
    testing::MemoryStore rows_;
    testing::FailingStore disk_{rows_};
    testing::MemoryHistory beside_;
    std::unique_ptr<RecordedStore> store_ = is_beside() ? std::make_unique<RecordedStore>(disk_, clock_, beside_)
                                                        : std::make_unique<RecordedStore>(disk_, clock_);
    Registry registry_{*store_, clock_};
};

TEST_P(RecordedStoreTest, keeps_what_calls_do_with_who_made_them) {
    create("fox");
    ASSERT_TRUE(point("fox", "a", 1));
    ASSERT_TRUE(point("fox", "a", 2));
    ASSERT_TRUE(point("fox", "a", 2));
    ASSERT_TRUE(change(Operation::set_model_tag, {{"name", "fox"}, {"key", "k"}, {"value", "v"}}));
    ASSERT_TRUE(change(Operation::delete_version, {{"name", "fox"}, {"version", "2"}}));
    ASSERT_TRUE(point("fox", "a", 3));
    ASSERT_TRUE(change(Operation::rename_model, {{"name", "fox"}, {"new_name", "owl"}}));
    ASSERT_TRUE(change(Operation::delete_model, {{"name", "owl"}}));

    std::vector<AliasEvent> events;
    for (const AliasChange& change : changes("fox")) {
        events.push_back(change.event);
        EXPECT_EQ(change.author.key_name, "Ada");
        EXPECT_EQ(change.source, ChangeSource::call);
    }
    EXPECT_EQ(events,
              (std::vector{AliasEvent::model_renamed,
                           AliasEvent::set,
                           AliasEvent::version_deleted,
                           AliasEvent::set,
                           AliasEvent::set}));
    ASSERT_EQ(changes("owl").size(), 2U);
    EXPECT_EQ(changes("owl")[1].other_name, "fox");
    EXPECT_EQ(changes("owl")[0].event, AliasEvent::model_deleted);
    expect_whole("fox");
    expect_whole("owl");
}

TEST_P(RecordedStoreTest, keeps_nothing_of_a_write_that_failed) {
    create("fox");
    ASSERT_TRUE(point("fox", "a", 1));
    disk_.set_commit(Commit::fails);
    EXPECT_FALSE(point("fox", "a", 2));
    disk_.set_commit(Commit::succeeds);
    EXPECT_EQ(changes("fox").size(), 1U);
    ASSERT_TRUE(point("fox", "b", 2));
    expect_whole("fox");
}

TEST_P(RecordedStoreTest, learns_of_a_commit_nobody_saw) {
    create("fox");
    ASSERT_TRUE(point("fox", "a", 1));
    disk_.set_commit(Commit::takes_place_unseen);
    EXPECT_FALSE(point("fox", "a", 2));
    disk_.set_commit(Commit::succeeds);
    create("owl");
    expect_whole("fox");
    EXPECT_EQ(changes("fox").front().to, 2);
}

TEST_P(RecordedStoreTest, finds_what_was_changed_around_it_when_it_compares) {
    create("fox");
    create("owl");
    ASSERT_TRUE(point("fox", "a", 1));
    ASSERT_TRUE(point("owl", "a", 1));
    elsewhere(Operation::set_alias, {{"name", "fox"}, {"alias", "b"}, {"version", "2"}});
    elsewhere(Operation::delete_model, {{"name", "owl"}});

    ASSERT_TRUE(store_->compare(RecordedStore::Absence::says_nothing));
    EXPECT_EQ(changes("owl").size(), 1U);
    ASSERT_TRUE(store_->compare(RecordedStore::Absence::counts));

    expect_whole("fox");
    expect_whole("owl");
    EXPECT_EQ(changes("fox").front().source, is_beside() ? ChangeSource::mlflow : ChangeSource::start_up);
    EXPECT_EQ(changes("fox").front().event, AliasEvent::set);
    EXPECT_EQ(changes("owl").front().event, AliasEvent::model_deleted);
    const std::size_t kept = changes("fox").size();
    ASSERT_TRUE(store_->compare(RecordedStore::Absence::counts));
    EXPECT_EQ(changes("fox").size(), kept);
}

TEST_P(RecordedStoreTest, tells_a_first_look_from_a_change) {
    elsewhere(Operation::create_model, {{"name", "fox"}});
    elsewhere(Operation::create_version, {{"name", "fox"}, {"source", "s3://b/x"}});
    elsewhere(Operation::set_alias, {{"name", "fox"}, {"alias", "a"}, {"version", "1"}});

    ASSERT_TRUE(store_->compare(RecordedStore::Absence::counts));

    ASSERT_EQ(changes("fox").size(), 1U);
    EXPECT_EQ(changes("fox")[0].event, AliasEvent::first_seen);
}

TEST_P(RecordedStoreTest, compares_more_models_than_fit_into_a_page) {
    EXPECT_TRUE(rows_.write([](Writer& writer) -> base::Result<void> {
        for (int i = 0; i < 1201; ++i) {
            RegisteredModel model;
            model.name = "m" + std::to_string(i);
            model.aliases = {{"a", 1}};
            EXPECT_TRUE(writer.put_model("", model));
        }
        return {};
    }));
    ASSERT_TRUE(store_->compare(RecordedStore::Absence::counts));
    for (const int i : {0, 500, 1200}) {
        expect_whole("m" + std::to_string(i));
    }
    EXPECT_TRUE(rows_.write([](Writer& writer) -> base::Result<void> {
        for (int i = 0; i < 1201; ++i) {
            EXPECT_TRUE(writer.erase_model({"", "m" + std::to_string(i)}));
        }
        return {};
    }));
    ASSERT_TRUE(store_->compare(RecordedStore::Absence::counts));
    with_history([](AliasHistory& history) { EXPECT_TRUE(history.models(std::nullopt, 1).value().empty()); });
}

TEST_P(RecordedStoreTest, refuses_a_rollback_from_what_the_alias_names_no_more) {
    create("fox");
    Call call = call_of(Operation::set_alias, {{"name", "fox"}, {"alias", "a"}, {"version", "1"}});
    call.rollback_from = 3;
    EXPECT_EQ(registry_.answer(call).error().code, base::Code::conflict);
    call.rollback_from = 0;
    ASSERT_TRUE(registry_.answer(call));
    EXPECT_EQ(changes("fox").front().event, AliasEvent::rolled_back);
    EXPECT_EQ(registry_.answer(call).error().code, base::Code::conflict);
    EXPECT_EQ(changes("fox").size(), 1U);
}

// Whatever is done, and whatever fails, the history ends where the rows are once it may.
TEST_P(RecordedStoreTest, is_whole_after_any_sequence_of_changes_and_faults) {
    const std::vector<std::string> names{"fox", "owl", "elk"};
    const std::vector<std::string> aliases{"a", "b"};
    create("other", 0);
    base::SeededRandom random(7);
    for (int step = 0; step < 400; ++step) {
        const std::string& name = names[random.next() % names.size()];
        const std::string& alias = aliases[random.next() % aliases.size()];
        const std::string version = std::to_string(random.next() % 5 + 1);
        beside_.is_broken = random.next() % 8 == 0;
        const std::uint64_t fault = random.next() % 12;
        disk_.set_commit(fault == 0 ? Commit::fails : fault == 1 ? Commit::takes_place_unseen : Commit::succeeds);
        switch (random.next() % 12) {
            case 0:
                change(Operation::create_model, {{"name", name}});
                break;
            case 1:
            case 2:
                change(Operation::create_version, {{"name", name}, {"source", "s3://b/x"}});
                break;
            case 3:
                change(Operation::delete_alias, {{"name", name}, {"alias", alias}});
                break;
            case 4:
                change(Operation::delete_version, {{"name", name}, {"version", version}});
                break;
            case 5:
                change(Operation::rename_model, {{"name", name}, {"new_name", names[random.next() % names.size()]}});
                break;
            case 6:
                if (random.next() % 4 == 0) {
                    change(Operation::delete_model, {{"name", name}});
                }
                break;
            default:
                change(Operation::set_alias, {{"name", name}, {"alias", alias}, {"version", version}});
        }
        if (!beside_.is_broken && fault > 1) {
            change(Operation::set_model_tag, {{"name", "other"}, {"key", "k"}, {"value", std::to_string(step)}});
            for (const std::string& each : names) {
                expect_whole(each);
            }
            EXPECT_EQ(store_->models_behind(), 0U);
        }
        ASSERT_FALSE(HasFailure()) << "step " << step;
    }
}

INSTANTIATE_TEST_SUITE_P(InTheRows, RecordedStoreTest, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Beside, RecordedStoreTest, ::testing::Values(true));

TEST(RecordedStore, tells_what_a_lost_copy_had_missed_once_it_is_filled_again) {
    const base::testing::ManualClock clock;
    testing::MemoryHistory history;
    const auto put = [&](RecordedStore& store, std::vector<Alias> aliases) {
        EXPECT_TRUE(store.write([&](Writer& writer) -> base::Result<void> {
            RegisteredModel model;
            model.name = "fox";
            model.aliases = aliases;
            return writer.put_model("", model);
        }));
    };
    testing::MemoryStore first;
    RecordedStore before(first, clock, history);
    put(before, {{"a", 1}, {"b", 1}});

    testing::MemoryStore second;
    RecordedStore after(second, clock, history);
    ASSERT_TRUE(after.compare(RecordedStore::Absence::says_nothing));
    EXPECT_EQ(history.changes({"", "fox"}, 10).value().size(), 2U);
    put(after, {{"a", 2}});

    const auto changes = history.changes({"", "fox"}, 10).value();
    ASSERT_EQ(changes.size(), 4U);
    EXPECT_EQ(changes[0].alias, "b");
    EXPECT_EQ(changes[0].event, AliasEvent::removed);
    EXPECT_EQ(changes[1].from, 1);
    EXPECT_EQ(changes[1].to, 2);
    EXPECT_EQ(changes[1].event, AliasEvent::set);
    EXPECT_EQ(changes[3].event, AliasEvent::first_seen);
}

}  // namespace
}  // namespace registry
