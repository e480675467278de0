#include "apps/api_document.hpp"

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "apps/api_document/embedded.hpp"
#include "apps/routes.hpp"
#include "auth/testing/fake_key_store.hpp"
#include "base/strings.hpp"
#include "base/testing/fixed_random.hpp"
#include "health/testing/fake_probe.hpp"
#include "health/testing/sample_snapshot.hpp"
#include "models/models_api.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace apps {
namespace {

using Calls = std::map<std::string, std::set<std::string>>;  // the methods of each path

// Routes as the service makes them; they are only looked at.
class RoutesFixture {
public:
    std::vector<http::Route> routes() {
        return make_routes({.health = health_,
                            .monitor = monitor_,
                            .phase = phase_,
                            .metrics = metrics_,
                            .try_mlflow = {},
                            .handle_mlflow = {},
                            .handle_models = {},
                            .breaker = nullptr,
                            .audit_log = audit_log_,
                            .pool = pool_,
                            .past = nullptr});
    }

private:
    base::testing::ManualClock clock_;
    base::testing::FixedRandom random_{0.5};
    boost::asio::io_context context_;
    health::testing::ManualSleeper sleeper_{context_, clock_};
    health::testing::FakeProbe probe_{clock_};
    telemetry::Metrics metrics_;
    health::Monitor monitor_{{.store = {.probe = probe_, .engine = "sqlite", .database = "hokusai.db"}},
                             {},
                             {clock_, sleeper_, random_, metrics_}};
    health::Identity identity_ = health::testing::sample_identity(clock_.now());
    health::HealthResponder health_{monitor_, identity_};
    std::atomic<health::Phase> phase_{health::Phase::serving};
    auth::testing::FakeKeyStore audit_log_;
    net::BlockingPool pool_{1, 1};
};

boost::json::object document() {
    return boost::json::parse(merge_api_parts(embedded::kApiParts, "1.2.3")).as_object();
}

// "/a/{b}/c" as "/a/*/c".
std::string with_stars(std::string_view path) {
    std::string text;
    bool is_name = false;
    for (const char c : path) {
        if (c == '{') {
            text.push_back('*');
        } else if (c != '}' && !is_name) {
            text.push_back(c);
        }
        is_name = c == '{' || (is_name && c != '}');
    }
    return text;
}

// Every path below each of its servers.
Calls described_calls() {
    Calls calls;
    for (const auto& entry : document().at("paths").as_object()) {
        const boost::json::object& path = entry.value().as_object();
        std::vector<std::string> bases{""};
        if (const auto* servers = path.if_contains("servers")) {
            bases.clear();
            for (const boost::json::value& server : servers->as_array()) {
                const std::string url(server.at("url").as_string());
                bases.push_back(url == "/" ? "" : url);
            }
        }
        for (const std::string& base : bases) {
            for (const char* method : {"get", "post", "put", "patch", "delete"}) {
                if (path.contains(method)) {
                    calls[base + with_stars(entry.key())].insert(method);
                }
            }
        }
    }
    return calls;
}

std::set<std::string> methods_of(const http::Route& route) {
    static constexpr std::array<std::string_view, 7> kNames{"get", "head", "post", "put", "patch", "delete", "options"};
    std::set<std::string> names;
    for (const http::Method method : route.methods) {
        names.emplace(kNames.at(static_cast<std::size_t>(method)));
    }
    return names;
}

const http::Response& ask(const FixedAnswer& answer, std::string_view known) {
    http::RequestHead request;
    if (!known.empty()) {
        request.fields.add("If-None-Match", known);
    }
    return answer.to(request);
}

std::string header_of(const http::Response& response, std::string_view name) {
    for (const auto& [each, value] : response.headers) {
        if (each == name) {
            return value;
        }
    }
    return "";
}

TEST(ApiDocument, describes_every_route_with_its_methods) {
    RoutesFixture fixture;
    const Calls described = described_calls();

    Calls served;
    for (const http::Route& route : fixture.routes()) {
        if (!route.is_prefix) {
            served[route.path].merge(methods_of(route));
        }
    }

    for (const auto& [path, methods] : served) {
        const auto found = described.find(path);
        ASSERT_NE(found, described.end()) << path << " is served and not described";
        EXPECT_EQ(found->second, methods) << path;
    }
}

TEST(ApiDocument, describes_every_call_of_models_below_every_prefix) {
    const Calls described = described_calls();

    Calls served;
    for (const std::string_view prefix : models::kPrefixes) {
        for (const auto& [method, path] : models::served_calls()) {
            served[std::string(prefix) + path].insert(base::to_lower(method.substr(0, method.find(','))));
        }
    }

    for (const auto& [path, methods] : described) {
        if (path.find("/models") != std::string::npos) {
            EXPECT_EQ(served[path], methods) << path;
        }
    }
    for (const auto& [path, methods] : served) {
        EXPECT_TRUE(described.contains(path)) << path << " is served and not described";
    }
}

TEST(ApiDocument, has_every_part_and_the_services_version) {
    const boost::json::object whole = document();

    EXPECT_EQ(whole.at("openapi"), "3.1.0");
    EXPECT_EQ(whole.at("info").at("version"), "1.2.3");
    for (const char* path : {"/health", "/models", "/metrics"}) {
        EXPECT_TRUE(whole.at("paths").as_object().contains(path)) << path;
    }
}

TEST(ApiDocument, joins_objects_and_lists_of_its_parts) {
    static constexpr std::array<std::string_view, 2> kParts{R"({"info":{},"tags":[1],"paths":{"/a":{"get":1}}})",
                                                            R"({"tags":[2],"paths":{"/a":{"put":2},"/b":{}}})"};

    EXPECT_EQ(merge_api_parts(kParts, "1"),
              R"({"info":{"version":"1"},"tags":[1,2],"paths":{"/a":{"get":1,"put":2},"/b":{}}})");
}

TEST(ApiDocumentDeathTest, has_no_place_that_is_described_twice) {
    static constexpr std::array<std::string_view, 2> kTwice{R"({"info":{},"a":{"b":1}})", R"({"a":{"b":1}})"};
    static constexpr std::array<std::string_view, 1> kBroken{R"({"info":)"};

    EXPECT_DEATH(merge_api_parts(kTwice, "1"), "no two parts describe the same");
    EXPECT_DEATH(merge_api_parts(kBroken, "1"), "every part is a JSON object");
}

TEST(FixedAnswer, is_not_sent_again_to_who_has_it) {
    const FixedAnswer answer("text/plain", "body", {{"X-More", "1"}});
    const http::Response& whole = ask(answer, "");
    const std::string tag = header_of(whole, "ETag");

    EXPECT_EQ(whole.status, 200U);
    EXPECT_EQ(whole.body, "body");
    EXPECT_EQ(header_of(whole, "X-More"), "1");
    for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
        const http::Response& unchanged = ask(answer, known);
        EXPECT_EQ(unchanged.status, 304U) << known;
        EXPECT_EQ(unchanged.body, "");
        EXPECT_EQ(unchanged.content_type, "");
        EXPECT_EQ(header_of(unchanged, "ETag"), tag);
    }
    for (const char* known : {"\"other\"", "other", "\"\""}) {
        EXPECT_EQ(ask(answer, known).status, 200U) << known;
    }
    EXPECT_NE(tag, header_of(ask(FixedAnswer("text/plain", "another"), ""), "ETag"));
}

}  // namespace
}  // namespace apps
