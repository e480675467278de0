#include "storage/data_directory.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>

#include <fmt/format.h>

namespace storage {

namespace {

base::Error directory_error(std::string_view attempted, const std::filesystem::path& path, int error) {
    return {base::Code::unavailable,
            fmt::format("can't {} {}: {}; check --data and who owns it",
                        attempted,
                        path.string(),
                        std::generic_category().message(error))};
}

// 0, or the error of mkdir(2). Only folders made here get mode 0700.
int make_directories(const std::filesystem::path& directory) {
    std::filesystem::path made;
    for (const std::filesystem::path& part : directory) {
        made /= part;
        if (::mkdir(made.c_str(), 0700) != 0 && errno != EEXIST) {
            const int error = errno;
            struct ::stat existing{};
            if (::stat(made.c_str(), &existing) != 0) {
                return error;
            }
        }
    }
    return 0;
}

int lock_file(int descriptor, int operation) {
    while (::flock(descriptor, operation) != 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

std::string read_owner(int descriptor) {
    std::array<char, 32> text{};
    const ssize_t length = ::pread(descriptor, text.data(), text.size(), 0);
    std::string_view owner(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    owner = owner.substr(0, owner.find('\n'));
    return owner.empty() ? "another process" : fmt::format("process {}", owner);
}

}  // namespace

base::Result<FileDescriptor> create_and_lock_directory(const std::filesystem::path& directory) {
    if (const int error = make_directories(directory); error != 0) {
        return std::unexpected(directory_error("create", directory, error));
    }
    FileDescriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.is_open()) {
        return std::unexpected(directory_error("open", directory, errno));
    }
    if (const int error = lock_file(opened.get(), LOCK_EX); error != 0) {
        return std::unexpected(directory_error("lock", directory, error));
    }
    return opened;
}

base::Result<ServiceLock> ServiceLock::acquire(const std::filesystem::path& directory) {
    const std::filesystem::path path = directory / "hokusai.lock";
    FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file.is_open()) {
        return std::unexpected(directory_error("open", path, errno));
    }
    if (const int error = lock_file(file.get(), LOCK_EX | LOCK_NB); error == EWOULDBLOCK) {
        return base::fail(base::Code::conflict,
                          fmt::format("{} already serves from {}: stop it, or choose another folder with --data",
                                      read_owner(file.get()),
                                      directory.string()));
    } else if (error != 0) {
        return std::unexpected(directory_error("lock", path, error));
    }
    const std::string owner = fmt::format("{}\n", ::getpid());
    if (::ftruncate(file.get(), 0) != 0 ||
        ::pwrite(file.get(), owner.data(), owner.size(), 0) != static_cast<ssize_t>(owner.size())) {
        return std::unexpected(directory_error("write", path, errno));
    }
    return ServiceLock(std::move(file));
}

}  // namespace storage
