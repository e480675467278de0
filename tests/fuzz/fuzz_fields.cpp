// The small grammars inside fields (trace context, Retry-After, Origin, Via, lists), and what is written about them: a
// log line stays one line of JSON whatever a peer sends.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/strings.hpp"
#include "fuzz.hpp"
#include "health/endpoints.hpp"
#include "http/origin.hpp"
#include "mlflow/outcome.hpp"
#include "mlflow/rewrite.hpp"
#include "telemetry/log.hpp"
#include "telemetry/trace_context.hpp"

namespace {

using fuzz::require;

void check_trace(std::string_view text) {
    const auto context = telemetry::parse_traceparent(text);
    if (!context) {
        return;
    }
    require(text.find(context->trace_id) != std::string_view::npos);
    const telemetry::Traceparent written = telemetry::to_traceparent(*context);
    const auto again = telemetry::parse_traceparent({written.data(), written.size()});
    require(again && telemetry::to_traceparent(*again) == written);
    require(std::string_view(again->trace_id) == std::string_view(context->trace_id));
    require(std::string_view(again->parent_id) == std::string_view(context->parent_id));
    require(again->is_sampled == context->is_sampled);
}

void check_retry_after(std::string_view text) {
    const base::WallTime now = base::WallTime{} + std::chrono::hours(24 * 365 * 55);
    const auto wait = mlflow::parse_retry_after(text, now);
    require(!wait || (*wait >= base::Duration::zero() && *wait <= std::chrono::hours(24)));
    require(mlflow::parse_retry_after(" " + std::string(text) + "\t", now) == wait);
}

void check_origin(std::string_view origin, std::string_view host) {
    using http::OriginVerdict;
    const std::vector<std::string> listed{"https://a.example"};
    const OriginVerdict verdict = http::judge_origin(origin, host, listed);
    const std::size_t scheme_end = origin.find("://");
    const bool is_same = scheme_end != std::string_view::npos && base::iequals(origin.substr(scheme_end + 3), host);
    require((verdict == OriginVerdict::same) == is_same);
    require((verdict == OriginVerdict::listed) == (!is_same && base::iequals(origin, listed.front())));
    require(http::judge_origin(origin, host, {}) != OriginVerdict::listed);
}

void check_lists(std::string_view text) {
    http::Fields fields;
    fields.add("Via", text);
    fields.add("Accept", text);
    require(!fields.lists(http::FieldName::connection, text));
    const bool is_loop = mlflow::is_loop(fields, "hokusai-1");
    require(!is_loop || text.find("hokusai-1") != std::string_view::npos);
    const bool wants_health = health::wants_health_json(fields);
    fields.add("via", "1.1 hokusai-1");
    fields.add("accept", "text/html;q=0.9 , Application/Health+JSON ; q=1");
    require(mlflow::is_loop(fields, "hokusai-1"));
    require(health::wants_health_json(fields));
    require(!wants_health || fields.lists(http::FieldName::accept, "application/health+json"));
}

void check_log(std::string_view text) {
    for (const telemetry::LogFormat format : {telemetry::LogFormat::json, telemetry::LogFormat::text}) {
        const std::string line =
            telemetry::format_line(format, "now", telemetry::LogLevel::warn, "refused", {{"why", text}, {"last", 1}});
        const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
        require(std::ranges::none_of(line, is_control));
        require(line.ends_with(format == telemetry::LogFormat::json ? R"(,"last":1})" : " last=1"));
    }
}

void run(std::string_view bytes) {
    check_trace(bytes);
    check_retry_after(bytes);
    check_origin(bytes, bytes.substr(bytes.size() / 2));
    check_origin(bytes, "a.example");
    check_lists(bytes);
    check_log(bytes);
}

const fuzz::Registration kRegistration("fields", run);

}  // namespace
