// The ways Python writes and reads values that show in MLflow's answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace registry::python {

// json.dumps of a string and of a float: everything beyond ASCII escaped.
void append_json(std::string& out, std::string_view text);
void append_json(std::string& out, double number);

// json.dumps(value, sort_keys=True, separators=(",", ":")).
std::string json_dumps(const boost::json::value& value);

// repr() of a str, of bytes, and of what json.loads makes of a value.
std::string repr(std::string_view text);
std::string bytes_repr(std::string_view bytes);
std::string repr(const boost::json::value& value);

// type(value).__name__ of what json.loads makes of it.
std::string_view type_name(const boost::json::value& value);

// int(text): spaces around, a sign, and '_' between digits are allowed. Nothing when it is no integer of 64 bits.
std::optional<std::int64_t> parse_int(std::string_view text);

// float(text) for digits with a fraction or an exponent.
double parse_float(std::string_view text);

}  // namespace registry::python
