// The folder that holds everything the service must not forget.
#pragma once

#include <filesystem>

#include "base/error.hpp"
#include "storage/file_descriptor.hpp"

namespace storage {

// Creates the folder and its parents when missing, for its owner only, and waits for its lock, which ends with the
// descriptor. The lock orders the short steps of starting processes (creating files, migrating); it is not held while
// serving.
base::Result<FileDescriptor> create_and_lock_directory(const std::filesystem::path& directory);

// Says that this process serves from a data folder, as long as the object lives; the kernel ends it with the process,
// however that ends. `hokusai keys` needs no such claim.
class ServiceLock {
public:
    // The folder must exist. Does not wait: conflict, naming the process, when another one serves from it.
    static base::Result<ServiceLock> acquire(const std::filesystem::path& directory);

private:
    explicit ServiceLock(FileDescriptor file) : file_(std::move(file)) {}

    FileDescriptor file_;
};

}  // namespace storage
