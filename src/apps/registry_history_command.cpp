#include "apps/registry_history_command.hpp"

#include <algorithm>
#include <cstdint>
#include <istream>
#include <optional>
#include <ostream>
#include <string_view>

#include "apps/module_settings.hpp"
#include "apps/registry_command.hpp"
#include "base/strings.hpp"
#include "registry/json.hpp"
#include "registry_client/http_api.hpp"
#include "registry_http/alias_history_answer.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace apps {

namespace {

namespace json = boost::json;

constexpr std::string_view kAlias = "/api/2.0/mlflow/registered-models/alias";
constexpr std::string_view kGetVersion = "/api/2.0/mlflow/model-versions/get";

struct Subject {
    std::string model;
    std::string alias;  // empty: all of the model's
};

Subject parse_subject(const std::string& text) {
    const std::size_t at = text.rfind('@');
    return at == std::string::npos ? Subject{text, ""} : Subject{text.substr(0, at), text.substr(at + 1)};
}

base::Result<config::HttpUrl> service_url(const ServiceSettings& settings, const std::string& given) {
    if (!given.empty()) {
        return config::parse_http_url(given);
    }
    const config::HostPort& listen = settings.server.listen;
    if (listen.port == 0) {
        return base::fail(base::Code::invalid_argument, "server.listen names no port: say --url http://HOST:PORT");
    }
    const bool is_any = listen.host == "0.0.0.0" || listen.host == "::";
    const std::string host = is_any ? "localhost" : listen.host;
    const bool is_v6 = host.find(':') != std::string::npos;
    return config::parse_http_url(
        fmt::format("http://{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", listen.port));
}

base::Result<json::object> ask_history(registry_client::Api& api,
                                       const Subject& subject,
                                       const std::string& workspace) {
    registry_client::Api::Call call{.method = "GET", .path = registry_http::kAliasHistoryPath, .workspace = workspace};
    call.arguments["name"] = subject.model;
    if (!subject.alias.empty()) {
        call.arguments["alias"] = subject.alias;
    }
    return api.call(call);
}

const json::array& list_at(const json::object& object, std::string_view name) {
    static const json::array none;
    const json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_array() ? value->get_array() : none;
}

std::string who(const json::object& row) {
    const std::string name = registry::text_at(row, "key_name");
    return name.empty() ? "anonymous" : fmt::format("key '{}' ({})", name, registry::text_at(row, "key_id"));
}

std::string origin(const json::object& change) {
    const std::string source = registry::text_at(change, "source");
    if (source == "mlflow") {
        return "seen in MLflow";
    }
    return source == "start_up" ? "found at the start of the service" : "by " + who(change);
}

std::string version_text(const json::object& object, std::string_view name) {
    const std::string version = registry::text_at(object, name);
    return version.empty() ? "none" : version;
}

void print_change(const json::object& change, std::ostream& out) {
    std::string event = registry::text_at(change, "event");
    std::ranges::replace(event, '_', ' ');
    const std::string other = registry::text_at(change, "other_name");
    out << fmt::format("{}  {}: {} -> {}, {}{}, {}\n",
                       registry::text_at(change, "at"),
                       registry::text_at(change, "alias"),
                       version_text(change, "from"),
                       version_text(change, "to"),
                       event,
                       other.empty() ? "" : fmt::format(" (the other name is '{}')", other),
                       origin(change));
}

// Of one version, or of all.
void print_loads(const json::object& history, const std::string& version, std::ostream& out) {
    for (const json::value& row : list_at(history, "loads")) {
        const json::object* const load = row.if_object();
        if (load != nullptr && (version.empty() || registry::text_at(*load, "version") == version)) {
            out << fmt::format("{}  version {} last loaded by {}\n",
                               registry::text_at(*load, "at"),
                               registry::text_at(*load, "version"),
                               who(*load));
        }
    }
}

// The version the alias names now, as the service's registry says; empty: it is not set.
base::Result<std::string> present_version(registry_client::Api& api,
                                          const Subject& subject,
                                          const std::string& workspace) {
    registry_client::Api::Call call{.method = "GET", .path = kAlias, .workspace = workspace};
    call.arguments = {{"name", subject.model}, {"alias", subject.alias}};
    const auto answer = api.call(call);
    if (!answer) {
        // MLflow calls an alias that is not set a wrong argument.
        const base::Code code = answer.error().code;
        const bool is_unset = code == base::Code::missing_resource || code == base::Code::invalid_argument;
        return is_unset ? base::Result<std::string>("") : std::unexpected(answer.error());
    }
    const json::value* const version = answer->if_contains("model_version");
    return version != nullptr && version->is_object() ? registry::text_at(version->get_object(), "version") : "";
}

base::Result<void> check_version(registry_client::Api& api,
                                 const Subject& subject,
                                 const std::string& workspace,
                                 const std::string& version) {
    registry_client::Api::Call call{.method = "GET", .path = kGetVersion, .workspace = workspace};
    call.arguments = {{"name", subject.model}, {"version", version}};
    const auto answer = api.call(call);
    if (!answer && answer.error().code == base::Code::missing_resource) {
        return base::fail(
            base::Code::missing_resource,
            fmt::format("version {} of model '{}' is deleted: name another with --to VERSION", version, subject.model));
    }
    return answer ? base::Result<void>() : std::unexpected(answer.error());
}

struct Plan {
    std::string from;  // empty: the alias is not set
    std::string to;
    json::object history;
};

base::Result<Plan> plan_rollback(registry_client::Api& api,
                                 const RegistryRollbackRequest& request,
                                 const Subject& subject) {
    auto history = ask_history(api, subject, request.workspace);
    if (!history) {
        return std::unexpected(history.error());
    }
    const auto present = present_version(api, subject, request.workspace);
    if (!present) {
        return std::unexpected(present.error());
    }
    if (*present != registry::text_at(*history, "version")) {
        return base::fail(
            base::Code::conflict,
            fmt::format("the alias names {} now, which is not in its history yet: it was changed a moment "
                        "ago; repeat this when the history shows it",
                        present->empty() ? "nothing" : "version " + *present));
    }
    Plan plan{.from = *present, .to = request.to, .history = *std::move(history)};
    if (plan.to.empty()) {
        plan.to = registry::text_at(plan.history, "roll_back_to");
    }
    if (plan.to.empty()) {
        return base::fail(
            base::Code::missing_resource,
            fmt::format("the history knows no version '{}' was left at before: name one with --to VERSION",
                        request.subject));
    }
    if (plan.to == plan.from) {
        return base::fail(base::Code::invalid_argument,
                          fmt::format("'{}' names version {} already", request.subject, plan.to));
    }
    const auto checked = check_version(api, subject, request.workspace, plan.to);
    return checked ? base::Result<Plan>(std::move(plan)) : std::unexpected(checked.error());
}

bool is_agreed(std::istream& in, const Console& console) {
    console.errors << "Set it back? [y/N] " << std::flush;
    std::string line;
    std::getline(in, line);
    return base::iequals(line, "y") || base::iequals(line, "yes");
}

}  // namespace

