// registry_growth fill FOLDER VERSIONS: makes a registry of our own with that many versions.
// registry_growth ask ROUNDS FOLDER...: asks each of them the same, in turns, and prints JSON: microseconds of CPU time
// for one answer in each round, by question. An answer is all the work on a call but HTTP: arguments, store, JSON text.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "base/clock.hpp"
#include "registry/alias_index.hpp"
#include "registry/call.hpp"
#include "registry/indexed_store.hpp"
#include "registry/json.hpp"
#include "registry/registry.hpp"
#include "storage/sqlite_registry_store.hpp"

#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace {

using registry::ModelVersion;
using registry::Operation;
using registry::Reader;
using registry::RegisteredModel;
using registry::Writer;

constexpr std::int64_t kVersionsOfAModel = 10;
constexpr std::int64_t kModelsInATransaction = 1000;
constexpr int kRepetitions = 200;   // of a question in a round
constexpr int kWarmingRounds = 30;  // until a page is as likely in the cache as in a service that has run for a while
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
    return "team-" + scattered(model, 3).substr(0, 12);
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

// The query of a GET; every byte that could mean something is encoded.
std::string encoded(const std::vector<std::pair<std::string_view, std::string>>& arguments) {
    std::string query;
    for (const auto& [name, value] : arguments) {
        fmt::format_to(std::back_inserter(query), "{}{}=", query.empty() ? "" : "&", name);
        for (const char byte : value) {
            fmt::format_to(std::back_inserter(query), "%{:02X}", static_cast<unsigned char>(byte));
        }
    }
    return query;
}

std::string page(const std::string& filter) {
    return encoded({{"filter", filter}, {"max_results", std::to_string(kPage)}});
}

struct Question {
    std::string_view name;
    Operation operation;
    std::function<std::string(std::int64_t model)> query;
    std::size_t rows;  // in each answer
};

const std::vector<Question>& questions() {
    constexpr std::int64_t kVersion = 3;
    using enum Operation;
    static const std::vector<Question> all{
        {"get model", get_model, [](std::int64_t model) { return encoded({{"name", model_name(model)}}); }, 1},
        {"get version",
         get_version,
         [](std::int64_t model) { return encoded({{"name", model_name(model)}, {"version", "3"}}); },
         1},
        {"get version by alias",
         get_version_by_alias,
         [](std::int64_t model) { return encoded({{"name", model_name(model)}, {"alias", "champion"}}); },
         1},
        {"get latest versions",
         get_latest_versions,
         [](std::int64_t model) { return encoded({{"name", model_name(model)}}); },
         2},
        {"search versions by name",
         search_versions,
         [](std::int64_t model) { return page(fmt::format("name = '{}'", model_name(model))); },
         kPage},
        {"search versions by run",
         search_versions,
         [](std::int64_t model) { return page(fmt::format("run_id = '{}'", run_id(model, kVersion))); },
         1},
        {"search versions by source",
         search_versions,
         [](std::int64_t model) { return page(fmt::format("source_path = '{}'", source(model, kVersion))); },
         1},
        {"search versions by a tag of few",
         search_versions,
         [](std::int64_t model) { return page(fmt::format("tags.team = '{}'", team(model))); },
         kPage},
        {"search versions by a tag of all",
         search_versions,
         [](std::int64_t) { return page("tags.validated = 'yes'"); },
         kPage},
        {"newest versions", search_versions, [](std::int64_t) { return page(""); }, kPage},
        {"search models by name",
         search_models,
         [](std::int64_t model) { return page(fmt::format("name = '{}'", model_name(model))); },
         1},
        {"search models by a tag of few",
         search_models,
         [](std::int64_t model) { return page(fmt::format("tags.team = '{}'", team(model))); },
         1},
        {"search models by a tag of all",
         search_models,
         [](std::int64_t) { return page("tags.task = 'forecast'"); },
         kPage},
        {"first models", search_models, [](std::int64_t) { return page(""); }, kPage},
    };
    return all;
}

std::size_t rows_of(const boost::json::object& answer) {
    for (const std::string_view list : {"model_versions", "registered_models"}) {
        if (const auto* found = answer.if_contains(list)) {
            return found->as_array().size();
        }
    }
    return answer.size();
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
    std::unique_ptr<registry::Registry> registry;
    std::int64_t models = 0;
    std::int64_t resident_bytes = 0;  // by which opening and warming it made the process grow
    std::int64_t index_bytes = 0;
    double index_seconds = 0;                       // of CPU time
    std::vector<std::vector<double>> microseconds;  // by question and round
};

double microseconds_per_answer(Subject& subject, const Question& question, std::mt19937_64& random) {
    std::vector<registry::Call> calls(kRepetitions);
    for (registry::Call& call : calls) {
        call.operation = question.operation;
        call.method = "GET";
        call.query = question.query(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(subject.models)));
    }
    std::size_t rows = 0;
    std::size_t bytes = 0;
    const double start = thread_cpu_microseconds();
    for (const registry::Call& call : calls) {
        const boost::json::object answer = or_throw(subject.registry->answer(call));
        rows += rows_of(answer);
        bytes += registry::serialize(answer).size();
    }
    const double spent = thread_cpu_microseconds() - start;
    if (rows != question.rows * kRepetitions || bytes == 0) {
        throw std::runtime_error(fmt::format("{} in {}: {} rows", question.name, subject.folder, rows));
    }
    return spent / kRepetitions;
}

Subject open_subject(const char* folder, std::mt19937_64& random) {
    Subject subject;
    subject.folder = folder;
    const std::int64_t before = resident_bytes();
    static const base::SystemClock clock;
    subject.store = open_store(folder);
    subject.registry = std::make_unique<registry::Registry>(*subject.store, clock);
    or_throw(subject.store->read([&](Reader& reader) -> base::Result<void> {
        subject.models = or_throw(reader.counts()).models;
        return {};
    }));
    for (int round = 0; round < kWarmingRounds; ++round) {
        for (const Question& question : questions()) {
            (void)microseconds_per_answer(subject, question, random);
        }
    }
    subject.resident_bytes = resident_bytes() - before;
    subject.microseconds.resize(questions().size());
    return subject;
}

// The alias index of a registry: how long it takes to fill and what it needs of memory.
void load_index(Subject& subject) {
    const std::int64_t before = resident_bytes();
    const double start = thread_cpu_microseconds();
    registry::AliasIndex index;
    or_throw(registry::IndexedStore(*subject.store, index).load());
    subject.index_seconds = (thread_cpu_microseconds() - start) / 1e6;
    subject.index_bytes = resident_bytes() - before;
    if (index.find("", model_name(0), "champion") == nullptr) {
        throw std::runtime_error("the index of " + subject.folder + " is empty");
    }
}

void print(const std::vector<Subject>& subjects) {
    std::string_view separator = "{";
    for (const Subject& subject : subjects) {
        fmt::print("{}\"{}\": {{\"resident_bytes\": {}, \"index_bytes\": {}, \"index_seconds\": {:.3f}",
                   separator,
                   subject.folder,
                   subject.resident_bytes,
                   subject.index_bytes,
                   subject.index_seconds);
        for (std::size_t i = 0; i < questions().size(); ++i) {
            fmt::print(", \"{}\": [{:.3f}]", questions()[i].name, fmt::join(subject.microseconds[i], ", "));
        }
        fmt::print("}}");
        separator = ", ";
    }
    fmt::print("}}\n");
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
    std::ranges::for_each(subjects, load_index);
    print(subjects);
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
