"""Tracking: experiments, runs, metrics, parameters, tags, traces and logged models."""

from __future__ import annotations

from support.differential import Call

API = "/api/2.0/mlflow"
THEN = 1700000000000


def _post(name: str, path: str, body: object, expect: int = 200, **more: object) -> Call:
    return Call(name, "POST", API + path, body=body, expect=expect, **more)


def _get(name: str, path: str, query: object = "", expect: int = 200, **more: object) -> Call:
    return Call(name, "GET", API + path, query=query, expect=expect, **more)


EXPERIMENTS = [
    _post("create experiment", "/experiments/create", {"name": "replay"}, bind={"experiment": "experiment_id"}),
    _post(
        "create experiment with tags",
        "/experiments/create",
        {"name": "replay 2", "tags": [{"key": "a", "value": "b"}]},
        bind={"other": "experiment_id"},
    ),
    _post("create experiment: exists", "/experiments/create", {"name": "replay"}, 400),
    _post("create experiment: no name", "/experiments/create", {}, 400),
    _post("create experiment: name a list", "/experiments/create", {"name": ["x"]}, 400),
    _get("get experiment", "/experiments/get", "experiment_id=<experiment>"),
    _get("get experiment: none", "/experiments/get", "experiment_id=424242", 404),
    _get("get experiment by name", "/experiments/get-by-name", "experiment_name=replay+2"),
    _get("get experiment by name: none", "/experiments/get-by-name", "experiment_name=none", 404),
    _post("search experiments", "/experiments/search", {"max_results": 10}),
    _get(
        "search experiments by GET",
        "/experiments/search",
        "max_results=1&view_type=ALL",
        bind={"page": "next_page_token"},
    ),
    _get("search experiments: next page", "/experiments/search", "max_results=1&view_type=ALL&page_token=<page>"),
    _get("search experiments: no limit", "/experiments/search", "", 400),
    _post("update experiment", "/experiments/update", {"experiment_id": "<other>", "new_name": "renamed"}),
    _post("tag experiment", "/experiments/set-experiment-tag", {"experiment_id": "<other>", "key": "k", "value": "v"}),
    _post("delete experiment", "/experiments/delete", {"experiment_id": "<other>"}),
    _post("restore experiment", "/experiments/restore", {"experiment_id": "<other>"}),
    _post("restore experiment: not deleted", "/experiments/restore", {"experiment_id": "<other>"}, 404),
]

