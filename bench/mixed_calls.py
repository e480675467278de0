"""2,000 mixed calls without a single 503, and one caller's bad requests that must not hurt another.

First reads, searches, creates, tags, aliases, run logging and artifacts from several threads through a bare HTTP
client, which hides no answer by trying again. Then one caller sends requests in a row that make MLflow answer an HTML
500, while another keeps reading: the breaker must stay CLOSED and the reader must see nothing but 200.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from bench import runner
from bench.report import Report, percentile
from bench.servers import API, ARTIFACTS, Gateway, start_mlflow
from bench.watch import Watch

MODELS = 10
SHARES = {"read": 40, "search": 15, "create": 10, "tag": 15, "log": 10, "artifact": 10}  # percent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--calls", type=int, default=2000, help="mixed calls (default 2000)")
    parser.add_argument("--threads", type=int, default=8, help="callers at once (default 8)")
    parser.add_argument("--bad", type=int, default=200, help="bad requests in a row (default 200)")


class Caller:
    """One session with one key; `seen` counts (kind, status) over its life."""

    def __init__(self, gateway: Gateway):
        self.seen: Counter[tuple[str, int]] = Counter()
        self.seconds: list[float] = []
        self._url = gateway.url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(gateway.headers)

    def call(self, kind: str, method: str, path: str, **options: object) -> requests.Response:
        start = time.perf_counter()
        response = self._session.request(method, self._url + path, timeout=120, **options)
        self.seconds.append(time.perf_counter() - start)
        self.seen[kind, response.status_code] += 1
        return response

    def get(self, kind: str, path: str, **query: object) -> requests.Response:
        return self.call(kind, "GET", API + path, params=query)

    def post(self, kind: str, path: str, **body: object) -> requests.Response:
        return self.call(kind, "POST", API + path, json=body)


class Mix:
    """What the callers do, drawn with fixed odds from a fixed seed, upon ten models and one run."""

    def __init__(self, setup: Caller):
        for model in range(MODELS):
            setup.post("setup", "/registered-models/create", name=f"model-{model}")
            setup.post("setup", "/model-versions/create", name=f"model-{model}", source="s3://bench/model")
            setup.post("setup", "/registered-models/alias", name=f"model-{model}", alias="champion", version="1")
        experiment = setup.post("setup", "/experiments/create", name="bench-mixed").json()["experiment_id"]
        run = setup.post("setup", "/runs/create", experiment_id=experiment, start_time=int(time.time() * 1e3)).json()
        self._run = run["run"]["info"]["run_id"]
        self._kinds: dict[str, Callable[[Caller, random.Random, int], object]] = {
            "read": self._read,
            "search": self._search,
            "create": self._create,
            "tag": self._tag,
            "log": self._log,
            "artifact": self._artifact,
        }

    def step(self, caller: Caller, number: int) -> None:
        choice = random.Random(number)
        kind = choice.choices(list(SHARES), weights=list(SHARES.values()))[0]
        self._kinds[kind](caller, choice, number)

    def _read(self, caller: Caller, choice: random.Random, number: int) -> None:
        model = f"model-{choice.randrange(MODELS)}"
        path, query = choice.choice(
            [
                ("/registered-models/get", {"name": model}),
                ("/registered-models/alias", {"name": model, "alias": "champion"}),
                ("/model-versions/get", {"name": model, "version": "1"}),
                ("/model-versions/get-download-uri", {"name": model, "version": "1"}),
                ("/runs/get", {"run_id": self._run}),
            ]
        )
        caller.get("read", path, **query)

    def _search(self, caller: Caller, choice: random.Random, number: int) -> None:
        if choice.random() < 0.5:
            caller.get("search", "/registered-models/search", max_results=5, order_by=["name", "timestamp"])
        else:
            text = f"name='model-{choice.randrange(MODELS)}'"
            caller.get("search", "/model-versions/search", filter=text, max_results=5)

    def _create(self, caller: Caller, choice: random.Random, number: int) -> None:
        if choice.random() < 0.5:
            caller.post("create", "/registered-models/create", name=f"new-{number}")
        else:
            name = f"model-{choice.randrange(MODELS)}"
            caller.post("create", "/model-versions/create", name=name, source=f"s3://bench/{number}")

    def _tag(self, caller: Caller, choice: random.Random, number: int) -> None:
        body = {"name": f"model-{choice.randrange(MODELS)}", "key": f"key-{choice.randrange(5)}"}
        if choice.random() < 0.7:
            caller.post("tag", "/registered-models/set-tag", value=str(number), **body)
        else:
            caller.call("tag", "DELETE", API + "/registered-models/delete-tag", json=body)

    def _log(self, caller: Caller, choice: random.Random, number: int) -> None:
        metric = {"run_id": self._run, "key": "loss", "value": number, "timestamp": number, "step": number}
        caller.post("log", "/runs/log-metric", **metric)

    def _artifact(self, caller: Caller, choice: random.Random, number: int) -> None:
        path = f"{ARTIFACTS}/mixed/{number}.bin"
        content = choice.randbytes(choice.randrange(1, 50_000))
        caller.call("artifact", "PUT", path, data=content)
        answer = caller.call("artifact", "GET", path)
        if answer.status_code == 200 and answer.content != content:
            raise RuntimeError(f"{path} came back with other bytes")


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    mlflow = start_mlflow(directory / "mlflow")
    gateway = Gateway(directory / "hokusai", mlflow.url).wait_ready()
    with Watch(gateway.url) as watch:
        _mixed(options, report, gateway)
        _bad_neighbour(options, report, gateway, watch)
    states = {change.value for change in watch.changes if change.what == "breaker"}
    report.line(f"breaker states seen: {', '.join(sorted(states))}")
    report.figures["breaker_states"] = sorted(states)
    report.goal("times the breaker was seen other than CLOSED", len(states - {"CLOSED"}), at_most=0)


def _mixed(options: argparse.Namespace, report: Report, gateway: Gateway) -> None:
    """An artifact step is two calls, so this ends with the step that completes the number asked for."""
    mix = Mix(Caller(gateway))
    callers = [Caller(gateway) for _ in range(options.threads)]
    numbers = itertools.count()
    start = time.monotonic()

    def work(caller: Caller) -> None:
        while sum(len(each.seconds) for each in callers) < options.calls:
            mix.step(caller, next(numbers))

    with ThreadPoolExecutor(options.threads) as pool:
        list(pool.map(work, callers))
    took = time.monotonic() - start
    seconds = [value for caller in callers for value in caller.seconds]
    seen = sum((caller.seen for caller in callers), Counter())
    report.line(
        f"{len(seconds)} calls by {options.threads} callers in {took:.1f} s, p50 {percentile(seconds, 50) * 1e3:.0f} ms"
    )
    report.table(("kind", "status", "calls"), ((kind, status, count) for (kind, status), count in sorted(seen.items())))
    report.figures["mixed"] = {f"{kind} {status}": count for (kind, status), count in sorted(seen.items())}
    report.goal("answers 503", sum(count for (_, status), count in seen.items() if status == 503), at_most=0)
    # MLflow itself answers 400 when two writers race for the same new tag (a unique key in its database).
    report.goal(
        "answers of 500 and above", sum(count for (_, status), count in seen.items() if status >= 500), at_most=0
    )


def _bad_neighbour(options: argparse.Namespace, report: Report, gateway: Gateway, watch: Watch) -> None:
    reader, offender = Caller(gateway), Caller(gateway)
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            reader.get("neighbour", "/registered-models/alias", name="model-0", alias="champion")

    kinds: Counter[str] = Counter()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        try:
            for number in range(options.bad):
                path, body = [(API + "/registered-models/create", [1]), ("/graphql", {})][number % 2]
                answer = offender.call(
                    "bad", "POST", path, data=json.dumps(body), headers={"Content-Type": "application/json"}
                )
                kinds[f"{answer.status_code} {answer.headers.get('Content-Type', '')}"] += 1
        finally:
            done.set()
        reading.result()
    watch.wait_for("breaker", "CLOSED", 5)
    for kind, count in kinds.items():
        report.line(f"bad requests answered {kind}: {count}")
    others = sum(count for (_, status), count in reader.seen.items() if status != 200)
    report.line(
        f"meanwhile the neighbour read {len(reader.seconds)} times, p99 {percentile(reader.seconds, 99) * 1e3:.0f} ms"
    )
    report.figures.update(bad=dict(kinds), neighbour_calls=len(reader.seconds))
    report.goal("bad requests not answered by MLflow's own 500", options.bad - offender.seen["bad", 500], at_most=0)
    report.goal("neighbour's answers other than 200", others, at_most=0)


if __name__ == "__main__":
    runner.main()
