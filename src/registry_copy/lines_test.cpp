#include "registry_copy/lines.hpp"

#include <limits>
#include <sstream>
#include <string_view>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace registry_copy {
namespace {

const base::WallTime kNow{std::chrono::seconds(1'755'172'800)};  // 2025-08-14T12:00:00Z

constexpr std::string_view kHead = R"({"format":"hokusai-registry","version":1})";
constexpr std::string_view kFraud =
    R"({"registered_model":{"name":"fraud","aliases":[{"alias":"champion","version":"2"}]},"highest_version":2})";
constexpr std::string_view kFraud2 = R"({"model_version":{"name":"fraud","version":"2"},"artifact_uri":""})";
constexpr std::string_view kEnd = R"({"end":{"models":1,"versions":1,"aliases":1}})";

ModelCopy full_model() {
    ModelCopy copy;
    copy.workspace = "team";
    copy.model.name = "fraud 'n' \"more\"\n\xC3\xA4";
    copy.model.creation_timestamp = 1;
    copy.model.last_updated_timestamp = std::numeric_limits<std::int64_t>::max();
    copy.model.description = "a\tb";
    copy.model.tags = {{"b", ""}, {"a", "2"}};
    copy.model.aliases = {{"champion", 2}, {"other", 2}};
    copy.model.unknown = {{"deployment_job_id", "7"}, {"x", {1, 2.5, nullptr}}};
    copy.highest_version = 9;
    for (const std::int64_t number : {2, 4}) {
        registry::ModelVersion version;
        version.name = copy.model.name;
        version.version = number;
        version.creation_timestamp = 5;
        version.last_updated_timestamp = 6;
        version.user_id = "ada";
        version.current_stage = "Staging";
        version.source = "s3://b/m";
        version.status = "FAILED_REGISTRATION";
        version.status_message = "why";
        version.artifact_uri = "s3://b/real";
        version.tags = {{"z", "1"}, {"a", "\xE2\x82\xAC"}};
        version.unknown = {{"new_in_mlflow_9", {{"k", true}}}};
        copy.versions.push_back(version);
    }
    copy.versions[0].description = "";
    copy.versions[1].run_id = "r";
    copy.versions[1].run_link = "http://l";
    return copy;
}

std::string write(const std::vector<ModelCopy>& models) {
    std::ostringstream out;
    LineWriter writer(out, "http://mlflow:5000", kNow);
    for (const ModelCopy& model : models) {
        EXPECT_TRUE(writer.write(model));
    }
    EXPECT_TRUE(writer.finish());
    return out.str();
}

base::Result<std::vector<ModelCopy>> read(const std::string& text) {
    std::istringstream in(text);
    std::vector<ModelCopy> models;
    LineReader reader(in);
    const auto done = reader.for_each_model([&](const ModelCopy& model) {
        models.push_back(model);
        return base::Result<void>();
    });
    return done ? base::Result<std::vector<ModelCopy>>(models) : std::unexpected(done.error());
}

std::string lines(const std::vector<std::string_view>& all) {
    std::string text;
    for (const std::string_view line : all) {
        text += std::string(line) + '\n';
    }
    return text;
}

TEST(RegistryLines, give_back_what_was_written) {
    ModelCopy plain;
    plain.model.name = "plain";
    const std::vector<ModelCopy> models{plain, full_model()};

    EXPECT_EQ(read(write(models)).value(), models);
}

TEST(RegistryLines, are_one_json_object_each_from_head_to_end) {
    std::istringstream text(write({full_model()}));
    std::vector<boost::json::object> objects;
    for (std::string line; std::getline(text, line);) {
        objects.push_back(boost::json::parse(line).as_object());
    }

    ASSERT_EQ(objects.size(), 5U);
    EXPECT_EQ(objects[0],
              (boost::json::object{{"format", "hokusai-registry"},
                                   {"version", 1},
                                   {"source", "http://mlflow:5000"},
                                   {"exported_at", "2025-08-14T12:00:00.000000Z"}}));
    EXPECT_EQ(objects[1].at("workspace"), "team");
    EXPECT_EQ(objects[1].at("highest_version"), 9);
    EXPECT_EQ(objects[2].at("artifact_uri"), "s3://b/real");
    EXPECT_EQ(objects[4], (boost::json::object{{"end", {{"models", 1}, {"versions", 2}, {"aliases", 2}}}}));
}

TEST(RegistryLines, of_nothing_are_head_and_end) {
    EXPECT_TRUE(read(write({})).value().empty());
}

TEST(RegistryLines, can_be_read_again) {
    std::istringstream in(write({full_model()}));
    LineReader reader(in);
    int models = 0;
    const auto count = [&](const ModelCopy&) {
        ++models;
        return base::Result<void>();
    };

    EXPECT_TRUE(reader.check());
    EXPECT_TRUE(reader.for_each_model(count));
    EXPECT_TRUE(reader.for_each_model(count));
    EXPECT_EQ(models, 2);
}

TEST(RegistryLines, end_with_the_error_of_who_takes_them) {
    std::istringstream in(write({full_model()}));

    const auto done = LineReader(in).for_each_model(
        [](const ModelCopy&) { return base::Result<void>(base::fail(base::Code::exhausted, "no room")); });

    EXPECT_EQ(done.error().code, base::Code::exhausted);
    EXPECT_EQ(done.error().message, "no room");
}

TEST(RegistryLines, cut_anywhere_are_noticed) {
    const std::string whole = write({full_model()});
    for (std::size_t length = 0; length + 1 < whole.size(); ++length) {  // without the last newline it is whole still
        const auto done = read(whole.substr(0, length));
        ASSERT_FALSE(done) << whole.substr(0, length);
        EXPECT_NE(done.error().message.find("line "), std::string::npos) << done.error().message;
    }
}

struct BadRow {
    std::vector<std::string_view> text;
    std::string_view message;
};

TEST(RegistryLines, that_are_wrong_are_named_with_the_reason) {
    for (const auto& [text, message] : {
             BadRow{{}, "the file ends after line 0 without its last line"},
             BadRow{{kHead}, "the file ends after line 1 without its last line"},
             BadRow{{"{}"}, "line 1: it is not the first line of an export"},
             BadRow{{kFraud}, "line 1: it is not the first line of an export"},
             BadRow{{R"({"format":"hokusai-registry","version":2})"}, "line 1: this program reads version 1"},
             BadRow{{kHead, "[]"}, "line 2: it is no JSON object"},
             BadRow{{kHead, kFraud, "{]"}, "line 3: it is no JSON object"},
             BadRow{{kHead, ""}, "line 2: it is no JSON object"},
             BadRow{{kHead, R"({"model":{}})"}, "line 2: it is neither"},
             BadRow{{kHead, kFraud2}, "line 2: a version of model 'fraud' must come after its model"},
             BadRow{{kHead, kFraud, kFraud2, kFraud2}, "line 4: version 2 of model 'fraud' comes after version 2"},
             BadRow{{kHead, kFraud, kFraud2, kFraud}, "line 4: model 'fraud' was in the file before"},
             BadRow{{kHead, kFraud, R"({"model_version":{"name":"other","version":"1"}})"}, "line 3: a version of"},
             BadRow{{kHead, kFraud, R"({"model_version":{"name":"fraud","version":"0"}})"}, "line 3: "},
             BadRow{{kHead, kFraud, R"({"model_version":{"name":"fraud","version":"2147483648"}})"}, "line 3: "},
             BadRow{{kHead, kFraud, R"({"model_version":{"name":"fraud","version":"2","current_stage":"X"}})"},
                    "line 3: Invalid Model Version stage: X"},
             BadRow{{kHead, kFraud, kEnd}, "line 3: alias 'champion' of model 'fraud' before it names version 2"},
             BadRow{{kHead, kFraud, kFraud2, R"({"end":{"models":1,"versions":2,"aliases":1}})"},
                    "line 4: it promises {\"models\":1,\"versions\":2,\"aliases\":1}, but before it are 1 models, 1"},
             BadRow{{kHead, kFraud, kFraud2, R"({"end":{}})"}, "line 4: it promises {}"},
             BadRow{{kHead, kFraud, kFraud2, kEnd, kEnd}, "line 5: nothing may follow the end"},
             BadRow{{kHead, R"({"registered_model":{"name":"a/b"},"highest_version":0})"}, "line 2: "},
             BadRow{{kHead, R"({"registered_model":{"name":"a"}})"}, "line 2: it has no highest_version"},
             BadRow{{kHead, R"({"registered_model":{"name":"a"},"highest_version":-1})"}, "line 2: it has no highest"},
             BadRow{{kHead, R"({"registered_model":{},"highest_version":0})"}, "line 2: "},
         }) {
        const auto done = read(lines(text));
        ASSERT_FALSE(done) << message;
        EXPECT_TRUE(done.error().message.starts_with(message)) << done.error().message;
    }
    EXPECT_TRUE(read(lines({kHead, kFraud, kFraud2, kEnd})));
}

TEST(RegistryLines, never_promise_less_than_the_newest_version) {
    const auto models = read(lines({kHead,
                                    R"({"registered_model":{"name":"fraud"},"highest_version":0})",
                                    kFraud2,
                                    R"({"end":{"models":1,"versions":1,"aliases":0}})"}));

    EXPECT_EQ(models.value().at(0).highest_version, 2);
}

TEST(RegistryLines, tell_when_the_disk_is_full) {
    std::ostringstream out;
    LineWriter writer(out, "x", kNow);
    out.setstate(std::ios::badbit);

    EXPECT_EQ(writer.write(full_model()).error().code, base::Code::unavailable);
    EXPECT_EQ(writer.finish().error().code, base::Code::unavailable);
}

}  // namespace
}  // namespace registry_copy
