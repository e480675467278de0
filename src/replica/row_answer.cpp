#include "replica/row_answer.hpp"

#include <utility>

#include "registry/json.hpp"
#include "replica/replica_status.hpp"

namespace replica {

namespace {

bool is_of_store(const base::Error& error) {
    return error.code == base::Code::unavailable || error.code == base::Code::data_loss;
}

// Where a version's artifacts are is read last of all.
base::Result<bool> knows_download_uri(registry::Reader& reader, const CallTarget& target) {
    const base::Result<std::optional<registry::ModelVersion>> version =
        reader.find_version(target.model, target.version);
    if (!version) {
        return std::unexpected(version.error());
    }
    return !*version || !(*version)->artifact_uri.empty();
}

}  // namespace

base::Result<std::optional<RowAnswer>> answer_from_rows(registry::Reader& reader,
                                                        const registry::Registry& registry,
                                                        const registry::Call& call,
                                                        const CallTarget& target,
                                                        bool is_marked) {
    const base::Result<bool> is_complete = read_is_complete(reader);
    const base::Result<std::int64_t> revision = read_revision(reader);
    if (!is_complete || !revision) {
        return std::unexpected(is_complete ? revision.error() : is_complete.error());
    }
    if (!*is_complete && depends_on_absence(call, target)) {
        return std::nullopt;
    }
    if (call.operation == registry::Operation::get_download_uri) {
        const base::Result<bool> is_known = knows_download_uri(reader, target);
        if (!is_known || !*is_known) {
            return is_known ? base::Result<std::optional<RowAnswer>>(std::nullopt) : std::unexpected(is_known.error());
        }
    }
    const base::Result<boost::json::object> answer = registry.read(reader, call);
    if (!answer && is_of_store(answer.error())) {
        return std::unexpected(answer.error());
    }
    if (!answer && (!*is_complete || is_marked)) {
        return std::nullopt;
    }
    if (!answer) {
        return RowAnswer{std::unexpected(answer.error()), *revision};
    }
    return RowAnswer{registry::serialize(*answer), *revision};
}

}  // namespace replica
