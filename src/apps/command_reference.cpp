#include "apps/command_reference.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "apps/build_info.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace apps {

namespace {

struct Command {
    std::string words;  // "hokusai keys create"
    const CLI::App* app;
};

// `app` and all below it, in the order of their definition.
std::vector<Command> commands_of(const CLI::App& app, const std::string& above = "") {
    std::vector<Command> commands{{above + app.get_name(), &app}};
    for (const CLI::App* const below : app.get_subcommands(nullptr)) {
        const std::vector<Command> more = commands_of(*below, commands.front().words + ' ');
        commands.insert(commands.end(), more.begin(), more.end());
    }
    return commands;
}

// "--help" and "-h"; empty for an argument that is known by its place.
std::vector<std::string> spellings(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.get_lnames()) {
        names.push_back("--" + name);
    }
    for (const std::string& name : option.get_snames()) {
        names.push_back("-" + name);
    }
    return names;
}

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0;
}

constexpr std::string_view kCompletion = R"(# Completion of hokusai for bash, as written by: hokusai completion bash
_hokusai() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} command=hokusai words="" word
    if [[ $current == = ]]; then # bash takes --name=value as three words
        current=""
    elif [[ $previous == = ]]; then
        previous=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$command $word" in
            {}) command+=" $word" ;;
        esac
    done
    case "$command $previous" in
{}        *)
            case $command in
{}            esac
            ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o default -F _hokusai hokusai
)";

// What may follow the option: its choices, or nothing that could be known.
std::string value_clause(const Command& command, const CLI::Option& option) {
    std::vector<std::string> patterns;
    for (const std::string& name : spellings(option)) {
        patterns.push_back(fmt::format("'{} {}'", command.words, name));
    }
    std::string choices = option.get_type_name();
    const bool has_choices = choices.find('|') != std::string::npos;
    std::replace(choices.begin(), choices.end(), '|', ' ');
    return fmt::format(
        "        {}) words='{}' ;;\n", fmt::join(patterns, " | "), has_choices ? std::string_view(choices) : "");
}

std::string words_clause(const Command& command) {
    std::vector<std::string> words;
    for (const CLI::App* const below : command.app->get_subcommands(nullptr)) {
        words.push_back(below->get_name());
    }
    for (const CLI::Option* const option : command.app->get_options()) {
        const std::vector<std::string> names = spellings(*option);
        words.insert(words.end(), names.begin(), names.end());
    }
    return fmt::format("                '{}') words='{}' ;;\n", command.words, fmt::join(words, " "));
}

// Text that roff shows as it is.
std::string roff(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '\\') {
            escaped += "\\e";
        } else if (c == '-') {
            escaped += "\\-";
        } else if ((c == '.' || c == '\'') && (escaped.empty() || escaped.back() == '\n')) {
            escaped += "\\&";
            escaped += c;
        } else {
            escaped += c;
        }
    }
    return escaped;
}

std::string option_text(const CLI::Option& option) {
    const std::vector<std::string> names = spellings(option);
    const std::string type = takes_value(option) && !names.empty() ? option.get_type_name() : "";
    const std::string shown = names.empty() ? option.get_name() : fmt::format("{}", fmt::join(names, ", "));
    return fmt::format(".TP\n.BI \"{}\" \"{}\"\n{}\n",
                       roff(shown),
                       type.empty() ? "" : " " + roff(type),
                       roff(option.get_description()) + (option.get_required() ? " (required)" : ""));
}

std::string command_text(const Command& command) {
    std::string text = fmt::format(".SS {}\n{}.\n", roff(command.words), roff(command.app->get_description()));
    for (const CLI::Option* const option : command.app->get_options()) {
        if (spellings(*option).empty() || option->get_lnames().front() != "help") {
            text += option_text(*option);
        }
    }
    return text;
}

std::string setting_text(const config::Setting& setting) {
    const bool has_default = !setting.value.is_secret && !setting.default_text.empty();
    return fmt::format(".TP\n.B {}\n{}.\n{}.br\nEnvironment: {}{}\n",
                       roff(setting.name),
                       roff(setting.help),
                       has_default ? fmt::format("Default: {}.\n", roff(setting.default_text)) : "",
                       roff(fmt::format("{}", fmt::join(setting.environment, ", "))),
                       setting.flag.empty() ? "" : "; flag: " + roff(setting.flag));
}

