#include "registry_copy/copy.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace registry_copy {

namespace {

enum class Verdict { add, complete, skip, leave };

struct Decision {
    Verdict verdict = Verdict::add;
    std::string difference{};
};

const registry::ModelVersion* find_version(const ModelCopy& model, std::int64_t number) {
    const auto found = std::ranges::lower_bound(model.versions, number, {}, &registry::ModelVersion::version);
    return found == model.versions.end() || found->version != number ? nullptr : &*found;
}

// What the model that is there lacks of the wanted one; empty for nothing. It may have more.
std::string difference(const ModelCopy& wanted, const ModelCopy& there) {
    for (const registry::ModelVersion& version : wanted.versions) {
        const registry::ModelVersion* const other = find_version(there, version.version);
        if (other == nullptr) {
            return fmt::format("the one there has no version {}", version.version);
        }
        if (other->source != version.source) {
            return fmt::format("version {} has another source there, {}", version.version, other->source);
        }
    }
    return {};
}

Decision decide(const ModelCopy& wanted, const std::optional<ModelCopy>& there) {
    if (!there) {
        return {Verdict::add};
    }
    if (is_unfinished(*there)) {
        return {Verdict::complete};
    }
    const std::string found = difference(wanted, *there);
    return {found.empty() ? Verdict::skip : Verdict::leave, found};
}

void note(ImportReport& report, const ModelCopy& model, const Decision& decision) {
    switch (decision.verdict) {
        case Verdict::complete:
            ++report.completed;
            [[fallthrough]];
        case Verdict::add:
            ++report.added.models;
            report.added.versions += static_cast<std::int64_t>(model.versions.size());
            report.added.aliases += static_cast<std::int64_t>(model.model.aliases.size());
            break;
        case Verdict::skip:
            ++report.skipped;
            break;
        case Verdict::leave:
            report.left.push_back(fmt::format("{}: {}", label(model.key()), decision.difference));
            break;
    }
}

base::Error refusal(const std::vector<std::string>& existing) {
    const std::string more = existing.size() > 1 ? fmt::format(" and {} more are", existing.size() - 1) : " is";
    return {base::Code::already_exists,
            fmt::format("{}{} there already, so nothing was written; with --existing skip, models that are there stay "
                        "as they are, and what an earlier import has left unfinished is completed",
                        existing.front(),
                        more)};
}

// Whether the target speaks of the model rather than of itself.
bool is_about_model(base::Code code) {
    switch (code) {
        case base::Code::invalid_argument:
        case base::Code::missing_resource:
        case base::Code::already_exists:
        case base::Code::conflict:
            return true;
        default:
            return false;
    }
}

}  // namespace

std::string label(const registry::ModelKey& key) {
    return key.workspace.empty() ? fmt::format("model '{}'", key.name)
                                 : fmt::format("model '{}' of workspace '{}'", key.name, key.workspace);
}

bool is_unfinished(const ModelCopy& model) {
    return std::ranges::find(model.model.tags, kUnfinishedTag, &registry::Tag::key) != model.model.tags.end();
}

base::Result<ImportReport> plan_import(RegistrySource& source, const FindModel& find_model, Existing existing) {
    ImportReport report;
    std::vector<std::string> refused;
    const auto planned = source.for_each_model([&](const ModelCopy& model) -> base::Result<void> {
        const auto there = find_model(model.key());
        if (!there) {
            return std::unexpected(there.error());
        }
        if (*there && existing == Existing::refuse) {
            refused.push_back(label(model.key()));
        }
        note(report, model, decide(model, *there));
        return {};
    });
    if (!planned) {
        return std::unexpected(planned.error());
    }
    if (!refused.empty()) {
        return std::unexpected(refusal(refused));
    }
    return report;
}

base::Result<ImportReport> import_models(RegistrySource& source, RegistryTarget& target) {
    ImportReport report;
    const auto imported = source.for_each_model([&](const ModelCopy& model) -> base::Result<void> {
        const auto there = target.find_model(model.key());
        if (!there) {
            return std::unexpected(there.error());
        }
        Decision decision = decide(model, *there);
        if (decision.verdict == Verdict::add || decision.verdict == Verdict::complete) {
            const auto added = target.add_model(model, *there);
            if (!added && !is_about_model(added.error().code)) {
                return std::unexpected(added.error().context(label(model.key())));
            }
            if (!added) {
                decision = {Verdict::leave, added.error().message};
            }
        }
        note(report, model, decision);
        return {};
    });
    if (!imported) {
        return std::unexpected(imported.error());
    }
    return report;
}

}  // namespace registry_copy
