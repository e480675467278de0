// A model registry as a file of JSON lines:
//
//   {"format":"hokusai-registry","version":1,"source":"http://mlflow:5000","exported_at":"2025-08-14T12:00:00.000000Z"}
//   {"registered_model":{...},"workspace":"...","highest_version":3}
//   {"model_version":{...},"artifact_uri":"..."}
//   {"end":{"models":1,"versions":1,"aliases":0}}
//
// Entities are as in MLflow's answers. A model's versions follow it, ascending. No workspace is the default one.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <ostream>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "registry_copy/copy.hpp"

namespace registry_copy {

class LineWriter {
public:
    // Writes the first line. `source` tells people where the models come from.
    LineWriter(std::ostream& out, const std::string& source, base::WallTime exported_at);

    // unavailable when the stream takes no more.
    base::Result<void> write(const ModelCopy& model);

    // Writes the last line.
    base::Result<registry::Counts> finish();

private:
    base::Result<void> check() const;

    std::ostream& out_;
    registry::Counts counts_;
};

class LineReader final : public RegistrySource {
public:
    // Reads from the beginning each time it is asked.
    explicit LineReader(std::istream& in) : in_(in) {}

    // Errors name the line: invalid_argument for what is no such file, data_loss for one that was cut. Models are given
    // out as they are read, so a fault may come after some of them: ask check() first.
    base::Result<void> for_each_model(const std::function<base::Result<void>(const ModelCopy&)>& take) override;

    // Reads the whole file.
    base::Result<void> check();

private:
    std::istream& in_;
};

}  // namespace registry_copy
