#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/strings.hpp"
#include "models/handlers.hpp"
#include "models/recorded.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace {

namespace json = boost::json;

bool is_address(std::string_view text) {
    return text.size() == 42 && text.starts_with("0x") && std::ranges::all_of(text.substr(2), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
}

json::value to_time(std::int64_t milliseconds) {
    return json::value(base::to_naive_iso8601(base::WallTime(std::chrono::milliseconds(milliseconds))));
}

// What one address has contributed, version by version.
class Impact {
public:
    Impact(std::string address, const std::vector<RecordedVersion>& all) : address_(std::move(address)), all_(all) {
        for (const RecordedVersion& one : all_) {
            const bool is_unread = !one.facts && !one.version.run_id.empty();
            if (is_unread) {
                missing_.emplace_back(fmt::format("run of {}", one.version.name.text()));
            }
            if (base::iequals(one.param("contributor_address").value_or(""), address_)) {
                add(one);
            }
        }
    }

    [[nodiscard]] json::object to_json() const {
        return {{"address", address_},
                {"total_models_improved", improved_.size()},
                {"total_improvement_score", score_},
                {"contributions", contributions_},
                {"first_contribution", first_ ? to_time(*first_) : json::value()},
                {"last_contribution", last_ ? to_time(*last_) : json::value()},
                {"missing", missing_}};
    }

private:
    void add(const RecordedVersion& one) {
        const VersionName& name = one.version.name;
        const std::optional<std::string> baseline_id = one.param("baseline_model_id");
        const RecordedVersion* const baseline = baseline_id ? find(*baseline_id) : nullptr;
        json::object contribution{{"model", name.model},
                                  {"version", std::to_string(name.version)},
                                  {"baseline_id", baseline_id ? json::value(*baseline_id) : json::value()},
                                  {"improvements", json::object()},
                                  {"score", nullptr},
                                  {"created_at", one.version.created_at}};
        if (baseline != nullptr && baseline->facts) {
            const Metrics improvements = difference(baseline->facts->metrics, one.facts->metrics);
            const double score = improvement_score(improvements);
            contribution["improvements"] = models::to_json(improvements);
            contribution["score"] = score;
            score_ += score;
            if (score > 0) {
                improved_.insert(name.model);
            }
        } else if (baseline_id) {
            missing_.emplace_back(fmt::format("metrics of {}, the baseline of {}", *baseline_id, name.text()));
        } else {
            missing_.emplace_back(fmt::format("baseline of {}", name.text()));
        }
        contributions_.push_back(std::move(contribution));
        first_ = std::min(first_.value_or(one.version.created_at), one.version.created_at);
        last_ = std::max(last_.value_or(one.version.created_at), one.version.created_at);
    }

    [[nodiscard]] const RecordedVersion* find(const std::string& model_id) const {
        const std::optional<VersionName> name = parse_model_id(model_id);
        const auto found = std::ranges::find_if(
            all_, [&name](const RecordedVersion& one) { return name && one.version.name == *name; });
        return found == all_.end() ? nullptr : &*found;
    }

    const std::string address_;
    const std::vector<RecordedVersion>& all_;
    std::set<std::string> improved_;
    double score_ = 0;
    json::array contributions_;
    json::array missing_;
    std::optional<std::int64_t> first_;
    std::optional<std::int64_t> last_;
};

}  // namespace

base::Task<http::Response> show_impact(Context& context, const Request& request) {
    const std::string& address = request.arguments.at(0);
    if (!is_address(address)) {
        co_return problem(400, "Invalid Ethereum address format");
    }
    Outcome<AllVersions> all = co_await list_all_versions(context.mlflow, std::nullopt);
    if (!all) {
        co_return all.error();
    }
    const std::vector<RecordedVersion> recorded = co_await read_recorded(context, std::move(all->versions));
    json::object answer = Impact(address, recorded).to_json();
    if (!all->is_complete) {
        answer["missing"].get_array().emplace_back("versions beyond the first 10,000");
    }
    co_return to_response(answer);
}

}  // namespace models
