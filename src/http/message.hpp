// The values of HTTP: heads as parsed, and the small responses we make ourselves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/field_name.hpp"

namespace http {

enum class Method { get, head, post, put, patch, delete_, options, other };

Method to_method(std::string_view text);

struct Field {
    std::string_view name;
    std::string_view value;
    FieldName known = FieldName::other;
};

// Fields in the order received, names as received, duplicates kept.
class Fields {
public:
    void clear() {
        fields_.clear();
        present_ = 0;
    }

    void add(std::string_view name, std::string_view value) {
        const FieldName known = to_field_name(name);
        fields_.push_back({name, value, known});
        present_ |= bit(known);
    }

    [[nodiscard]] bool has(FieldName name) const {
        return (present_ & bit(name)) != 0;
    }

    // The first field of that name.
    [[nodiscard]] std::optional<std::string_view> find(FieldName name) const;
    [[nodiscard]] std::size_t count(FieldName name) const;

    // Whether a comma-separated list field holds `token`, in any case (Connection, Accept, Transfer-Encoding ...).
    [[nodiscard]] bool lists(FieldName name, std::string_view token) const;

    // The first field of a name that has no enumerator, in any case.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

    [[nodiscard]] auto begin() const {
        return fields_.begin();
    }

    [[nodiscard]] auto end() const {
        return fields_.end();
    }

    [[nodiscard]] std::size_t size() const {
        return fields_.size();
    }

private:
    static constexpr std::uint64_t bit(FieldName name) {
        return std::uint64_t{1} << static_cast<unsigned>(name);
    }

    std::vector<Field> fields_;
    std::uint64_t present_ = 0;  // one bit for each FieldName
};

// How the body of a message ends (RFC 9112, section 6.3).
struct Framing {
    enum class Kind { none, length, chunked, until_close };
    Kind kind = Kind::none;
    std::uint64_t length = 0;  // of Kind::length
};

// All views point into storage of the parser that made it and die with the next message on that connection.
struct RequestHead {
    Method method = Method::other;
    std::string_view method_text;
    std::string_view target;  // path and query, without scheme and host; empty or from '?' on when the path is the root
    std::string_view path;    // of the target, still percent-encoded
    std::string_view query;   // without '?', as received
    unsigned minor_version = 1;
    bool is_keep_alive = true;
    Framing framing;
    Fields fields;
};

struct ResponseHead {
    unsigned status = 0;
    std::string_view reason;
    unsigned minor_version = 1;
    bool is_keep_alive = true;
    Framing framing;
    Fields fields;
};

// An answer made here, complete in memory. Date, X-Request-Id, Content-Length and Connection are added when it is
// written.
struct Response {
    unsigned status = 200;
    std::string_view content_type = "application/json";  // static storage; empty: no Content-Type
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    bool close = false;  // end the connection after it
};

std::string_view reason_phrase(unsigned status);

// {"detail": "..."}: the error form legacy clients of our own paths read.
Response detail_response(unsigned status, std::string_view detail);

// {"error_code": "...", "message": "..."}: MLflow's form, for its paths.
Response mlflow_error_response(unsigned status, std::string_view error_code, std::string_view message);

// RFC 9457 problem details whose `detail` is the sentence legacy clients read, for our own API.
Response problem_response(unsigned status, std::string_view detail);

}  // namespace http
