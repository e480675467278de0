#include "artifacts/keeper.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "artifacts/artifact_call.hpp"
#include "artifacts/filling.hpp"
#include "artifacts/listing.hpp"
#include "telemetry/log.hpp"

#include <fmt/format.h>

namespace artifacts {

namespace {

using storage::ArtifactKey;
using storage::ArtifactKind;

constexpr auto kRest = std::chrono::seconds(1);
constexpr auto kRestAfterFailure = std::chrono::seconds(10);
constexpr auto kServerInfoAge = std::chrono::hours(1);
constexpr double kShare = 0.25;  // of MLflow's time
constexpr std::size_t kMaxFiles = 100'000;
constexpr std::size_t kMaxDepth = 32;

}  // namespace

// Brings an answer into the cache piece by piece; a small one is kept in memory too.
class Keeper::Transfer final : public ArtifactSource::Receiver {
public:
    Transfer(Keeper& keeper, std::shared_ptr<Filling> filling) : keeper_(keeper), filling_(std::move(filling)) {}

    base::Task<base::Result<void>> begin(const http::ResponseHead& head) override {
        std::optional<ArtifactHead> artifact = artifact_head(head);
        if (!artifact) {
            co_return base::fail(base::Code::unsupported, "MLflow's answer is none that can be kept");
        }
        auto prepare = [filling = filling_, artifact = *std::move(artifact)] { return filling->prepare(artifact); };
        const base::Result<bool> is_wanted = co_await keeper_.block(std::move(prepare));
        is_wanted_ = is_wanted && *is_wanted;
        co_return is_wanted ? base::Result<void>() : std::unexpected(is_wanted.error());
    }

    base::Task<base::Result<void>> take(std::string_view bytes) override {
        while (!bytes.empty()) {
            const std::size_t taken = std::min(bytes.size(), storage::kPieceSize - piece_.size());
            piece_.append(bytes.substr(0, taken));
            bytes.remove_prefix(taken);
            if (piece_.size() == storage::kPieceSize) {
                const base::Result<void> written = co_await write();
                if (!written) {
                    co_return written;
                }
                const base::Result<void> turn = co_await keeper_.deps_.pace.before_question();
                if (!turn) {
                    co_return turn;
                }
            }
        }
        co_return base::Result<void>();
    }

    // What is left, and the end. The answer's last piece.
    base::Task<base::Result<std::string>> finish() {
        std::string last = piece_;
        const base::Result<void> written = co_await (piece_.empty() ? nothing() : write());
        if (!written) {
            co_return std::unexpected(written.error());
        }
        if (is_wanted_) {
            const base::Result<void> finished =
                co_await keeper_.block([filling = filling_] { return filling->finish(); });
            if (!finished) {
                co_return std::unexpected(finished.error());
            }
        }
        co_return last;
    }

    // What was cut off may be a large file, which takes time to remove.
    base::Task<> release() {
        auto release = [last = std::move(filling_)]() mutable {
            last.reset();
            return base::Result<void>();
        };
        co_await keeper_.block(std::move(release));
    }

private:
    static base::Task<base::Result<void>> nothing() {
        co_return base::Result<void>();
    }

    base::Task<base::Result<void>> write() {
        std::string piece = std::exchange(piece_, {});
        if (!is_wanted_) {
            co_return base::Result<void>();
        }
        auto append = [filling = filling_, piece = std::move(piece)]() mutable {
            return filling->append(std::move(piece));
        };
        const base::Result<void> appended = co_await keeper_.block(std::move(append));
        co_return appended;
    }

