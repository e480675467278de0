#include "storage/pepper_file.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>

#include "auth/secret_bytes.hpp"
#include "base/strings.hpp"
#include "storage/file_descriptor.hpp"

#include <fmt/format.h>

namespace storage {

namespace {

constexpr unsigned kFirstPepperVersion = 1;

// A line of text, so that it survives copying: "1:" and 64 hexadecimal digits.
std::string to_text(const auth::Pepper& pepper) {
    return fmt::format("{}:{}\n",
                       pepper.version,
                       base::to_hex({reinterpret_cast<const char*>(pepper.bytes.data()), pepper.bytes.size()}));
}

std::optional<unsigned char> hex_digit(char c) {
    const std::size_t value = std::string_view("0123456789abcdef").find(c);
    return value == std::string_view::npos ? std::nullopt : std::optional(static_cast<unsigned char>(value));
}

std::optional<auth::Pepper> from_text(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || !text.ends_with('\n')) {
        return std::nullopt;
    }
    const auto version = base::parse_uint(text.substr(0, colon));
    const std::string_view hex = text.substr(colon + 1, text.size() - colon - 2);
    auth::Pepper pepper;
    if (!version || *version == 0 || *version > 1'000'000 || hex.size() != pepper.bytes.size() * 2) {
        return std::nullopt;
    }
    pepper.version = static_cast<unsigned>(*version);
    for (std::size_t at = 0; at < pepper.bytes.size(); ++at) {
        const auto high = hex_digit(hex[2 * at]);
        const auto low = hex_digit(hex[2 * at + 1]);
        if (!high || !low) {
            return std::nullopt;
        }
        pepper.bytes[at] = static_cast<unsigned char>((*high << 4U) | *low);
    }
    return pepper;
}

base::Error pepper_io_error(std::string_view attempted, const std::filesystem::path& file, int error) {
    return {base::Code::unavailable,
            fmt::format("can't {} {}: {}", attempted, file.string(), std::generic_category().message(error))};
}

// Nothing when there is no file.
base::Result<std::optional<auth::Pepper>> read_pepper(const std::filesystem::path& file) {
    const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened.is_open()) {
        if (errno == ENOENT) {
            return std::nullopt;
        }
        return std::unexpected(pepper_io_error("open", file, errno));
    }
    struct ::stat facts{};
    if (::fstat(opened.get(), &facts) != 0) {
        return std::unexpected(pepper_io_error("read", file, errno));
    }
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return base::fail(
            base::Code::permission_denied,
            fmt::format("{} is open to other users (mode {:04o}): run chmod 600 on it, and replace the API keys "
                        "if others may have read it",
                        file.string(),
                        facts.st_mode & 07777U));
    }
    std::array<char, 128> text{};
    const ssize_t length = ::read(opened.get(), text.data(), text.size());
    if (length < 0) {
        return std::unexpected(pepper_io_error("read", file, errno));
    }
    std::optional<auth::Pepper> pepper = from_text({text.data(), static_cast<std::size_t>(length)});
    if (!pepper) {
        return base::fail(
            base::Code::data_loss,
            fmt::format("{} is not a pepper (a version, ':' and 64 hexadecimal digits): restore it from a backup; "
                        "without it no API key works",
                        file.string()));
    }
    return pepper;
}

int sync_directory(const std::filesystem::path& directory) {
    const FileDescriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return opened.is_open() && ::fsync(opened.get()) == 0 ? 0 : errno;
}

// Makes `file` appear whole and durable, unless there is one already. 0, or the error of the step that failed.
int publish_file(const std::filesystem::path& file, std::string_view text) {
    std::string temporary = file.string() + ".XXXXXX";
    const FileDescriptor created(::mkostemp(temporary.data(), O_CLOEXEC));  // O_EXCL, mode 0600
    if (!created.is_open()) {
        return errno;
    }
    int error = 0;
    const ssize_t written = ::write(created.get(), text.data(), text.size());
    if (written >= 0 && written < static_cast<ssize_t>(text.size())) {
        error = ENOSPC;
    } else if (written < 0 || ::fsync(created.get()) != 0 ||
               // Unlike rename(2), link(2) never replaces: the first of several wins.
               (::link(temporary.c_str(), file.c_str()) != 0 && errno != EEXIST)) {
        error = errno;
    }
    ::unlink(temporary.c_str());
    return error != 0 ? error : sync_directory(file.parent_path());
}

}  // namespace

std::filesystem::path pepper_file(const std::filesystem::path& data_dir) {
    return data_dir / "pepper";
}

base::Result<auth::Pepper> load_or_create_pepper(const std::filesystem::path& data_dir) {
    const std::filesystem::path file = pepper_file(data_dir);
    base::Result<std::optional<auth::Pepper>> pepper = read_pepper(file);
    if (pepper && !*pepper) {
        auth::Pepper first{.version = kFirstPepperVersion};
        auth::fill_secret_bytes(first.bytes);
        if (const int error = publish_file(file, to_text(first)); error != 0) {
            return std::unexpected(pepper_io_error("write", file, error));
        }
        pepper = read_pepper(file);  // ours, or that of a process that was faster
    }
    if (!pepper) {
        return std::unexpected(std::move(pepper.error()));
    }
    if (!*pepper) {
        return base::fail(base::Code::unavailable, fmt::format("{} vanished while starting", file.string()));
    }
    return **pepper;
}

}  // namespace storage
