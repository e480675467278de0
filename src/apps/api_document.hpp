// The description of our own API (OpenAPI 3.1) at /openapi.json, and the page to read it with at /docs and /redoc.
//
// Written by hand, one file per area, in api_document/. CMake puts the files into the binary; they are merged once.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "http/router.hpp"

namespace apps {

// What is answered with the same bytes as long as the process lives.
class FixedAnswer {
public:
    // `headers` are added to those of a cache that asks every time.
    FixedAnswer(std::string_view content_type,
                std::string body,
                const std::vector<std::pair<std::string, std::string>>& headers = {});

    // 304 when the client's copy is the same.
    [[nodiscard]] const http::Response& to(const http::RequestHead& request) const;

private:
    std::string etag_;
    http::Response whole_;
    http::Response unchanged_;
};

// One JSON object of all: objects become one, lists are joined. Aborts where two parts describe the same thing, or one
// is no JSON, since they are part of the program. The service's version is put into `info`.
std::string merge_api_parts(std::span<const std::string_view> parts, std::string_view version);

// Whole paths, no key. Safe on any worker.
std::vector<http::Route> api_document_routes();

}  // namespace apps
