#include "mlflow/upstream_client.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace mlflow {

bool is_workspace_name(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

UpstreamClient::UpstreamClient(
    net::Worker& worker, const Upstream& upstream, std::string name, base::Duration connect_timeout, std::size_t kept)
    : worker_(worker), upstream_(upstream), name_(std::move(name)), pool_(worker, upstream.resolver, [&] {
          http::ClientPoolSettings settings = upstream.pool_settings();
          settings.connect_timeout = std::min(settings.connect_timeout, connect_timeout);
          settings.max_idle_connections = kept;
          return settings;
      }()) {}

// Lets stop() end the question in progress.
class UpstreamClient::Active {
public:
    Active(UpstreamClient& client, http::ClientConnection& connection)
        : client_(client), place_(client.active_.insert(client.active_.end(), &connection)) {
        if (client.is_stopping_) {
            connection.cancel();
        }
    }

    Active(const Active&) = delete;
    Active& operator=(const Active&) = delete;

    ~Active() {
        client_.active_.erase(place_);
    }

private:
    UpstreamClient& client_;
    std::list<http::ClientConnection*>::iterator place_;
};

void UpstreamClient::stop() {
    is_stopping_ = true;
    for (http::ClientConnection* connection : active_) {
        connection->cancel();
    }
    pool_.clear();
}

std::string UpstreamClient::head_of(const Question& question) const {
    const RewriteRules& rules = upstream_.rules;
    std::string head =
        fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: application/json\r\nVia: 1.1 {}\r\n",
                    question.method,
                    rules.base_path,
                    question.target,
                    rules.host,
                    name_,
                    rules.via_name);
    if (!question.workspace.empty()) {
        head += fmt::format("X-MLFLOW-WORKSPACE: {}\r\n", question.workspace);
    }
    if (!rules.authorization.empty()) {
        head += fmt::format("Authorization: {}\r\n", rules.authorization);
    }
    if (!question.json.empty()) {
        head += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", question.json.size());
    }
    return head + question.fields + "\r\n";
}

base::Task<base::Result<UpstreamAnswer>> UpstreamClient::get(Question question) {
    return ask_again(std::move(question), {});
}

base::Task<base::Result<UpstreamAnswer>> UpstreamClient::receive(Question question,
                                                                 Receiver& receiver,
                                                                 base::Duration patience) {
    return ask_again(std::move(question), {&receiver, patience});
}

base::Task<base::Result<UpstreamAnswer>> UpstreamClient::ask_again(Question question, Transfer transfer) {
    bool was_stale = false;
    base::Result<UpstreamAnswer> answer =
        co_await ask(question, http::ClientPool::Freshness::kept_or_new, was_stale, transfer);
    if (was_stale) {
        answer = co_await ask(question, http::ClientPool::Freshness::newly_opened, was_stale, transfer);
    }
    co_return answer;
}

base::Task<base::Result<UpstreamAnswer>> UpstreamClient::send(Question question) {
    bool was_stale = false;
    base::Result<UpstreamAnswer> answer =
        co_await ask(question, http::ClientPool::Freshness::kept_or_new, was_stale, {});
    co_return answer;
}

base::Task<base::Result<UpstreamAnswer>> UpstreamClient::ask(const Question& question,
                                                             http::ClientPool::Freshness freshness,
                                                             bool& was_stale,
                                                             Transfer transfer) {
    base::Result<std::unique_ptr<http::ClientConnection>> connection =
        co_await pool_.acquire(freshness, question.limit);
    if (!connection) {
        co_return std::unexpected(connection.error());
    }
    base::Result<UpstreamAnswer> answer = co_await exchange(question, **connection, transfer);
    if (!answer) {
        was_stale = (*connection)->is_reused() && !(*connection)->has_received() &&
                    answer.error().code == base::Code::unavailable;
    } else if (answer->is_whole) {
        pool_.release(std::move(*connection));
    }
    co_return answer;
}

base::Task<base::Result<UpstreamAnswer>> UpstreamClient::exchange(const Question& question,
                                                                  http::ClientConnection& connection,
                                                                  Transfer transfer) {
    const Active active(*this, connection);
    const std::string head = head_of(question);
    const std::array<boost::asio::const_buffer, 2> request{boost::asio::buffer(head),
                                                           boost::asio::buffer(question.json)};
    const base::Result<void> sent = co_await connection.write(request, question.limit - worker_.now());
    if (!sent) {
        co_return std::unexpected(sent.error());
    }
    connection.end_request();
    const base::Result<const http::ResponseHead*> answer_head =
        co_await connection.read_head(http::to_method(question.method), question.limit);
    if (!answer_head) {
        co_return std::unexpected(answer_head.error());
    }
    UpstreamAnswer answer;
    answer.status = (*answer_head)->status;
    answer.asks_for_time = (*answer_head)->fields.has(http::FieldName::retry_after);
    const bool is_handed_on = transfer.receiver != nullptr && answer.status == 200;
    const base::Result<void> read = co_await (is_handed_on ? hand_on(**answer_head, connection, transfer)
                                                           : read_body(question, connection, answer));
    if (!read) {
        co_return std::unexpected(read.error());
    }
    co_return answer;
}

base::Task<base::Result<void>> UpstreamClient::hand_on(const http::ResponseHead& head,
                                                       http::ClientConnection& connection,
                                                       Transfer transfer) {
    base::Result<void> taken = co_await transfer.receiver->begin(head);
    while (taken) {
        const base::Result<std::string_view> piece = co_await connection.read_body(transfer.patience);
        if (!piece) {
            co_return std::unexpected(piece.error());
        }
        if (piece->empty()) {
            break;
        }
        taken = co_await transfer.receiver->take(*piece);
    }
    co_return taken;
}

base::Task<base::Result<void>> UpstreamClient::read_body(const Question& question,
                                                         http::ClientConnection& connection,
                                                         UpstreamAnswer& answer) {
    for (;;) {
        const base::Result<std::string_view> piece = co_await connection.read_body(question.limit - worker_.now());
        if (!piece) {
            co_return std::unexpected(piece.error());
        }
        if (piece->empty()) {
            co_return base::Result<void>();
        }
        answer.body.append(*piece);
        if (answer.body.size() > question.max_body) {
            answer.body.resize(question.max_body);
            answer.is_whole = false;
            co_return base::Result<void>();
        }
    }
}

}  // namespace mlflow
