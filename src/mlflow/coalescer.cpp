#include "mlflow/coalescer.hpp"

#include <utility>
#include <vector>

#include "net/use_task.hpp"

#include <boost/asio/steady_timer.hpp>

namespace mlflow {

struct Follower {
    Follower(net::Worker& worker, Coalescer::Take take) : woken(worker.context()), take(std::move(take)) {
        woken.expires_at(boost::asio::steady_timer::time_point::max());
    }

    void wake(Coalescer::Outcome result) {
        outcome = result;
        woken.cancel();
    }

    boost::asio::steady_timer woken;
    Coalescer::Take take;
    std::optional<Coalescer::Outcome> outcome;
};

struct SharedRead {
    std::vector<std::shared_ptr<Follower>> followers;
};

namespace {

// What differs from request to request and changes no answer.
bool is_incidental(const http::Field& field) {
    switch (field.known) {
        case http::FieldName::connection:
        case http::FieldName::keep_alive:
        case http::FieldName::proxy_connection:
        case http::FieldName::forwarded:
        case http::FieldName::host:
        case http::FieldName::traceparent:
        case http::FieldName::tracestate:
        case http::FieldName::via:
        case http::FieldName::x_forwarded_for:
        case http::FieldName::x_forwarded_host:
        case http::FieldName::x_forwarded_proto:
        case http::FieldName::x_forwarded_any:
        case http::FieldName::x_hokusai_any:
        case http::FieldName::x_request_id:
            return true;
        default:
            return false;
    }
}

}  // namespace

std::string sharing_key(const http::RequestHead& request, std::string_view target) {
    std::string key(target);
    for (const http::Field& field : request.fields) {
        if (!is_incidental(field)) {
            key.append("\n").append(field.name).append(":").append(field.value);
        }
    }
    return key;
}

Coalescer::Lead::Lead(Coalescer& coalescer, std::string key)
    : coalescer_(coalescer), key_(std::move(key)), read_(std::make_shared<SharedRead>()) {
    coalescer_.open_.emplace(key_, read_);
}

Coalescer::Lead::~Lead() {
    const Outcome outcome = is_open_ ? Outcome::not_sent : Outcome::not_shared;
    close();
    for (const std::shared_ptr<Follower>& follower : std::exchange(read_->followers, {})) {
        follower->wake(outcome);
    }
}

void Coalescer::Lead::close() {
    if (std::exchange(is_open_, false)) {
        coalescer_.open_.erase(key_);
    }
}

bool Coalescer::Lead::has_followers() const {
    return !read_->followers.empty();
}

void Coalescer::Lead::share(const http::ResponseHead& head, std::string_view body) {
    for (const std::shared_ptr<Follower>& follower : std::exchange(read_->followers, {})) {
        follower->take(head, body);
        follower->wake(Outcome::answered);
    }
}

void Coalescer::Wait::cancel() {
    if (follower_ && !follower_->outcome) {
        std::erase(read_->followers, follower_);
        follower_->wake(Outcome::cancelled);
    }
}

base::Task<Coalescer::Outcome> Coalescer::join(const std::string& key, Take take, Wait& wait) {
    wait.read_ = open_.at(key);
    wait.follower_ = std::make_shared<Follower>(worker_, std::move(take));
    wait.read_->followers.push_back(wait.follower_);
    const std::shared_ptr<Follower> follower = wait.follower_;
    do {
        co_await follower->woken.async_wait(net::use_task);
    } while (!follower->outcome);
    co_return *follower->outcome;
}

}  // namespace mlflow
