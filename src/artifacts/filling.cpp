#include "artifacts/filling.hpp"

#include <array>
#include <mutex>
#include <utility>

#include "artifacts/artifact_call.hpp"
#include "base/strings.hpp"

#include <fmt/format.h>

namespace artifacts {

namespace {

using storage::ArtifactKind;

constexpr std::size_t kMaxFields = 4096;
constexpr std::array<std::string_view, 5> kKeptFields{
    "Content-Type", "Content-Disposition", "ETag", "Last-Modified", "X-Content-Type-Options"};

bool may_be_stored(const http::ResponseHead& head) {
    using Kind = http::Framing::Kind;
    const auto control = head.fields.find("Cache-Control");
    return head.status == 200 && (head.framing.kind == Kind::length || head.framing.kind == Kind::chunked) &&
           !head.fields.find("Content-Encoding") && !head.fields.find("Content-Range") &&
           !head.fields.find("Set-Cookie") &&
           !(control && base::to_lower(*control).find("no-store") != std::string::npos);
}

bool has_validator(std::string_view fields) {
    return fields.find("ETag: ") != std::string_view::npos;
}

bool is_json(std::string_view fields) {
    return base::to_lower(fields).find("content-type: application/json") != std::string::npos;
}

}  // namespace

std::optional<ArtifactHead> artifact_head(const http::ResponseHead& head) {
    if (!may_be_stored(head)) {
        return std::nullopt;
    }
    ArtifactHead artifact;
    for (const std::string_view name : kKeptFields) {
        if (const auto value = head.fields.find(name)) {
            artifact.fields += fmt::format("{}: {}\r\n", name, *value);
        }
    }
    if (head.framing.kind == http::Framing::Kind::length) {
        artifact.size = static_cast<std::int64_t>(head.framing.length);
    }
    return artifact.fields.size() <= kMaxFields ? std::optional(std::move(artifact)) : std::nullopt;
}

Filling::Filling(ArtifactCache& cache, storage::ArtifactKey key) : cache_(cache), key_(std::move(key)) {
    const std::lock_guard guard(cache_.mutex_);
    place_ = cache_.fillings_.insert(cache_.fillings_.end(), this);
    for (const std::string& path : cache_.changing_) {
        is_void_ = is_void_ || overlap(key_.path, path);
    }
}

Filling::~Filling() {
    cache_.reserved_ -= reserved_;
    const std::lock_guard guard(cache_.mutex_);
    cache_.fillings_.erase(place_);
}

base::Result<bool> Filling::prepare(ArtifactHead head) {
    head_ = std::move(head);
    const std::int64_t size = head_.size.value_or(0);
    const bool is_small = size <= static_cast<std::int64_t>(storage::kPieceSize);
    if (is_void_ || storage::room_for(size) > cache_.limit() ||
        (key_.kind != ArtifactKind::file && (!is_small || !is_json(head_.fields)))) {
        return false;
    }
    const auto has_owner =
        key_.kind == ArtifactKind::look_up ? base::Result<bool>(true) : cache_.deps_.has_owner(key_.path);
    if (!has_owner || !*has_owner) {
        return has_owner;
    }
    auto known = cache_.deps_.index.find(key_);
    if (!known) {
        return std::unexpected(known.error());
    }
    known_ = *std::move(known);
    const bool is_same =
        known_ && has_validator(head_.fields) && known_->fields == head_.fields && known_->content.size == head_.size;
    if (is_same) {
        const auto noted = cache_.publish(*this);
        return noted ? base::Result<bool>(false) : std::unexpected(noted.error());
    }
    return true;
}

base::Result<void> Filling::append(std::string piece) {
    size_ += static_cast<std::int64_t>(piece.size());
    if (key_.kind != ArtifactKind::file && size_ > static_cast<std::int64_t>(storage::kPieceSize)) {
        return base::fail(base::Code::exhausted, "a listing this long is not kept");
    }
    if (first_.empty() && !writer_) {
        first_ = std::move(piece);
        return {};
    }
    if (!writer_) {
        if (const auto written = write(std::exchange(first_, {})); !written) {
            return written;
        }
    }
    return write(piece);
}

base::Result<void> Filling::write(std::string_view piece) {
    const std::int64_t room = storage::room_for(static_cast<std::int64_t>(piece.size()));
    if (const auto reserved = cache_.reserve(room); !reserved) {
        return reserved;
    }
    reserved_ += room;
    if (!writer_) {
        auto writer = cache_.deps_.files.create();
        if (!writer) {
            return std::unexpected(writer.error());
        }
        writer_.emplace(*std::move(writer));
    }
    return piece.empty() ? base::Result<void>() : writer_->append(piece);
}

bool Filling::is_known_already() const {
    return !writer_ && known_ && known_->fields == head_.fields &&
           known_->content.digest == storage::content_of(first_).digest;
}

base::Result<void> Filling::finish() {
    if (head_.size && *head_.size != size_) {
        return base::fail(base::Code::data_loss, "the answer was not as long as it said");
    }
    if (is_known_already()) {
        return cache_.publish(*this);
    }
    if (!writer_) {
        if (const auto written = write(first_); !written) {
            return written;
        }
    }
    if (const auto synced = writer_->sync(); !synced) {
        return synced;
    }
    return cache_.publish(*this);
}

}  // namespace artifacts
