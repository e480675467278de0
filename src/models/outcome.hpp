// Answers of this API, and what its handlers give instead of a value when they have to refuse.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "http/message.hpp"
#include "models/mlflow_api.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace models {

// A value, or the answer that refuses the request.
template <class T>
using Outcome = std::expected<T, http::Response>;

http::Response to_response(const boost::json::object& object, unsigned status = 200);

// {"message": "..."}
http::Response done(std::string_view message);

// RFC 9457 problem details; `detail` is what people and existing clients read.
http::Response problem(unsigned status, std::string_view detail);

inline std::unexpected<http::Response> refuse(unsigned status, std::string_view detail) {
    return std::unexpected(problem(status, detail));
}

// 503 with a Retry-After: nothing was done.
http::Response unavailable(std::string_view detail, std::string_view retry_after = {});

// What is wrong with a request, place by place: together one 422.
class FieldErrors {
public:
    // `place`: "body", "query" or "header", then the names that lead there.
    void add(const std::vector<std::string_view>& place, std::string_view message, std::string_view type);
    void missing(const std::vector<std::string_view>& place);

    [[nodiscard]] bool is_empty() const {
        return errors_.empty();
    }

    [[nodiscard]] http::Response response() const;

private:
    boost::json::array errors_;
};

// The object of an answer of 200; otherwise what the caller is told: 404 with `not_found` for what MLflow does not
// know, 422 for what it refuses in its own words, 503 or 504 for what it gave no answer to.
// `place` is the part of the request that a refusal is about.
Outcome<boost::json::object> object_in(const base::Result<ApiAnswer>& answer,
                                       std::string_view not_found,
                                       std::string_view place = "body");

// What MLflow says of a call it refused; empty when it said nothing in its own words.
struct Refusal {
    std::string code;
    std::string message;
};

Refusal refusal_in(const ApiAnswer& answer);

// Of tags, params, metrics ...: [{"key": K, "value": V}] as {K: V}, whatever V is.
boost::json::object by_key(const boost::json::object& parent, std::string_view list);

}  // namespace models
