#include "replica/acknowledged_write.hpp"

#include <optional>
#include <utility>

#include "registry/registry.hpp"
#include "replica/merge.hpp"

namespace replica {

namespace {

using registry::Operation;

base::WallTime time_of(const std::optional<ModelView>& seen, base::WallTime now) {
    registry::Timestamp updated = 0;
    if (seen && seen->model) {
        updated = seen->model->last_updated_timestamp;
    } else if (seen) {
        updated = seen->versions.front().last_updated_timestamp;
    }
    return updated > 0 ? base::WallTime(std::chrono::milliseconds(updated)) : now;
}

// Which number a new version gets is for MLflow to say.
base::Result<void> note_new_version(registry::Writer& writer, const ModelView& seen) {
    base::Result<std::optional<registry::RegisteredModel>> model = writer.find_model(seen.key);
    if (!model) {
        return std::unexpected(model.error());
    }
    const registry::ModelVersion& version = seen.versions.front();
    registry::RegisteredModel changed = *model ? std::move(**model) : registry::RegisteredModel{};
    if (!*model) {
        changed.name = seen.key.name;
        changed.creation_timestamp = version.creation_timestamp;
    }
    changed.last_updated_timestamp = version.creation_timestamp;
    return writer.put_model(seen.key.workspace, changed);
}

}  // namespace

base::Result<void> apply_acknowledged(registry::Writer& writer,
                                      const registry::Call& call,
                                      const CallTarget& target,
                                      std::string_view body,
                                      base::WallTime now) {
    const std::optional<ModelView> seen = view_of(call, target, body, {});
    if (call.operation == Operation::create_version) {
        if (!seen) {
            return base::fail(base::Code::data_loss, "MLflow's answer to a new version cannot be read");
        }
        base::Result<void> noted = note_new_version(writer, *seen);
        if (!noted) {
            return noted;
        }
    } else if (call.operation != Operation::create_model) {
        const base::Result<boost::json::object> written = registry::carry_out(writer, call, time_of(seen, now));
        if (!written) {
            return std::unexpected(written.error());
        }
    }
    if (!seen) {
        return {};
    }
    base::Result<Merged> merged = merge(writer, *seen, Filling::rows);
    return merged ? base::Result<void>() : std::unexpected(merged.error());
}

}  // namespace replica
