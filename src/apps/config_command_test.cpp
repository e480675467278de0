#include "apps/config_command.hpp"

#include <algorithm>
#include <sstream>
#include <string>

#include "apps/settings.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace apps {
namespace {

config::Sources sources_of_a_user() {
    return {.flags = {}, .environment = {{"HOME", "/home/ann"}}, .file = {}};
}

TEST(ConfigShow, aligns_values_with_their_origin_and_hides_secrets) {
    config::Sources sources = sources_of_a_user();
    sources.flags["server.listen"] = {"127.0.0.1:9000"};
    sources.environment["HOKUSAI_BOOTSTRAP_ADMIN_KEY"] = "hk_live_topsecret";
    sources.environment["HOKUSAI_LISTN"] = "x";
    std::ostringstream out;

    EXPECT_EQ(config_show(load_settings(sources).loaded, false, out), 0);

    const std::string text = out.str();
    EXPECT_NE(text.find("server.listen                      = 127.0.0.1:9000"), std::string::npos) << text;
    EXPECT_NE(text.find("   (flag --listen)\n"), std::string::npos) << text;
    EXPECT_NE(text.find("auth.bootstrap_admin_key           = <set> "), std::string::npos) << text;
    EXPECT_NE(text.find("mlflow.password                    = <unset> "), std::string::npos) << text;
    EXPECT_NE(text.find("warning: environment variable HOKUSAI_LISTN"), std::string::npos) << text;
    EXPECT_EQ(text.find("topsecret"), std::string::npos) << text;
}

TEST(ConfigShow, writes_json) {
    config::Sources sources = sources_of_a_user();
    sources.environment["HOKUSAI_MLFLOW_TOKEN"] = "topsecret";
    std::ostringstream out;

    config_show(load_settings(sources).loaded, true, out);

    const boost::json::value shown = boost::json::parse(out.str());
    const boost::json::array& settings = shown.at("settings").as_array();
    ServiceSettings defaults;
    EXPECT_EQ(settings.size(), describe(defaults).settings().size());
    const auto* const token = std::find_if(
        settings.begin(), settings.end(), [](const auto& one) { return one.at("name") == "mlflow.token"; });
    EXPECT_EQ(token->at("value"), "<set>");
    EXPECT_EQ(token->at("origin"), "environment HOKUSAI_MLFLOW_TOKEN");
    EXPECT_EQ(token->at("secret"), true);
    EXPECT_TRUE(shown.at("warnings").as_array().empty());
}

TEST(ConfigCheck, answers_with_an_exit_code) {
    config::Sources sources = sources_of_a_user();
    std::ostringstream good;
    EXPECT_EQ(config_check(sources, good), 0);
    EXPECT_EQ(good.str(), "configuration is valid\n");

    sources.environment["HOKUSAI_THREADS"] = "many";
    std::ostringstream bad;
    EXPECT_EQ(config_check(sources, bad), 2);
    EXPECT_TRUE(bad.str().starts_with("environment HOKUSAI_THREADS: server.threads \"many\" must be")) << bad.str();
}

}  // namespace
}  // namespace apps
