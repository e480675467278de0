#include "models/recorded.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>

namespace models {

namespace {

constexpr std::array<std::string_view, 12> kBetterWhenHigher{"accuracy",
                                                             "auroc",
                                                             "auc",
                                                             "roc_auc",
                                                             "f1",
                                                             "f1_score",
                                                             "precision",
                                                             "recall",
                                                             "r2",
                                                             "reply_rate",
                                                             "conversion_rate",
                                                             "engagement_score"};

template <class Map>
auto find_in(const Map& map, const std::string& name) -> std::optional<typename Map::mapped_type> {
    const auto found = map.find(name);
    return found == map.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::optional<double> RecordedVersion::metric(const std::string& name) const {
    return facts ? find_in(facts->metrics, name) : std::nullopt;
}

std::optional<std::string> RecordedVersion::param(const std::string& name) const {
    return facts ? find_in(facts->params, name) : std::nullopt;
}

base::Task<Outcome<RecordedVersion>> find_recorded(Context& context, Outcome<VersionName> name) {
    Outcome<Version> version = co_await find_version(context.mlflow, std::move(name));
    if (!version) {
        co_return std::unexpected(version.error());
    }
    ReadFacts read = co_await read_facts(context, version->run_id, Wanted::latest);
    co_return RecordedVersion{std::move(*version), std::move(read.facts)};
}

base::Task<std::vector<RecordedVersion>> read_recorded(Context& context, std::vector<Version> versions) {
    std::vector<RecordedVersion> recorded;
    recorded.reserve(versions.size());
    int asked = 0;
    for (Version& version : versions) {
        ReadFacts read;
        if (asked < kMaxRunsAsked) {
            read = co_await read_facts(context, version.run_id, Wanted::of_ended);
            asked += read.was_asked ? 1 : 0;
        }
        recorded.push_back({std::move(version), std::move(read.facts)});
    }
    co_return recorded;
}

Metrics difference(const Metrics& before, const Metrics& after) {
    Metrics result;
    for (const auto& [name, value] : after) {
        if (const auto found = before.find(name); found != before.end()) {
            result.emplace(name, value - found->second);
        }
    }
    return result;
}

double improvement_score(const Metrics& improvements) {
    double score = 0;
    for (const auto& [name, value] : improvements) {
        const bool counts = std::ranges::find(kBetterWhenHigher, name) != kBetterWhenHigher.end();
        score += counts && value > 0 ? value : 0;
    }
    return score;
}

boost::json::object to_json(const Metrics& metrics) {
    boost::json::object object;
    for (const auto& [name, value] : metrics) {
        object[name] = value;
    }
    return object;
}

std::optional<VersionName> parse_model_id(std::string_view text) {
    const std::size_t mark = text.find_last_of(":/");
    if (mark == std::string_view::npos) {
        return std::nullopt;
    }
    const Outcome<VersionName> name = version_name(text.substr(0, mark), text.substr(mark + 1));
    return name ? std::optional(*name) : std::nullopt;
}

}  // namespace models
