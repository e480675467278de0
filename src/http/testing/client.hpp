// An HTTP client for tests that writes requests byte by byte as the test wants them.
#pragma once

#include <string>
#include <string_view>

#include "base/strings.hpp"
#include "net/testing/blocking_socket.hpp"

namespace http::testing {

// What a client reads.
struct Answer {
    unsigned status = 0;
    std::string head;
    std::string body;

    // The first field of that name; "-" without one.
    [[nodiscard]] std::string field(std::string_view name) const {
        for (const std::string_view line : base::split_list(head, '\n')) {
            const std::size_t colon = line.find(':');
            if (colon != std::string_view::npos && base::iequals(line.substr(0, colon), name)) {
                const std::string_view value = line.substr(colon + 1);
                return std::string(base::trim(value.substr(0, value.find('\r'))));
            }
        }
        return "-";
    }
};

class Client {
public:
    explicit Client(const net::testing::Endpoint& server, int receive_buffer = 0)
        : socket(net::testing::BlockingSocket::connect_to(server, receive_buffer)) {}

    // "GET /path": a whole request without body.
    void ask(const std::string& request_line, const std::string& fields = "") {
        socket.send(request_line + " HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n");
    }

    void ask_with_body(const std::string& request_line, const std::string& body, const std::string& fields = "") {
        ask(request_line, "Content-Length: " + std::to_string(body.size()) + "\r\n" + fields);
        socket.send(body);
    }

    // One answer framed by Content-Length.
    Answer read(bool has_body = true) {
        Answer answer;
        answer.head = socket.receive_through("\r\n\r\n");
        answer.status = static_cast<unsigned>(std::stoul(answer.head.substr(9, 3)));
        const std::string length = answer.field("Content-Length");
        if (has_body && length != "-") {
            answer.body = socket.receive(std::stoul(length));
        }
        return answer;
    }

    Answer get(const std::string& path, const std::string& fields = "") {
        ask("GET " + path, fields);
        return read();
    }

    // Whether the server ends the connection in an orderly way and without another byte.
    [[nodiscard]] bool is_ended() {
        return socket.receive_all().empty() && !socket.was_reset();
    }

    net::testing::BlockingSocket socket;
};

}  // namespace http::testing
