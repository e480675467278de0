// open_loop PORT RATE SECONDS FILE: sends the request in FILE to 127.0.0.1:PORT at a fixed rate, its #### numbered, and
// prints percentiles of the answers' latencies as JSON, in microseconds.
//
// The schedule is open: a request is due at its time, whether or not earlier ones were answered. A latency runs to the
// kernel's own time stamp of the arriving answer, from the moment of sending, or, if all connections were waiting then,
// from when the request was due; so a server's stall is counted on every request it delayed, and this process's own
// wait for a processor on none.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <iterator>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "base/strings.hpp"

#include <fmt/format.h>

namespace {

using Nanoseconds = std::int64_t;  // since the epoch: the kernel stamps packets with that clock

constexpr Nanoseconds kSecond = 1'000'000'000;
constexpr Nanoseconds kWarmUp = kSecond / 2;  // not counted
constexpr Nanoseconds kPatience = 2 * kSecond;
constexpr int kConnections = 64;

Nanoseconds now() {
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * kSecond + time.tv_nsec;
}

int checked(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return result;
}

int connect_to(std::uint16_t port) {
    const int socket = checked(::socket(AF_INET, SOCK_STREAM, 0), "socket");
    const int on = 1;
    checked(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
    checked(::setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on), "SO_TIMESTAMPNS");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    checked(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
    return socket;
}

bool is_whole(std::string_view answer) {
    const std::size_t end = answer.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        return false;
    }
    if (!answer.starts_with("HTTP/1.1 200 ")) {
        throw std::runtime_error(std::string(answer.substr(0, answer.find("\r\n"))));
    }
    constexpr std::string_view kLength = "content-length: ";
    for (std::size_t line = 0; line < end; line = answer.find("\r\n", line) + 2) {
        if (base::istarts_with(answer.substr(line), kLength)) {
            const char* digits = answer.data() + line + kLength.size();
            std::size_t length = 0;
            std::from_chars(digits, answer.data() + end, length);
            return answer.size() >= end + 4 + length;
        }
    }
    throw std::runtime_error("an answer without Content-Length");
}

struct Connection {
    int socket = -1;
    std::string answer;
    Nanoseconds counts_from = 0;

    void send(std::string_view request) const {
        if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
            throw std::runtime_error("a request could not be sent whole");
        }
    }

    // The arrival of the bytes read, by the kernel's clock.
    Nanoseconds receive() {
        std::array<char, 4096> bytes{};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> control{};
        iovec vector{bytes.data(), bytes.size()};
        msghdr message{};
        message.msg_iov = &vector;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        const ssize_t count = ::recvmsg(socket, &message, 0);
        if (count <= 0) {
            throw std::runtime_error("the server closed a connection");
        }
        answer.append(bytes.data(), static_cast<std::size_t>(count));
        const cmsghdr* stamp = CMSG_FIRSTHDR(&message);
        if (stamp == nullptr || stamp->cmsg_type != SCM_TIMESTAMPNS) {
            throw std::runtime_error("the kernel gives no time stamps");
        }
        timespec time{};
        std::memcpy(&time, CMSG_DATA(stamp), sizeof time);
        return time.tv_sec * kSecond + time.tv_nsec;
    }
};

class Generator {
public:
    Generator(std::uint16_t port, double rate, double seconds, std::string request)
        : interval_(static_cast<Nanoseconds>(static_cast<double>(kSecond) / rate)),
          count_(static_cast<std::size_t>(rate * seconds)),
          request_(std::move(request)),
          number_at_(request_.find("####")) {
        for (int i = 0; i < kConnections; ++i) {
            connections_.push_back({connect_to(port), {}, 0});
        }
        for (Connection& connection : connections_) {
            epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
            checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event), "epoll_ctl");
            free_.push_back(&connection);
        }
    }

    Generator(const Generator&) = delete;
    Generator& operator=(const Generator&) = delete;

    ~Generator() {
        for (const Connection& connection : connections_) {
            ::close(connection.socket);
        }
        ::close(epoll_);
    }

    void run() {
        start_ = now();
        while (answered_ < count_) {
            const Nanoseconds next = sent_ < count_ ? due(sent_) : due(count_) + kPatience;
            // With all connections waiting, only an answer lets the next request go.
            wait_until(free_.empty() ? now() + kPatience : next);
            while (sent_ < count_ && !free_.empty() && due(sent_) <= now()) {
                send_next();
            }
            if (now() > due(count_) + kPatience) {
                throw std::runtime_error(fmt::format("{} requests were not answered", count_ - answered_));
            }
        }
    }

    [[nodiscard]] std::string report() {
        return fmt::format(
            R"({{"requests":{},"p50":{:.1f},"p99":{:.1f},"p999":{:.1f},"max":{:.1f},"late_p99":{:.1f}}})",
            latencies_.size(),
            percentile(latencies_, 50),
            percentile(latencies_, 99),
            percentile(latencies_, 99.9),
            percentile(latencies_, 100),
            percentile(lateness_, 99));
    }