int registry_history(registry_client::Api& api, const RegistryHistoryRequest& request, const Console& console) {
    const auto history = ask_history(api, parse_subject(request.subject), request.workspace);
    if (!history) {
        return complain(console, history.error().message);
    }
    if (request.as_json) {
        console.out << json::serialize(*history) << '\n';
        return kDone;
    }
    for (const json::value& change : list_at(*history, "changes")) {
        if (change.is_object()) {
            print_change(change.get_object(), console.out);
        }
    }
    print_loads(*history, "", console.out);
    if (list_at(*history, "changes").empty()) {
        console.errors << fmt::format("nothing is known of aliases of '{}'\n", request.subject);
    }
    return kDone;
}

int registry_history(const ServiceSettings& settings, const RegistryHistoryRequest& request, const Console& console) {
    const auto url = service_url(settings, request.url);
    if (!url) {
        return complain(console, url.error().message, kWrongUsage);
    }
    registry_client::HttpApi api(to_registry_client_settings(settings, *url));
    return registry_history(api, request, console);
}

int registry_rollback(registry_client::Api& api,
                      const RegistryRollbackRequest& request,
                      std::istream& standard_input,
                      const Console& console) {
    const Subject subject = parse_subject(request.subject);
    if (subject.model.empty() || subject.alias.empty()) {
        return complain(console, "name the alias: MODEL@ALIAS", kWrongUsage);
    }
    if (!request.to.empty() && base::parse_uint(request.to).value_or(0) == 0) {
        return complain(console, "--to must be the number of a version", kWrongUsage);
    }
    const auto plan = plan_rollback(api, request, subject);
    if (!plan) {
        return complain(console, plan.error().message);
    }
    console.out << fmt::format("{}{}: {} -> {}\n",
                               request.is_dry_run ? "would set " : "",
                               request.subject,
                               plan->from.empty() ? "none" : plan->from,
                               plan->to);
    if (!plan->from.empty()) {
        print_loads(plan->history, plan->from, console.out);
    }
    if (request.is_dry_run) {
        return kDone;
    }
    if (!request.is_agreed && !is_agreed(standard_input, console)) {
        return complain(console, "nothing was changed: agree with y, or say --yes");
    }
    registry_client::Api::Call call{.method = "POST", .path = kAlias, .workspace = request.workspace};
    call.arguments = {{"name", subject.model}, {"alias", subject.alias}, {"version", plan->to}};
    call.rollback_from = static_cast<std::int64_t>(base::parse_uint(plan->from).value_or(0));
    const auto set = api.call(call);
    if (!set) {
        return complain(console, set.error().message);
    }
    console.out << fmt::format("{} names version {} again\n", request.subject, plan->to);
    return kDone;
}

int registry_rollback(const ServiceSettings& settings,
                      const RegistryRollbackRequest& request,
                      std::istream& standard_input,
                      const Console& console) {
    const auto url = service_url(settings, request.url);
    if (!url) {
        return complain(console, url.error().message, kWrongUsage);
    }
    registry_client::HttpApi api(to_registry_client_settings(settings, *url));
    return registry_rollback(api, request, standard_input, console);
}

}  // namespace apps
