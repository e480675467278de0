// Who wants to know what became of a call to MLflow, before its client does.
#pragma once

#include <string_view>

#include "base/task.hpp"
#include "http/message.hpp"

namespace mlflow {

// Called on the exchange's worker, once a call; not at all for a read that got the answer of an equal one.
class CallObserver {
public:
    virtual ~CallObserver() = default;

    // MLflow has answered; the client has not been told yet. `body` is empty when it was too large to be kept.
    virtual base::Task<> answered(unsigned status, std::string_view body) = 0;

    // MLflow gave no answer, or one that says it can't (502, 503, 504), and `refusal` is what the client
    // would be told: unless it is gone, or has been answered already. `may_have_been_carried_out`: MLflow got the whole
    // call. True: the exchange has been answered otherwise.
    virtual base::Task<bool> failed(const http::Response& refusal, bool may_have_been_carried_out) = 0;
};

}  // namespace mlflow
