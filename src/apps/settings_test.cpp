#include "apps/settings.hpp"

#include <fstream>
#include <set>

#include "base/error.hpp"
#include "config/testing/temporary_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace apps {
namespace {

using namespace std::chrono_literals;
using config::testing::TemporaryFile;

class SettingsTest : public ::testing::Test {
protected:
    LoadedSettings load() {
        return load_settings(sources_);
    }

    LoadedSettings load_with(const std::string& variable, const std::string& value) {
        sources_.environment[variable] = value;
        return load();
    }

    std::string error() {
        try {
            load();
        } catch (const base::ConfigError& thrown) {
            return thrown.what();
        }
        return "no error";
    }

    std::string error_with(const std::string& variable, const std::string& value) {
        sources_.environment[variable] = value;
        return error();
    }

    void expect_error_holds(const std::vector<std::string>& parts) {
        const std::string message = error();
        for (const std::string& part : parts) {
            EXPECT_NE(message.find(part), std::string::npos) << part << " is not in: " << message;
        }
    }

    config::Sources sources_{.flags = {}, .environment = {{"HOME", "/home/ann"}}, .file = {}};
};

TEST_F(SettingsTest, have_safe_defaults) {
    const auto [settings, loaded] = load();

    EXPECT_EQ(config::to_text(settings.server.listen), "127.0.0.1:8000");
    EXPECT_EQ(settings.auth.mode, AuthMode::required);
    EXPECT_TRUE(settings.mlflow.urls.empty());
    EXPECT_EQ(settings.breaker.failure_threshold, 3U);
    EXPECT_EQ(settings.breaker.recovery_timeout, 30s);
    EXPECT_TRUE(settings.http.cors_origins.empty());
    EXPECT_EQ(settings.environment, "unknown");
    EXPECT_FALSE(settings.log.format);
    EXPECT_TRUE(loaded.warnings.empty());
}

TEST_F(SettingsTest, have_defaults_within_their_own_ranges) {
    ServiceSettings settings;
    for (const config::Setting& setting : describe(settings).settings()) {
        if (!setting.value.is_secret) {
            EXPECT_TRUE(setting.value.assign(setting.default_text) || setting.default_text.empty()) << setting.name;
        }
    }
}

TEST_F(SettingsTest, share_no_environment_variable_and_no_flag) {
    ServiceSettings settings;
    std::set<std::string> seen;
    for (const config::Setting& setting : describe(settings).settings()) {
        for (const std::string& variable : setting.environment) {
            EXPECT_TRUE(seen.insert(variable).second) << variable;
        }
        EXPECT_TRUE(setting.flag.empty() || seen.insert(setting.flag).second) << setting.flag;
    }
}

TEST_F(SettingsTest, answer_to_the_names_scripts_depend_on) {
    sources_.environment.insert({{"HOKUSAI_LISTEN", "[::1]:9000"},
                                 {"HOKUSAI_DATA_DIR", "/data"},
                                 {"HOKUSAI_AUTH", "off"},
                                 {"HOKUSAI_THREADS", "7"},
                                 {"HOKUSAI_BOOTSTRAP_ADMIN_KEY", "hk_live_x"},
                                 {"MLFLOW_SERVER_URL", "https://mlflow/base"},
                                 {"HOKUSAI_MLFLOW_TOKEN", "t"},
                                 {"HOKUSAI_MLFLOW_HOST", "localhost:5000"},
                                 {"MLFLOW_SERVE_ARTIFACTS", "false"},
                                 {"MLFLOW_CB_ENABLED", "false"},
                                 {"CORS_ORIGINS", R"(["https://A", "http://b:3000/"])"},
                                 {"HOKUSAI_TRUSTED_PROXIES", "10.0.0.0/8, ::1"},
                                 {"HOKUSAI_LOG_LEVEL", "debug"},
                                 {"HOKUSAI_LOG_FORMAT", "text"},
                                 {"HOKUSAI_LOG_FILE", "/var/log/hokusai"},
                                 {"ENVIRONMENT", "staging"}});

    const auto [settings, loaded] = load();

    EXPECT_EQ(settings.server.listen.port, 9000);
    EXPECT_EQ(settings.data_dir, "/data");
    EXPECT_EQ(settings.auth.mode, AuthMode::off);
    EXPECT_EQ(settings.server.threads, 7U);
    EXPECT_EQ(settings.auth.bootstrap_admin_key.reveal(), "hk_live_x");
    EXPECT_EQ(config::to_text(settings.mlflow.urls.at(0)), "https://mlflow/base");
    EXPECT_EQ(settings.mlflow.token.reveal(), "t");
    EXPECT_EQ(settings.mlflow.host, "localhost:5000");
    EXPECT_FALSE(settings.mlflow.serve_artifacts);
    EXPECT_FALSE(settings.breaker.is_enabled);
    EXPECT_EQ(settings.http.cors_origins, (std::vector<std::string>{"https://a", "http://b:3000"}));
    EXPECT_EQ(settings.http.trusted_proxies, (std::vector<std::string>{"10.0.0.0/8", "::1"}));
    EXPECT_EQ(settings.log.level, telemetry::LogLevel::debug);
    EXPECT_EQ(settings.log.format, telemetry::LogFormat::text);
    EXPECT_EQ(settings.log.file, "/var/log/hokusai");
    EXPECT_EQ(settings.environment, "staging");
    EXPECT_TRUE(loaded.warnings.empty());
}

TEST_F(SettingsTest, come_from_the_file_named_by_flag_or_variable) {
    const TemporaryFile one("[server]\nthreads = 1\n");
    const TemporaryFile two("[server]\nthreads = 2\n");

    EXPECT_EQ(load_with("HOKUSAI_CONFIG", one.path()).settings.server.threads, 1U);

    sources_.file = two.path();
    EXPECT_EQ(load().settings.server.threads, 2U);
}

TEST_F(SettingsTest, allow_zero_in_the_breaker) {
    sources_.environment.insert({{"MLFLOW_CB_FAILURE_THRESHOLD", "0"},
                                 {"MLFLOW_CB_RECOVERY_TIMEOUT", "0"},
                                 {"MLFLOW_CB_MAX_RECOVERY_ATTEMPTS", "0"}});

    const BreakerSettings breaker = load().settings.breaker;

    EXPECT_EQ(breaker.failure_threshold, 0U);
    EXPECT_EQ(breaker.recovery_timeout, 0s);
    EXPECT_EQ(breaker.max_recovery_attempts, 0U);
}

TEST_F(SettingsTest, read_the_recovery_timeout_as_seconds_or_with_a_unit) {
    EXPECT_EQ(load_with("MLFLOW_CB_RECOVERY_TIMEOUT", "45").settings.breaker.recovery_timeout, 45s);
    EXPECT_EQ(load_with("MLFLOW_CB_RECOVERY_TIMEOUT", "250ms").settings.breaker.recovery_timeout, 250ms);
}

TEST_F(SettingsTest, refuse_bad_breaker_values_by_the_name_of_the_variable) {
    for (const char* variable :
         {"MLFLOW_CB_FAILURE_THRESHOLD", "MLFLOW_CB_RECOVERY_TIMEOUT", "MLFLOW_CB_MAX_RECOVERY_ATTEMPTS"}) {
        for (const char* value : {"-1", "three", "4294967296", "99999999999999999999", "1e3", "0x3", " "}) {
            EXPECT_TRUE(error_with(variable, value).starts_with(fmt::format("environment {}: breaker.", variable)))
                << variable << '=' << value << ": " << error();
        }
        sources_.environment.erase(variable);
    }
    EXPECT_NE(error_with("MLFLOW_CB_ENABLED", "maybe").find("environment MLFLOW_CB_ENABLED"), std::string::npos);
}

TEST_F(SettingsTest, prefer_the_server_url_to_the_tracking_uri) {
    EXPECT_EQ(load_with("MLFLOW_TRACKING_URI", "http://b:5000").settings.mlflow.urls.at(0).host, "b");
    EXPECT_EQ(load_with("MLFLOW_SERVER_URL", "http://a:5000").settings.mlflow.urls.at(0).host, "a");
}

TEST_F(SettingsTest, ignore_a_tracking_uri_that_is_our_own_address) {
    const std::vector<std::pair<std::string, std::string>> own = {{"127.0.0.1:8000", "http://127.0.0.1:8000"},
                                                                  {"127.0.0.1:8000", "http://localhost:8000/"},
                                                                  {"127.0.0.1:8000", "http://0.0.0.0:8000"},
                                                                  {"0.0.0.0:8000", "http://127.0.0.1:8000"},
                                                                  {"[::]:80", "http://localhost"},
                                                                  {"registry:8000", "http://Registry:8000"}};
    for (const auto& [listen, uri] : own) {
        sources_.environment["HOKUSAI_LISTEN"] = listen;
        const LoadedSettings result = load_with("MLFLOW_TRACKING_URI", uri);
        EXPECT_TRUE(result.settings.mlflow.urls.empty()) << uri;
        ASSERT_EQ(result.loaded.warnings.size(), 1U) << uri;
        EXPECT_TRUE(result.loaded.warnings[0].starts_with("MLFLOW_TRACKING_URI names this server's own address"));
    }
}

TEST_F(SettingsTest, fall_back_to_the_file_where_the_tracking_uri_is_our_own_address) {
    const TemporaryFile file("[mlflow]\nurls = [\"http://mlflow:5000\"]\n");
    sources_.file = file.path();

    EXPECT_EQ(load_with("MLFLOW_TRACKING_URI", "http://127.0.0.1:8000").settings.mlflow.urls.at(0).host, "mlflow");
}

TEST_F(SettingsTest, do_not_take_a_neighbour_for_our_own_address) {
    for (const char* uri :
         {"http://127.0.0.1:5000", "http://127.0.0.2:8000", "http://other:8000", "https://127.0.0.1"}) {
        EXPECT_EQ(load_with("MLFLOW_TRACKING_URI", uri).settings.mlflow.urls.size(), 1U) << uri;
    }
}

TEST_F(SettingsTest, refuse_our_own_address_given_on_purpose) {
    sources_.flags["mlflow.urls"] = {"http://localhost:8000"};

    EXPECT_EQ(
        error(),
        "flag --mlflow: mlflow.urls http://localhost:8000 is the address this server listens on; name the one MLflow "
        "listens on");
}

TEST_F(SettingsTest, refuse_several_mlflow_urls) {
    sources_.flags["mlflow.urls"] = {"http://a:5000", "http://b:5000"};

    EXPECT_EQ(error(), "flag --mlflow: mlflow.urls gives 2 URLs; several are not supported yet, keep one");
}

TEST_F(SettingsTest, refuse_credentials_in_a_url_without_repeating_them) {
    const std::string message = error_with("MLFLOW_SERVER_URL", "http://ann:pa/ss@mlflow:5000");

    EXPECT_NE(message.find("HOKUSAI_MLFLOW_USERNAME and HOKUSAI_MLFLOW_PASSWORD"), std::string::npos) << message;
    EXPECT_EQ(message.find("pa/ss"), std::string::npos) << message;
    EXPECT_EQ(message.find("ann"), std::string::npos) << message;
}

TEST_F(SettingsTest, refuse_urls_that_lead_nowhere) {
    for (const char* url :
         {"mlflow:5000", "ftp://mlflow", "http://", "http://mlflow?x=1", "http://mlflow/#/models", "databricks"}) {
        EXPECT_TRUE(error_with("MLFLOW_SERVER_URL", url).starts_with("environment MLFLOW_SERVER_URL: mlflow.urls"))
            << url;
    }
}

TEST_F(SettingsTest, refuse_auth_off_where_others_can_reach_us) {
    sources_.flags["auth.mode"] = {"off"};
    sources_.flags["server.listen"] = {"0.0.0.0:8000"};
    expect_error_holds(
        {"flag --auth: auth.mode off is refused on 0.0.0.0:8000", "use required, or listen on 127.0.0.1"});

    for (const char* listen : {"127.0.0.1:1", "[::1]:1", "localhost:1"}) {
        sources_.flags["server.listen"] = {listen};
        EXPECT_EQ(error(), "no error") << listen;
    }
}

TEST_F(SettingsTest, refuse_a_postgresql_database_without_showing_it) {
    for (const char* url :
         {"postgresql://me:topsecret@db/hokusai", "postgres://db/h?password=topsecret", "POSTGRESQL+psycopg://x"}) {
        const std::string message = error_with("HOKUSAI_DATABASE_URL", url);
        EXPECT_TRUE(
            message.starts_with("environment HOKUSAI_DATABASE_URL: database_url names a PostgreSQL server, which is "
                                "not supported yet"))
            << message;
        EXPECT_EQ(message.find("topsecret"), std::string::npos) << message;
    }
}

TEST_F(SettingsTest, put_the_database_into_the_data_folder_or_where_the_url_says) {
    sources_.flags["data_dir"] = {"/data"};
    EXPECT_EQ(database_path(load().settings), "/data/hokusai.db");

    for (const char* url : {"sqlite:/a/b.db", "sqlite:///a/b.db", "sqlite:////a/b.db"}) {
        EXPECT_EQ(database_path(load_with("HOKUSAI_DATABASE_URL", url).settings), "/a/b.db") << url;
    }
    for (const char* url : {"sqlite:b.db", "sqlite:", "sqlite://", "sqlite::memory:", "mysql://db", "/a/b.db"}) {
        EXPECT_NE(error_with("HOKUSAI_DATABASE_URL", url).find("must be sqlite:/ABSOLUTE/PATH"), std::string::npos)
            << url;
    }
}

TEST_F(SettingsTest, ignore_the_variables_of_mlflows_own_database) {
    sources_.environment.insert({{"DB_HOST", "db"}, {"DATABASE_PORT", "x"}, {"DATABASE_URL", "postgresql://db"}});

    EXPECT_TRUE(load().loaded.warnings.empty());
}

TEST(DefaultDataDir, depends_on_the_user) {
    EXPECT_EQ(default_data_dir({{"HOME", "/root"}}, true), "/var/lib/hokusai");
    EXPECT_EQ(default_data_dir({{"HOME", "/home/a"}, {"XDG_STATE_HOME", "/s"}}, false), "/s/hokusai");
    EXPECT_EQ(default_data_dir({{"HOME", "/home/a"}, {"XDG_STATE_HOME", ""}}, false), "/home/a/.local/state/hokusai");
    EXPECT_EQ(default_data_dir({}, false), "");
}

TEST_F(SettingsTest, refuse_credentials_that_contradict_each_other) {
    const auto refuses = [&](const std::vector<std::pair<std::string, std::string>>& settings,
                             const std::string& part) {
        sources_.flags.clear();
        for (const auto& [name, value] : settings) {
            sources_.flags[name] = {value};
        }
        EXPECT_NE(error().find(part), std::string::npos) << error();
    };
    refuses({{"mlflow.token", "t"}, {"mlflow.username", "u"}}, "mlflow.token can't be used together");
    refuses({{"mlflow.forward_auth", "true"}, {"mlflow.token", "t"}}, "mlflow.forward_auth sends the caller's");
    refuses({{"mlflow.password", "p"}}, "mlflow.password needs mlflow.username");
    refuses({{"mlflow.username", "a:b"}, {"mlflow.password", "p"}}, "mlflow.username must not hold a colon");
    refuses({{"mlflow.token", "a\r\nX: y"}}, "mlflow.token must not hold control characters");
    refuses({{"mlflow.host", "a\r\nX: y"}}, "mlflow.host must be a host name");
    refuses({{"mlflow.host", "mlflow/path"}}, "mlflow.host must be a host name");
    refuses({{"mlflow.username", "u"}, {"mlflow.password", "p"}}, "no error");
}

TEST_F(SettingsTest, need_certificate_files_that_can_be_read) {
    const TemporaryFile pem("PEM");
    sources_.flags["mlflow.cert_file"] = {pem.path()};
    expect_error_holds({"mlflow.cert_file needs the other one"});

    sources_.flags["mlflow.key_file"] = {"/nonexistent/key.pem"};
    expect_error_holds({"mlflow.key_file /nonexistent/key.pem can't be read: No such file or directory"});

    sources_.flags["mlflow.key_file"] = {pem.path()};
    EXPECT_EQ(error(), "no error");
}

TEST_F(SettingsTest, keep_shutdown_within_its_time) {
    sources_.flags["server.drain_delay"] = {"8s"};
    expect_error_holds({"server.drain_timeout and server.drain_delay are 26s together", "within 25s"});

    sources_.flags["server.drain_timeout"] = {"17s"};
    EXPECT_EQ(error(), "no error");
}

TEST_F(SettingsTest, report_all_broken_rules_together) {
    sources_.flags["auth.mode"] = {"off"};
    sources_.flags["server.listen"] = {"0.0.0.0:8000"};
    sources_.flags["mlflow.password"] = {"p"};
    sources_.flags["health.fast_interval"] = {"6s"};

    expect_error_holds({"auth.mode off", "\nflag", "mlflow.password needs", "health.fast_interval must not be longer"});
}

TEST_F(SettingsTest, take_origins_and_proxies_in_their_exact_form) {
    EXPECT_EQ(load_with("CORS_ORIGINS", R"(["*"])").settings.http.cors_origins, std::vector<std::string>{"*"});
    for (const char* origins : {"app.example", "https://app.example/path", "https://a, b"}) {
        EXPECT_NE(error_with("CORS_ORIGINS", origins).find("must be origins"), std::string::npos) << origins;
    }
    sources_.environment.erase("CORS_ORIGINS");
    EXPECT_NE(error_with("HOKUSAI_TRUSTED_PROXIES", "10.0.0.0/99").find("CIDR"), std::string::npos);
}

TEST_F(SettingsTest, warn_of_redis_and_go_on) {
    sources_.environment.insert(
        {{"REDIS_URL", "redis://:topsecret@redis:6379"}, {"REDIS_PORT", "tcp://10.0.0.1:6379"}});

    const LoadedSettings result = load();

    ASSERT_EQ(result.loaded.warnings.size(), 1U);
    EXPECT_EQ(result.loaded.warnings[0],
              "Redis is not supported yet: shown as disabled (environment REDIS_URL, environment REDIS_PORT)");
    EXPECT_EQ(result.loaded.at("redis.url").text, "<set>");
}

#ifdef HOKUSAI_SOURCE_DIR
std::string documented_row(const config::Setting& setting) {
    const auto code = [](const std::string& text) { return text.empty() ? text : fmt::format("`{}`", text); };
    return fmt::format("| `{}` | `{}` | {} | {} | {} |",
                       setting.name,
                       fmt::join(setting.environment, "`, `"),
                       code(setting.flag),
                       setting.value.is_secret ? "" : code(setting.default_text),
                       setting.help);
}

TEST(ConfigurationDocument, lists_every_setting_and_no_other) {
    std::ifstream file(HOKUSAI_SOURCE_DIR "/docs/configuration.md");
    if (!file) {
        GTEST_SKIP() << "SKIPPED: docs/configuration.md is not there";
    }
    std::set<std::string> documented;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("| `")) {
            documented.insert(line);
        }
    }

    ServiceSettings defaults;
    for (const config::Setting& setting : describe(defaults).settings()) {
        EXPECT_EQ(documented.erase(documented_row(setting)), 1U) << "missing: " << documented_row(setting);
    }
    for (const std::string& row : documented) {
        ADD_FAILURE() << "describes no setting: " << row;
    }
}
#endif

}  // namespace
}  // namespace apps
