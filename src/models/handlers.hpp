// What answers each route of this API.
#pragma once

#include "base/task.hpp"
#include "http/message.hpp"
#include "models/context.hpp"
#include "models/request.hpp"

namespace models {

// Versions: list, show, change. (version_handlers.cpp)
base::Task<http::Response> list_models(Context& context, const Request& request);
base::Task<http::Response> list_production(Context& context, const Request& request);
base::Task<http::Response> show_version(Context& context, const Request& request);
base::Task<http::Response> update_version(Context& context, const Request& request);
base::Task<http::Response> delete_version(Context& context, const Request& request);
base::Task<http::Response> transition_version(Context& context, const Request& request);

// Several of these changes in one call. (batch_handlers.cpp)
base::Task<http::Response> carry_out_batch(Context& context, const Request& request);

// What runs recorded. (fact_handlers.cpp, lineage_handlers.cpp, contributor_handlers.cpp)
base::Task<http::Response> compare_versions(Context& context, const Request& request);
base::Task<http::Response> evaluate_version(Context& context, const Request& request);
base::Task<http::Response> show_metrics(Context& context, const Request& request);
base::Task<http::Response> show_version_lineage(Context& context, const Request& request);
base::Task<http::Response> show_model_lineage(Context& context, const Request& request);
base::Task<http::Response> show_impact(Context& context, const Request& request);

// Registrations. (registration_handlers.cpp)
base::Task<http::Response> register_model(Context& context, const Request& request);
base::Task<http::Response> show_registration(Context& context, const Request& request);
base::Task<http::Response> download_model_data(Context& context, const Request& request);

}  // namespace models
