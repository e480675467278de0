#include "apps/registry_command_line.hpp"

#include <csignal>
#include <iostream>
#include <string>

#include "apps/registry_command.hpp"
#include "apps/registry_history_command.hpp"
#include "apps/registry_pending_command.hpp"
#include "base/clock.hpp"

#include <CLI/CLI.hpp>

namespace apps {

namespace {

// What becomes of writes that were accepted while MLflow was away.
void add_pending(CLI::App& registry, Flags& flags, std::function<int()>& action) {
    static bool as_json = false;
    static RegistryConflictsRequest looked_at;
    static RegistryResolveRequest resolved;
    const auto set = [&action, &flags](CLI::App* command, auto work) {
        command->callback([&action, &flags, work] {
            action = [&flags, work] {
                return work(load_settings(flags.sources()).settings, Console{std::cout, std::cerr});
            };
        });
        flags.add(*command, "--data", "DIR", "data_dir", "folder of the service");
        flags.add_file(*command);
    };

    CLI::App* pending = registry.add_subcommand("pending", "List the models whose accepted writes wait for MLflow");
    pending->add_flag("--json", as_json, "print one JSON object");
    set(pending, [](const ServiceSettings& settings, const Console& console) {
        return registry_pending(settings, as_json, console);
    });

    CLI::App* conflicts = registry.add_subcommand(
        "conflicts",
        "List the models somebody else wrote to meanwhile, so that what waits can't go as it was promised");
    conflicts->add_flag("--json", looked_at.as_json, "print one JSON object");
    conflicts->add_flag("--all", looked_at.shows_all, "with the writes that were set aside");
    set(conflicts, [](const ServiceSettings& settings, const Console& console) {
        return registry_conflicts(settings, looked_at, console);
    });

    CLI::App* resolve = registry.add_subcommand("resolve", "Decide about a conflict, also beside a running service");
    resolve->add_option("MODEL", resolved.model, "the model")->required();
    resolve->add_flag("--apply", resolved.applies, "put what waits on top of what MLflow has, under the next numbers");
    resolve->add_flag("--discard", resolved.discards, "keep what MLflow has, and set aside what waits");
    resolve->add_option("--workspace", resolved.workspace, "of the model (MLflow's default one)")->type_name("NAME");
    resolve->footer("Example: hokusai registry resolve fraud --apply");
    set(resolve, [](const ServiceSettings& settings, const Console& console) {
        return registry_resolve(settings, resolved, console);
    });
}

}  // namespace

void add_registry(CLI::App& app, Flags& flags, std::function<int()>& action) {
    static RegistryExportRequest exported;
    static RegistryImportRequest imported;
    static RegistryPrefetchRequest prefetched;
    static std::string token_file;
    static RegistryHistoryRequest looked_at;
    static RegistryRollbackRequest rolled_back;
    static bool as_json = false;
    CLI::App* registry =
        app.add_subcommand("registry", "Copy a model registry, say how it is, or look at an alias and take it back");
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

    CLI::App* history = registry->add_subcommand(
        "history", "Tell what became of a model's aliases and who made it so, and who loaded which version last");
    history->add_option("MODEL[@ALIAS]", looked_at.subject, "the model, or one of its aliases")->required();
    history->add_flag("--json", looked_at.as_json, "print one JSON object");
    history->footer("Example: hokusai registry history fraud@champion");
    history->callback([&action, with_settings] {
        action = [with_settings] {
            return with_settings([](const ServiceSettings& settings, const Console& console) {
                return registry_history(settings, looked_at, console);
            });
        };
    });

    CLI::App* rollback = registry->add_subcommand(
        "rollback",
        "Set an alias back to the version it was left at before the present one; once more, and it goes further back");
    rollback->add_option("MODEL@ALIAS", rolled_back.subject, "the alias")->required();
    rollback->add_option("--to", rolled_back.to, "this version instead")->type_name("VERSION");
    rollback->add_flag("--dry-run", rolled_back.is_dry_run, "say what would be done, and change nothing");
    rollback->add_flag("--yes", rolled_back.is_agreed, "do not ask");
    rollback->footer("Example: hokusai registry rollback fraud@champion --dry-run");
    rollback->callback([&action, with_settings] {
        action = [with_settings] {
            return with_settings([](const ServiceSettings& settings, const Console& console) {
                return registry_rollback(settings, rolled_back, std::cin, console);
            });
        };
    });
    add_pending(*registry, flags, action);
    history->add_option("--url", looked_at.url, "the running service (server.listen)")->type_name("URL");
    rollback->add_option("--url", rolled_back.url, "the running service (server.listen)")->type_name("URL");
    history->add_option("--workspace", looked_at.workspace, "of the model (MLflow's default one)")->type_name("NAME");
    rollback->add_option("--workspace", rolled_back.workspace, "of the model (MLflow's default one)")
        ->type_name("NAME");
    for (CLI::App* command : {history, rollback}) {
        flags.add_file(*command);
    }
    for (CLI::App* command : {to_file, from_file, prefetch, history, rollback}) {
        command->add_option("--token-file", token_file, "holds the server's key or token (HOKUSAI_MLFLOW_TOKEN)")
            ->type_name("FILE");
    }
    for (CLI::App* command : {to_file, from_file, prefetch, status}) {
        flags.add(*command, "--data", "DIR", "data_dir", "folder of the service");
        flags.add_file(*command);
    }
}

}  // namespace apps
