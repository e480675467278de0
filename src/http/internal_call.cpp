#include "http/internal_call.hpp"

#include <array>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "http/server_connection.hpp"
#include "net/stream.hpp"
#include "net/use_task.hpp"

#include <boost/system/system_error.hpp>
#include <fmt/format.h>

namespace http {

namespace {

struct StreamPair {
    std::unique_ptr<net::Stream> client;
    std::unique_ptr<net::Stream> server;
};

std::optional<StreamPair> connect_pair(net::Poller& poller) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return std::nullopt;
    }
    StreamPair pair;
    try {
        pair.client = std::make_unique<net::TcpStream>(poller, ends[0]);
    } catch (const boost::system::system_error&) {
        ::close(ends[1]);
        return std::nullopt;
    }
    try {
        pair.server = std::make_unique<net::TcpStream>(poller, ends[1]);
    } catch (const boost::system::system_error&) {
        return std::nullopt;
    }
    return pair;
}

}  // namespace

class InternalCall::Handler final : public RequestHandler {
public:
    Handler(Origin origin, Handle handle) : origin_(std::move(origin)), handle_(std::move(handle)) {}

    bool try_answer(Exchange& exchange) override {
        exchange.caller = origin_.caller;
        exchange.is_authorized = true;
        return false;
    }

    base::Task<> handle(Exchange& exchange) override {
        return handle_(exchange);
    }

    [[nodiscard]] bool is_health(const RequestHead& /*request*/) const override {
        return false;
    }

    void finished(const Exchange& /*exchange*/, base::Duration /*elapsed*/) override {}

private:
    const Origin origin_;
    const Handle handle_;
};

InternalCall::InternalCall(net::Worker& worker, const ServerSettings& settings, Origin origin, Handle handle)
    : worker_(worker), origin_(origin), context_(worker, settings, connections_), ended_(worker.context()) {
    context_.handler = std::make_unique<Handler>(std::move(origin), std::move(handle));
}

InternalCall::~InternalCall() = default;

base::Task<base::Result<InternalAnswer>> InternalCall::make(InternalRequest request,
                                                            base::MonotonicTime limit,
                                                            std::size_t max_body) {
    std::optional<StreamPair> pair = connect_pair(worker_.poller());
    if (!pair) {
        co_return base::fail(base::Code::unavailable, "no more files can be opened; try again shortly");
    }
    client_ = std::make_unique<ClientConnection>(worker_, std::move(pair->client), ParserLimits{});
    is_serving_ = true;
    ended_.expires_at(boost::asio::steady_timer::time_point::max());
    worker_.tasks().spawn("internal_call", serve(std::move(pair->server)));
    bool has_expired = false;
    net::Deadline deadline(worker_.deadlines(), [this, &has_expired] {
        has_expired = true;
        abort();
    });
    deadline.set(limit);
    base::Result<InternalAnswer> answer = co_await ask(std::move(request), limit, max_body);
    deadline.clear();
    client_.reset();
    if (!answer) {
        abort();
    }
    co_await wait_for_end();
    if (!answer && has_expired) {
        co_return base::fail(base::Code::deadline_exceeded, "no answer came in time");
    }
    co_return answer;
}

base::Task<> InternalCall::serve(std::unique_ptr<net::Stream> stream) {
    {
        ServerConnection connection(context_, std::move(stream), origin_.peer, false);
        co_await connection.run();
    }
    is_serving_ = false;
    ended_.cancel();
}

base::Task<> InternalCall::wait_for_end() {
    while (is_serving_) {
        co_await ended_.async_wait(net::use_task);
    }
}

base::Task<base::Result<InternalAnswer>> InternalCall::ask(InternalRequest request,
                                                           base::MonotonicTime limit,
                                                           std::size_t max_body) {
    ClientConnection& client = *client_;
    const bool has_body = request.method != "GET";
    const std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: internal\r\nConnection: close\r\n{}{}\r\n",
                                         request.method,
                                         request.target,
                                         has_body ? fmt::format("Content-Length: {}\r\n", request.body.size()) : "",
                                         request.fields);
    const std::array<boost::asio::const_buffer, 2> parts{boost::asio::buffer(head), boost::asio::buffer(request.body)};
    const base::Result<void> sent = co_await client.write(parts, limit - worker_.now());
    if (!sent && !client.has_early_answer()) {
        co_return std::unexpected(sent.error());
    }
    client.end_request();
    const base::Result<const ResponseHead*> answer_head = co_await client.read_head(to_method(request.method), limit);
    if (!answer_head) {
        co_return std::unexpected(answer_head.error());
    }
    const ResponseHead& answered = **answer_head;
    InternalAnswer answer;
    answer.status = answered.status;
    answer.retry_after = answered.fields.find(FieldName::retry_after).value_or("");
    answer.age = answered.fields.find("age").value_or("");
    answer.source = answered.fields.find("x-hokusai-source").value_or("");
    for (;;) {
        const base::Result<std::string_view> piece = co_await client.read_body(limit - worker_.now());
        if (!piece) {
            co_return std::unexpected(piece.error());
        }
        if (piece->empty()) {
            co_return answer;
        }
        if (answer.body.size() + piece->size() > max_body) {
            co_return base::fail(base::Code::exhausted, fmt::format("the answer is larger than {} bytes", max_body));
        }
        answer.body.append(*piece);
    }
}

void InternalCall::abort() {
    if (client_) {
        client_->cancel();
    }
    for (Exchange* exchange : context_.exchanges) {
        exchange->abort();
    }
}

}  // namespace http
