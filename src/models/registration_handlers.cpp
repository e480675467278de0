#include <utility>

#include "auth/secret_bytes.hpp"
#include "base/strings.hpp"
#include "models/handlers.hpp"
#include "models/registration_request.hpp"
#include "models/versions.hpp"
#include "registry/json.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace json = boost::json;

base::Task<http::Response> register_model(Context& context, const Request& request) {
    Outcome<Registration> asked = read_registration(request);
    if (!asked) {
        co_return asked.error();
    }
    asked->id = auth::random_uuid();
    asked->created_at = context.worker.clock().wall_now();
    const Outcome<Registration> accepted =
        co_await context.registrations.accept(context.worker, context.mlflow, std::move(*asked));
    if (!accepted) {
        co_return accepted.error();
    }
    http::Response response = to_response(to_json(*accepted, context.mlflow.has_runs()), 201);
    response.headers.emplace_back("Location", "/models/registrations/" + accepted->id);
    co_return response;
}

base::Task<http::Response> show_registration(Context& context, const Request& request) {
    const Outcome<Registration> found =
        co_await context.registrations.find(context.worker, base::to_lower(request.arguments.at(0)));
    if (!found) {
        co_return found.error();
    }
    json::object answer = to_json(*found, context.mlflow.has_runs());
    answer["error"] = found->state == RegistrationState::failed ? json::value(found->error) : json::value();
    co_return to_response(answer);
}

base::Task<http::Response> download_model_data(Context& context, const Request& request) {
    const Outcome<Version> version = co_await find_version(context.mlflow, version_in_path(request));
    if (!version) {
        co_return version.error();
    }
    const VersionName& name = version->name;
    const std::string id = registry::text_at(version->tags, kRegistrationTag);
    if (!id.empty()) {
        Outcome<Registration> found = co_await context.registrations.find(context.worker, id);
        if (found && found->model_name == name.model && found->version == name.version) {
            http::Response response;
            response.body = std::move(found->model_data);
            response.headers.emplace_back(
                "Content-Disposition",
                fmt::format("attachment; filename*=UTF-8''{}-{}.json", base::percent_encode(name.model), name.version));
            co_return response;
        }
        if (!found && found.error().status != 404) {
            co_return found.error();
        }
    }
    co_return problem(
        404, fmt::format("Model {} was not registered here; its artifacts are at {}", name.text(), version->source));
}

}  // namespace models