// {0} date, {1} version, {2} commands, {3} settings.
constexpr std::string_view kManual = R"(.TH HOKUSAI 1 "{0}" "hokusai {1}" "User Commands"
.SH NAME
hokusai \- gateway that keeps MLflow's clients working when MLflow does not
.SH SYNOPSIS
.B hokusai serve
.RB [ \-\-mlflow
.IR URL ]
.RB [ \-\-listen
.IR HOST : PORT ]
.RB [ \-\-data
.IR DIR ]
.RB [ \-\-config
.IR FILE ]
.br
.B hokusai
.IR command " [" options ]
.SH DESCRIPTION
.B hokusai
stands in front of an MLflow server.
Stock MLflow clients work through it unchanged.
When MLflow dies, hangs or slows down, it keeps answering: health endpoints that tell the truth, refusals that the client
knows how to wait out, and a circuit breaker that opens and closes by itself.
.PP
Clients point
.B MLFLOW_TRACKING_URI
at it and show an API key as
.BR MLFLOW_TRACKING_TOKEN .
Keys are made by
.BR "hokusai keys create" ,
printed once, and stored only as a hash.
.SH COMMANDS
{2}.SH SETTINGS
Every setting has one name and three forms: a key in a TOML file
.RB ( \-\-config ,
or
.BR HOKUSAI_CONFIG ),
environment variables, and for the common ones a flag.
Flags win over the environment, the environment over the file, the file over the default.
Where a setting has several variables, the one listed first wins; an empty one counts as not set.
.PP
Durations are written 250ms, 30s, 5m, 12h, 90d; sizes 512B, 64KiB, 1MiB; lists with commas, or as an array in the file.
A value may be kept elsewhere: file://PATH is the content of a file, env://NAME an environment variable.
.PP
.B hokusai config sample
prints a file with all of them,
.B hokusai config show
what is in force and where it came from,
.B hokusai config check
whether the service would start.
{3}.SH SIGNALS
.TP
.BR SIGTERM
Readiness turns 503; after server.drain_delay the listener closes; requests in flight have server.drain_timeout to end.
All of it takes 25 seconds at most.
A second signal skips the delay.
.TP
.BR SIGINT
The same without the delay.
.TP
.BR SIGHUP
Read the settings again: log.level is applied, other changes are logged as needing a restart.
.SH EXIT STATUS
.TP
0
Done.
.TP
1
Failure.
.TP
2
Wrong usage or configuration; standard error names the setting, where it came from, and the remedy.
.SH FILES
Below the data folder:
.TP
.I hokusai.db
API keys, as hashes, the audit log, and the model registry of its own (SQLite).
.TP
.I journal.db
Writes accepted while MLflow was away, until MLflow has them.
.TP
.I pepper
The secret the hashes depend on, readable only by its owner.
Without it no key works: back it up together with the database.
.TP
.I artifacts/, artifacts.db
Copies of MLflow's artifacts.
They may be removed while nothing runs.
.SH EXAMPLES
.nf
hokusai serve \-\-listen 0.0.0.0:8000 \-\-data /var/lib/hokusai \-\-mlflow http://mlflow:5000
hokusai keys create \-\-name ci \-\-scopes mlflow:read,mlflow:write \-\-expires 90d
hokusai registry export \-\-from http://mlflow:5000 \-\-output models.jsonl
hokusai config sample > hokusai.toml
source <(hokusai completion bash)
.fi
)";

}  // namespace

std::string bash_completion(const CLI::App& app) {
    const std::vector<Command> commands = commands_of(app);
    std::vector<std::string> below;
    std::string values;
    std::string words;
    for (const Command& command : commands) {
        if (command.app != &app) {
            below.push_back(fmt::format("'{}'", command.words));
        }
        words += words_clause(command);
        for (const CLI::Option* const option : command.app->get_options()) {
            if (takes_value(*option) && !spellings(*option).empty()) {
                values += value_clause(command, *option);
            }
        }
    }
    return fmt::format(kCompletion, fmt::join(below, " | "), values, words);
}

std::string manual_page(const CLI::App& app, const config::Schema& schema) {
    std::string commands;
    for (const Command& command : commands_of(app)) {
        const bool is_group = !command.app->get_subcommands(nullptr).empty();
        commands += is_group ? "" : command_text(command);
    }
    std::string settings;
    for (const config::Setting& setting : schema.settings()) {
        settings += setting_text(setting);
    }
    return fmt::format(kManual, kBuildDate, kVersion, commands, settings);
}

}  // namespace apps
