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
#include "apps/command_reference.hpp"
#include "apps/config_command.hpp"
#include "apps/keys_command.hpp"
#include "apps/registry_command.hpp"
#include "apps/reload.hpp"
#include "apps/service.hpp"
#include "apps/settings.hpp"
#include "apps/store.hpp"
#include "telemetry/log.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace apps {

namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done, 1 failure, 2 usage or configuration.\n"
    "Every setting: hokusai config sample, or man hokusai.";

// Flags go where environment and file go too: into the sources of one table of settings.
class Flags {
public:
    void add(CLI::App& command,
             const std::string& flag,
             const std::string& value,
             const std::string& setting,
             const std::string& help,
             bool is_repeatable = false) {
        CLI::Option* option =
            command.add_option(flag, sources_.flags[setting], help)->type_name(value)->allow_extra_args(false);
        if (!is_repeatable) {
            option->expected(1);
        }
    }

    // A secret by the name of the file that holds it.
    void set_secret_file(const std::string& setting, const std::string& file) {
        sources_.flags[setting] = {"file://" + std::filesystem::absolute(file).string()};
    }

    void add_file(CLI::App& command) {
        command.add_option("--config", file_, "read settings from this TOML file")->type_name("FILE");
    }

    [[nodiscard]] config::Sources sources() const {
        config::Sources sources = sources_;
        sources.environment = config::process_environment();
        if (!file_.empty()) {
            sources.file = file_;
        }
        return sources;
    }

private:
    config::Sources sources_;
    std::string file_;
};

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

void add_registry(CLI::App& app, Flags& flags, std::function<int()>& action) {
    static RegistryExportRequest exported;
    static RegistryImportRequest imported;
    static RegistryPrefetchRequest prefetched;
    static std::string token_file;
    static bool as_json = false;
    CLI::App* registry = app.add_subcommand("registry", "Copy a model registry from or to a file, or say how it is");
    registry->require_subcommand(1);
    registry->footer(kFooter);
    const auto with_settings = [&flags](auto work) {
        if (!token_file.empty()) {
            flags.set_secret_file("mlflow.token", token_file);
        }
        const LoadedSettings loaded = load_settings(flags.sources());
        std::signal(SIGPIPE, SIG_IGN);
        return work(loaded.settings, Console{std::cout, std::cerr});
    };

    CLI::App* to_file = registry->add_subcommand(
        "export", "Write all models, versions, aliases and tags as lines of JSON, also beside a running service");
    to_file
        ->add_option(
            "--from", exported.from, "a running MLflow or hokusai; without it, the registry of the data folder")
        ->type_name("URL");
    to_file->add_flag("--replica",
                      exported.replica,
                      "the data folder's copy of MLflow's registry instead, should MLflow have lost it");
    to_file->add_option("--output", exported.output, "write this file, whole or not at all (standard output)")
        ->type_name("FILE");
    to_file->footer("Example: hokusai registry export --from http://mlflow:5000 --output models.jsonl");
    to_file->callback([&action, with_settings] {
        action = [with_settings] {
            return with_settings([](const ServiceSettings& settings, const Console& console) {
                return registry_export(settings, exported, base::SystemClock().wall_now(), console);
            });
        };
    });

    CLI::App* from_file = registry->add_subcommand(
        "import",
        "Read what export wrote: into the folder of a stopped service exactly as it was, into a server with the same "
        "version numbers and new times");
    from_file->add_option("FILE", imported.file, "the file; - is standard input")->required();
    from_file
        ->add_option("--to", imported.to, "a running MLflow or hokusai; without it, the registry of the data folder")
        ->type_name("URL");
    from_file
        ->add_option("--existing",
                     imported.existing,
                     "when models are there already: refuse all, or skip those and complete what broke off (refuse)")
        ->type_name("refuse|skip");
    from_file->add_flag("--dry-run", imported.is_dry_run, "check the file, say what would be done, and write nothing");
    from_file->footer(
        "A folder takes all models or none. A server takes one after the other, and sets times, users, states and\n"
        "download locations itself; what broke off is completed by the same command with --existing skip.\n"
        "Example: hokusai registry import models.jsonl --to http://127.0.0.1:8000");
    from_file->callback([&action, with_settings] {
        action = [with_settings] {
            return with_settings([](const ServiceSettings& settings, const Console& console) {
                return registry_import(settings, imported, std::cin, console);
            });
        };
    });

    CLI::App* prefetch = registry->add_subcommand(
        "prefetch", "Read versions' artifacts through a running service with an artifact cache, which keeps them");
    prefetch->add_option("MODEL", prefetched.versions, "fox@champion, fox/3, or fox: all its aliased versions")
        ->required();
    prefetch->add_option("--through", prefetched.through, "the service (where the settings say that it listens)")
        ->type_name("URL");
    prefetch->footer("Example: hokusai registry prefetch fox@champion --token-file key");
    prefetch->callback([&action, with_settings] {
        action = [with_settings] {
            return with_settings([](const ServiceSettings& settings, const Console& console) {
                return registry_prefetch(settings, prefetched, console);
            });
        };
    });

    CLI::App* status = registry->add_subcommand(
        "status", "Say what is in the data folder: how many models, and how old a replica of MLflow's is");
    status->add_flag("--json", as_json, "print one JSON object");
    status->callback([&action, with_settings] {
        action = [with_settings] {
            return with_settings([](const ServiceSettings& settings, const Console& console) {
                return registry_status(settings, as_json, base::SystemClock().wall_now(), console);
            });
        };
    });
    for (CLI::App* command : {to_file, from_file, prefetch}) {
        command->add_option("--token-file", token_file, "holds the server's key or token (HOKUSAI_MLFLOW_TOKEN)")
            ->type_name("FILE");
    }
    for (CLI::App* command : {to_file, from_file, prefetch, status}) {
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
