#include "apps/settings_rules.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/strings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace apps {

namespace {

// "environment HOKUSAI_AUTH: auth.mode", as in the errors of config::load().
std::string place(const config::Loaded& loaded, std::string_view name) {
    return fmt::format("{}: {}", loaded.at(name).origin, name);
}

bool is_wildcard(std::string_view host) {
    return host == "0.0.0.0" || host == "::";
}

bool has_control_characters(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return (c >= '\0' && c < ' ') || c == '\x7f'; });
}

// sqlite:/PATH, with any number of slashes, as in file URLs.
std::optional<std::string> database_problem(std::string_view url) {
    if (url.empty() || (url.starts_with("sqlite:/") && url.find_first_not_of('/', 7) != std::string_view::npos)) {
        return std::nullopt;
    }
    if (base::istarts_with(url, "postgres")) {
        return "names a PostgreSQL server, which is not supported yet; use sqlite:/ABSOLUTE/PATH, or leave it out for "
               "a database in "
               "the data folder";
    }
    return "must be sqlite:/ABSOLUTE/PATH; correct it, or leave it out for a database in the data folder";
}

class RuleBook {
public:
    RuleBook(const ServiceSettings& settings, const config::Loaded& loaded) : settings_(settings), loaded_(loaded) {}

    std::vector<std::string> check() {
        check_storage();
        check_server();
        check_mlflow_address();
        check_mlflow_credentials();
        check_mlflow_files();
        check_offline();
        return std::move(problems_);
    }

private:
    void add(std::string_view name, std::string_view problem) {
        problems_.push_back(fmt::format("{} {}", place(loaded_, name), problem));
    }

    void check_storage() {
        if (settings_.data_dir.empty()) {
            add("data_dir", "has no default, because HOME is not set; give --data or HOKUSAI_DATA_DIR");
        }
        if (const auto problem = database_problem(settings_.database_url.reveal())) {
            add("database_url", *problem);
        }
    }

    void check_server() {
        const ServerSettings& server = settings_.server;
        if (settings_.auth.mode == AuthMode::off && !config::is_loopback(server.listen.host)) {
            add("auth.mode",
                fmt::format("off is refused on {}, which others can reach; use required, or listen on 127.0.0.1",
                            config::to_text(server.listen)));
        }
        if (server.drain_delay + server.drain_timeout > kShutdownTime) {
            add("server.drain_timeout",
                fmt::format("and server.drain_delay are {} together; all of shutdown must end within {}",
                            config::to_text(server.drain_delay + server.drain_timeout),
                            config::to_text(kShutdownTime)));
        }
        if (settings_.health.fast_interval > settings_.health.interval) {
            add("health.fast_interval", "must not be longer than health.interval");
        }
    }

    void check_mlflow_address() {
        const MlflowSettings& mlflow = settings_.mlflow;
        if (mlflow.urls.size() > 1) {
            add("mlflow.urls",
                fmt::format("gives {} URLs; several are not supported yet, keep one", mlflow.urls.size()));
        }
        for (const config::HttpUrl& url : mlflow.urls) {
            if (names_own_address(url, settings_.server.listen)) {
                add("mlflow.urls",
                    fmt::format("{} is the address this server listens on; name the one MLflow listens on",
                                config::to_text(url)));
            }
        }
        const auto host = config::parse_http_url("http://" + mlflow.host);
        if (!mlflow.host.empty() && (!host || !host->base_path.empty())) {
            add("mlflow.host", "must be a host name or address, with or without a port");
        }
    }

    void check_mlflow_credentials() {
        const MlflowSettings& mlflow = settings_.mlflow;
        const bool has_basic = !mlflow.username.empty() || !mlflow.password.is_empty();
        if (!mlflow.token.is_empty() && has_basic) {
            add("mlflow.token", "can't be used together with mlflow.username and mlflow.password; keep one of the two");
        }
        if (mlflow.forward_auth && (has_basic || !mlflow.token.is_empty())) {
            add("mlflow.forward_auth",
                "sends the caller's credentials, so mlflow.token, mlflow.username and mlflow.password must be left "
                "out");
        }
        if (mlflow.username.empty() && !mlflow.password.is_empty()) {
            add("mlflow.password", "needs mlflow.username");
        }
        if (mlflow.username.find(':') != std::string::npos || has_control_characters(mlflow.username)) {
            add("mlflow.username", "must not hold a colon or control characters");
        }
        if (has_control_characters(mlflow.token.reveal())) {
            add("mlflow.token", "must not hold control characters");
        }
    }

    // Nobody's credentials are kept, so what is delivered later goes out with ours.
    void check_offline() {
        if (settings_.offline.accepts_writes && settings_.mlflow.forward_auth) {
            add("offline.writes",
                "accept can't be used with mlflow.forward_auth: MLflow would get the writes without their caller's "
                "credentials; use mlflow.token, or mlflow.username and mlflow.password");
        }
    }

    void check_mlflow_files() {
        const MlflowSettings& mlflow = settings_.mlflow;
        check_file("mlflow.ca_file", mlflow.ca_file);
        check_file("mlflow.cert_file", mlflow.cert_file);
        check_file("mlflow.key_file", mlflow.key_file);
        if (mlflow.cert_file.empty() != mlflow.key_file.empty()) {
            add(mlflow.cert_file.empty() ? "mlflow.key_file" : "mlflow.cert_file",
                "needs the other one of mlflow.cert_file and mlflow.key_file");
        }
    }

    void check_file(std::string_view name, const std::string& path) {
        errno = 0;
        if (!path.empty() && std::ifstream(path).peek() == std::ifstream::traits_type::eof()) {
            add(name,
                fmt::format(
                    "{} can't be read: {}", path, errno == 0 ? "it is empty" : std::generic_category().message(errno)));
        }
    }

    const ServiceSettings& settings_;
    const config::Loaded& loaded_;
    std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> broken_rules(const ServiceSettings& settings, const config::Loaded& loaded) {
    return RuleBook(settings, loaded).check();
}

bool names_own_address(const config::HttpUrl& url, const config::HostPort& listen) {
    if (url.port != listen.port) {
        return false;
    }
    const auto is_here = [](std::string_view host) { return config::is_loopback(host) || is_wildcard(host); };
    const auto is_any = [](std::string_view host) { return base::iequals(host, "localhost") || is_wildcard(host); };
    return base::iequals(url.host, listen.host) ||
           (is_here(url.host) && is_here(listen.host) && (is_any(url.host) || is_any(listen.host)));
}

std::optional<std::string> redis_warning(const config::Loaded& loaded) {
    std::vector<std::string> given;
    for (const config::Entry& entry : loaded.entries) {
        if (entry.name.starts_with("redis.") && entry.origin != "default") {
            given.push_back(entry.origin);
        }
    }
    if (given.empty()) {
        return std::nullopt;
    }
    return fmt::format("Redis is not supported yet: shown as disabled ({})", fmt::join(given, ", "));
}

}  // namespace apps