    Keeper& keeper_;
    std::shared_ptr<Filling> filling_;
    std::string piece_;
    bool is_wanted_ = false;
};

// What is seen of one folder and those below it.
struct Keeper::Walk {
    std::string root;
    std::vector<std::string> folders;  // still to be visited
    std::size_t files = 0;
};

base::Task<> Keeper::run() {
    while (!deps_.pace.is_stopping()) {
        co_await do_next();
        co_await deps_.pace.rest(kRest);
    }
}

base::Task<> Keeper::do_next() {
    base::Result<void> done = co_await update_pins();
    if (done && deps_.pace.is_reachable() && deps_.pace.now() >= retry_at_) {
        done = co_await fetch_missing();
    }
    if (!done && !deps_.pace.is_stopping()) {
        telemetry::log_debug("artifact_keeper_waits", {{"error", done.error().message}});
        retry_at_ = deps_.pace.now() + kRestAfterFailure;
    }
}

base::Task<base::Result<void>> Keeper::update_pins() {
    const std::int64_t revision = deps_.revision();
    auto update = [&deps = deps_, is_needed = seen_revision_ != revision]() -> base::Result<void> {
        const auto settled = deps.cache.settle();
        const auto noted = settled ? deps.cache.note_requests() : settled;
        if (!noted || !is_needed) {
            return noted;
        }
        const auto folders = deps.aliased_folders();
        return folders ? deps.cache.set_pins(*folders) : std::unexpected(folders.error());
    };
    base::Result<void> updated = co_await block(std::move(update));
    if (updated && std::exchange(seen_revision_, revision) != revision) {
        retry_at_ = {};
    }
    co_return updated;
}

base::Task<base::Result<void>> Keeper::fetch_missing() {
    const base::MonotonicTime now = deps_.pace.now();
    const ArtifactKey server_info{ArtifactKind::look_up, std::string(kServerInfo)};
    auto look = [&cache = deps_.cache, server_info] { return cache.size_of(server_info); };
    const base::Result<std::optional<std::int64_t>> known = co_await block(std::move(look));
    if (!known) {
        co_return std::unexpected(known.error());
    }
    if (!*known || !server_info_at_ || now - *server_info_at_ > kServerInfoAge) {
        const base::Result<std::string> fetched = co_await fetch(server_info);
        if (!fetched) {
            co_return std::unexpected(fetched.error());
        }
        server_info_at_ = now;
    }
    const base::Result<std::vector<storage::Pin>> pins =
        co_await block([&cache = deps_.cache] { return cache.pins(); });
    if (!pins) {
        co_return std::unexpected(pins.error());
    }
    base::Result<void> result;
    for (const storage::Pin& pin : *pins) {
        if (pin.is_whole || deps_.pace.is_stopping()) {
            continue;
        }
        const base::Result<void> fetched = co_await fetch_folder(pin);
        const std::string problem = fetched ? "" : fetched.error().message;
        if (!fetched && pin.problem != problem) {
            telemetry::log_warn("artifacts_not_whole", {{"versions", pin.versions}, {"error", problem}});
        }
        auto note = [&cache = deps_.cache, root = pin.root, problem] {
            return cache.note_pin(root, problem.empty(), problem);
        };
        const base::Result<void> noted = co_await block(std::move(note));
        result = !fetched ? fetched : !noted ? noted : result;
    }
    co_await block([&cache = deps_.cache] { return cache.pins(); });
    co_return result;
}

base::Task<base::Result<void>> Keeper::fetch_folder(storage::Pin pin) {
    if (!normal_path(pin.root)) {
        co_return base::fail(base::Code::unsupported, "its place is written in a way that is not cached");
    }
    Walk walk{pin.root, {pin.root}};
    while (!walk.folders.empty()) {
        std::string folder = std::move(walk.folders.back());
        walk.folders.pop_back();
        const base::Result<void> visited = co_await visit(std::move(folder), walk);
        if (!visited) {
            co_return visited;
        }
    }
    co_return base::Result<void>();
}

base::Task<base::Result<void>> Keeper::visit(std::string folder, Walk& walk) {
    const base::Result<std::string> body = co_await fetch({ArtifactKind::listing, folder});
    if (!body) {
        co_return std::unexpected(body.error());
    }
    const auto listed = parse_listing(*body, folder);
    if (!listed) {
        co_return std::unexpected(listed.error());
    }
    walk.files += listed->size();
    const auto depth = std::ranges::count(folder, '/') - std::ranges::count(walk.root, '/');
    if (walk.files > kMaxFiles || depth > static_cast<std::ptrdiff_t>(kMaxDepth)) {
        co_return base::fail(base::Code::exhausted, "it has too many files or folders");
    }
    for (const ListedArtifact& each : *listed) {
        if (each.is_folder) {
            walk.folders.push_back(each.path);
            continue;
        }
        const base::Result<void> fetched = co_await fetch_file(each.path, each.size);
        if (!fetched) {
            co_return fetched;
        }
    }
    co_return base::Result<void>();
}

base::Task<base::Result<void>> Keeper::fetch_file(std::string path, std::optional<std::int64_t> size) {
    const ArtifactKey key{ArtifactKind::file, std::move(path)};
    auto look = [&cache = deps_.cache, key, size]() -> base::Result<bool> {
        const auto known = cache.size_of(key);
        if (!known) {
            return std::unexpected(known.error());
        }
        if (*known && size == **known) {
            return true;
        }
        const auto fits = cache.can_pin(size.value_or(0));
        return fits ? base::Result<bool>(false) : std::unexpected(fits.error());
    };
    const base::Result<bool> is_here = co_await block(std::move(look));
    if (!is_here || *is_here) {
        co_return is_here ? base::Result<void>() : std::unexpected(is_here.error());
    }
    const base::Result<std::string> fetched = co_await fetch(key);
    co_return fetched ? base::Result<void>() : std::unexpected(fetched.error());
}

base::Task<base::Result<std::string>> Keeper::fetch(ArtifactKey key) {
    base::Result<void> turn = co_await deps_.pace.before_question();
    if (!turn) {
        co_return std::unexpected(turn.error());
    }
    const base::MonotonicTime began = deps_.pace.now();
    Transfer transfer(*this, deps_.cache.begin(key));
    const base::Result<unsigned> status = co_await deps_.source.fetch(target_of(key), transfer);
    base::Result<std::string> last =
        status ? base::fail(base::Code::unavailable, fmt::format("MLflow answered {}", *status))
               : base::Result<std::string>(std::unexpected(status.error()));
    if (status && *status == 200) {
        last = co_await transfer.finish();
    }
    co_await transfer.release();
    co_await deps_.pace.after_question(deps_.pace.now() - began, kShare);
    co_return last ? std::move(last) : std::unexpected(last.error().context(key.path));
}

}  // namespace artifacts
