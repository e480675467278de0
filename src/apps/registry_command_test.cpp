#include "apps/registry_command.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "registry_copy/store.hpp"
#include "replica/replica_status.hpp"
#include "storage/data_directory.hpp"
#include "storage/sqlite_registry_store.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace apps {
namespace {

const base::WallTime kNow{std::chrono::seconds(1'755'172'800)};  // 2025-08-14T12:00:00Z

class RegistryCommand : public ::testing::Test {
protected:
    RegistryCommand() {
        settings.data_dir = folder.path() / "data";
    }

    int export_it(const RegistryExportRequest& request = {}) {
        clear();
        return registry_export(settings, request, kNow, console);
    }

    int import_it(const RegistryImportRequest& request, const std::string& input = "") {
        clear();
        std::istringstream standard_input(input);
        return registry_import(settings, request, standard_input, console);
    }

    int status(bool as_json = false) {
        clear();
        return registry_status(settings, as_json, kNow, console);
    }

    void clear() {
        out.str("");
        errors.str("");
    }

    static std::unique_ptr<storage::SqliteRegistryStore> opened(
        base::Result<std::unique_ptr<storage::SqliteDatabase>> database) {
        return storage::SqliteRegistryStore::open(std::move(database).value()).value();
    }

    void put(const std::string& name, const std::vector<std::int64_t>& numbers) {
        registry_copy::ModelCopy copy;
        copy.model.name = name;
        copy.model.creation_timestamp = 7;
        for (const std::int64_t number : numbers) {
            registry::ModelVersion version;
            version.name = name;
            version.version = number;
            version.source = "s3://b";
            copy.versions.push_back(version);
            copy.highest_version = number + 1;
        }
        EXPECT_TRUE(opened(storage::open_database(settings.data_dir))->write([&](registry::Writer& writer) {
            return registry_copy::StoreTarget(writer).add_model(copy, std::nullopt);
        }));
    }

    // What an export prints of the folder, without the first line.
    std::string content(const std::string& data_dir) {
        settings.data_dir = data_dir;
        EXPECT_EQ(export_it(), 0) << errors.str();
        const std::string text = out.str();
        return text.substr(text.find('\n') + 1);
    }

    std::string exported() {
        EXPECT_EQ(export_it(), 0) << errors.str();
        return out.str();
    }

    void use_folder(const char* name) {
        settings.data_dir = folder.path() / name;
    }

    storage::testing::TemporaryFolder folder;
    ServiceSettings settings;
    std::ostringstream out;
    std::ostringstream errors;
    Console console{out, errors};
};

TEST_F(RegistryCommand, copies_a_folder_exactly) {
    put("fraud", {2, 5});
    put("churn", {1});
    const std::string source = settings.data_dir;
    const std::string file = folder.path() / "models.jsonl";
    ASSERT_EQ(export_it({.output = file}), 0);
    EXPECT_EQ(out.str(), "exported 2 models, 3 versions, 0 aliases from " + source + " to " + file + "\n");

    use_folder("other");
    ASSERT_EQ(import_it({.file = file}), 0) << errors.str();

    EXPECT_EQ(out.str(), "imported 2 models, 3 versions, 0 aliases into " + settings.data_dir + "\n");
    EXPECT_EQ(errors.str(), "");
    EXPECT_EQ(content(settings.data_dir), content(source));
}

TEST_F(RegistryCommand, exports_to_standard_output_with_the_summary_apart) {
    put("fraud", {1});

    ASSERT_EQ(export_it(), 0);

    EXPECT_TRUE(out.str().starts_with(R"({"format":"hokusai-registry","version":1,"source":")" + settings.data_dir));
    EXPECT_TRUE(out.str().ends_with("{\"end\":{\"models\":1,\"versions\":1,\"aliases\":0}}\n"));
    EXPECT_TRUE(errors.str().starts_with("exported 1 models"));
}

TEST_F(RegistryCommand, imports_from_standard_input) {
    put("fraud", {1});
    const std::string text = exported();
    use_folder("other");

    EXPECT_EQ(import_it({.file = "-"}, text), 0) << errors.str();
    EXPECT_EQ(exported().substr(exported().find('\n')), text.substr(text.find('\n')));
    EXPECT_EQ(import_it({.file = "-"}, ""), 1);
    EXPECT_NE(errors.str().find("-: the file ends after line 0"), std::string::npos) << errors.str();
}

TEST_F(RegistryCommand, refuses_what_is_there_or_skips_it) {
    put("fraud", {1});
    const std::string text = exported();
    put("churn", {1});
    const std::string both = exported();
    use_folder("other");
    ASSERT_EQ(import_it({.file = "-"}, text), 0);

    EXPECT_EQ(import_it({.file = "-"}, both), 1);
    EXPECT_NE(errors.str().find("model 'fraud' is there already, so nothing was written"), std::string::npos);
    EXPECT_NE(exported().find(R"("models":1)"), std::string::npos);

    EXPECT_EQ(import_it({.file = "-", .existing = "skip"}, both), 0) << errors.str();
    EXPECT_NE(out.str().find("imported 1 models, 1 versions, 0 aliases"), std::string::npos);
    EXPECT_NE(out.str().find("1 models are there already"), std::string::npos);
}

TEST_F(RegistryCommand, names_models_that_are_there_and_differ_and_fails) {
    put("fraud", {1, 2});
    const std::string text = exported();
    use_folder("other");
    put("fraud", {1});

    EXPECT_EQ(import_it({.file = "-", .existing = "skip"}, text), 1);
    EXPECT_EQ(errors.str(), "hokusai registry: not as in the file: model 'fraud': the one there has no version 2\n");
}

TEST_F(RegistryCommand, writes_nothing_of_a_file_with_a_fault) {
    put("churn", {1});
    put("fraud", {1});
    std::string text = exported();
    text.insert(text.rfind("{\"model_version\""), "{]\n");
    use_folder("other");

    EXPECT_EQ(import_it({.file = "-"}, text), 1);

    EXPECT_EQ(errors.str(), "hokusai registry: -: line 5: it is no JSON object: broken, or the file was cut there\n");
    EXPECT_FALSE(std::filesystem::exists(settings.data_dir));
}

TEST_F(RegistryCommand, says_what_it_would_do_and_makes_nothing) {
    put("fraud", {1});
    const std::string text = exported();
    EXPECT_EQ(import_it({.file = "-", .existing = "skip", .is_dry_run = true}, text), 0);
    EXPECT_NE(out.str().find("would import 0 models"), std::string::npos);
    EXPECT_EQ(import_it({.file = "-", .is_dry_run = true}, text), 1);
    use_folder("other");

    EXPECT_EQ(import_it({.file = "-", .is_dry_run = true}, text), 0);

    EXPECT_NE(out.str().find("would import 1 models, 1 versions, 0 aliases"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(settings.data_dir));
}

TEST_F(RegistryCommand, leaves_the_folder_of_a_running_service_alone) {
    put("fraud", {1});
    const std::string text = exported();
    use_folder("other");
    std::filesystem::create_directory(settings.data_dir);
    const auto lock = storage::ServiceLock::acquire(settings.data_dir);
    ASSERT_TRUE(lock);

    EXPECT_EQ(import_it({.file = "-"}, text), 1);

    EXPECT_NE(errors.str().find("already serves from"), std::string::npos) << errors.str();
    EXPECT_NE(errors.str().find("--to http://"), std::string::npos) << errors.str();
    EXPECT_NE(exported().find(R"("models":0)"), std::string::npos);
}

TEST_F(RegistryCommand, refuses_wrong_arguments) {
    EXPECT_EQ(import_it({.file = "-", .existing = "replace"}), 2);
    EXPECT_EQ(import_it({.file = "-", .to = "mlflow:5000"}), 2);
    EXPECT_NE(errors.str().find("--to: "), std::string::npos);
    EXPECT_EQ(export_it({.from = "ftp://mlflow"}), 2);
    EXPECT_NE(errors.str().find("--from: "), std::string::npos);
}

TEST_F(RegistryCommand, says_what_is_missing) {
    EXPECT_EQ(export_it(), 1);
    EXPECT_NE(errors.str().find("there is no registry in "), std::string::npos);
    EXPECT_EQ(status(), 1);
    EXPECT_NE(errors.str().find("there is no registry in "), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(settings.data_dir));

    EXPECT_EQ(import_it({.file = "/no/such/file"}), 1);
    EXPECT_NE(errors.str().find("there is no file /no/such/file"), std::string::npos);
    EXPECT_EQ(export_it({.from = "http://127.0.0.1:1"}), 1);
    EXPECT_NE(errors.str().find("http://127.0.0.1:1: "), std::string::npos) << errors.str();
}

TEST_F(RegistryCommand, leaves_the_old_file_when_the_export_fails) {
    const std::filesystem::path file = folder.path() / "models.jsonl";
    std::ofstream(file) << "old";

    EXPECT_EQ(export_it({.from = "http://127.0.0.1:1", .output = file}), 1);

    EXPECT_EQ(std::filesystem::file_size(file), 3U);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST_F(RegistryCommand, counts_a_registry_of_its_own) {
    put("fraud", {1, 3});

    ASSERT_EQ(status(), 0);
    EXPECT_EQ(out.str(), "registry of its own: 1 models, 2 versions, 0 aliases\n");
    ASSERT_EQ(status(true), 0);
    EXPECT_EQ(
        boost::json::parse(out.str()),
        (boost::json::object{{"registry", {{"models", 1}, {"versions", 2}, {"aliases", 0}}}, {"replica", nullptr}}));
}

class RegistryCommandWithReplica : public RegistryCommand {
protected:
    void write(const std::function<base::Result<void>(registry::Writer&)>& work) {
        EXPECT_TRUE(opened(storage::open_replica_database(settings.data_dir))->write(work));
    }
};

TEST_F(RegistryCommandWithReplica, tells_how_old_a_replica_is) {
    write([](registry::Writer& writer) { return replica::put_upstream(writer, "http://mlflow:5000"); });
    write([](registry::Writer& writer) {
        return replica::put_last_sweep(
            writer, {.began = 1'755'172'758'000, .milliseconds = 1234, .rows = 9, .changes = 3, .erased = 1});
    });
    write([](registry::Writer& writer) {
        return replica::put_marked(writer, {{{"", "fraud"}, replica::MarkReason::torn}});
    });

    ASSERT_EQ(status(), 0);
    EXPECT_EQ(out.str(),
              "replica of http://mlflow:5000: 0 models, 0 versions, 0 aliases, revision 0\n"
              "  last compared with MLflow 42.0 s ago, which took 1.2 s: 9 rows read, 3 changed, 1 of them gone\n"
              "  to be read again: model 'fraud' (torn)\n");
    ASSERT_EQ(status(true), 0);
    const boost::json::object replica = boost::json::parse(out.str()).at("replica").as_object();
    EXPECT_EQ(replica.at("age_seconds"), 42.0);
    EXPECT_EQ(replica.at("upstream"), "http://mlflow:5000");
    EXPECT_EQ(replica.at("marked").as_array().size(), 1U);
}

TEST_F(RegistryCommandWithReplica, is_not_what_an_export_holds_unless_asked_for) {
    EXPECT_EQ(export_it({.replica = true}), 1);
    EXPECT_NE(errors.str().find("there is no replica in "), std::string::npos);
    put("ours", {});
    write([](registry::Writer& writer) {
        registry::RegisteredModel model;
        model.name = "theirs";
        return writer.put_model("", model);
    });

    EXPECT_EQ(exported().find("theirs"), std::string::npos);
    ASSERT_EQ(export_it({.replica = true}), 0);
    EXPECT_NE(out.str().find("theirs"), std::string::npos);
    EXPECT_EQ(out.str().find("ours"), std::string::npos);
}

TEST_F(RegistryCommandWithReplica, tells_how_far_the_first_filling_is) {
    write([](registry::Writer& writer) {
        return replica::put_position(
            writer, {.began = 1'755'172'790'000, .workspace = {}, .phase = "versions", .token = {}, .rows = 500});
    });

    ASSERT_EQ(status(), 0);
    EXPECT_NE(out.str().find("never compared with MLflow"), std::string::npos);
    EXPECT_NE(out.str().find("being filled since 10.0 s: 500 rows so far, now versions"), std::string::npos);
}

TEST_F(RegistryCommandWithReplica, shows_both_where_both_hold_models) {
    put("fraud", {1});
    write([](registry::Writer& writer) { return replica::put_upstream(writer, "http://mlflow:5000"); });

    ASSERT_EQ(status(), 0);
    EXPECT_NE(out.str().find("replica of http://mlflow:5000"), std::string::npos);
    EXPECT_NE(out.str().find("registry of its own: 1 models"), std::string::npos);
}

}  // namespace
}  // namespace apps
