#include "registry_copy/atomic_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "storage/file_descriptor.hpp"

#include <fmt/format.h>

namespace registry_copy {

namespace {

base::Error write_error(const std::filesystem::path& file, int error) {
    return {base::Code::unavailable,
            fmt::format("can't write {}: {}", file.string(), std::generic_category().message(error))};
}

// 0, or the error.
int sync(const std::filesystem::path& path, int flags) {
    const storage::FileDescriptor opened(::open(path.c_str(), flags | O_CLOEXEC));
    return opened.is_open() && ::fsync(opened.get()) == 0 ? 0 : errno;
}

}  // namespace

base::Result<AtomicFile> AtomicFile::create(const std::filesystem::path& file) {
    std::string temporary = file.string() + ".XXXXXX";
    const storage::FileDescriptor created(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!created.is_open()) {
        return std::unexpected(write_error(file, errno));
    }
    return AtomicFile(file, std::move(temporary));
}

AtomicFile::AtomicFile(std::filesystem::path file, std::string temporary)
    : file_(std::move(file)), temporary_(std::move(temporary)), stream_(temporary_, std::ios::binary) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : file_(std::move(other.file_)),
      temporary_(std::exchange(other.temporary_, {})),
      stream_(std::move(other.stream_)) {}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty()) {
        ::unlink(temporary_.c_str());
    }
}

base::Result<void> AtomicFile::publish() {
    stream_.close();
    if (!stream_) {
        return std::unexpected(write_error(file_, errno));
    }
    if (const int error = sync(temporary_, O_WRONLY); error != 0) {
        return std::unexpected(write_error(file_, error));
    }
    if (::rename(temporary_.c_str(), file_.c_str()) != 0) {
        return std::unexpected(write_error(file_, errno));
    }
    temporary_.clear();
    const std::filesystem::path folder = file_.parent_path();
    const int error = sync(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
    return error == 0 ? base::Result<void>() : std::unexpected(write_error(file_, error));
}

}  // namespace registry_copy
