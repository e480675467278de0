#include "artifacts/keeper.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "artifacts/artifact_call.hpp"
#include "artifacts/testing/cache_fixture.hpp"
#include "mlflow/testing/clock_sleeper.hpp"
#include "mlflow/testing/heads.hpp"

#include <fmt/format.h>

namespace artifacts {
namespace {

using storage::ArtifactKind;
using storage::Pin;

// What MLflow's server has; its answers by target.
class FakeSource final : public ArtifactSource {
public:
    void put(const std::string& path, const std::string& bytes) {
        answers_[target_of({ArtifactKind::file, path})] = bytes;
    }

    void list(const std::string& folder, const std::string& files) {
        answers_[target_of({ArtifactKind::listing, folder})] = R"({"files": [)" + files + "]}";
    }

    base::Task<base::Result<unsigned>> fetch(std::string target, Receiver& receiver) override {
        asked.push_back(target);
        const auto answer = answers_.find(target);
        if (answer == answers_.end()) {
            co_return 404U;
        }
        const std::string length = fmt::format("Content-Length: {}", answer->second.size());
        const std::string type = target.find("path=") != std::string::npos || target == kServerInfo
                                     ? "Content-Type: application/json"
                                     : "Content-Type: text/plain";
        const mlflow::testing::ParsedAnswer head({"HTTP/1.1 200 OK", length, type});
        const base::Result<void> begun = co_await receiver.begin(*head);
        if (!begun) {
            co_return std::unexpected(begun.error());
        }
        while_answering();
        const base::Result<void> taken = co_await receiver.take(answer->second);
        co_return taken ? base::Result<unsigned>(200U) : std::unexpected(taken.error());
    }

    std::vector<std::string> asked;
    std::function<void()> while_answering = [] {};

private:
    std::map<std::string, std::string> answers_{{std::string(kServerInfo), "{}"}};
};

class KeeperTest : public testing::CacheFixture {
protected:
    KeeperTest() : CacheFixture(std::int64_t{4} << 20U) {
        source_.list("1/fox",
                     R"({"path": "MLmodel", "is_dir": false, "file_size": 6}, {"path": "data", "is_dir": true})");
        source_.list("1/fox/data", R"({"path": "a b.bin", "is_dir": false, "file_size": 5})");
        source_.put("1/fox/MLmodel", "MLfox!");
        source_.put("1/fox/data/a b.bin", "bytes");
        point({{.root = "1/fox", .versions = "fox version 1"}});
    }

    void point(std::vector<Pin> folders) {
        folders_ = std::move(folders);
        ++revision_;
    }

    void do_next(int times = 1) {
        for (int number = 0; number < times; ++number) {
            run(keeper_.do_next());
            clock_.advance(std::chrono::seconds(1));
        }
    }

    Pin pin(const std::string& root = "1/fox") {
        for (const Pin& pin : cache_.pins().value()) {
            if (pin.root == root) {
                return pin;
            }
        }
        return {};
    }

    std::vector<Pin> folders_;
    std::int64_t revision_ = 0;
    bool is_reachable_ = true;
    FakeSource source_;
    mlflow::testing::ClockSleeper sleeper_{clock_, worker_};
    mlflow::Pace pace_{{clock_, sleeper_, [this] { return is_reachable_; }, [] { return false; }}};
    Keeper keeper_{{worker_,
                    pool_,
                    cache_,
                    source_,
                    pace_,
                    [this]() -> base::Result<std::vector<Pin>> { return folders_; },
                    [this] { return revision_; }}};
};

TEST_F(KeeperTest, fetches_all_that_an_alias_leads_to) {
    do_next();

    EXPECT_TRUE(pin().is_whole);
    EXPECT_EQ(kept("1/fox/MLmodel"), "MLfox!");
    EXPECT_EQ(kept("1/fox/data/a b.bin"), "bytes");
    EXPECT_NE(kept("1/fox/data", ArtifactKind::listing), "");
    EXPECT_EQ(kept(std::string(kServerInfo), ArtifactKind::look_up), "{}");
}

TEST_F(KeeperTest, asks_for_nothing_twice) {
    do_next();
    const std::size_t asked = source_.asked.size();

    do_next(100);

    EXPECT_EQ(source_.asked.size(), asked);
}

TEST_F(KeeperTest, fetches_again_what_was_forgotten) {
    do_next();
    {
        const ArtifactCache::Change change(cache_, "1/fox/MLmodel");
    }
    source_.put("1/fox/MLmodel", "MLowl!");

    do_next(2);

    EXPECT_TRUE(pin().is_whole);
    EXPECT_EQ(kept("1/fox/MLmodel"), "MLowl!");
}

TEST_F(KeeperTest, asks_nothing_while_mlflow_is_away_and_goes_on_afterwards) {
    is_reachable_ = false;
    do_next(5);
    EXPECT_TRUE(source_.asked.empty());

    is_reachable_ = true;
    do_next();

    EXPECT_TRUE(pin().is_whole);
}

TEST_F(KeeperTest, follows_an_alias_that_moves) {
    source_.list("1/owl", R"({"path": "MLmodel", "is_dir": false, "file_size": 3})");
    source_.put("1/owl/MLmodel", "owl");
    do_next();

    point({{.root = "1/owl", .versions = "fox version 2"}});
    do_next();

    EXPECT_TRUE(pin("1/owl").is_whole);
    EXPECT_EQ(pin("1/fox").root, "");
    EXPECT_NE(kept("1/fox/MLmodel"), "");
}

TEST_F(KeeperTest, says_what_is_missing_and_tries_again_later) {
    source_.list("1/fox/data", R"({"path": "unknown", "is_dir": false, "file_size": 5})");
    do_next();
    EXPECT_FALSE(pin().is_whole);
    EXPECT_NE(pin().problem.find("404"), std::string::npos) << pin().problem;
    const std::size_t asked = source_.asked.size();
    do_next(5);
    EXPECT_EQ(source_.asked.size(), asked);

    source_.put("1/fox/data/unknown", "known");
    do_next(10);

    EXPECT_TRUE(pin().is_whole);
}

TEST_F(KeeperTest, asks_not_for_what_can_not_fit) {
    source_.list("1/fox/data", R"({"path": "large", "is_dir": false, "file_size": 5000000})");
    source_.put("1/fox/data/large", std::string(5'000'000, 'l'));

    do_next(30);

    EXPECT_FALSE(pin().is_whole);
    EXPECT_NE(pin().problem.find("HOKUSAI_ARTIFACT_CACHE"), std::string::npos) << pin().problem;
    EXPECT_EQ(std::ranges::count(source_.asked, target_of({ArtifactKind::file, "1/fox/data/large"})), 0);
}

TEST_F(KeeperTest, takes_nothing_that_changes_while_it_is_fetched) {
    bool has_changed = false;
    source_.while_answering = [&] {
        if (!has_changed && source_.asked.back().ends_with("MLmodel")) {
            has_changed = true;
            const ArtifactCache::Change change(cache_, "1/fox/MLmodel");
        }
    };

    do_next();

    EXPECT_FALSE(pin().is_whole);
    do_next(20);
    EXPECT_TRUE(pin().is_whole);
}

TEST_F(KeeperTest, leaves_names_alone_that_lead_elsewhere) {
    source_.list("1/fox/data", R"({"path": "../../secret", "is_dir": false, "file_size": 5})");

    do_next();

    EXPECT_FALSE(pin().is_whole);
    EXPECT_FALSE(std::ranges::any_of(
        source_.asked, [](const std::string& target) { return target.find("secret") != std::string::npos; }));
}

}  // namespace
}  // namespace artifacts
