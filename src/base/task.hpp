// The coroutine type of the whole tree; the one Asio header that pure ports may use.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace base {

// A lazy coroutine. It runs on the executor it is awaited from and must not outlive what its parameters refer to.
template <class T = void>
using Task = boost::asio::awaitable<T>;

}  // namespace base
