#include "config/load.hpp"

#include <chrono>

#include "config/testing/temporary_file.hpp"

#include <gtest/gtest.h>

namespace config {
namespace {

using namespace std::chrono_literals;
using testing::TemporaryFile;

enum class Colour { red, green };

struct Example {
    HostPort listen{.host = "127.0.0.1", .port = 8000};
    std::uint16_t threads = 4;
    bool is_enabled = false;
    base::Duration timeout = 30s;
    std::size_t limit = 65536;
    Colour colour = Colour::red;
    std::vector<std::string> networks;
    std::string name = "unknown";
    base::Secret token;
};

class Load : public ::testing::Test {
protected:
    Load() {
        schema_.add("server.listen",
                    host_port(example_.listen),
                    {.environment = {"HOKUSAI_LISTEN", "OLD_LISTEN"}, .flag = "--listen", .help = "Where"});
        schema_.add("server.threads", number<std::uint16_t>(example_.threads, 1, 64), {.help = "How many"});
        schema_.add("server.enabled", boolean(example_.is_enabled), {.help = "Whether"});
        schema_.add("server.timeout", duration(example_.timeout, 1ms, 1h), {.help = "How long"});
        schema_.add("server.limit", byte_size(example_.limit, 1024, 1U << 20U), {.help = "How large"});
        schema_.add("look.colour",
                    one_of(example_.colour, {{"red", Colour::red}, {"green", Colour::green}}),
                    {.help = "Which"});
        schema_.add(
            "look.networks", list(example_.networks, parse_network), {.flag = "--network", .help = "Where from"});
        schema_.add("name", text(example_.name), {.help = "Who"});
        schema_.add("look.token", secret(example_.token), {.environment = {"TOKEN"}, .help = "Key"});
        schema_.accept_environment("HOKUSAI_CONFIG");
    }

    Loaded load_all() {
        return load(schema_, sources_);
    }

    // The message of the ConfigError that loading ends with, or "no error".
    std::string error() {
        try {
            load(schema_, sources_);
        } catch (const base::ConfigError& thrown) {
            return thrown.what();
        }
        return "no error";
    }

    void expect_error_holds(const std::vector<std::string>& parts) {
        const std::string message = error();
        for (const std::string& part : parts) {
            EXPECT_NE(message.find(part), std::string::npos) << part << " is not in: " << message;
        }
    }

