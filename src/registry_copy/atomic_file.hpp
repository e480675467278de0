// A file that appears whole or not at all.
#pragma once

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>

#include "base/error.hpp"

namespace registry_copy {

// Written beside its place, readable for its owner only; what was there before stays until publish().
class AtomicFile {
public:
    // unavailable, with the reason, when the folder takes no file.
    static base::Result<AtomicFile> create(const std::filesystem::path& file);

    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&&) = delete;
    ~AtomicFile();

    [[nodiscard]] std::ostream& stream() {
        return stream_;
    }

    // Durable in its place when this returns a value.
    base::Result<void> publish();

private:
    AtomicFile(std::filesystem::path file, std::string temporary);

    std::filesystem::path file_;
    std::string temporary_;  // empty: nothing to remove
    std::ofstream stream_;
};

}  // namespace registry_copy
