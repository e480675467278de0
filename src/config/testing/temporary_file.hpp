// A file that exists as long as the test that needs it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>

namespace config::testing {

class TemporaryFile {
public:
    explicit TemporaryFile(std::string_view content) {
        std::string pattern = std::filesystem::temp_directory_path() / "hokusai-test-XXXXXX";
        close(mkstemp(pattern.data()));
        path_ = pattern;
        std::ofstream(path_, std::ios::binary) << content;
    }

    ~TemporaryFile() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }

    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    [[nodiscard]] std::string path() const {
        return path_.string();
    }

private:
    std::filesystem::path path_;
};

}  // namespace config::testing
