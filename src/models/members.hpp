// The members of a JSON object of a request, taken one by one; what is wrong is noted.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/outcome.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace models {

enum class Presence { required, optional };

class Members {
public:
    // `place`: where the object is, for errors; its texts, the object and the errors outlive this.
    Members(const boost::json::object& object, std::vector<std::string_view> place, FieldErrors& errors)
        : object_(object), place_(std::move(place)), errors_(errors) {}

    // Nothing, too, for what was noted as an error.
    std::optional<std::string> text(std::string_view name, Presence presence, std::size_t max_length);
    std::optional<bool> boolean(std::string_view name);
    const boost::json::object* object(std::string_view name, Presence presence);
    const boost::json::array* array(std::string_view name, Presence presence);

    // {string: string}
    std::map<std::string, std::string> texts(std::string_view name, std::size_t max_length);

    void fail(std::string_view name, std::string_view message, std::string_view type);

private:
    const boost::json::value* find(std::string_view name, Presence presence);

    const boost::json::object& object_;
    const std::vector<std::string_view> place_;
    FieldErrors& errors_;
};

}  // namespace models
