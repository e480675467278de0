#include "registry_copy/copy.hpp"

#include <map>

#include <gtest/gtest.h>

namespace registry_copy {
namespace {

ModelCopy make(std::string name, const std::vector<std::pair<std::int64_t, std::string>>& versions) {
    ModelCopy copy;
    copy.model.name = std::move(name);
    for (const auto& [number, source] : versions) {
        registry::ModelVersion version;
        version.name = copy.model.name;
        version.version = number;
        version.source = source;
        copy.versions.push_back(version);
        copy.highest_version = number;
    }
    return copy;
}

ModelCopy unfinished(ModelCopy model) {
    model.model.tags.push_back({std::string(kUnfinishedTag), "true"});
    return model;
}

class FakeSource final : public RegistrySource {
public:
    base::Result<void> for_each_model(const std::function<base::Result<void>(const ModelCopy&)>& take) override {
        for (const ModelCopy& model : models) {
            if (auto taken = take(model); !taken) {
                return taken;
            }
        }
        return {};
    }

    std::vector<ModelCopy> models;
};

class FakeTarget final : public RegistryTarget {
public:
    base::Result<std::optional<ModelCopy>> find_model(const registry::ModelKey& key) override {
        if (is_down) {
            return base::fail(base::Code::unavailable, "it is down");
        }
        const auto found = models.find(key);
        return found == models.end() ? std::nullopt : std::optional(found->second);
    }

    base::Result<void> add_model(const ModelCopy& model, const std::optional<ModelCopy>& there) override {
        EXPECT_EQ(there.has_value(), models.contains(model.key()));
        if (const auto refused = refusals.find(model.model.name); refused != refusals.end()) {
            return std::unexpected(refused->second);
        }
        models[model.key()] = model;
        return {};
    }

    std::map<registry::ModelKey, ModelCopy> models;
    std::map<std::string, base::Error> refusals;
    bool is_down = false;
};

class RegistryCopy : public ::testing::Test {
protected:
    base::Result<ImportReport> plan(Existing existing) {
        return plan_import(source, [&](const registry::ModelKey& key) { return target.find_model(key); }, existing);
    }

    base::Result<ImportReport> import() {
        return import_models(source, target);
    }

    void put(const ModelCopy& model) {
        target.models[model.key()] = model;
    }

    FakeSource source;
    FakeTarget target;
};

TEST_F(RegistryCopy, adds_what_is_not_there_and_counts_it) {
    source.models = {make("a", {{1, "s"}, {3, "t"}}), make("b", {})};
    source.models[0].model.aliases = {{"x", 1}};

    const ImportReport report = import().value();

    EXPECT_EQ(report.added.models, 2);
    EXPECT_EQ(report.added.versions, 2);
    EXPECT_EQ(report.added.aliases, 1);
    EXPECT_EQ(report.completed + report.skipped, 0);
    EXPECT_TRUE(report.left.empty());
    EXPECT_EQ(target.models.at({"", "a"}), source.models[0]);
}

TEST_F(RegistryCopy, plans_what_it_would_do_and_does_nothing) {
    source.models = {make("a", {{1, "s"}}), make("b", {}), make("c", {})};
    put(unfinished(make("b", {})));
    put(make("c", {}));

    const ImportReport report = plan(Existing::skip).value();

    EXPECT_EQ(report.added.models, 2);
    EXPECT_EQ(report.completed, 1);
    EXPECT_EQ(report.skipped, 1);
    EXPECT_EQ(target.models.size(), 2U);
    EXPECT_TRUE(is_unfinished(target.models.at({"", "b"})));
}

TEST_F(RegistryCopy, refuses_models_that_are_there_and_names_one) {
    source.models = {make("a", {}), make("b", {}), make("c", {})};
    source.models[1].workspace = "team";
    put(source.models[1]);

    const auto one = plan(Existing::refuse);
    put(source.models[2]);
    const auto two = plan(Existing::refuse);

    EXPECT_EQ(one.error().code, base::Code::already_exists);
    EXPECT_TRUE(one.error().message.starts_with("model 'b' of workspace 'team' is there already"))
        << one.error().message;
    EXPECT_TRUE(two.error().message.starts_with("model 'b' of workspace 'team' and 1 more are there already"));
}

TEST_F(RegistryCopy, leaves_what_is_there_and_has_every_version) {
    source.models = {make("a", {{1, "s"}})};
    ModelCopy more = make("a", {{1, "s"}, {2, "t"}});
    more.model.description = "changed since";
    put(more);

    EXPECT_EQ(import().value().skipped, 1);
    EXPECT_EQ(target.models.at({"", "a"}), more);
}

TEST_F(RegistryCopy, names_what_is_there_and_differs) {
    source.models = {make("a", {{1, "s"}, {2, "t"}, {4, "u"}}), make("b", {{1, "s"}}), make("c", {})};
    put(make("a", {{1, "s"}, {2, "t"}, {3, "u"}}));
    put(make("b", {{1, "elsewhere"}}));

    const ImportReport report = import().value();

    EXPECT_EQ(report.left,
              (std::vector<std::string>{"model 'a': the one there has no version 4",
                                        "model 'b': version 1 has another source there, elsewhere"}));
    EXPECT_EQ(report.added.models, 1);
    EXPECT_EQ(report.skipped, 0);
}

TEST_F(RegistryCopy, completes_what_was_left_unfinished) {
    source.models = {make("a", {{1, "s"}, {2, "t"}})};
    put(unfinished(make("a", {{1, "s"}})));

    const ImportReport report = import().value();

    EXPECT_EQ(report.completed, 1);
    EXPECT_EQ(report.added.versions, 2);
    EXPECT_EQ(target.models.at({"", "a"}), source.models[0]);
}

TEST_F(RegistryCopy, goes_on_after_a_model_that_the_target_refuses) {
    source.models = {make("a", {}), make("b", {})};
    for (const base::Code code : {base::Code::invalid_argument,
                                  base::Code::missing_resource,
                                  base::Code::already_exists,
                                  base::Code::conflict}) {
        target.models.clear();
        target.refusals.insert_or_assign("a", base::Error{code, "not this one"});

        const ImportReport report = import().value();

        EXPECT_EQ(report.left, std::vector<std::string>{"model 'a': not this one"});
        EXPECT_EQ(report.added.models, 1);
    }
}

TEST_F(RegistryCopy, ends_with_a_target_in_trouble) {
    source.models = {make("a", {}), make("b", {})};
    for (const base::Code code : {base::Code::unavailable,
                                  base::Code::deadline_exceeded,
                                  base::Code::permission_denied,
                                  base::Code::unauthenticated,
                                  base::Code::not_found,
                                  base::Code::data_loss}) {
        target.refusals.insert_or_assign("a", base::Error{code, "trouble"});

        const auto report = import();

        EXPECT_EQ(report.error().code, code);
        EXPECT_EQ(report.error().message, "model 'a': trouble");
        EXPECT_TRUE(target.models.empty());
    }
    target.is_down = true;
    EXPECT_EQ(import().error().message, "it is down");
    EXPECT_EQ(plan(Existing::skip).error().message, "it is down");
}

}  // namespace
}  // namespace registry_copy
