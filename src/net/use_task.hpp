// Boost.Asio's operations as something a base::Task can await.
#pragma once

#include <coroutine>
#include <optional>
#include <tuple>
#include <utility>

#include <boost/asio/async_result.hpp>

namespace net {

// A completion token: `const auto [error] = co_await timer.async_wait(net::use_task);`. The task goes on where the
// operation's I/O object runs its handlers.
struct UseTask {};

inline constexpr UseTask use_task{};

// One operation, begun when awaited. Gives what its handler would get, as a tuple.
template <class Initiation, class Arguments, class... Results>
class AsioOperation {
public:
    AsioOperation(Initiation initiation, Arguments arguments)
        : initiation_(std::move(initiation)), arguments_(std::move(arguments)) {}

    static bool await_ready() noexcept {
        return false;
    }

    void await_suspend(std::coroutine_handle<> caller) {
        caller_ = caller;
        std::apply(
            [this](auto&&... arguments) {
                std::move(initiation_)(Handler{this}, std::forward<decltype(arguments)>(arguments)...);
            },
            std::move(arguments_));
    }

    std::tuple<Results...> await_resume() {
        return *std::move(results_);
    }

private:
    struct Handler {
        AsioOperation* operation;

        void operator()(Results... results) {
            operation->results_.emplace(std::move(results)...);
            operation->caller_.resume();
        }
    };

    Initiation initiation_;
    Arguments arguments_;
    std::coroutine_handle<> caller_;
    std::optional<std::tuple<Results...>> results_;
};

}  // namespace net

template <class... Results>
struct boost::asio::async_result<net::UseTask, void(Results...)> {
    template <class Initiation, class... Arguments>
    static auto initiate(Initiation initiation, net::UseTask /*token*/, Arguments... arguments) {
        using Operation = net::AsioOperation<Initiation, std::tuple<Arguments...>, Results...>;
        return Operation(std::move(initiation), std::tuple<Arguments...>(std::move(arguments)...));
    }
};
