// The small grammars inside header fields: credentials, trace context, Retry-After, origins.
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/credentials.hpp"
#include "http/origin.hpp"
#include "mlflow/outcome.hpp"
#include "telemetry/trace_context.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    http::Fields fields;
    fields.add("Authorization", text);
    fields.add("X-API-Key", text.substr(size / 2));
    std::string storage;
    static_cast<void>(auth::find_key(fields, storage));
    if (const auto context = telemetry::parse_traceparent(text)) {
        if (!telemetry::parse_traceparent(telemetry::to_traceparent(*context))) {
            __builtin_trap();
        }
    }
    static_cast<void>(mlflow::parse_retry_after(text, {}));
    static_cast<void>(http::judge_origin(text, text.substr(size / 2), {"https://a.example"}));
    return 0;
}
