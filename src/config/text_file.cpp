#include "config/text_file.hpp"

#include <cerrno>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

namespace config {

base::Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t max_bytes) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string content(max_bytes + 1, '\0');
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (!file.is_open() || file.bad()) {
        return base::fail(base::Code::not_found,
                          fmt::format("{}: {}", path.string(), std::generic_category().message(errno)));
    }
    content.resize(static_cast<std::size_t>(file.gcount()));
    if (content.size() > max_bytes) {
        return base::fail(base::Code::exhausted, fmt::format("{}: larger than {} bytes", path.string(), max_bytes));
    }
    return content;
}

}  // namespace config
