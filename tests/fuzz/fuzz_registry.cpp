// A call of the native registry: its query or body, filter, order and page token. Every call is answered, in JSON that
// can be read back, or refused with a code that MLflow's client knows; refused ones change nothing.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/testing/manual_clock.hpp"
#include "fuzz.hpp"
#include "registry/json.hpp"
#include "registry/registry.hpp"
#include "registry/testing/memory_store.hpp"

#include <boost/json/parse.hpp>

namespace {

using fuzz::require;
using registry::Operation;

constexpr std::array<std::pair<const char*, Operation>, 8> kAlways{{
    {R"({"name":"m","tags":[{"key":"k","value":"v"}]})", Operation::create_model},
    {R"({"name":"m","source":"s3://bucket/a"})", Operation::create_version},
    {R"({"name":"m","source":"s3://bucket/b"})", Operation::create_version},
    {R"({"name":"m","version":"2","stage":"Production"})", Operation::transition_stage},
    {R"({"name":"m","version":"1","key":"k","value":"v"})", Operation::set_version_tag},
    {R"({"name":"m","alias":"a","version":"1"})", Operation::set_alias},
    {R"({"name":"n"})", Operation::create_model},
    {R"({"name":"n","source":"s3://bucket/c"})", Operation::create_version},
}};

registry::Counts counts_in(registry::Store& store) {
    registry::Counts counts;
    const base::Result<void> read = store.read([&](registry::Reader& reader) -> base::Result<void> {
        const base::Result<registry::Counts> counted = reader.counts();
        require(counted.has_value());
        counts = *counted;
        return {};
    });
    require(read.has_value());
    return counts;
}

// "OPERATION BYTES": the operation as a letter from 'a' on; GETs take the bytes as query, the others as body.
void run(std::string_view bytes) {
    if (bytes.size() < 2 || bytes[0] < 'a' || bytes[0] > 'a' + static_cast<int>(Operation::delete_version_tag)) {
        return;
    }
    registry::testing::MemoryStore store;
    const base::testing::ManualClock clock;
    registry::Registry registry(store, clock);
    for (const auto& [body, operation] : kAlways) {
        registry::Call call;
        call.operation = operation;
        call.method = "POST";
        call.content_type = "application/json";
        call.body = body;
        require(registry.answer(call).has_value());
    }
    const registry::Counts before = counts_in(store);
    registry::Call call;
    call.operation = static_cast<Operation>(bytes[0] - 'a');
    const bool is_read = registry::is_read(call.operation);
    call.method = is_read ? "GET" : "POST";
    call.content_type = is_read ? "" : "application/json";
    (is_read ? call.query : call.body) = bytes.substr(2);

    const base::Result<boost::json::object> answer = registry.answer(call);

    const registry::Counts after = counts_in(store);
    const bool has_changed =
        before.models != after.models || before.versions != after.versions || before.aliases != after.aliases;
    require(!has_changed || (answer && !is_read));
    if (answer) {
        boost::json::error_code error;
        const boost::json::value read_back = boost::json::parse(registry::serialize(*answer), error);
        require(!error && read_back == boost::json::value(*answer));
    } else {
        require(!answer.error().message.empty());
        require(answer.error().code != base::Code::not_found && answer.error().code != base::Code::data_loss);
    }
}

const fuzz::Registration kRegistration("registry", run);

}  // namespace
