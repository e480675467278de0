#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "apps/registry_command.hpp"
#include "config/values.hpp"
#include "registry/store.hpp"
#include "replica/replica_status.hpp"
#include "storage/sqlite_database.hpp"
#include "storage/sqlite_registry_store.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace apps {

namespace {

namespace json = boost::json;

using DatabaseResult = base::Result<std::unique_ptr<storage::SqliteDatabase>>;

constexpr std::size_t kMaxNamed = 20;

struct Found {
    std::optional<registry::Counts> own;
    std::optional<replica::ReplicaStatus> replica;
};

// What `ask` makes of the registry in a database.
template <class T, class Ask>
base::Result<std::optional<T>> ask_store(DatabaseResult database, Ask ask) {
    if (!database) {
        return std::unexpected(database.error());
    }
    const auto store = storage::SqliteRegistryStore::open(*std::move(database), 1);
    if (!store) {
        return std::unexpected(store.error());
    }
    std::optional<T> answer;
    const auto read = (*store)->read([&](registry::Reader& reader) -> base::Result<void> {
        auto result = ask(reader);
        if (!result) {
            return std::unexpected(result.error());
        }
        answer = *std::move(result);
        return {};
    });
    return read ? base::Result<std::optional<T>>(std::move(answer)) : std::unexpected(read.error());
}

// Creates nothing.
base::Result<Found> look(const ServiceSettings& settings) {
    Found found;
    const std::filesystem::path own = database_path(settings);
    if (std::filesystem::exists(own)) {
        auto counts = ask_store<registry::Counts>(storage::open_database(settings.data_dir, own),
                                                  [](registry::Reader& reader) { return reader.counts(); });
        if (!counts) {
            return std::unexpected(counts.error());
        }
        found.own = *counts;
    }
    if (std::filesystem::exists(storage::replica_file(settings.data_dir))) {
        auto status =
            ask_store<replica::ReplicaStatus>(storage::open_replica_database(settings.data_dir), replica::read_status);
        if (!status) {
            return std::unexpected(status.error());
        }
        found.replica = *std::move(status);
    }
    return found;
}

base::Duration age_of(registry::Timestamp began, base::WallTime now) {
    const auto age = now.time_since_epoch() - std::chrono::milliseconds(began);
    return std::max(base::Duration(0), base::Duration(age));
}

std::string counts_text(const registry::Counts& counts) {
    return fmt::format("{} models, {} versions, {} aliases", counts.models, counts.versions, counts.aliases);
}

json::object to_json(const registry::Counts& counts) {
    return {{"models", counts.models}, {"versions", counts.versions}, {"aliases", counts.aliases}};
}

json::object to_json(const Found& found, base::WallTime now) {
    json::object object{{"registry", nullptr}, {"replica", nullptr}};
    if (found.own) {
        object["registry"] = to_json(*found.own);
    }
    if (found.replica) {
        json::object status = replica::to_json(*found.replica);
        if (found.replica->last_sweep) {
            status["age_seconds"] =
                std::chrono::duration<double>(age_of(found.replica->last_sweep->began, now)).count();
        }
        object["replica"] = std::move(status);
    }
    return object;
}

std::string seconds_text(base::Duration duration) {
    return fmt::format("{:.1f} s", std::chrono::duration<double>(duration).count());
}

void print(const replica::ReplicaStatus& status, base::WallTime now, std::ostream& out) {
    out << fmt::format("replica of {}: {}, revision {}\n",
                       status.upstream.empty() ? "an MLflow not asked yet" : status.upstream,
                       counts_text(status.counts),
                       status.revision);
    if (const auto& sweep = status.last_sweep) {
        out << fmt::format(
            "  last compared with MLflow {} ago, which took {}: {} rows read, {} changed, {} of them gone\n",
            seconds_text(age_of(sweep->began, now)),
            seconds_text(std::chrono::milliseconds(sweep->milliseconds)),
            sweep->rows,
            sweep->changes,
            sweep->erased);
    } else {
        out << "  never compared with MLflow from end to end: what is missing here may be there\n";
    }
    if (const auto& position = status.position) {
        out << fmt::format("  being filled since {}: {} rows so far, now {}\n",
                           seconds_text(age_of(position->began, now)),
                           position->rows,
                           position->phase);
    }
    for (std::size_t i = 0; i < std::min(status.marked.size(), kMaxNamed); ++i) {
        const replica::Mark& mark = status.marked[i];
        out << fmt::format("  to be read again: model '{}'{} ({})\n",
                           mark.model.name,
                           mark.model.workspace.empty() ? "" : " of workspace " + mark.model.workspace,
                           replica::to_string(mark.reason));
    }
    if (status.marked.size() > kMaxNamed) {
        out << fmt::format("  and {} more: --json names all\n", status.marked.size() - kMaxNamed);
    }
}

}  // namespace

int registry_status(const ServiceSettings& settings, bool as_json, base::WallTime now, const Console& console) {
    const auto found = look(settings);
    if (!found) {
        console.errors << "hokusai registry: " << found.error().message << '\n';
        return kFailed;
    }
    if (!found->own && !found->replica) {
        console.errors << fmt::format(
            "hokusai registry: there is no registry in {} yet: hokusai serve makes one, and "
            "so does hokusai registry import; or name another folder with --data\n",
            settings.data_dir);
        return kFailed;
    }
    if (as_json) {
        console.out << to_json(*found, now) << '\n';
        return kDone;
    }
    if (found->replica) {
        print(*found->replica, now, console.out);
    }
    if (found->own && (!found->replica || found->own->models > 0)) {
        console.out << fmt::format("registry of its own: {}\n", counts_text(*found->own));
    }
    return kDone;
}

}  // namespace apps
