#include "apps/command_line.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include "apps/build_info.hpp"
#include "apps/cache_command.hpp"
#include "apps/command_flags.hpp"
#include "apps/command_reference.hpp"
#include "apps/config_command.hpp"
#include "apps/journal_command.hpp"
#include "apps/keys_command.hpp"
#include "apps/registry_command_line.hpp"
#include "apps/reload.hpp"
#include "apps/service.hpp"
#include "apps/settings.hpp"
#include "apps/store.hpp"
#include "telemetry/log.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace apps {

namespace {

void start_logging(const ServiceSettings& settings) {
    telemetry::LogSettings log;
    log.level = settings.log.level;
    log.file = settings.log.file;
    const bool is_terminal = log.file.empty() && ::isatty(STDERR_FILENO) == 1;
    log.format = settings.log.format.value_or(is_terminal ? telemetry::LogFormat::text : telemetry::LogFormat::json);
    telemetry::start_log(log);
}

// Each connection takes a descriptor, each call to MLflow another; the soft limit of 1024 is for programs that use
// select().
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int serve(const config::Sources& sources) {
    const LoadedSettings loaded = load_settings(sources);
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    start_logging(loaded.settings);
    for (const std::string& warning : loaded.loaded.warnings) {
        telemetry::log_warn("configuration", {{"warning", warning}});
    }
    try {
        Service service(loaded.settings);
        config::Loaded known = loaded.loaded;
        const bool has_ended = service.run(
            [&loaded](const std::string& url) {
                telemetry::log_info("serving",
                                    {{"url", url},
                                     {"version", kVersion},
                                     {"mode", loaded.settings.mlflow.urls.empty() ? "standalone" : "gateway"},
                                     {"data", loaded.settings.data_dir}});
                std::cout << "hokusai serving on " << url << std::endl;
            },
            [&sources, &known] { reload_settings(sources, known); });
        if (!has_ended) {
            telemetry::shutdown_log();
            std::quick_exit(0);
        }
    } catch (...) {
        telemetry::shutdown_log();
        throw;
    }
    telemetry::shutdown_log();
    return 0;
}

void add_serve(CLI::App& app, Flags& flags, std::function<int()>& action) {
    CLI::App* command = app.add_subcommand("serve", "Run the registry gateway until SIGTERM or Ctrl-C");
    flags.add(
        *command, "--listen", "HOST:PORT", "server.listen", "where to listen (127.0.0.1:8000; port 0: any free one)");
    flags.add(*command, "--data", "DIR", "data_dir", "folder for everything that must last");
    flags.add(*command, "--mlflow", "URL", "mlflow.urls", "the MLflow server (also MLFLOW_SERVER_URL)", true);
    flags.add(
        *command, "--auth", "required|off", "auth.mode", "whether callers need a key; off on loopback addresses only");
    flags.add(*command, "--threads", "N", "server.threads", "event loops (0: one for each core)");
    flags.add_file(*command);
    command->footer("Example: hokusai serve --mlflow http://127.0.0.1:5000\n" + std::string(kFooter));
    command->callback([&] { action = [&flags] { return serve(flags.sources()); }; });
}

void add_keys(CLI::App& app, Flags& flags, std::function<int()>& action) {
    static KeysCreateRequest request;
    static std::string id;
    static bool as_json = false;
    CLI::App* keys = app.add_subcommand("keys", "Make, list and revoke API keys, also beside a running service");
    keys->require_subcommand(1);
    keys->footer(kFooter);
    const auto with_store = [&flags](auto work) {
        const LoadedSettings loaded = load_settings(flags.sources());
        Store store(loaded.settings);
        auth::KeyHasher hasher(store.pepper);
        return work(store, hasher, base::SystemClock().wall_now(), Console{std::cout, std::cerr});
    };

    CLI::App* create = keys->add_subcommand("create", "Make a key; it is printed once and stored only as a hash");
    create->add_option("--name", request.name, "what the key is for")->type_name("NAME")->required();
    create
        ->add_option(
            "--scopes", request.scopes, "mlflow:read, mlflow:write, model:read, model:write, admin; comma separated")
        ->type_name("SCOPES")
        ->required();
    create->add_option("--expires", request.expires, "90d, 12h or a date; never by default")->type_name("WHEN");
    create->add_option("--environment", request.environment, "what the key's prefix says (production)")
        ->type_name("production|test|development");
    create->add_flag("--json", request.json, "print one JSON object");
    create->footer("Example: hokusai keys create --name ci --scopes mlflow:read,mlflow:write --expires 90d");
    create->callback([&action, with_store] {
        action = [with_store] {
            return with_store([](Store& store, auth::KeyHasher& hasher, base::WallTime now, const Console& console) {
                return keys_create(store.keys, hasher, request, now, console);
            });
        };
    });

    CLI::App* list = keys->add_subcommand("list", "Show all keys, never their secret part");
    list->add_flag("--json", as_json, "print a JSON array");
    list->callback([&action, with_store] {
        action = [with_store] {
            return with_store([](Store& store, auth::KeyHasher&, base::WallTime now, const Console& console) {
                return keys_list(store.keys, as_json, now, console);
            });
        };
    });

    CLI::App* revoke = keys->add_subcommand("revoke", "Refuse a key from now on, within a second in running services");
    revoke->add_option("ID", id, "the key's id, as keys list shows it")->required();
    revoke->callback([&action, with_store] {
        action = [with_store] {
            return with_store([](Store& store, auth::KeyHasher&, base::WallTime now, const Console& console) {
                return keys_revoke(store.keys, id, now, console);
            });
        };
    });
    for (CLI::App* command : {create, list, revoke}) {
        flags.add(*command, "--data", "DIR", "data_dir", "folder of the service");
        flags.add_file(*command);
    }
}

void add_journal(CLI::App& app, Flags& flags, std::function<int()>& action) {
    static bool as_json = false;
    CLI::App* journal =
        app.add_subcommand("journal",
                           "Show the writes that were accepted while MLflow was away, also beside a running "
                           "service");
    journal->require_subcommand(1);
    journal->footer(kFooter);
    CLI::App* status = journal->add_subcommand("status", "Say how many wait for MLflow, and for how long");
    status->add_flag("--json", as_json, "print one JSON object");
    status->callback([&] {
        action = [&flags] {
            return journal_status(load_settings(flags.sources()).settings,
                                  as_json,
                                  base::SystemClock().wall_now(),
                                  {std::cout, std::cerr});
        };
    });
    CLI::App* rejected = journal->add_subcommand("rejected", "Show those MLflow refused, and why");
    rejected->add_flag("--json", as_json, "print a JSON array, with the bodies");
    rejected->callback([&] {
        action = [&flags] {
            return journal_rejected(load_settings(flags.sources()).settings, as_json, {std::cout, std::cerr});
        };
    });
    for (CLI::App* command : {status, rejected}) {
        flags.add(*command, "--data", "DIR", "data_dir", "folder of the service");
        flags.add_file(*command);
    }
}

void add_cache(CLI::App& app, Flags& flags, std::function<int()>& action) {
    static bool as_json = false;
    CLI::App* cache =
        app.add_subcommand("cache", "Look after the copies of MLflow's artifacts, also beside a running service");
    cache->require_subcommand(1);
    cache->footer(kFooter);
    using Work = int (*)(const ServiceSettings&, const Console&);
    const auto add = [&](const char* name, const char* help, Work work) {
        CLI::App* command = cache->add_subcommand(name, help);
        command->callback([&action, &flags, work] {
            action = [&flags, work] {
                return work(load_settings(flags.sources()).settings, Console{std::cout, std::cerr});
            };
        });
        flags.add(*command, "--data", "DIR", "data_dir", "folder of the service");
        flags.add_file(*command);
        return command;
    };
    const auto print = [](const ServiceSettings& settings, const Console& console) {
        return cache_status(settings, as_json, console);
    };
    add("status", "Say how much is kept, and which aliased versions are whole", print)
        ->add_flag("--json", as_json, "print one JSON object");
    add("verify", "Read everything, and drop what is not as it was written", cache_verify);
    add("clear", "Remove everything; what aliases lead to is fetched again", cache_clear);
}

void add_config(CLI::App& app, Flags& flags, std::function<int()>& action) {
    static bool as_json = false;
    CLI::App* config = app.add_subcommand("config", "Show or check the settings, or print a file to start from");
    config->require_subcommand(1);
    config->footer(kFooter);
    CLI::App* show = config->add_subcommand("show", "Print every setting with its origin, secrets hidden");
    show->add_flag("--json", as_json, "print JSON");
    show->callback(
        [&] { action = [&flags] { return config_show(load_settings(flags.sources()).loaded, as_json, std::cout); }; });
    CLI::App* check = config->add_subcommand("check", "Say whether the service could start with these settings");
    check->callback([&] { action = [&flags] { return config_check(flags.sources(), std::cout); }; });
    CLI::App* sample = config->add_subcommand("sample", "Print a file with every setting and its default");
    sample->callback([&] { action = [] { return config_sample(std::cout); }; });
    for (CLI::App* command : {show, check}) {
        flags.add(*command, "--listen", "HOST:PORT", "server.listen", "as for serve");
        flags.add(*command, "--data", "DIR", "data_dir", "as for serve");
        flags.add(*command, "--mlflow", "URL", "mlflow.urls", "as for serve");
        flags.add(*command, "--auth", "required|off", "auth.mode", "as for serve");
        flags.add(*command, "--threads", "N", "server.threads", "as for serve");
        flags.add_file(*command);
    }
}

void add_reference(CLI::App& app, std::function<int()>& action) {
    CLI::App* completion = app.add_subcommand("completion", "Print a script that lets a shell complete commands");
    completion->require_subcommand(1);
    CLI::App* bash = completion->add_subcommand("bash", "Print the script for bash");
    bash->footer("Example: source <(hokusai completion bash)");
    bash->callback([&] {
        action = [&app] {
            std::cout << bash_completion(app);
            return 0;
        };
    });
    CLI::App* man = app.add_subcommand("man", "Print the manual page");
    man->footer("Example: hokusai man | man -l -");
    man->callback([&] {
        action = [&app] {
            ServiceSettings defaults;
            std::cout << manual_page(app, describe(defaults));
            return 0;
        };
    });
}

}  // namespace

int run_command_line(int argc, char** argv) {
    CLI::App app("Hokusai Registry: a gateway that keeps MLflow's clients working when MLflow does not.", "hokusai");
    app.set_version_flag("--version", fmt::format("hokusai {} ({}, {})", kVersion, kGitCommit, kBuildDate));
    app.require_subcommand(1);
    app.footer(kFooter);
    Flags flags;
    std::function<int()> action;
    add_serve(app, flags, action);
    add_keys(app, flags, action);
    add_registry(app, flags, action);
    add_journal(app, flags, action);
    add_cache(app, flags, action);
    add_config(app, flags, action);
    add_reference(app, action);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // CLI11 has exit codes of its own; ours are 0 for help and version, 2 for wrong usage.
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        return action();
    } catch (const base::ConfigError& error) {
        std::cerr << "hokusai: " << error.what() << '\n';
        return 2;
    }
}

}  // namespace apps
