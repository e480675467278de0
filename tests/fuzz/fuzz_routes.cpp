// Method and target of a call: what access is decided about is what MLflow is asked for, however the path is spelled.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/strings.hpp"
#include "fuzz.hpp"
#include "health/endpoints.hpp"
#include "http/message_parser.hpp"
#include "mlflow/routes.hpp"

namespace {

using fuzz::require;

std::string_view path_of(std::string_view target) {
    return target.substr(0, target.find('?'));
}

// As WSGI servers decode it and Werkzeug merges its slashes.
std::string as_mlflow_reads_it(std::string_view path) {
    std::string read = base::percent_decode(path);
    const auto is_second_slash = [](char left, char right) { return left == '/' && right == '/'; };
    read.erase(std::unique(read.begin(), read.end(), is_second_slash), read.end());
    return read;
}

http::RequestHead head_of(http::Method method, std::string_view target) {
    http::RequestHead head;
    head.method = method;
    head.target = target;
    head.path = path_of(target);
    return head;
}

void check_call(const http::RequestHead& head) {
    const mlflow::UpstreamCall call = mlflow::to_upstream(head);
    const bool needs_write = mlflow::required_scope(head) == "mlflow:write";
    require(needs_write == call.is_write());
    // Only our own prefix goes, and what is left is sent as it came.
    const std::string_view mount = head.target.substr(0, head.target.size() - call.target.size());
    require(head.target.ends_with(call.target));
    require(mount.empty() || mount == "/mlflow" || mount == "/api/mlflow");
    require(call.target.empty() || mount.empty() || call.target.front() == '/' || call.target.front() == '?');
    const bool is_safe =
        head.method == http::Method::get || head.method == http::Method::head || head.method == http::Method::options;
    require(!is_safe || !needs_write);
    require(needs_write || is_safe || head.method == http::Method::post);
    // Who may only read reaches nothing that needs more: not by another spelling, nor by asking again.
    const std::string read = as_mlflow_reads_it(path_of(call.target));
    require(needs_write || !mlflow::to_upstream(head_of(head.method, path_of(call.target))).is_write());
    require(needs_write || !mlflow::to_upstream(head_of(head.method, read)).is_write());
    require(mlflow::is_artifact_proxy_path(path_of(call.target)) ||
            path_of(read).find("/mlflow-artifacts/") == std::string_view::npos);
    require(needs_write || is_safe || path_of(call.target) == read);
}

void check_query(std::string_view query) {
    const std::string text(query);
    require(health::parse_detailed("") == false);
    require(health::parse_detailed(text + "&detailed=true") == true);
    require(health::parse_detailed(text + "&detailed=Off") == false);
    require(!health::parse_detailed(text + "&detailed=2"));
    require(text.find("detailed") != std::string::npos || health::parse_detailed("detailed=1&" + text) == true);
}

void run(std::string_view bytes) {
    const std::string_view method = bytes.substr(0, bytes.find(' '));
    const std::string_view target = bytes.substr(std::min(method.size() + 1, bytes.size()));
    const std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
    http::RequestParser parser({});
    const base::Result<http::ParseStep> step = parser.parse(text);
    if (!step || step->event != http::ParseStep::Event::head || step->consumed != text.size()) {
        return;
    }
    const http::RequestHead& head = parser.head();
    require(head.path == "/" || head.path == path_of(head.target));
    require(head.path == "*" || head.path.starts_with('/'));
    check_query(head.query);
    if (mlflow::is_mlflow_path(head.path)) {
        check_call(head);
    }
}

const fuzz::Registration kRegistration("routes", run);

}  // namespace
