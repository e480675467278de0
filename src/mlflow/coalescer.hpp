// Equal reads that wait for a place at the same time go to MLflow once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/task.hpp"
#include "http/message.hpp"
#include "net/worker.hpp"

namespace mlflow {

struct Follower;  // of coalescer.cpp
struct SharedRead;

// All that MLflow could heed: reads with the same key get the same answer. The caller's credentials are part of it.
std::string sharing_key(const http::RequestHead& request, std::string_view target);

// Lives on one worker; outlives every Lead and every join().
class Coalescer {
public:
    explicit Coalescer(net::Worker& worker) : worker_(worker) {}

    // The one read of a key that goes to MLflow. Others may join it until it is sent: later, its answer could miss what
    // the newcomer has just written. Whoever has got no answer when it ends goes on by itself.
    class Lead {
    public:
        Lead(Coalescer& coalescer, std::string key);
        Lead(const Lead&) = delete;
        Lead& operator=(const Lead&) = delete;
        ~Lead();

        void close();  // about to be sent

        [[nodiscard]] bool has_followers() const;

        void share(const http::ResponseHead& head, std::string_view body);

    private:
        Coalescer& coalescer_;
        std::string key_;
        std::shared_ptr<SharedRead> read_;
        bool is_open_ = true;
    };

    // Lets the owner of a call end its wait.
    class Wait {
    public:
        void cancel();

    private:
        friend class Coalescer;
        std::shared_ptr<SharedRead> read_;
        std::shared_ptr<Follower> follower_;
    };

    enum class Outcome {
        answered,
        not_sent,    // the lead was given up before it reached MLflow: somebody else may lead
        not_shared,  // its answer, or its failure, is its own
        cancelled,
    };

    using Take = std::function<void(const http::ResponseHead&, std::string_view body)>;

    [[nodiscard]] bool has_lead(const std::string& key) const {
        return open_.contains(key);
    }

    // Waits for the answer of the read that leads, which there must be. `take` gets it, before this returns.
    base::Task<Outcome> join(const std::string& key, Take take, Wait& wait);

private:
    net::Worker& worker_;
    std::unordered_map<std::string, std::shared_ptr<SharedRead>> open_;
};

}  // namespace mlflow
