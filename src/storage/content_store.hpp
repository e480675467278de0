// Files that are named by what they hold, so that none is kept twice and damage shows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "storage/file_descriptor.hpp"

namespace storage {

using Digest = std::array<unsigned char, 32>;

// SHA-256.
Digest digest_of(std::string_view bytes);
std::string to_hex(const Digest& digest);

// Files are checked piece by piece, so that of a large one no byte is given out unchecked.
inline constexpr std::size_t kPieceSize = std::size_t{1} << 20U;

struct Content {
    std::int64_t size = 0;
    std::string pieces;  // the digest of each piece, one after the other
    Digest digest{};     // of `pieces`: the file's name
};

// Of bytes that are at most one piece.
Content content_of(std::string_view bytes);

// A file being written. Its bytes are there after publish(), or not at all.
class ContentWriter {
public:
    ContentWriter(ContentWriter&& other) noexcept;
    ContentWriter& operator=(ContentWriter&&) = delete;
    ~ContentWriter();

    // Every piece but the last is kPieceSize long, none is empty.
    base::Result<void> append(std::string_view piece);

    // Waits until the disk has it all.
    base::Result<void> sync();

    // Gives the file its name, after sync(). Nothing may be appended afterwards.
    base::Result<Content> publish();

private:
    friend class ContentStore;
    ContentWriter(const std::filesystem::path& folder, std::string temporary, FileDescriptor file);

    std::filesystem::path folder_;
    std::string temporary_;  // empty: published
    FileDescriptor file_;
    Content content_;
};

// A file being read; it stays readable when it is removed meanwhile.
class ContentReader {
public:
    [[nodiscard]] std::int64_t size() const {
        return content_.size;
    }

    // data_loss when the disk does not give back what was written.
    base::Result<std::string> read_piece(std::size_t index) const;

private:
    friend class ContentStore;

    ContentReader(FileDescriptor file, Content content) : file_(std::move(file)), content_(std::move(content)) {}

    FileDescriptor file_;
    Content content_;
};

// Calls block, from any thread. Its folder belongs to it alone.
class ContentStore {
public:
    // Creates the folder where there is none.
    static base::Result<ContentStore> open(std::filesystem::path folder);

    base::Result<ContentWriter> create() const;

    // data_loss when the file is missing or has another size.
    base::Result<ContentReader> read(Content content) const;

    // A missing file is no error.
    void remove(const Digest& digest) const;

    // What is left of files whose writing was cut off, and those `is_known` does not name; nobody may be writing.
    // Answers how many there were.
    std::size_t remove_leftovers(const std::function<bool(const std::string& hex)>& is_known) const;

    // Whoever publishes or removes holds it meanwhile, in any process.
    base::Result<FileDescriptor> lock() const;

    // Of the file system, for us; 0 when it can't be told.
    [[nodiscard]] std::uint64_t free_bytes() const;

private:
    explicit ContentStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

    std::filesystem::path folder_;
};

}  // namespace storage
