#include "artifacts/listing.hpp"

#include "artifacts/artifact_call.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace artifacts {

namespace json = boost::json;

base::Result<std::vector<ListedArtifact>> parse_listing(std::string_view body, const std::string& folder) {
    const base::Error wrong{base::Code::data_loss, "MLflow's listing of " + folder + " is no listing"};
    json::error_code error;
    const json::value value = json::parse(body, error);
    const json::object* const object = error ? nullptr : value.if_object();
    if (object == nullptr) {
        return std::unexpected(wrong);
    }
    std::vector<ListedArtifact> listed;
    const json::value* const files = object->if_contains("files");
    if (files == nullptr) {
        return listed;
    }
    if (!files->is_array()) {
        return std::unexpected(wrong);
    }
    for (const json::value& each : files->get_array()) {
        const json::object* const file = each.if_object();
        const json::value* const name = file != nullptr ? file->if_contains("path") : nullptr;
        if (name == nullptr || !name->is_string()) {
            return std::unexpected(wrong);
        }
        const std::string text(name->get_string());
        const std::optional<std::string> path = normal_path(fmt::format("{}/{}", folder, text));
        if (!path || text.find('/') != std::string::npos) {
            return base::fail(base::Code::unsupported,
                              fmt::format("'{}' in {} is a name that is not cached", text, folder));
        }
        const json::value* const is_folder = file->if_contains("is_dir");
        const json::value* const size = file->if_contains("file_size");
        listed.push_back({*path,
                          is_folder != nullptr && is_folder->is_bool() && is_folder->get_bool(),
                          size != nullptr && size->is_int64() ? std::optional(size->get_int64()) : std::nullopt});
    }
    return listed;
}

}  // namespace artifacts
