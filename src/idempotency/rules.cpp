#include "idempotency/rules.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "registry/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace idempotency {

namespace {

namespace json = boost::json;

constexpr base::Duration kLeastPatience = std::chrono::seconds(5);
constexpr base::Duration kMostPatience = std::chrono::seconds(60);
// Of a model that others write to beside; more are not looked at.
constexpr std::int64_t kMostCandidates = 100;

// The last value of each key, as MLflow takes them.
bool has_tags(const json::object& arguments, const std::vector<registry::Tag>& tags) {
    const json::value* const sent = arguments.if_contains("tags");
    if (sent == nullptr || !sent->is_array()) {
        return true;
    }
    const json::array& list = sent->get_array();
    return std::ranges::all_of(list, [&](const json::value& item) {
        if (!item.is_object()) {
            return true;
        }
        const std::string key = registry::text_at(item.get_object(), "key");
        const auto last = std::find_if(list.rbegin(), list.rend(), [&key](const json::value& other) {
            return other.is_object() && registry::text_at(other.get_object(), "key") == key;
        });
        const registry::Tag wanted{key, registry::text_at(last->get_object(), "value")};
        return std::ranges::find(tags, wanted) != tags.end();
    });
}

// An empty text is one that was not sent.
bool fits(const json::object& arguments, std::string_view name, std::string_view value) {
    const std::string sent = registry::text_at(arguments, name);
    return sent.empty() || sent == value;
}

}  // namespace

Verdict judge_answer(Kind kind, const Answer& answer) {
    const unsigned status = answer.status;
    if (status == 429) {
        return Verdict::not_carried_out;
    }
    // MLflow may fail after it has committed.
    const bool is_refusal = status < 500 || answer.body.find(R"("FEATURE_DISABLED")") != std::string::npos;
    return is_refusal || (status == 500 && kind == Kind::keyed_call) ? Verdict::settled : Verdict::unknown;
}

Baseline baseline_of(const std::optional<registry::RegisteredModel>& model) {
    if (!model) {
        return {};
    }
    Baseline baseline{.highest_version = 0, .model_created = model->creation_timestamp};
    for (const registry::ModelVersion& version : model->latest_versions) {
        baseline.highest_version = std::max(baseline.highest_version, version.version);
    }
    return baseline;
}

std::optional<Baseline> baseline_after(Kind kind, const std::optional<Baseline>& before, const Answer& answer) {
    if (answer.status != 200) {
        return answer.status < 500 ? before : std::nullopt;
    }
    boost::system::error_code error;
    const json::value value = json::parse(answer.body, error);
    const json::object* const object = error ? nullptr : value.if_object();
    const json::value* const item =
        object == nullptr ? nullptr
                          : object->if_contains(kind == Kind::create_model ? "registered_model" : "model_version");
    if (item == nullptr || !item->is_object()) {
        return std::nullopt;
    }
    if (kind == Kind::create_model) {
        const base::Result<registry::RegisteredModel> model = registry::model_from_json(item->get_object());
        return model ? std::optional(baseline_of(*model)) : std::nullopt;
    }
    const base::Result<registry::ModelVersion> version = registry::version_from_json(item->get_object());
    // A version of a model that was not there: somebody has made it meanwhile.
    return version && before && before->highest_version >= 0
               ? std::optional(Baseline{version->version, before->model_created})
               : std::nullopt;
}

Candidates candidates(const Baseline& before, const std::optional<registry::RegisteredModel>& model) {
    const Baseline now = baseline_of(model);
    const bool is_same = now.model_created == before.model_created;
    const std::int64_t first = is_same ? std::max<std::int64_t>(before.highest_version, 0) + 1 : 1;
    return {std::max(first, now.highest_version - kMostCandidates + 1), now.highest_version};
}

bool is_made_by(const json::object& arguments, const registry::ModelVersion& version) {
    return registry::text_at(arguments, "source") == version.source &&
           fits(arguments, "run_id", version.run_id.value_or("")) &&
           fits(arguments, "run_link", version.run_link.value_or("")) &&
           fits(arguments, "description", version.description.value_or("")) && has_tags(arguments, version.tags);
}

bool is_made_by(const json::object& arguments,
                const Baseline& before,
                const std::optional<registry::RegisteredModel>& model) {
    return model && before.model_created != model->creation_timestamp &&
           fits(arguments, "description", model->description) && has_tags(arguments, model->tags);
}

bool Absence::note(base::MonotonicTime began, base::MonotonicTime ended) {
    if (!first_noted_) {
        first_noted_ = ended;
        return false;
    }
    return began - *first_noted_ >= patience_;
}

base::Duration patience_after(base::Duration waited) {
    return std::clamp(waited, kLeastPatience, kMostPatience);
}

}  // namespace idempotency
