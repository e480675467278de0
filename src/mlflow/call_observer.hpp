// Who wants to know what became of a call to MLflow, before its client does.
#pragma once

#include <string_view>

#include "base/task.hpp"
#include "http/message.hpp"

namespace mlflow {

// Takes a copy of an answer's body while it is passed on.
class AnswerCopy {
public:
    virtual ~AnswerCopy() = default;

    // The client has been sent `piece`. It gets no more of it before this ends.
    virtual base::Task<> append(std::string_view piece) = 0;

    // That was all; not called for a body that broke off.
    virtual void finish() = 0;
};

// Called on the exchange's worker, once a call; not at all for a read that got the answer of an equal one.
class CallObserver {
public:
    virtual ~CallObserver() = default;

    // MLflow has answered; the client has not been told yet. `body` is empty when it was too large to be kept.
    virtual base::Task<> answered(unsigned status, std::string_view body) = 0;

    // The answer is about to be passed on. Null: nobody wants a copy. What it points to outlives the call.
    virtual AnswerCopy* copy(const http::ResponseHead& /*head*/) {
        return nullptr;
    }

    // MLflow gave no answer, or one that says it can't (502, 503, 504), and `refusal` is what the client
    // would be told: unless it is gone, or has been answered already. `may_have_been_carried_out`: MLflow got the whole
    // call. True: the exchange has been answered otherwise.
    virtual base::Task<bool> failed(const http::Response& refusal, bool may_have_been_carried_out) = 0;
};

}  // namespace mlflow
