#include "registry_http/server_info.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace registry_http {

http::Response server_info() {
    http::Response response;
    response.body = boost::json::serialize(boost::json::object{
        {"store_type", nullptr},
        {"workspaces_enabled", false},
        {"trace_archival_enabled", false},
        {"multipart_uploads_enabled", false},
        {"multipart_downloads_enabled", false},
        {"presigned_upload_run_id_supported", false},
        {"presigned_upload_model_id_supported", false},
        {"features_enabled", {{"gateway", false}}},
    });
    return response;
}

http::Response mlflow_version() {
    http::Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.body = "3.17.2";
    return response;
}

}  // namespace registry_http
