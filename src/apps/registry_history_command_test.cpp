#include "apps/registry_history_command.hpp"

#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace apps {
namespace {

namespace json = boost::json;

// A service with one alias, fox@a.
class Service final : public registry_client::Api {
public:
    base::Result<json::object> call(const Call& call) override {
        if (call.method == "POST") {
            rollback_from = call.rollback_from;
            set_to = std::string(call.arguments.at("version").as_string());
            return json::object();
        }
        if (call.path.ends_with("alias-history")) {
            return history;
        }
        if (call.path.ends_with("model-versions/get")) {
            const bool is_there = call.arguments.at("version") != json::value(deleted);
            return is_there ? base::Result<json::object>(json::object())
                            : base::fail(base::Code::missing_resource, "not found");
        }
        if (present.empty()) {
            return base::fail(base::Code::invalid_argument, "alias not found");
        }
        return json::object{{"model_version", {{"name", "fox"}, {"version", present}}}};
    }

    std::string present = "3";
    std::string deleted;
    json::object history{{"version", "3"},
                         {"roll_back_to", "2"},
                         {"changes", json::array()},
                         {"loads", {{{"version", "3"}, {"at", "T"}, {"key_id", "k"}, {"key_name", "fleet"}}}}};
    std::optional<std::int64_t> rollback_from;
    std::string set_to;
};

class RegistryRollback : public ::testing::Test {
protected:
    int roll_back(RegistryRollbackRequest request = {.subject = "fox@a", .is_agreed = true},
                  const std::string& input = "") {
        std::istringstream standard_input(input);
        return registry_rollback(service, request, standard_input, Console{out, errors});
    }

    Service service;
    std::ostringstream out;
    std::ostringstream errors;
};

TEST_F(RegistryRollback, sets_the_alias_back_and_names_whom_it_touches) {
    EXPECT_EQ(roll_back(), kDone);
    EXPECT_EQ(service.set_to, "2");
    EXPECT_EQ(service.rollback_from, 3);
    EXPECT_NE(out.str().find("version 3 last loaded by key 'fleet'"), std::string::npos) << out.str();
}

TEST_F(RegistryRollback, changes_nothing_unless_somebody_agrees) {
    EXPECT_EQ(roll_back({.subject = "fox@a"}, ""), kFailed);
    EXPECT_EQ(roll_back({.subject = "fox@a"}, "n\n"), kFailed);
    EXPECT_EQ(roll_back({.subject = "fox@a", .is_dry_run = true, .is_agreed = true}), kDone);
    EXPECT_EQ(service.set_to, "");
    EXPECT_EQ(roll_back({.subject = "fox@a"}, "y\n"), kDone);
    EXPECT_EQ(service.set_to, "2");
}

TEST_F(RegistryRollback, refuses_what_the_history_has_not_seen_yet) {
    service.present = "4";
    EXPECT_EQ(roll_back(), kFailed);
    EXPECT_NE(errors.str().find("not in its history yet"), std::string::npos) << errors.str();
    EXPECT_EQ(service.set_to, "");
}

TEST_F(RegistryRollback, refuses_a_version_that_is_gone_and_one_it_has_already) {
    service.deleted = "2";
    EXPECT_EQ(roll_back(), kFailed);
    EXPECT_NE(errors.str().find("version 2 of model 'fox' is deleted"), std::string::npos) << errors.str();
    EXPECT_EQ(roll_back({.subject = "fox@a", .to = "3", .is_agreed = true}), kFailed);
    EXPECT_EQ(service.set_to, "");
}

TEST_F(RegistryRollback, brings_back_an_alias_that_was_removed) {
    service.present = "";
    service.history["version"] = nullptr;
    EXPECT_EQ(roll_back(), kDone);
    EXPECT_EQ(service.rollback_from, 0);
}

TEST_F(RegistryRollback, wants_an_alias_and_a_number) {
    EXPECT_EQ(roll_back({.subject = "fox"}), kWrongUsage);
    EXPECT_EQ(roll_back({.subject = "fox@a", .to = "latest"}), kWrongUsage);
}

}  // namespace
}  // namespace apps
