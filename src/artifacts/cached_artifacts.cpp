#include "artifacts/cached_artifacts.hpp"

#include <algorithm>
#include <utility>

#include "artifacts/artifact_call.hpp"
#include "artifacts/artifact_copy.hpp"
#include "artifacts/filling.hpp"
#include "base/strings.hpp"
#include "mlflow/routes.hpp"
#include "telemetry/log.hpp"

namespace artifacts {

namespace {

constexpr auto kDiskLimit = std::chrono::seconds(10);
// Each takes the memory of one piece.
constexpr std::size_t kMaxHandingOut = 64;

struct Found {
    OpenArtifact artifact;
    std::string first_piece;  // checked, so that the answer may begin
};

// One of those being handed out.
class Place {
public:
    explicit Place(std::size_t& taken) : taken_(taken) {
        ++taken_;
    }

    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    ~Place() {
        --taken_;
    }

private:
    std::size_t& taken_;
};

base::Result<std::optional<Found>> find(ArtifactCache& cache, const storage::ArtifactKey& key) {
    auto artifact = cache.find(key);
    if (!artifact || !*artifact) {
        return artifact ? base::Result<std::optional<Found>>(std::nullopt) : std::unexpected(artifact.error());
    }
    auto piece = (*artifact)->reader->size() == 0 ? base::Result<std::string>() : cache.read_piece(**artifact, 0);
    if (!piece) {
        return std::unexpected(piece.error());
    }
    return Found{**std::move(artifact), *std::move(piece)};
}

http::Response head_of(const OpenArtifact& artifact, base::WallTime now) {
    http::Response head;
    head.content_type = {};
    std::string_view fields = artifact.fields;
    while (const auto line = base::next_part(fields, '\n')) {
        const std::size_t colon = line->find(": ");
        if (colon != std::string_view::npos) {
            head.headers.emplace_back(line->substr(0, colon), line->substr(colon + 2, line->size() - colon - 3));
        }
    }
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - artifact.seen_at);
    head.headers.emplace_back("X-Hokusai-Source", "cache");
    head.headers.emplace_back("Age", std::to_string(std::max<std::int64_t>(age.count(), 0)));
    return head;
}

}  // namespace

class CachedArtifacts::Observer final : public mlflow::CallObserver {
public:
    Observer(CachedArtifacts& owner, http::Exchange& exchange, const storage::ArtifactKey& key)
        : owner_(owner), exchange_(exchange), key_(key) {
        if (exchange.request().method == http::Method::get) {
            filling_ = owner.deps_.cache.begin(key);
        }
    }

    base::Task<> answered(unsigned /*status*/, std::string_view /*body*/) override {
        co_return;
    }

    mlflow::AnswerCopy* copy(const http::ResponseHead& head) override {
        std::optional<ArtifactHead> artifact = filling_ ? artifact_head(head) : std::nullopt;
        if (!artifact) {
            return nullptr;
        }
        const bool may_wait = exchange_.request().fields.find(kPrefetchField).has_value();
        copy_.emplace(owner_.deps_.worker,
                      owner_.deps_.pool,
                      std::exchange(filling_, nullptr),
                      *std::move(artifact),
                      may_wait ? ArtifactCopy::Haste::waits : ArtifactCopy::Haste::gives_up);
        return &*copy_;
    }

    base::Task<bool> failed(const http::Response& /*refusal*/, bool /*may_have_been_carried_out*/) override {
        if (is_over() || owner_.handing_out_ >= kMaxHandingOut) {
            co_return false;
        }
        auto look = [&cache = owner_.deps_.cache, key = key_] { return find(cache, key); };
        base::Result<std::optional<Found>> found =
            co_await owner_.deps_.pool.run(owner_.deps_.worker, kDiskLimit, std::move(look));
        if (is_over()) {
            co_return false;
        }
        const bool is_here = found && *found;
        CacheMetrics& metrics = owner_.deps_.cache.metrics;
        (is_here ? metrics.hits : metrics.misses).add();
        if (is_here) {
            found_ = **std::move(found);
        }
        co_return is_here;
    }

    [[nodiscard]] std::optional<Found> take_found() {
        return std::exchange(found_, std::nullopt);
    }

private:
    // The client is gone, or has been answered by somebody else.
    [[nodiscard]] bool is_over() const {
        return exchange_.is_aborted() || exchange_.answered_status() != 0;
    }

    CachedArtifacts& owner_;
    http::Exchange& exchange_;
    const storage::ArtifactKey& key_;
    std::shared_ptr<Filling> filling_;
    std::optional<ArtifactCopy> copy_;
    std::optional<Found> found_;
};

base::Task<> CachedArtifacts::handle(http::Exchange& exchange, mlflow::CallObserver* observer) {
    const http::RequestHead& request = exchange.request();
    ArtifactCall call = artifact_call(request, mlflow::to_upstream(request).target);
    switch (call.kind) {
        case ArtifactCall::Kind::read:
            co_await read(exchange, std::move(call.key));
            break;
        case ArtifactCall::Kind::write:
            co_await write(exchange, std::move(call.key.path), observer);
            break;
        case ArtifactCall::Kind::other:
            co_await deps_.pass_on(exchange, observer);
            break;
    }
}

// Forgotten before MLflow is told, so that an end of this process in between leaves nothing untrue behind.
base::Task<> CachedArtifacts::write(http::Exchange& exchange, std::string path, mlflow::CallObserver* observer) {
    const ArtifactCache::Change change(deps_.cache, std::move(path));
    const base::Result<void> settled =
        co_await deps_.pool.run(deps_.worker, kDiskLimit, [&cache = deps_.cache] { return cache.settle(); });
    if (!settled) {
        telemetry::log_warn("artifact_cache_failed", {{"error", settled.error().message}});
    }
    co_await deps_.pass_on(exchange, observer);
}

base::Task<> CachedArtifacts::read(http::Exchange& exchange, storage::ArtifactKey key) {
    Observer observer(*this, exchange, key);
    co_await deps_.ask_mlflow(exchange, observer);
    std::optional<Found> found = observer.take_found();
    if (!found || exchange.is_aborted()) {
        co_return;
    }
    exchange.stop_watching();
    const Place place(handing_out_);
    co_await hand_out(exchange, found->artifact, std::move(found->first_piece));
}

base::Task<> CachedArtifacts::hand_out(http::Exchange& exchange, const OpenArtifact& artifact, std::string piece) {
    const auto size = static_cast<std::size_t>(artifact.reader->size());
    exchange.answer_head(head_of(artifact, deps_.worker.clock().wall_now()), size);
    if (exchange.request().method == http::Method::head) {
        co_return;
    }
    for (std::size_t index = 0, sent = 0; sent < size;) {
        const net::ErrorCode error = co_await exchange.write(piece);
        if (error) {
            exchange.abort();
            co_return;
        }
        sent += piece.size();
        if (sent == size) {
            break;
        }
        auto read = [&cache = deps_.cache, artifact, next = ++index] { return cache.read_piece(artifact, next); };
        base::Result<std::string> next = co_await deps_.pool.run(deps_.worker, kDiskLimit, std::move(read));
        if (!next) {
            // The client must be able to tell.
            telemetry::log_warn("answer_cut_short",
                                {{"request_id", exchange.request_id()}, {"error", next.error().message}});
            exchange.cut_short();
            co_return;
        }
        piece = *std::move(next);
    }
}

}  // namespace artifacts
