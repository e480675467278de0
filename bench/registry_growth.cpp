// registry_growth fill FOLDER VERSIONS: makes a registry of our own with that many versions, and prints the seconds.
// registry_growth ask ROUNDS FOLDER...: asks each of them the same, in turns, and prints JSON: microseconds of CPU time
// for one answer in each round, by question; the first line of each folder's figures is what its store needs of memory.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "storage/sqlite_registry_store.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace {

using registry::Column;
using registry::Comparator;
using registry::Condition;
using registry::ModelKey;
using registry::ModelVersion;
using registry::OrderTerm;
using registry::Query;
using registry::Reader;
using registry::RegisteredModel;
using registry::Writer;

constexpr std::int64_t kVersionsOfAModel = 10;
constexpr std::int64_t kModelsInATransaction = 1000;
constexpr int kRepetitions = 200;  // of a question in a round
constexpr std::int64_t kPage = 10;

template <class T>
T or_throw(base::Result<T> result) {
    if (!result) {
        throw std::runtime_error(result.error().message);
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*result);
    }
}

// Scattered like names people give, and ids of runs; the same for the same number.
std::string scattered(std::int64_t number, std::uint64_t salt) {
    std::mt19937_64 random(static_cast<std::uint64_t>(number) * 1'000'003 + salt);
    return fmt::format("{:016x}{:016x}", random(), random());
}

std::string model_name(std::int64_t model) {
    return "model-" + scattered(model, 1).substr(0, 12);
}

std::string run_id(std::int64_t model, std::int64_t version) {
    return scattered(model * kVersionsOfAModel + version, 2);
}

std::string source(std::int64_t model, std::int64_t version) {
    return fmt::format("s3://artifacts/12/{}/artifacts/model", run_id(model, version));
}

std::string team(std::int64_t model) {
    return "team-" + scattered(model, 3).substr(0, 8);
}

RegisteredModel make_model(std::int64_t number) {
    RegisteredModel model;
    model.name = model_name(number);
    model.creation_timestamp = 1'755'000'000'000 + number * 1000;
    model.last_updated_timestamp = model.creation_timestamp + kVersionsOfAModel;
    model.description = "Forecasts the demand of a region, trained each night.";
    model.tags = {{"team", team(number)}, {"task", "forecast"}};
    model.aliases = {{"champion", kVersionsOfAModel - 1}, {"challenger", kVersionsOfAModel}};
    return model;
}

ModelVersion make_version(std::int64_t model, std::int64_t number) {
    ModelVersion version;
    version.name = model_name(model);
    version.version = number;
    version.creation_timestamp = 1'755'000'000'000 + model * 1000 + number;
    version.last_updated_timestamp = version.creation_timestamp;
    version.user_id = "ada";
    version.current_stage = number == kVersionsOfAModel - 1 ? "Production" : "None";
    version.source = source(model, number);
    version.run_id = run_id(model, number);
    version.artifact_uri = version.source;
    version.tags = {{"team", team(model)}, {"validated", "yes"}};
    return version;
}

std::unique_ptr<storage::SqliteRegistryStore> open_store(const std::filesystem::path& folder) {
    return or_throw(storage::SqliteRegistryStore::open(or_throw(storage::open_database(folder))));
}

void fill(const std::filesystem::path& folder, std::int64_t versions) {
    const auto store = open_store(folder);
    const std::int64_t models = versions / kVersionsOfAModel;
    for (std::int64_t first = 0; first < models; first += kModelsInATransaction) {
        or_throw(store->write([&](Writer& writer) -> base::Result<void> {
            const std::int64_t end = std::min(models, first + kModelsInATransaction);
            for (std::int64_t model = first; model < end; ++model) {
                or_throw(writer.put_model("", make_model(model)));
                for (std::int64_t number = 1; number <= kVersionsOfAModel; ++number) {
                    or_throw(writer.put_version("", make_version(model, number)));
                }
            }
            return {};
        }));
    }
}

const std::vector<OrderTerm> kNewestFirst{
    {Column::last_updated_timestamp, true}, {Column::name, false}, {Column::version, true}};

Query versions_where(std::vector<Condition> conditions) {
    return {.workspace = "", .conditions = std::move(conditions), .order = kNewestFirst, .limit = kPage};
}

Query models_where(std::vector<Condition> conditions) {
    return {.workspace = "", .conditions = std::move(conditions), .order = {{Column::name, false}}, .limit = kPage};
}

struct Question {
    std::string_view name;
    std::function<std::size_t(Reader&, std::int64_t model)> ask;  // gives the number of rows it got
    std::size_t rows;
};

