#include "models/registration.hpp"

#include <array>
#include <utility>

#include <boost/json.hpp>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <fmt/format.h>

namespace models {

namespace {

constexpr std::array<std::string_view, 3> kStates{"pending", "registered", "failed"};
constexpr std::string_view kRegistered = "model_registered";

}  // namespace

std::string_view to_string(RegistrationState state) {
    return kStates.at(static_cast<std::size_t>(state));
}

std::optional<RegistrationState> parse_state(std::string_view text) {
    for (std::size_t i = 0; i < kStates.size(); ++i) {
        if (kStates.at(i) == text) {
            return static_cast<RegistrationState>(i);
        }
    }
    return std::nullopt;
}

Event registered_event(const Registration& registration, base::WallTime now) {
    const boost::uuids::name_generator_sha1 name_of(boost::uuids::string_generator()(registration.id));
    Event event;
    event.id = boost::uuids::to_string(name_of(std::string(kRegistered)));
    event.type = kRegistered;
    event.model = registration.model_name;
    event.version = registration.version;
    event.created_at = now;
    event.payload = boost::json::serialize(boost::json::object{
        {"registration_id", registration.id},
        {"model_id", fmt::format("{}/{}", registration.model_name, registration.version)},
        {"model_name", registration.model_name},
        {"model_version", std::to_string(registration.version)},
        {"model_type", registration.model_type},
        {"run_id", registration.run_id.empty() ? boost::json::value() : boost::json::value(registration.run_id)},
        {"registration_timestamp", base::to_naive_iso8601(registration.created_at)},
        {"timestamp", base::to_naive_iso8601(now)}});
    return event;
}

}  // namespace models
