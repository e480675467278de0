#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "base/testing/manual_clock.hpp"
#include "registry/registry.hpp"
#include "registry/testing/memory_store.hpp"
#include "registry_copy/server_source.hpp"
#include "registry_copy/server_target.hpp"
#include "registry_copy/store.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace registry_copy {
namespace {

namespace json = boost::json;

// MLflow's registry in this process, which can break off.
class Server final : public registry_client::Api {
public:
    enum class Break { before, after };

    base::Result<json::object> call(const Call& call) override {
        const bool breaks = calls++ == breaks_at;
        if (breaks && how == Break::before) {
            return base::fail(base::Code::unavailable, "the line is dead");
        }
        auto answer = carry_out(call);
        if (breaks) {
            return base::fail(base::Code::deadline_exceeded, "no answer came");
        }
        return answer;
    }

    // Everything there is, by way of the store.
    std::vector<ModelCopy> all() {
        std::vector<ModelCopy> models;
        EXPECT_TRUE(StoreSource(store).for_each_model([&](const ModelCopy& model) {
            models.push_back(model);
            return base::Result<void>();
        }));
        return models;
    }

    void put(const ModelCopy& model) {
        EXPECT_TRUE(
            store.write([&](registry::Writer& writer) { return StoreTarget(writer).add_model(model, std::nullopt); }));
    }

