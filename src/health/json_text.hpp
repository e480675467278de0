// JSON as our health answers print it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace health {

// Compact text. Unlike boost::json::serialize it prints doubles as people and type-strict clients expect: "12.0", not
// "1.2E1". A double that is not finite becomes null.
std::string to_text(const boost::json::value& value);

boost::json::value text(std::string_view characters);
boost::json::value text_or_null(std::string_view characters);  // null when empty
boost::json::value number_or_null(const std::optional<double>& number);

// An answer nobody may cache. `content_type` has static storage.
http::Response json_response(unsigned status,
                             const boost::json::object& body,
                             std::string_view content_type = "application/json");

}  // namespace health