const std::vector<Question>& questions() {
    constexpr std::int64_t kVersion = 3;
    static const auto search_versions = [](Reader& reader, std::vector<Condition> conditions) {
        return or_throw(reader.search_versions(versions_where(std::move(conditions)))).size();
    };
    static const auto search_models = [](Reader& reader, std::vector<Condition> conditions) {
        return or_throw(reader.search_models(models_where(std::move(conditions)))).size();
    };
    static const std::vector<Question> all{
        {"get model",
         [](Reader& reader, std::int64_t model) {
             return or_throw(reader.find_model({"", model_name(model)})).has_value() ? 1U : 0U;
         },
         1},
        {"get version",
         [](Reader& reader, std::int64_t model) {
             return or_throw(reader.find_version({"", model_name(model)}, kVersion)).has_value() ? 1U : 0U;
         },
         1},
        {"get latest versions",
         [](Reader& reader, std::int64_t model) {
             return or_throw(reader.latest_versions({"", model_name(model)}, {})).size();
         },
         2},
        {"search versions by name",
         [](Reader& reader, std::int64_t model) {
             return search_versions(reader, {{Column::name, Comparator::equal, model_name(model)}});
         },
         10},
        {"search versions by run",
         [](Reader& reader, std::int64_t model) {
             return search_versions(reader, {{Column::run_id, Comparator::equal, run_id(model, kVersion)}});
         },
         1},
        {"search versions by source",
         [](Reader& reader, std::int64_t model) {
             return search_versions(reader, {{Column::source, Comparator::equal, source(model, kVersion)}});
         },
         1},
        {"search versions by a tag of few",
         [](Reader& reader, std::int64_t model) {
             return search_versions(reader, {{"team", Comparator::equal, team(model)}});
         },
         10},
        {"search versions by a tag of all",
         [](Reader& reader, std::int64_t) {
             return search_versions(reader, {{"validated", Comparator::equal, "yes"}});
         },
         10},
        {"newest versions", [](Reader& reader, std::int64_t) { return search_versions(reader, {}); }, 10},
        {"search models by name",
         [](Reader& reader, std::int64_t model) {
             return search_models(reader, {{Column::name, Comparator::equal, model_name(model)}});
         },
         1},
        {"search models by a tag of few",
         [](Reader& reader, std::int64_t model) {
             return search_models(reader, {{"team", Comparator::equal, team(model)}});
         },
         1},
        {"search models by a tag of all",
         [](Reader& reader, std::int64_t) { return search_models(reader, {{"task", Comparator::equal, "forecast"}}); },
         10},
        {"first models", [](Reader& reader, std::int64_t) { return search_models(reader, {}); }, 10},
    };
    return all;
}

double thread_cpu_microseconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return 1e6 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_nsec);
}

std::int64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::int64_t size = 0;
    std::int64_t resident = 0;
    statm >> size >> resident;
    return resident * ::sysconf(_SC_PAGESIZE);
}

struct Subject {
    std::string folder;
    std::unique_ptr<storage::SqliteRegistryStore> store;
    std::int64_t models = 0;
    std::int64_t resident_bytes = 0;  // by which opening it and asking everything once made the process grow
    std::vector<std::vector<double>> microseconds;  // by question and round
};

double microseconds_per_answer(Subject& subject, const Question& question, std::mt19937_64& random) {
    std::vector<std::int64_t> models(kRepetitions);
    for (std::int64_t& model : models) {
        model = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(subject.models));
    }
    std::size_t rows = 0;
    const double start = thread_cpu_microseconds();
    for (const std::int64_t model : models) {
        or_throw(subject.store->read([&](Reader& reader) -> base::Result<void> {
            rows += question.ask(reader, model);
            return {};
        }));
    }
    const double spent = thread_cpu_microseconds() - start;
    if (rows != question.rows * kRepetitions) {
        throw std::runtime_error(fmt::format("{} in {}: {} rows", question.name, subject.folder, rows));
    }
    return spent / kRepetitions;
}

Subject open_subject(const char* folder, std::mt19937_64& random) {
    Subject subject;
    subject.folder = folder;
    const std::int64_t before = resident_bytes();
    subject.store = open_store(folder);
    or_throw(subject.store->read([&](Reader& reader) -> base::Result<void> {
        subject.models = or_throw(reader.counts()).models;
        return {};
    }));
    for (const Question& question : questions()) {
        (void)microseconds_per_answer(subject, question, random);
    }
    subject.resident_bytes = resident_bytes() - before;
    subject.microseconds.resize(questions().size());
    return subject;
}

void ask(int rounds, char** begin, char** end) {
    std::mt19937_64 random(7);
    std::vector<Subject> subjects;
    for (char** folder = begin; folder != end; ++folder) {
        subjects.push_back(open_subject(*folder, random));
    }
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < questions().size(); ++i) {
            for (Subject& subject : subjects) {
                subject.microseconds[i].push_back(microseconds_per_answer(subject, questions()[i], random));
            }
        }
    }
    std::string_view separator = "{";
    for (const Subject& subject : subjects) {
        fmt::print("{}\"{}\": {{\"resident_bytes\": {}", separator, subject.folder, subject.resident_bytes);
        for (std::size_t i = 0; i < questions().size(); ++i) {
            fmt::print(", \"{}\": [{:.3f}]", questions()[i].name, fmt::join(subject.microseconds[i], ", "));
        }
        fmt::print("}}");
        separator = ", ";
    }
    fmt::print("}}\n");
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view verb = argc > 3 ? argv[1] : "";
    try {
        if (verb == "fill" && argc == 4) {
            fill(argv[2], std::atoll(argv[3]));
            return 0;
        }
        if (verb == "ask" && std::atoi(argv[2]) > 0) {
            ask(std::atoi(argv[2]), argv + 3, argv + argc);
            return 0;
        }
    } catch (const std::exception& error) {
        fmt::print(stderr, "registry_growth: {}\n", error.what());
        return 1;
    }
    fmt::print(stderr, "usage: registry_growth fill FOLDER VERSIONS | ask ROUNDS FOLDER...\n");
    return 2;
}