    registry::testing::MemoryStore store;
    base::testing::ManualClock clock;
    registry::Registry registry{store, clock};
    std::optional<json::object> server_info = json::object{{"workspaces_enabled", false}};
    json::array workspaces;
    std::map<std::string, int> asked;  // by path
    int calls = 0;
    int breaks_at = -1;
    Break how = Break::before;

private:
    base::Result<json::object> carry_out(const Call& call) {
        ++asked[std::string(call.path.substr(call.path.rfind("mlflow/") + 7))];
        if (call.path == "/api/3.0/mlflow/server-info") {
            return server_info ? base::Result<json::object>(*server_info)
                               : base::fail(base::Code::not_found, "no such place");
        }
        if (call.path == "/api/3.0/mlflow/workspaces") {
            return json::object{{"workspaces", workspaces}};
        }
        const auto operation = registry::find_operation(call.method, call.path);
        EXPECT_TRUE(operation) << call.method << ' ' << call.path;
        registry::Call said{.operation = *operation,
                            .method = std::string(call.method),
                            .workspace = call.workspace,
                            .query = {},
                            .content_type = "application/json",
                            .body = {},
                            .user = {}};
        if (call.method == "GET") {
            said.query = registry_client::to_query(call.arguments);
        } else {
            said.body = json::serialize(call.arguments);
        }
        return registry.answer(said);
    }
};

registry::ModelVersion make_version(const std::string& name, std::int64_t number) {
    registry::ModelVersion version;
    version.name = name;
    version.version = number;
    version.source = "s3://bucket/" + std::to_string(number);
    version.artifact_uri = version.source;
    version.description = "";
    version.run_link = "";
    version.run_id = "";
    return version;
}

ModelCopy make(const std::string& name, const std::vector<std::int64_t>& numbers) {
    ModelCopy copy;
    copy.model.name = name;
    for (const std::int64_t number : numbers) {
        copy.versions.push_back(make_version(name, number));
        copy.highest_version = number;
    }
    return copy;
}

// Gaps before, between and after its versions; stages, tags, aliases.
ModelCopy rich_model() {
    ModelCopy copy = make("fraud", {2, 3, 6});
    copy.highest_version = 8;
    copy.model.description = "who cheats";
    copy.model.tags = {{"team", "risk"}};
    copy.model.aliases = {{"challenger", 6}, {"champion", 3}};
    copy.versions[0].current_stage = "Archived";
    copy.versions[0].tags = {{"a", "1"}, {"b", ""}};
    copy.versions[1].current_stage = "Production";
    copy.versions[1].description = "good";
    copy.versions[1].run_id = "r1";
    copy.versions[1].run_link = "http://runs/1";
    return copy;
}

std::vector<ModelCopy> read_all(registry_client::Api& api) {
    std::vector<ModelCopy> models;
    const auto done = ServerSource(api).for_each_model([&](const ModelCopy& model) {
        models.push_back(model);
        return base::Result<void>();
    });
    EXPECT_TRUE(done) << done.error().message;
    return models;
}

base::Result<void> add(Server& server, const ModelCopy& model) {
    ServerTarget target(server);
    const auto there = target.find_model(model.key());
    return there ? target.add_model(model, *there) : std::unexpected(there.error());
}

// Without what a server decides itself.
ModelCopy comparable(ModelCopy model) {
    model.model.creation_timestamp = 0;
    model.model.last_updated_timestamp = 0;
    for (registry::ModelVersion& version : model.versions) {
        version.creation_timestamp = 0;
        version.last_updated_timestamp = 0;
        version.description = version.description.value_or("");
        version.run_link = version.run_link.value_or("");
        version.run_id = version.run_id.value_or("");
    }
    return model;
}

TEST(ServerSource, gives_out_every_model_as_it_is) {
    Server server;
    ModelCopy rich = rich_model();
    rich.versions[2].user_id = "ada";
    server.put(make("zebra", {}));
    server.put(rich);

    rich.highest_version = 6;  // of 7 and 8 nothing can be seen any more
    EXPECT_EQ(read_all(server), (std::vector{rich, make("zebra", {})}));
}

TEST(ServerSource, finds_prompts_and_their_versions) {
    Server server;
    ModelCopy prompt = make("greeting", {1, 2, 3});
    prompt.model.tags = {{"mlflow.prompt.is_prompt", "true"}};
    prompt.versions[1].tags = {{"mlflow.prompt.is_prompt", "true"}};
    server.put(prompt);
    server.put(make("model", {1}));

    EXPECT_EQ(read_all(server), (std::vector{prompt, make("model", {1})}));
}

TEST(ServerSource, finds_versions_of_models_whose_names_no_filter_can_hold) {
    Server server;
    std::vector<ModelCopy> models;
    for (const char* const name : {"a'b", "c\"d", "e'f\"g", "h\\", "i;j", "k`l"}) {
        models.push_back(make(name, {1, 3}));
        server.put(models.back());
    }

    EXPECT_EQ(read_all(server), models);
}

TEST(ServerSource, asks_for_versions_by_the_page_and_not_one_by_one) {
    Server server;
    server.put(make("fraud", {1, 2, 3, 4, 5}));

    read_all(server);

    EXPECT_EQ(server.asked["model-versions/search"], 1);
    EXPECT_EQ(server.asked["model-versions/get"], 0);
    EXPECT_EQ(server.asked["model-versions/get-download-uri"], 5);
}

TEST(ServerSource, reads_past_the_first_page) {
    Server server;
    std::vector<std::int64_t> numbers(1'003);
    std::iota(numbers.begin(), numbers.end(), 1);
    server.put(make("many", numbers));
    EXPECT_TRUE(server.store.write([&](registry::Writer& writer) -> base::Result<void> {
        for (int i = 0; i < 1'003; ++i) {
            registry::RegisteredModel model;
            model.name = "m" + std::to_string(i);
            if (auto put = writer.put_model("", model); !put) {
                return put;
            }
        }
        return {};
    }));

    EXPECT_EQ(ServerTarget(server).find_model({"", "many"}).value()->versions.size(), 1'003U);
    EXPECT_EQ(server.asked["model-versions/search"], 2);
    EXPECT_FALSE(ServerSource(server).for_each_model(
        [&](const ModelCopy&) { return base::Result<void>(base::fail(base::Code::cancelled, "enough")); }));
    EXPECT_EQ(server.asked["registered-models/search"], 2 + 1);  // prompts are asked for by themselves
}

TEST(ServerSource, visits_all_workspaces_of_a_server_that_has_them) {
    Server server;
    ModelCopy other = make("a", {1});
    other.workspace = "team";
    server.put(make("b", {1}));
    server.put(other);

    EXPECT_EQ(read_all(server), std::vector{make("b", {1})});
    server.server_info.reset();
    EXPECT_EQ(read_all(server), std::vector{make("b", {1})});
    server.server_info = json::object{{"workspaces_enabled", true}};
    server.workspaces = {{{"name", "team"}}, {{"name", "default"}}};
    EXPECT_EQ(read_all(server), (std::vector{make("b", {1}), other}));
}

TEST(ServerSource, ends_with_whatever_goes_wrong) {
    Server whole;
    whole.put(rich_model());
    read_all(whole);

    for (int call = 0; call < whole.calls; ++call) {
        Server server;
        server.put(rich_model());
        server.breaks_at = call;
        const auto done = ServerSource(server).for_each_model([](const ModelCopy&) { return base::Result<void>(); });
        EXPECT_FALSE(done) << call;
    }
}

TEST(ServerTarget, makes_a_model_as_it_was) {
    Server server;
    ASSERT_TRUE(add(server, rich_model()));

    ASSERT_EQ(server.all().size(), 1U);
    EXPECT_EQ(comparable(server.all().front()), comparable(rich_model()));
}

TEST(ServerTarget, makes_models_without_versions_and_without_anything) {
    Server server;
    ModelCopy gone = make("gone", {});
    gone.highest_version = 2;
    ASSERT_TRUE(add(server, gone));
    ASSERT_TRUE(add(server, make("never", {})));

    EXPECT_EQ(comparable(server.all().at(0)), gone);
    EXPECT_EQ(comparable(server.all().at(1)), make("never", {}));
}

TEST(ServerTarget, makes_prompts) {
    Server server;
    ModelCopy prompt = make("greeting", {2});
    prompt.model.tags = {{"mlflow.prompt.is_prompt", "true"}};
    prompt.versions[0].tags = {{"mlflow.prompt.is_prompt", "true"}, {"mlflow.prompt.text", "Hi {{name}}"}};
    prompt.versions[0].source = "dummy-source";
    prompt.versions[0].artifact_uri = "dummy-source";
    ASSERT_TRUE(add(server, prompt));

    EXPECT_EQ(comparable(server.all().at(0)), comparable(prompt));
}

TEST(ServerTarget, completes_what_broke_off_at_any_call) {
    Server whole;
    ASSERT_TRUE(add(whole, rich_model()));

    for (const Server::Break how : {Server::Break::before, Server::Break::after}) {
        for (int call = 0; call < whole.calls; ++call) {
            Server server;
            server.how = how;
            server.breaks_at = call;
            ASSERT_FALSE(add(server, rich_model())) << call;
            const bool is_whole = server.all().size() == 1 && !is_unfinished(server.all().front());

            if (!is_whole) {
                const auto again = add(server, rich_model());
                ASSERT_TRUE(again) << call << ' ' << again.error().message;
            }

            ASSERT_EQ(server.all().size(), 1U);
            ModelCopy made = comparable(server.all().front());
            // One more number may have gone when only the mark was still to be taken off.
            EXPECT_GE(made.highest_version, 8) << call;
            EXPECT_LE(made.highest_version, 10) << call;
            made.highest_version = 8;
            EXPECT_EQ(made, comparable(rich_model())) << call;
        }
    }
}

TEST(ServerTarget, completes_what_broke_off_again_and_again) {
    Server server;
    int attempts = 0;
    for (;; ++attempts) {
        ASSERT_LT(attempts, 100);
        server.breaks_at =
            server.calls + 5 + attempts;  // it finds the model first, and each time a little more is done
        if (add(server, rich_model())) {
            break;
        }
    }

    EXPECT_GE(attempts, 3);
    ModelCopy made = comparable(server.all().front());
    made.highest_version = 8;
    EXPECT_EQ(made, comparable(rich_model()));
}

TEST(ServerTarget, leaves_no_version_under_a_wrong_number) {
    Server server;
    ModelCopy started = make("fraud", {1});
    started.model.tags = {{std::string(kUnfinishedTag), "true"}};
    server.put(started);
    ModelCopy foreign = started;
    foreign.versions.push_back(make_version("fraud", 2));
    foreign.versions.back().source = "s3://somebody/elses";
    foreign.highest_version = 2;
    ASSERT_TRUE(
        server.store.write([&](registry::Writer& writer) { return StoreTarget(writer).add_model(foreign, started); }));

    const auto done = add(server, make("fraud", {1, 2}));

    EXPECT_EQ(done.error().code, base::Code::conflict);
    EXPECT_NE(done.error().message.find("version 2: the server would number it 3"), std::string::npos);
    EXPECT_EQ(server.all().front().versions, foreign.versions);
}

TEST(ServerTarget, tells_which_version_the_server_refuses) {
    Server server;
    ModelCopy model = make("fraud", {1, 2});
    model.versions[1].source = "/etc/passwd";

    const auto done = add(server, model);

    EXPECT_EQ(done.error().code, base::Code::invalid_argument);
    EXPECT_TRUE(done.error().message.starts_with("version 2: ")) << done.error().message;
    EXPECT_TRUE(is_unfinished(server.all().front()));
}

TEST(ServerTarget, names_the_logged_model_a_source_is) {
    Server server;
    ModelCopy model = make("fraud", {1});
    model.versions[0].source = "models:/m-0123";
    json::object said;

    class Listening final : public registry_client::Api {
    public:
        Listening(registry_client::Api& api, json::object& said) : api_(api), said_(said) {}

        base::Result<json::object> call(const Call& call) override {
            if (call.path.ends_with("model-versions/create")) {
                said_ = call.arguments;
            }
            return api_.call(call);
        }

    private:
        registry_client::Api& api_;
        json::object& said_;
    } listening(server, said);

    EXPECT_FALSE(ServerTarget(listening).add_model(model, std::nullopt));

    EXPECT_EQ(said.at("model_id"), "m-0123");
}

}  // namespace
}  // namespace registry_copy
