#include "apps/status_page.hpp"

#include "apps/build_info.hpp"

#include <boost/json.hpp>

namespace apps {

namespace {

constexpr std::string_view kPage = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Hokusai Registry</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
dt { font-weight: 600; } dd { margin: 0 0 .6rem; }
</style>
<script>
if (location.hash.startsWith("#/")) { location.replace("/mlflow/" + location.hash); }
</script>
</head>
<body>
<h1>Hokusai Registry</h1>
<p id="state">Reading the state&hellip;</p>
<dl id="checks"></dl>
<p><a href="/mlflow/">MLflow</a> &middot; <a href="/health?detailed=true">health</a> &middot;
<a href="/ready">readiness</a> &middot; <a href="/metrics">metrics</a> &middot; <a href="/docs">API</a></p>
<script>
async function show() {
  try {
    const health = await (await fetch("/health", { cache: "no-store" })).json();
    document.getElementById("state").textContent = "The service is " + health.status + " (" + health.phase + ").";
    const list = document.getElementById("checks");
    list.replaceChildren();
    for (const [name, value] of Object.entries(health.services)) {
      const term = document.createElement("dt");
      const text = document.createElement("dd");
      term.textContent = name;
      text.textContent = value;
      list.append(term, text);
    }
  } catch (error) {
    document.getElementById("state").textContent = "The service does not answer: " + error.message;
  }
  setTimeout(show, 2000);
}
show();
</script>
</body>
</html>
)";

}  // namespace

http::Response root_response(const http::RequestHead& request) {
    http::Response response;
    response.headers.emplace_back("Vary", "Accept");
    if (request.fields.lists(http::FieldName::accept, "text/html")) {
        response.content_type = "text/html; charset=utf-8";
        response.body = kPage;
        response.headers.emplace_back("X-Content-Type-Options", "nosniff");
        response.headers.emplace_back("X-Frame-Options", "SAMEORIGIN");
        return response;
    }
    response.body = boost::json::serialize(boost::json::object{
        {"service", "Hokusai Registry"},
        {"version", kVersion},
        {"health_check", "/health"},
        {"health_endpoints", {"/health", "/ready", "/live", "/health/mlflow", "/health/status"}},
        {"metrics", "/metrics"},
        {"mlflow", "/mlflow/"},
        {"documentation", "/docs"},
    });
    return response;
}

}  // namespace apps
