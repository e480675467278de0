#include "artifacts/artifact_copy.hpp"

#include <future>
#include <optional>

#include "artifacts/testing/cache_fixture.hpp"

namespace artifacts {
namespace {

class ArtifactCopyTest : public testing::CacheFixture {
protected:
    ArtifactCopyTest() {
        // The disk takes nothing until the test lets it.
        before_owner_ = [gate = gate_.get_future().share()] { gate.wait(); };
    }

    ~ArtifactCopyTest() override {
        open_disk();
        run_until([this] { return cache_.is_idle() && pool_.is_idle(); });
    }

    void begin(ArtifactCopy::Haste haste) {
        copy_.emplace(worker_,
                      pool_,
                      cache_.begin({storage::ArtifactKind::file, "1/a"}),
                      ArtifactHead{"Content-Type: text/plain\r\n", {}},
                      haste);
    }

    void open_disk() {
        if (!is_open_) {
            is_open_ = true;
            gate_.set_value();
        }
    }

    std::uint64_t outcomes() {
        const CacheMetrics& metrics = cache_.metrics;
        return metrics.copies_kept.value() + metrics.copies_dropped.value() + metrics.copies_failed.value();
    }

    std::promise<void> gate_;
    bool is_open_ = false;
    std::optional<ArtifactCopy> copy_;
    const std::string mib_ = std::string(storage::kPieceSize, 'm');
};

TEST_F(ArtifactCopyTest, keeps_what_passed) {
    begin(ArtifactCopy::Haste::gives_up);
    open_disk();
    std::string expected;
    for (const std::string& piece : {std::string("begin"), mib_, mib_, std::string("end")}) {
        run(copy_->append(piece));
        expected += piece;
    }
    copy_->finish();
    copy_.reset();

    run_until([this] { return outcomes() == 1; });

    EXPECT_EQ(kept("1/a"), expected);
}

TEST_F(ArtifactCopyTest, gives_up_when_the_disk_is_slower_than_the_client) {
    begin(ArtifactCopy::Haste::gives_up);
    for (int number = 0; number < 100; ++number) {
        run(copy_->append(mib_));
    }
    copy_->finish();
    copy_.reset();
    open_disk();

    run_until([this] { return outcomes() == 1; });

    EXPECT_EQ(cache_.metrics.copies_dropped.value(), 1U);
    EXPECT_EQ(kept("1/a"), "");
}

TEST_F(ArtifactCopyTest, a_client_that_waits_gets_everything_kept) {
    begin(ArtifactCopy::Haste::waits);
    const auto append = [](ArtifactCopy& copy, const std::string& mib) -> base::Task<> {
        for (int number = 0; number < 20; ++number) {
            co_await copy.append(mib);
        }
        copy.finish();
    };
    const std::future<void> appended = net::testing::start_on(worker_, append(*copy_, mib_));
    worker_.context().poll();
    EXPECT_NE(appended.wait_for(std::chrono::seconds(0)), std::future_status::ready);

    open_disk();
    run_until([this] { return outcomes() == 1; });

    EXPECT_EQ(kept("1/a").size(), 20 * mib_.size());
}

TEST_F(ArtifactCopyTest, keeps_nothing_of_an_answer_that_broke_off) {
    begin(ArtifactCopy::Haste::gives_up);
    run(copy_->append(mib_ + "more"));
    copy_.reset();
    open_disk();

    run_until([this] { return outcomes() == 1; });

    EXPECT_EQ(kept("1/a"), "");
}

TEST_F(ArtifactCopyTest, counts_nothing_that_is_not_wanted) {
    strangers_.insert("1/a");
    begin(ArtifactCopy::Haste::waits);
    open_disk();
    run(copy_->append("plot"));
    copy_->finish();
    run_until([this] { return cache_.is_idle(); });

    EXPECT_EQ(outcomes(), 0U);
    EXPECT_EQ(kept("1/a"), "");
}

}  // namespace
}  // namespace artifacts