private:
    [[nodiscard]] Nanoseconds due(std::size_t number) const {
        return start_ + static_cast<Nanoseconds>(number) * interval_;
    }

    void send_next() {
        Connection& connection = *free_.front();
        free_.pop_front();
        if (number_at_ != std::string::npos) {
            fmt::format_to_n(request_.begin() + static_cast<std::ptrdiff_t>(number_at_), 4, "{:04}", sent_ % 10'000);
        }
        const Nanoseconds at = now();
        const bool has_waited_for_connection = due(sent_) <= blocked_until_;
        connection.counts_from = has_waited_for_connection ? due(sent_) : at;
        connection.send(request_);
        if (!has_waited_for_connection && at >= start_ + kWarmUp) {
            lateness_.push_back(at - due(sent_));
        }
        ++sent_;
    }

    void wait_until(Nanoseconds time) {
        const Nanoseconds left = std::max<Nanoseconds>(time - now(), 0);
        const timespec timeout{left / kSecond, left % kSecond};
        std::array<epoll_event, kConnections> events{};
        const int ready =
            checked(::epoll_pwait2(epoll_, events.data(), kConnections, &timeout, nullptr), "epoll_pwait2");
        for (int i = 0; i < ready; ++i) {
            take_answer(*static_cast<Connection*>(events.at(static_cast<std::size_t>(i)).data.ptr));
        }
        if (ready == 0 && free_.empty()) {
            throw std::runtime_error("no answer for 2 s");
        }
    }

    void take_answer(Connection& connection) {
        const Nanoseconds arrival = connection.receive();
        if (!is_whole(connection.answer)) {
            return;
        }
        if (connection.counts_from >= start_ + kWarmUp) {
            latencies_.push_back(arrival - connection.counts_from);
        }
        if (free_.empty()) {
            blocked_until_ = arrival;
        }
        connection.answer.clear();
        free_.push_back(&connection);
        ++answered_;
    }

    // Nearest rank, in microseconds.
    static double percentile(std::vector<Nanoseconds>& values, double percent) {
        if (values.empty()) {
            return 0;
        }
        std::sort(values.begin(), values.end());
        const double rank = std::ceil(static_cast<double>(values.size()) * percent / 100);
        return static_cast<double>(values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1]) / 1000;
    }

    const Nanoseconds interval_;
    const std::size_t count_;
    std::string request_;
    const std::size_t number_at_;
    const int epoll_ = checked(::epoll_create1(0), "epoll_create1");
    std::deque<Connection> connections_;
    std::deque<Connection*> free_;
    Nanoseconds start_ = 0;
    std::size_t sent_ = 0;
    std::size_t answered_ = 0;
    Nanoseconds blocked_until_ = 0;  // what was due before then had to wait for a connection
    std::vector<Nanoseconds> latencies_;
    std::vector<Nanoseconds> lateness_;
};

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc != 5) {
            throw std::runtime_error("usage: open_loop PORT RATE SECONDS FILE");
        }
        ::prctl(PR_SET_TIMERSLACK, 1);
        std::ifstream file(argv[4], std::ios::binary);
        const std::string request((std::istreambuf_iterator<char>(file)), {});
        Generator generator(
            static_cast<std::uint16_t>(std::stoi(argv[1])), std::stod(argv[2]), std::stod(argv[3]), request);
        generator.run();
        fmt::print("{}\n", generator.report());
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 1;
    }
    return 0;
}
