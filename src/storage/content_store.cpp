#include "storage/content_store.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <utility>

#include "base/ensure.hpp"
#include "base/strings.hpp"
#include "storage/data_directory.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

namespace storage {

namespace {

constexpr std::string_view kTemporaryPrefix = "writing-";

base::Error file_error(base::Code code, std::string_view attempted, const std::filesystem::path& file, int error) {
    return {code, fmt::format("can't {} {}: {}", attempted, file.string(), std::generic_category().message(error))};
}

// By its first two digits, so that no folder gets too long to look through.
std::filesystem::path file_of(const std::filesystem::path& folder, const Digest& digest) {
    const std::string hex = to_hex(digest);
    return folder / hex.substr(0, 2) / hex;
}

base::Result<void> sync_folder(const std::filesystem::path& folder) {
    const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.is_open() || ::fsync(opened.get()) != 0) {
        return std::unexpected(file_error(base::Code::unavailable, "write", folder, errno));
    }
    return {};
}

std::size_t piece_count(std::int64_t size) {
    return (static_cast<std::size_t>(size) + kPieceSize - 1) / kPieceSize;
}

void append(std::string& pieces, const Digest& digest) {
    pieces.append(digest.begin(), digest.end());
}

}  // namespace

Digest digest_of(std::string_view bytes) {
    Digest digest{};
    unsigned length = 0;
    const bool is_done =
        EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1 && length == 32;
    ENSURE(is_done, "SHA-256 of bytes in memory can't fail");
    return digest;
}

std::string to_hex(const Digest& digest) {
    return base::to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Content content_of(std::string_view bytes) {
    Content content;
    content.size = static_cast<std::int64_t>(bytes.size());
    if (!bytes.empty()) {
        append(content.pieces, digest_of(bytes));
    }
    content.digest = digest_of(content.pieces);
    return content;
}

ContentWriter::ContentWriter(const std::filesystem::path& folder, std::string temporary, FileDescriptor file)
    : folder_(folder), temporary_(std::move(temporary)), file_(std::move(file)) {}

ContentWriter::ContentWriter(ContentWriter&& other) noexcept
    : folder_(std::move(other.folder_)),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::move(other.file_)),
      content_(std::move(other.content_)) {}

ContentWriter::~ContentWriter() {
    if (!temporary_.empty()) {
        ::unlink(temporary_.c_str());
    }
}

base::Result<void> ContentWriter::append(std::string_view piece) {
    storage::append(content_.pieces, digest_of(piece));
    content_.size += static_cast<std::int64_t>(piece.size());
    while (!piece.empty()) {
        const ssize_t written = ::write(file_.get(), piece.data(), piece.size());
        if (written < 0 && errno != EINTR) {
            return std::unexpected(file_error(base::Code::unavailable, "write", temporary_, errno));
        }
        piece.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return {};
}

base::Result<void> ContentWriter::sync() {
    if (::fsync(file_.get()) != 0) {
        return std::unexpected(file_error(base::Code::unavailable, "write", temporary_, errno));
    }
    return {};
}

base::Result<Content> ContentWriter::publish() {
    content_.digest = digest_of(content_.pieces);
    const std::filesystem::path file = file_of(folder_, content_.digest);
    if (::mkdir(file.parent_path().c_str(), 0700) == 0) {
        if (const base::Result<void> synced = sync_folder(folder_); !synced) {
            return std::unexpected(synced.error());
        }
    }
    if (::rename(temporary_.c_str(), file.c_str()) != 0) {
        return std::unexpected(file_error(base::Code::unavailable, "write", file, errno));
    }
    temporary_.clear();
    if (const base::Result<void> synced = sync_folder(file.parent_path()); !synced) {
        return std::unexpected(synced.error());
    }
    return content_;
}

base::Result<std::string> ContentReader::read_piece(std::size_t index) const {
    const auto total = static_cast<std::size_t>(content_.size);
    const std::size_t begin = index * kPieceSize;
    ENSURE(begin < total, "a reader asks for pieces that are there");
    std::string piece(std::min(kPieceSize, total - begin), '\0');
    for (std::size_t read = 0; read < piece.size();) {
        const ssize_t got =
            ::pread(file_.get(), piece.data() + read, piece.size() - read, static_cast<off_t>(begin + read));
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return base::fail(base::Code::data_loss,
                              fmt::format("{} can't be read: {}",
                                          to_hex(content_.digest),
                                          got == 0 ? "it is too short" : std::generic_category().message(errno)));
        }
        read += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    }
    const Digest digest = digest_of(piece);
    const std::string_view expected = std::string_view(content_.pieces).substr(index * digest.size(), digest.size());
    if (!std::equal(digest.begin(), digest.end(), expected.begin(), expected.end(), [](unsigned char left, char right) {
            return left == static_cast<unsigned char>(right);
        })) {
        return base::fail(base::Code::data_loss,
                          fmt::format("{} does not hold what was written", to_hex(content_.digest)));
    }
    return piece;
}

base::Result<ContentStore> ContentStore::open(std::filesystem::path folder) {
    if (const auto created = create_and_lock_directory(folder); !created) {
        return std::unexpected(created.error());
    }
    return ContentStore(std::move(folder));
}

base::Result<ContentWriter> ContentStore::create() const {
    std::string name = (folder_ / kTemporaryPrefix).string() + "XXXXXX";
    FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
    if (!file.is_open()) {
        return std::unexpected(file_error(base::Code::unavailable, "write", folder_, errno));
    }
    return ContentWriter(folder_, std::move(name), std::move(file));
}

base::Result<ContentReader> ContentStore::read(Content content) const {
    const std::filesystem::path name = file_of(folder_, content.digest);
    if (digest_of(content.pieces) != content.digest || content.size < 0 ||
        content.pieces.size() != piece_count(content.size) * sizeof(Digest)) {
        return base::fail(base::Code::data_loss, fmt::format("what is known of {} is damaged", name.string()));
    }
    FileDescriptor file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) {
        const base::Code code = errno == ENOENT ? base::Code::data_loss : base::Code::unavailable;
        return std::unexpected(file_error(code, "read", name, errno));
    }
    struct ::stat status{};
    if (::fstat(file.get(), &status) != 0 || status.st_size != content.size) {
        return base::fail(base::Code::data_loss, fmt::format("{} has not the size it was written with", name.string()));
    }
    return ContentReader(std::move(file), std::move(content));
}

void ContentStore::remove(const Digest& digest) const {
    ::unlink(file_of(folder_, digest).c_str());
}

std::size_t ContentStore::remove_leftovers(const std::function<bool(const std::string& hex)>& is_known) const {
    std::size_t removed = 0;
    std::error_code ignored;
    for (auto place = std::filesystem::recursive_directory_iterator(folder_, ignored);
         place != std::filesystem::recursive_directory_iterator();
         place.increment(ignored)) {
        if (!place->is_directory(ignored) && !is_known(place->path().filename().string())) {
            removed += std::filesystem::remove(place->path(), ignored) ? 1U : 0U;
        }
    }
    return removed;
}

base::Result<FileDescriptor> ContentStore::lock() const {
    return create_and_lock_directory(folder_);
}

std::uint64_t ContentStore::free_bytes() const {
    struct ::statvfs status{};
    return ::statvfs(folder_.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize : 0;
}

}  // namespace storage