    Example example_;
    Schema schema_;
    Sources sources_;
};

TEST_F(Load, keeps_the_fields_own_values_as_defaults) {
    const Loaded loaded = load_all();

    EXPECT_EQ(example_.threads, 4);
    EXPECT_EQ(loaded.at("server.listen").text, "127.0.0.1:8000");
    EXPECT_EQ(loaded.at("server.listen").origin, "default");
    EXPECT_EQ(loaded.entries.size(), schema_.settings().size());
    EXPECT_TRUE(loaded.warnings.empty());
}

TEST_F(Load, fills_every_kind_of_field_from_a_file) {
    const TemporaryFile file(R"(name = "me"
[server]
listen = "[::1]:9000"
threads = 8
enabled = true
timeout = 0.25
limit = "2KiB"
[look]
colour = "green"
networks = ["10.0.0.0/8", "::1"]
token = "secret"
)");
    sources_.file = file.path();

    const Loaded loaded = load_all();

    EXPECT_EQ(example_.name, "me");
    EXPECT_EQ(to_text(example_.listen), "[::1]:9000");
    EXPECT_EQ(example_.threads, 8);
    EXPECT_TRUE(example_.is_enabled);
    EXPECT_EQ(example_.timeout, 250ms);
    EXPECT_EQ(example_.limit, 2048U);
    EXPECT_EQ(example_.colour, Colour::green);
    EXPECT_EQ(example_.networks, (std::vector<std::string>{"10.0.0.0/8", "::1"}));
    EXPECT_EQ(example_.token.reveal(), "secret");
    EXPECT_EQ(loaded.at("look.networks").text, "10.0.0.0/8,::1");
    EXPECT_EQ(loaded.at("server.threads").origin, file.path() + ":4");
}

TEST_F(Load, prefers_flag_to_environment_to_file) {
    const TemporaryFile file("[server]\nlisten = \"127.0.0.1:1\"\n");
    sources_.file = file.path();
    EXPECT_EQ(load_all().at("server.listen").text, "127.0.0.1:1");

    sources_.environment["OLD_LISTEN"] = "127.0.0.1:2";
    EXPECT_EQ(load_all().at("server.listen").origin, "environment OLD_LISTEN");

    sources_.environment["HOKUSAI_LISTEN"] = "127.0.0.1:3";
    EXPECT_EQ(load_all().at("server.listen").origin, "environment HOKUSAI_LISTEN");

    sources_.environment["HOKUSAI_SERVER_LISTEN"] = "127.0.0.1:4";
    EXPECT_EQ(load_all().at("server.listen").variable, "HOKUSAI_SERVER_LISTEN");

    sources_.flags["server.listen"] = {"127.0.0.1:5"};
    EXPECT_EQ(load_all().at("server.listen").origin, "flag --listen");
    EXPECT_EQ(example_.listen.port, 5);
}

TEST_F(Load, takes_an_empty_variable_or_flag_as_not_given) {
    sources_.environment["HOKUSAI_SERVER_LISTEN"] = "";
    sources_.environment["OLD_LISTEN"] = "127.0.0.1:2";
    sources_.flags["server.listen"] = {};

    EXPECT_EQ(load_all().at("server.listen").origin, "environment OLD_LISTEN");
}

TEST_F(Load, joins_a_repeated_flag_only_for_lists) {
    sources_.flags["look.networks"] = {"10.0.0.0/8", "::1"};
    load_all();
    EXPECT_EQ(example_.networks.size(), 2U);

    sources_.flags["server.listen"] = {"127.0.0.1:1", "127.0.0.1:2"};
    expect_error_holds({"flag --listen", "must be a single value"});
}

TEST_F(Load, refuses_an_unknown_key_with_place_and_nearest_name) {
    const TemporaryFile file("[server]\nlistn = \"127.0.0.1:1\"\n");
    sources_.file = file.path();

    EXPECT_EQ(error(), file.path() + ":2: unknown setting server.listn; did you mean server.listen?");
}

TEST_F(Load, looks_for_the_same_key_in_other_sections) {
    const TemporaryFile file("threads = 3\n[serverr]\n[look]\nxyzzy = 1\n[server.listen]\nhost = \"a\"\n");
    sources_.file = file.path();

    expect_error_holds({":1: unknown setting threads; did you mean server.threads?",
                        ":2: unknown setting serverr; hokusai config show lists all settings",
                        ":4: unknown setting look.xyzzy",
                        ":6: unknown setting server.listen.host"});
}

TEST_F(Load, accepts_an_empty_section) {
    const TemporaryFile file("[server]\n[look]\n");
    sources_.file = file.path();

    EXPECT_EQ(error(), "no error");
}

TEST_F(Load, names_variable_value_rule_and_default) {
    sources_.environment["HOKUSAI_SERVER_THREADS"] = "65";

    EXPECT_EQ(
        error(),
        "environment HOKUSAI_SERVER_THREADS: server.threads \"65\" must be a whole number from 1 to 64; correct it, or "
        "remove it for the default (4)");
}

TEST_F(Load, names_file_and_line_of_a_bad_value) {
    const TemporaryFile file("# comment\n[look]\ncolour = \"blue\"\n");
    sources_.file = file.path();

    expect_error_holds({file.path() + ":3: look.colour \"blue\" must be one of: red, green"});
}

TEST_F(Load, reports_all_problems_at_once) {
    const TemporaryFile file("nme = \"x\"\n[server]\ntimeout = -1\n");
    sources_.file = file.path();
    sources_.environment["HOKUSAI_SERVER_ENABLED"] = "maybe";
    sources_.flags["look.networks"] = {"everywhere"};

    expect_error_holds({":1: unknown setting nme; did you mean name?",
                        ":3: server.timeout \"-1\"",
                        "environment HOKUSAI_SERVER_ENABLED: server.enabled \"maybe\"",
                        "flag --network: look.networks \"everywhere\""});
}

TEST_F(Load, refuses_a_file_it_cannot_read_or_understand) {
    sources_.file = "/nonexistent/h.toml";
    expect_error_holds({"/nonexistent/h.toml: No such file or directory", "HOKUSAI_CONFIG"});

    sources_.file = std::filesystem::temp_directory_path();
    expect_error_holds({"Is a directory"});

    const TemporaryFile broken("name = \"a\"\nname = \"b\"\n");
    sources_.file = broken.path();
    expect_error_holds({broken.path() + ":2: "});

    const TemporaryFile dated("[server]\n\nthreads = 2025-01-01\n");
    sources_.file = dated.path();
    expect_error_holds({dated.path() + ":3: server.threads must be text, a number"});

    const TemporaryFile large(std::string((1U << 20U) + 1, '#'));
    sources_.file = large.path();
    expect_error_holds({"larger than"});
}

TEST_F(Load, refuses_an_array_for_a_single_value) {
    const TemporaryFile file("[server]\nlisten = [\"127.0.0.1:1\"]\n");
    sources_.file = file.path();

    expect_error_holds({"must be a single value"});
}

TEST_F(Load, warns_of_unknown_variables_of_ours_only) {
    sources_.environment = {{"HOKUSAI_LISTN", "x"},
                            {"HOKUSAI_SERVICE_HOST_SET_BY_KUBERNETES", "x"},
                            {"HOKUSAI_CONFIG", ""},
                            {"HOME", "/root"}};

    const Loaded loaded = load_all();

    ASSERT_EQ(loaded.warnings.size(), 2U);
    EXPECT_EQ(loaded.warnings[0],
              "environment variable HOKUSAI_LISTN is no setting and was ignored; did you mean HOKUSAI_LISTEN?");
    EXPECT_EQ(loaded.warnings[1],
              "environment variable HOKUSAI_SERVICE_HOST_SET_BY_KUBERNETES is no setting and was ignored");
}

TEST_F(Load, follows_references_to_files_and_variables) {
    const TemporaryFile secret("s3cret\r\n");
    sources_.environment = {{"TOKEN", "file://" + secret.path()}, {"WHO", "ann"}, {"HOKUSAI_NAME", "env://WHO"}};

    const Loaded loaded = load_all();

    EXPECT_EQ(example_.token.reveal(), "s3cret");
    EXPECT_EQ(example_.name, "ann");
    EXPECT_EQ(loaded.at("look.token").text, "<set>");
    EXPECT_EQ(loaded.at("name").text, "env://WHO");
}

TEST_F(Load, does_not_follow_a_reference_behind_a_reference) {
    sources_.environment = {{"A", "env://B"}, {"B", "b"}, {"HOKUSAI_NAME", "env://A"}};

    load_all();

    EXPECT_EQ(example_.name, "env://B");
}

TEST_F(Load, refuses_references_that_lead_nowhere) {
    sources_.environment["HOKUSAI_NAME"] = "file:///nonexistent";
    expect_error_holds({"HOKUSAI_NAME", "\"file:///nonexistent\"", "No such file or directory"});

    sources_.environment["HOKUSAI_NAME"] = "env://NOBODY";
    expect_error_holds({"environment variable NOBODY, which is not set"});

    const TemporaryFile empty("\n");
    sources_.environment["HOKUSAI_NAME"] = "file://" + empty.path();
    expect_error_holds({"which is empty"});

    for (const char* scheme : {"ssm", "secretsmanager"}) {
        sources_.environment["HOKUSAI_NAME"] = std::string(scheme) + "://x";
        expect_error_holds({std::string(scheme) + "://, which is not supported yet; use file:// or env://"});
    }
}

TEST_F(Load, does_not_show_what_a_reference_holds) {
    const TemporaryFile secret("topsecret\n");
    sources_.environment["HOKUSAI_SERVER_THREADS"] = "file://" + secret.path();

    const std::string message = error();

    EXPECT_EQ(message.find("topsecret"), std::string::npos) << message;
    EXPECT_NE(message.find(secret.path()), std::string::npos) << message;
}

TEST_F(Load, shows_no_secret_in_entries_or_errors) {
    EXPECT_EQ(load_all().at("look.token").text, "<unset>");

    sources_.flags["look.token"] = {"topsecret"};
    EXPECT_EQ(load_all().at("look.token").text, "<set>");

    sources_.flags["look.token"] = {"topsecret", "twice"};
    EXPECT_EQ(error().find("topsecret"), std::string::npos);
    EXPECT_NE(error().find("(value not shown)"), std::string::npos);

    sources_.flags.clear();
    sources_.environment["HOKUSAI_SERVER_LISTEN"] = "http://me:topsecret@host";
    EXPECT_EQ(error().find("topsecret"), std::string::npos);
}

TEST_F(Load, leaves_the_field_alone_when_the_value_is_bad) {
    sources_.environment["HOKUSAI_LOOK_NETWORKS"] = "10.0.0.0/8,bad";
    error();

    EXPECT_TRUE(example_.networks.empty());
}

TEST(Schema, lists_the_systematic_variable_first_and_once) {
    std::string field = "x";
    Schema schema;
    schema.add("log.file", text(field), {.environment = {"HOKUSAI_LOG_FILE", "LOG_FILE"}, .help = "Where"});

    EXPECT_EQ(schema.find("log.file")->environment, (std::vector<std::string>{"HOKUSAI_LOG_FILE", "LOG_FILE"}));
    EXPECT_EQ(schema.find("log.file")->default_text, "x");
    EXPECT_EQ(schema.find("log.level"), nullptr);
}

TEST(ProcessEnvironment, holds_the_variables_of_this_process) {
    EXPECT_TRUE(process_environment().contains("PATH"));
}

}  // namespace
}  // namespace config
