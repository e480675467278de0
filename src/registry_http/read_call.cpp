#include "registry_http/read_call.hpp"

#include <cstdint>
#include <string>
#include <utility>

#include "base/strings.hpp"

#include <fmt/format.h>

namespace registry_http {

namespace {

constexpr std::size_t kMaxBody = 1024UL * 1024;

std::string_view method_of(const http::RequestHead& request) {
    return request.method == http::Method::head ? "GET" : request.method_text;
}

base::Error broken_body(const base::Error& error) {
    switch (error.code) {
        case base::Code::exhausted:
            return {base::Code::invalid_argument,
                    fmt::format("The request body is larger than {} bytes, more than a call to the model registry "
                                "takes",
                                kMaxBody)};
        case base::Code::deadline_exceeded:
            return {base::Code::invalid_argument, error.message};
        default:
            return error;
    }
}

}  // namespace

std::optional<registry::Operation> registry_operation(const http::RequestHead& request, std::string_view target) {
    return registry::find_operation(method_of(request), target.substr(0, target.find('?')));
}

std::string_view workspace_of(const http::RequestHead& request) {
    return base::trim(request.fields.find("x-mlflow-workspace").value_or(""));
}

base::Task<base::Result<registry::Call>> read_call(http::Exchange& exchange,
                                                   registry::Operation operation,
                                                   std::string_view target) {
    const http::RequestHead& request = exchange.request();
    registry::Call call;
    call.operation = operation;
    call.method = method_of(request);
    call.workspace = workspace_of(request);
    const std::size_t question = target.find('?');
    if (question != std::string_view::npos) {
        call.query = target.substr(question + 1);
    }
    call.content_type = request.fields.find(http::FieldName::content_type).value_or("");
    call.user = exchange.caller.key_name;
    call.author = {std::string(exchange.caller.key_id), std::string(exchange.caller.key_name)};
    if (const auto from = request.fields.find(kRollbackField)) {
        const auto version = base::parse_uint(*from);
        if (!version) {
            co_return base::fail(base::Code::invalid_argument,
                                 fmt::format("{} must be the number of a version, or 0", kRollbackField));
        }
        call.rollback_from = static_cast<std::int64_t>(*version);
    }
    base::Result<std::string> body = co_await exchange.read_whole_body(kMaxBody);
    if (!body) {
        co_return std::unexpected(broken_body(body.error()));
    }
    call.body = std::move(*body);
    co_return call;
}

}  // namespace registry_http