RUNS = [
    _post(
        "create run",
        "/runs/create",
        {"experiment_id": "<experiment>", "run_name": "first", "start_time": THEN, "user_id": "ada"},
        bind={"run": "run.info.run_id"},
    ),
    _post(
        "create second run",
        "/runs/create",
        {
            "experiment_id": "<experiment>",
            "run_name": "second",
            "start_time": THEN + 1,
            "tags": [{"key": "t", "value": "1"}],
        },
        bind={"second": "run.info.run_id"},
    ),
    _post("create run: no such experiment", "/runs/create", {"experiment_id": "424242"}, 404),
    _post("log parameter", "/runs/log-parameter", {"run_id": "<run>", "key": "lr", "value": "0.1"}),
    _post("log parameter: by run_uuid", "/runs/log-parameter", {"run_uuid": "<run>", "key": "depth", "value": "3"}),
    _post("log parameter: changed", "/runs/log-parameter", {"run_id": "<run>", "key": "lr", "value": "0.2"}, 400),
    _post("log parameter: key missing", "/runs/log-parameter", {"run_id": "<run>", "value": "0.2"}, 400),
    _post(
        "log metric", "/runs/log-metric", {"run_id": "<run>", "key": "auc", "value": 0.5, "timestamp": THEN, "step": 1}
    ),
    _post(
        "log metric: exponent",
        "/runs/log-metric",
        {"run_id": "<run>", "key": "auc", "value": 1e-9, "timestamp": THEN, "step": 2},
    ),
    _post("log metric: NaN", "/runs/log-metric", {"run_id": "<run>", "key": "nan", "value": "NaN", "timestamp": THEN}),
    _post(
        "log metric: text",
        "/runs/log-metric",
        {"run_id": "<run>", "key": "auc", "value": "high", "timestamp": THEN},
        400,
    ),
    _post(
        "log metric: no such run",
        "/runs/log-metric",
        {"run_id": "0" * 32, "key": "a", "value": 1, "timestamp": THEN},
        404,
    ),
    _post(
        "log batch",
        "/runs/log-batch",
        {
            "run_id": "<run>",
            "metrics": [
                {"key": "loss", "value": 1 / (step + 1), "timestamp": THEN, "step": step} for step in range(200)
            ],
            "params": [{"key": f"p{number}", "value": "é" * 50} for number in range(50)],
            "tags": [{"key": "note", "value": 'line\nbreak \u2028 "quoted"'}],
        },
    ),
    _post(
        "log batch: too many metrics",
        "/runs/log-batch",
        {"run_id": "<run>", "metrics": [{"key": "x", "value": 1, "timestamp": 1, "step": n} for n in range(1001)]},
        400,
    ),
    _post("set run tag", "/runs/set-tag", {"run_id": "<run>", "key": "phase", "value": "train"}),
    _post("delete run tag", "/runs/delete-tag", {"run_id": "<run>", "key": "phase"}),
    _post("delete run tag: absent", "/runs/delete-tag", {"run_id": "<run>", "key": "phase"}, 404),
    _get("get run", "/runs/get", "run_id=<run>"),
    _get("get run: none", "/runs/get", f"run_id={'0' * 32}", 404),
    _get("get run: no id", "/runs/get", "", 400),
    _post("search runs", "/runs/search", {"experiment_ids": ["<experiment>"], "max_results": 5}),
    _post(
        "search runs: filter",
        "/runs/search",
        {"experiment_ids": ["<experiment>"], "filter": "metrics.auc < 0.6 and params.lr = '0.1'"},
    ),
    _post(
        "search runs: page",
        "/runs/search",
        {"experiment_ids": ["<experiment>"], "max_results": 1, "order_by": ["attributes.start_time ASC"]},
        bind={"page": "next_page_token"},
    ),
    _post(
        "search runs: next page",
        "/runs/search",
        {
            "experiment_ids": ["<experiment>"],
            "max_results": 1,
            "order_by": ["attributes.start_time ASC"],
            "page_token": "<page>",
        },
    ),
    _post(
        "search runs: bad filter", "/runs/search", {"experiment_ids": ["<experiment>"], "filter": "mood = 'good'"}, 400
    ),
    _post("search runs: too many", "/runs/search", {"experiment_ids": ["<experiment>"], "max_results": 60000}, 400),
    _get("metric history", "/metrics/get-history", "run_id=<run>&metric_key=loss"),
    _get("metric history: page", "/metrics/get-history", "run_id=<run>&metric_key=loss&max_results=20"),
    _get("metric history: nothing asked", "/metrics/get-history", "", 400),
    Call(
        "metric history in bulk",
        "GET",
        "/ajax-api/2.0/mlflow/metrics/get-history-bulk",
        query="run_id=<run>&run_id=<second>&metric_key=loss&max_results=25",
    ),
    Call(
        "metric history by intervals",
        "GET",
        "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval",
        query="run_ids=<run>&run_ids=<second>&metric_key=loss&max_results=5",
    ),
    _post(
        "log inputs",
        "/runs/log-inputs",
        {
            "run_id": "<run>",
            "datasets": [{"dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "{}"}}],
        },
    ),
    _post(
        "update run",
        "/runs/update",
        {"run_id": "<run>", "status": "FINISHED", "end_time": THEN + 5, "run_name": "done"},
    ),
    _post("update run: bad status", "/runs/update", {"run_id": "<run>", "status": "ASLEEP"}),
    _post("delete run", "/runs/delete", {"run_id": "<second>"}),
    _post("log to deleted run", "/runs/log-parameter", {"run_id": "<second>", "key": "a", "value": "b"}, 400),
    _post("restore run", "/runs/restore", {"run_id": "<second>"}),
]

OTHERS = [
    _post(
        "create logged model",
        "/logged-models",
        {"experiment_id": "<experiment>", "name": "net"},
        bind={"logged": "model.info.model_id"},
    ),
    Call("get logged model", "GET", f"{API}/logged-models/<logged>"),
    Call(
        "finalize logged model",
        "PATCH",
        f"{API}/logged-models/<logged>",
        body={"model_id": "<logged>", "status": "LOGGED_MODEL_READY"},
    ),
    Call("get logged model: none", "GET", f"{API}/logged-models/m-none", expect=404),
    _post("search logged models", "/logged-models/search", {"experiment_ids": ["<experiment>"]}),
    Call(
        "search traces v3",
        "POST",
        "/api/3.0/mlflow/traces/search",
        body={"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "<experiment>"}}]},
    ),
    Call("get trace: none", "GET", "/api/3.0/mlflow/traces/tr-none", expect=404),
    Call("server info", "GET", "/api/3.0/mlflow/server-info"),
    Call("list webhooks", "GET", f"{API}/webhooks"),
    Call("create webhook: no name", "POST", f"{API}/webhooks", body={"url": "https://example.com"}, expect=400),
    Call(
        "search datasets",
        "POST",
        "/ajax-api/2.0/mlflow/experiments/search-datasets",
        body={"experiment_ids": ["<experiment>"]},
    ),
    Call(
        "graphql",
        "POST",
        "/graphql",
        body={
            "operationName": "GetRun",
            "variables": {"data": {"runId": "<run>"}},
            "query": "query GetRun($data: MlflowGetRunInput!)"
            " { mlflowGetRun(input: $data) { run { info { runName status } } } }",
        },
    ),
    Call("graphql: empty", "POST", "/graphql", body={}, expect=500),
    Call("graphql: no such field", "POST", "/graphql", body={"query": "{ nothing }"}),
    Call("otlp: no experiment", "POST", "/v1/traces", body={"resourceSpans": []}, expect=422),
    Call(
        "otlp: wrong type",
        "POST",
        "/v1/traces",
        body=b"x",
        headers=[("Content-Type", "text/plain"), ("x-mlflow-experiment-id", "0")],
        expect=400,
    ),
]

CALLS = [*EXPERIMENTS, *RUNS, *OTHERS]
