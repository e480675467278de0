// Carries out what somebody decided about a lane in conflict.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/task.hpp"
#include "journal/journal.hpp"
#include "net/worker.hpp"
#include "offline_registry/pending_models.hpp"
#include "offline_registry/rebase.hpp"
#include "replica/replica.hpp"
#include "replica/upstream_reader.hpp"

namespace offline_registry {

// Lives on one worker.
class Resolver {
public:
    struct Deps {
        net::Worker& worker;
        replica::Replica& replica;
        replica::UpstreamReader& reader;
        journal::Journal& journal;
        PendingModels& pending;
    };

    explicit Resolver(Deps deps) : deps_(deps) {}

    // Takes the model's lock and reads it from MLflow; then the rows are as MLflow has it, with what waits on top when
    // that is to be applied. What does not fit is set aside. When it fails, or the process dies, nothing was decided
    // yet as far as the journal goes, and it can be done again.
    base::Task<base::Result<void>> resolve(const std::string& lane, const journal::Hold& hold);

private:
    base::Task<base::Result<Rebased>> rebase_rows(const registry::ModelKey& key,
                                                  const journal::Hold& hold,
                                                  std::vector<journal::Entry> entries);

    Deps deps_;
};

}  // namespace offline_registry
