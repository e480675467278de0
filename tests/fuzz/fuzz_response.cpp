// The response parser: no answer of an upstream may crash it, whatever the request was.
#include <cstdint>
#include <string_view>

#include "http/message_parser.hpp"
#include "mlflow/outcome.hpp"
#include "mlflow/rewrite.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (bytes.empty()) {
        return 0;
    }
    const http::Method method = bytes.front() % 2 == 0 ? http::Method::head : http::Method::get;
    bytes.remove_prefix(1);
    http::ResponseParser parser({});
    parser.start(method);
    for (;;) {
        const base::Result<http::ParseStep> step = parser.parse(bytes);
        if (!step || step->event == http::ParseStep::Event::need_more) {
            static_cast<void>(parser.finish_at_close());
            return 0;
        }
        if (step->event == http::ParseStep::Event::head) {
            std::string head;
            mlflow::append_client_head(head, parser.head(), {}, {});
            static_cast<void>(mlflow::judge(parser.head(), mlflow::CallKind::artifact_read, {}));
        }
        if (step->event == http::ParseStep::Event::end) {
            return 0;
        }
        bytes.remove_prefix(step->consumed);
    }
}
