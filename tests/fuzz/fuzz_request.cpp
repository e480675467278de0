// A client's connection: however its bytes arrive, the calls taken from them are the same, and what is sent on to
// MLflow is read by another implementation as exactly these calls.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/strings.hpp"
#include "fuzz.hpp"
#include "http/message_parser.hpp"
#include "mlflow/rewrite.hpp"
#include "mlflow/routes.hpp"
#include "strict_reader.hpp"

#include <fmt/format.h>

namespace {

using fuzz::require;

struct Call {
    std::string start;   // method and target, as they go upstream
    std::string fields;  // all the client sent
    std::string named;   // by Connection
    std::string body;
    std::size_t end = 0;  // in the bytes of the client
    bool is_forwarded = false;

    bool operator==(const Call&) const = default;
};

struct Connection {
    std::vector<Call> calls;  // complete ones
    std::string partial;      // what was taken from the one that never became complete
    bool is_refused = false;
    std::string upstream;  // the complete ones, as they are sent on

    // Chunks may be sent on in other pieces.
    bool operator==(const Connection& other) const {
        return calls == other.calls && partial == other.partial && is_refused == other.is_refused;
    }
};

const mlflow::RewriteRules kRules{.host = "mlflow:5000",
                                  .base_path = "/tracking",
                                  .authorization = "Bearer upstream",
                                  .forwards_caller_authorization = false,
                                  .via_name = "hokusai-1"};

mlflow::RequestFacts facts_of(const http::RequestHead& head) {
    mlflow::RequestFacts facts;
    facts.target = mlflow::to_upstream(head).target;
    facts.request_id = "id";
    facts.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    facts.key_id = "key";
    facts.key_name = "name";
    facts.peer_address = "192.0.2.1";
    facts.trusts_peer = head.fields.find("x-trusted").has_value();
    return facts;
}

std::string text_of(const http::Fields& fields) {
    std::string text;
    for (const http::Field& field : fields) {
        text.append(base::to_lower(field.name)).append(": ").append(field.value).append("\n");
    }
    return text;
}

std::string named_in(const http::Fields& fields) {
    std::string names = "\n";
    for (const http::Field& field : fields) {
        if (base::iequals(field.name, "connection")) {
            for (const std::string_view name : base::split_list(field.value, ',')) {
                names.append(base::to_lower(name)).append("\n");
            }
        }
    }
    return names;
}

// Drives the parser as http::Exchange does, and writes as mlflow::GatewayCall does.
class Gateway {
public:
    Gateway(http::ParserLimits limits, const std::vector<std::string_view>& pieces) : parser_(limits) {
        for (const std::string_view piece : pieces) {
            pending_ += piece;
            while (!is_over_ && step()) {
            }
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
        consumed_ += result->consumed;
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
        const http::RequestHead& head = parser_.head();
        require(head.path.starts_with('/') || head.path == "*");
        const mlflow::RequestFacts facts = facts_of(head);
        call_ = {fmt::format("{} {}{}{}",
                             head.method_text,
                             kRules.base_path,
                             facts.target.starts_with('/') ? "" : "/",
                             facts.target),
                 text_of(head.fields),
                 named_in(head.fields),
                 {},
                 0,
                 mlflow::is_mlflow_path(head.path)};
        told.partial = call_.start;
        written_.clear();
        if (call_.is_forwarded) {
            mlflow::append_upstream_head(written_, head, facts, kRules);
        }
        if (head.framing.kind == http::Framing::Kind::none) {
            end();
        }
    }

    void add(const std::string& body) {
        require(!body.empty());
        const bool is_chunked = parser_.head().framing.kind == http::Framing::Kind::chunked;
        call_.body += body;
        told.partial += body;
        written_ += is_chunked ? fmt::format("{:x}\r\n{}\r\n", body.size(), body) : body;
    }

    void end() {
        written_ += parser_.head().framing.kind == http::Framing::Kind::chunked ? "0\r\n\r\n" : "";
        call_.end = consumed_;
        told.partial.clear();
        told.upstream += call_.is_forwarded ? written_ : "";
        told.calls.push_back(call_);
        is_over_ = !parser_.head().is_keep_alive;
        parser_.start();
    }

    http::RequestParser parser_;
    std::string pending_;
    std::string written_;
    Call call_;
    std::size_t consumed_ = 0;
    bool is_over_ = false;
};

// Nothing is taken for a call that another reader would refuse, or see end elsewhere.
void require_same_boundaries(const std::vector<Call>& calls, std::string_view bytes) {
    std::string_view rest = bytes;
    for (const Call& call : calls) {
        const auto message = fuzz::read_strictly(rest, fuzz::StrictKind::request);
        require(message.has_value());
        require(message->body == call.body);
        require(bytes.size() - rest.size() == call.end);
    }
}

// Written by the gateway for each call, so never more than one of each.
constexpr std::array<std::string_view, 10> kOwn{"host",
                                                "authorization",
                                                "content-length",
                                                "transfer-encoding",
                                                "via",
                                                "x-request-id",
                                                "traceparent",
                                                "x-forwarded-for",
                                                "x-forwarded-proto",
                                                "x-forwarded-host"};
// Never sent on, because they belong to the hop before or speak for the gateway.
constexpr std::array<std::string_view, 14> kForbidden{"connection",
                                                      "keep-alive",
                                                      "proxy-connection",
                                                      "proxy-authenticate",
                                                      "proxy-authorization",
                                                      "te",
                                                      "trailer",
                                                      "upgrade",
                                                      "expect",
                                                      "origin",
                                                      "x-api-key",
                                                      "x-real-ip",
                                                      "x-forwarded-user",
                                                      "forwarded"};

void require_clean_fields(const fuzz::StrictMessage& message, const Call& call) {
    std::vector<std::string> names;
    for (const fuzz::StrictField& field : message.fields) {
        // WSGI servers take one for the other.
        std::string& name = names.emplace_back(field.name);
        std::ranges::replace(name, '_', '-');
        require(std::ranges::find(kForbidden, name) == kForbidden.end());
        if (name == "host") {
            require(field.value == kRules.host);
        } else if (name == "authorization") {
            require(field.value == kRules.authorization);
        } else if (name.starts_with("x-hokusai-")) {
            require(field.value == "key" || field.value == "name");
        } else if (std::ranges::find(kOwn, name) == kOwn.end()) {
            require(!name.starts_with("x-forwarded-"));
            require(call.fields.find(field.name + ": " + field.value + "\n") != std::string::npos);
            // "close" is an option of the connection and no field's name (RFC 9110, section 18.4).
            require(name == "close" || call.named.find("\n" + field.name + "\n") == std::string::npos);
        }
    }
    for (const std::string_view name : kOwn) {
        require(std::ranges::count(names, name) <= 1);
    }
}

void require_same_calls(const Connection& connection) {
    std::string_view rest = connection.upstream;
    for (const Call& call : connection.calls) {
        if (!call.is_forwarded) {
            continue;
        }
        const auto message = fuzz::read_strictly(rest, fuzz::StrictKind::request);
        require(message.has_value());
        require(message->start_line == call.start + " HTTP/1.1");
        require(message->body == call.body);
        require_clean_fields(*message, call);
    }
    require(rest.empty());
}

void run(std::string_view bytes) {
    for (const http::ParserLimits limits : {http::ParserLimits{}, http::ParserLimits{200, 8}}) {
        const Connection first = Gateway(limits, {bytes}).told;
        require_same_boundaries(first.calls, bytes);
        for (const auto& pieces : fuzz::arrivals(bytes)) {
            const Connection connection = Gateway(limits, pieces).told;
            require(connection == first);
            require_same_calls(connection);
        }
        // Our own parser takes what was written as just as many calls.
        const Connection again = Gateway({}, {first.upstream}).told;
        require(!again.is_refused && again.partial.empty());
        require(std::cmp_equal(again.calls.size(),
                               std::ranges::count_if(first.calls, [](const Call& call) { return call.is_forwarded; })));
    }
}

const fuzz::Registration kRegistration("request", run);

}  // namespace
