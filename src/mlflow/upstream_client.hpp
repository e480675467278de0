// Our own questions to MLflow, on connections apart from traffic.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "http/client_pool.hpp"
#include "mlflow/upstream.hpp"
#include "net/worker.hpp"

namespace mlflow {

struct UpstreamAnswer {
    unsigned status = 0;
    bool asks_for_time = false;  // Retry-After
    bool is_whole = true;        // the body; otherwise as much of it as was asked for
    std::string body;
};

// Whether it may be a Question's workspace: what goes into a head must end where its line ends.
bool is_workspace_name(std::string_view text);

// Asks MLflow with the gateway's own credentials. Lives on one worker.
class UpstreamClient {
public:
    // `name` is what MLflow's log shows; at most `kept` connections are kept between questions.
    UpstreamClient(net::Worker& worker,
                   const Upstream& upstream,
                   std::string name,
                   base::Duration connect_timeout,
                   std::size_t kept);

    struct Question {
        std::string target;       // starts with a slash; the upstream's base path is put before it
        std::string workspace{};  // empty: the default one
        std::size_t max_body = 0;
        base::MonotonicTime limit;       // connect included
        std::string_view method{"GET"};  // outlives the question
        std::string json{};              // the body
        std::string fields{};            // more of the head, each line with its end
    };

    base::Task<base::Result<UpstreamAnswer>> get(Question question);

    // What becomes of a body that is not kept in memory.
    class Receiver {
    public:
        virtual ~Receiver() = default;

        // An answer of 200.
        virtual base::Task<base::Result<void>> begin(const http::ResponseHead& head) = 0;
        virtual base::Task<base::Result<void>> take(std::string_view piece) = 0;
    };

    // The question's limit is for the head; then `patience` is, for each piece. An answer other than 200 comes back as
    // from get(), a 200 without its body.
    base::Task<base::Result<UpstreamAnswer>> receive(Question question, Receiver& receiver, base::Duration patience);

    // Any method, at most once: without an answer it may have been carried out.
    base::Task<base::Result<UpstreamAnswer>> send(Question question);

    // Ends what is being asked, and asks nothing more.
    void stop();

private:
    class Active;

    struct Transfer {
        Receiver* receiver = nullptr;  // null: the body is kept in memory
        base::Duration patience{0};
    };

    [[nodiscard]] std::string head_of(const Question& question) const;
    // Once more where a kept connection was closed meanwhile.
    base::Task<base::Result<UpstreamAnswer>> ask_again(Question question, Transfer transfer);
    // `was_stale`: it went over a kept connection that had been closed meanwhile.
    base::Task<base::Result<UpstreamAnswer>> ask(const Question& question,
                                                 http::ClientPool::Freshness freshness,
                                                 bool& was_stale,
                                                 Transfer transfer);
    base::Task<base::Result<UpstreamAnswer>> exchange(const Question& question,
                                                      http::ClientConnection& connection,
                                                      Transfer transfer);
    static base::Task<base::Result<void>> hand_on(const http::ResponseHead& head,
                                                  http::ClientConnection& connection,
                                                  Transfer transfer);
    base::Task<base::Result<void>> read_body(const Question& question,
                                             http::ClientConnection& connection,
                                             UpstreamAnswer& answer);

    net::Worker& worker_;
    const Upstream& upstream_;
    const std::string name_;
    http::ClientPool pool_;
    std::list<http::ClientConnection*> active_;
    bool is_stopping_ = false;
};

}  // namespace mlflow
