// What else happens around a call to MLflow.
#pragma once

#include <string_view>

#include "base/task.hpp"
#include "http/message.hpp"

namespace mlflow {

// Called on the worker of the exchange, at most once a call. When neither is called the client went away first.
class CallObserver {
public:
    virtual ~CallObserver() = default;

    // False: answered() need not be called, so that a large answer can be relayed as it comes.
    [[nodiscard]] virtual bool wants_answer() const {
        return true;
    }

    // MLflow has answered, wholly; the client has not been told yet.
    virtual base::Task<> answered(unsigned status, std::string_view body) = 0;

    // MLflow gave no answer and `refusal` is what the client would be told; `may_have_been_carried_out`: it got the
    // whole call. True: the observer has answered the exchange otherwise.
    virtual base::Task<bool> failed(const http::Response& refusal, bool may_have_been_carried_out) = 0;
};

}  // namespace mlflow
