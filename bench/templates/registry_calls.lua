-- wrk script: registry look-ups as a serving fleet sends them, with names in turn so that no two calls in flight are equal.
local requests = {}
local next_request = 0

function init(arguments)
    for i = 1, 1024 do
        local path = "/api/2.0/mlflow/registered-models/get?name=fraud-detector-" .. i
        requests[i] = wrk.format("GET", path, {
            ["Authorization"] = "Bearer " .. arguments[1],
            ["User-Agent"] = "mlflow-python-client/3.17.2",
            ["X-MLflow-Client-Version"] = "3.17.2",
            ["Accept"] = "*/*",
            ["Accept-Encoding"] = "gzip, deflate",
            ["Connection"] = "keep-alive",
            ["traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ["X-Client-Region"] = "eu-central-1",
            ["X-Client-Pod"] = "serving-7d9c6b9c55-x2x7k",
        })
    end
end

function request()
    next_request = next_request % #requests + 1
    return requests[next_request]
end
