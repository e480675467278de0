// An upstream's connection: however its bytes arrive, the answers taken from them are the same, and what the client
// gets is read by another implementation as exactly these answers.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "http/message_parser.hpp"
#include "mlflow/mlflow_probe.hpp"
#include "mlflow/outcome.hpp"
#include "mlflow/rewrite.hpp"
#include "strict_reader.hpp"

#include <fmt/format.h>

namespace {

using fuzz::require;

struct Caller {
    http::Method method;
    unsigned minor_version;
};

struct Answer {
    unsigned status = 0;
    std::string body;
    bool ends_connection = false;

    bool operator==(const Answer&) const = default;
};

struct Connection {
    std::vector<Answer> answers;  // complete ones
    Answer partial;
    bool is_refused = false;
    std::string client;  // the complete ones, as they are sent on

    // Chunks may be sent on in other pieces.
    bool operator==(const Connection& other) const {
        return answers == other.answers && partial == other.partial && is_refused == other.is_refused;
    }
};

const mlflow::RewriteRules kRules{.host = "mlflow:5000",
                                  .base_path = {},
                                  .authorization = "Bearer upstream",
                                  .forwards_caller_authorization = false,
                                  .via_name = "hokusai-1"};

// Drives the parser as http::ClientConnection does, and writes as mlflow::GatewayCall does. The caller sends its next
// call when the last one is answered.
class Gateway {
public:
    Gateway(Caller caller, const std::vector<std::string_view>& pieces) : caller_(caller) {
        parser_.start(caller.method);
        for (const std::string_view piece : pieces) {
            pending_ += piece;
            while (!is_over_ && step()) {
            }
        }
        if (!is_over_ && parser_.finish_at_close()) {
            end();
        }
    }

    Connection told;

private:
    // False when more bytes are needed.
    bool step() {
        const base::Result<http::ParseStep> result = parser_.parse(pending_);
        if (!result) {
            told.is_refused = is_over_ = true;
            return false;
        }
        const std::string body(result->body);
        pending_.erase(0, result->consumed);
        switch (result->event) {
            case http::ParseStep::Event::need_more:
                return false;
            case http::ParseStep::Event::head:
                begin();
                break;
            case http::ParseStep::Event::body:
                add(body);
                break;
            case http::ParseStep::Event::end:
                end();
                break;
        }
        return true;
    }

    void begin() {
        const http::ResponseHead& head = parser_.head();
        if (head.status < 200) {
            parser_.start(caller_.method);
            return;
        }
        framing_ = mlflow::client_framing(head, caller_.minor_version).kind;
        told.partial.status = head.status;
        told.partial.ends_connection = framing_ == http::Framing::Kind::until_close || !head.is_keep_alive;
        mlflow::append_client_head(
            written_, head, {"id", "Vary: Origin\r\n", caller_.minor_version, told.partial.ends_connection}, kRules);
        for (const mlflow::CallKind kind : {mlflow::CallKind::read, mlflow::CallKind::artifact_read}) {
            const mlflow::Verdict verdict = mlflow::judge(head, kind, {});
            require(!verdict.retry_after || *verdict.retry_after >= base::Duration::zero());
        }
        if (head.framing.kind == http::Framing::Kind::none) {
            end();
        }
    }

    void add(const std::string& body) {
        require(!body.empty());
        told.partial.body += body;
        written_ += framing_ == http::Framing::Kind::chunked ? fmt::format("{:x}\r\n{}\r\n", body.size(), body) : body;
    }

    void end() {
        told.client += written_ + (framing_ == http::Framing::Kind::chunked ? "0\r\n\r\n" : "");
        written_.clear();
        is_over_ = told.partial.ends_connection;
        const health::ProbeResult probed = mlflow::judge_search(
            {.status = told.partial.status, .body = told.partial.body}, !told.partial.body.empty(), kRules.host);
        require(probed.passed == (told.partial.status == 200));
        told.answers.push_back(std::exchange(told.partial, {}));
        parser_.start(caller_.method);
    }

    Caller caller_;
    http::ResponseParser parser_{http::ParserLimits{}};
    http::Framing::Kind framing_ = http::Framing::Kind::none;
    std::string pending_;
    std::string written_;
    bool is_over_ = false;
};

void require_same_answers(const Connection& connection, Caller caller) {
    std::string_view rest = connection.client;
    for (const Answer& answer : connection.answers) {
        const bool has_body = caller.method != http::Method::head && answer.status != 204 && answer.status != 304;
        const auto message =
            fuzz::read_strictly(rest, has_body ? fuzz::StrictKind::answer : fuzz::StrictKind::answer_without_body);
        require(message.has_value());
        require(message->start_line.starts_with(fmt::format("HTTP/1.1 {:03} ", answer.status)));
        require(message->body == answer.body);
        const auto count = [&](std::string_view name) {
            return std::ranges::count(message->fields, name, &fuzz::StrictField::name);
        };
        require(count("x-request-id") == 1 && count("via") == 1 && count("upgrade") == 0);
        require(count("connection") == (answer.ends_connection || caller.minor_version == 0 ? 1 : 0));
        require(count("transfer-encoding") == 0 || caller.minor_version == 1);
        require(answer.status != 204 || count("content-length") == 0);
        require(!message->lasts_until_close || answer.ends_connection);
        if (answer.ends_connection) {
            break;
        }
    }
    require(rest.empty());
}

void run(std::string_view bytes) {
    for (const Caller caller :
         {Caller{http::Method::get, 1}, Caller{http::Method::get, 0}, Caller{http::Method::head, 1}}) {
        const Connection first = Gateway(caller, {bytes}).told;
        for (const auto& pieces : fuzz::arrivals(bytes)) {
            const Connection connection = Gateway(caller, pieces).told;
            require(connection == first);
            require_same_answers(connection, caller);
        }
    }
}

const fuzz::Registration kRegistration("response", run);

}  // namespace
