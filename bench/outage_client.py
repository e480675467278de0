"""MLflow's own client, with default settings, logs on through a minute without MLflow.

A run is logged to (metric, parameter, tag; a step every half second) while MLflow is killed and brought back on the
same port with the same data. The client must see no exception, and MLflow must hold everything afterwards.
"""

from __future__ import annotations

import argparse
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench import runner
from bench.report import Report, percentile
from bench.servers import Gateway, start_mlflow, stock_client
from bench.watch import Watch

STEP_SECONDS = 0.5
LONG_CALL_SECONDS = 1.0
PATIENCE_SECONDS = 240.0  # after MLflow is back: more than the client itself would wait


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--outage", type=float, default=60.0, help="seconds without MLflow (default 60)")
    parser.add_argument("--around", type=float, default=10.0, help="seconds of logging before and after (default 10)")


@dataclass
class Call:
    what: str
    start: float
    seconds: float


@dataclass
class Logger:
    """Logs steps until told to stop; an exception ends it and is kept."""

    client: object
    run_id: str
    calls: list[Call] = field(default_factory=list)
    steps: int = 0
    error: Exception | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                step = self.steps
                self._timed("log_metric", self.run_id, "loss", 1.0 / (step + 1), step=step)
                self._timed("log_param", self.run_id, f"param-{step}", step)
                self._timed("set_tag", self.run_id, f"tag-{step}", str(step))
                self.steps += 1
                self.stop.wait(STEP_SECONDS)
        except Exception as error:  # whatever the client raises is the finding
            self.error = error

    def _timed(self, what: str, *arguments: object, **options: object) -> None:
        start = time.monotonic()
        try:
            getattr(self.client, what)(*arguments, **options)
        finally:
            self.calls.append(Call(what, start, time.monotonic() - start))


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    mlflow = start_mlflow(directory / "mlflow")
    gateway = Gateway(directory / "hokusai", mlflow.url).wait_ready()
    client = stock_client(gateway.url, gateway.key)
    run = client.create_run(client.create_experiment("bench-outage")).info.run_id
    logger = Logger(client, run)
    thread = threading.Thread(target=logger.run, daemon=True)
    begin = time.monotonic()
    marks: dict[str, float] = {}
    with Watch(gateway.url) as watch:
        thread.start()
        time.sleep(options.around)
        marks["killed"] = time.monotonic()
        mlflow.kill()
        time.sleep(options.outage)
        marks["started again"] = time.monotonic()
        mlflow.start().wait_ready()
        marks["answers again"] = time.monotonic()
        _until_it_logs(logger, thread, marks["answers again"])
        time.sleep(options.around)
        logger.stop.set()
        thread.join(PATIENCE_SECONDS)
        _timeline(report, logger, watch, begin, marks)
    _verdict(report, logger, thread, marks)
    _verify(report, stock_client(mlflow.url, gateway.key), logger)


def _until_it_logs(logger: Logger, thread: threading.Thread, back: float) -> None:
    """Until a call ended after MLflow answered again, the client gave up, or patience did."""
    while time.monotonic() < back + PATIENCE_SECONDS and thread.is_alive():
        last = logger.calls[-1] if logger.calls else None
        if last and last.start + last.seconds > back:
            return
        time.sleep(0.1)


def _timeline(report: Report, logger: Logger, watch: Watch, begin: float, marks: dict[str, float]) -> None:
    events = [(at, f"MLflow {what}") for what, at in marks.items()]
    events += [(change.at, f"{change.what} {change.value}") for change in watch.changes]
    for call in logger.calls:
        if call.seconds >= LONG_CALL_SECONDS:
            events.append((call.start, f"{call.what} begins, takes {call.seconds:.1f} s"))
    report.line()
    for at, what in sorted(events):
        report.line(f"{max(0.0, at - begin):7.1f} s  {what}")
    report.line()


def _verdict(report: Report, logger: Logger, thread: threading.Thread, marks: dict[str, float]) -> None:
    seconds = [call.seconds for call in logger.calls]
    away = marks["answers again"] - marks["killed"]
    report.line(f"MLflow was away for {away:.1f} s; the longest call took {max(seconds):.1f} s")
    report.line(f"calls {len(seconds)}, steps {logger.steps}, median {percentile(seconds, 50) * 1e3:.1f} ms")
    if logger.error:
        report.line(f"the client raised {type(logger.error).__name__}: {logger.error}")
    report.figures.update(
        calls=len(seconds),
        steps=logger.steps,
        longest_call_seconds=round(max(seconds), 2),
        median_call_ms=round(percentile(seconds, 50) * 1e3, 2),
        away_seconds=round(away, 1),
        error=repr(logger.error) if logger.error else None,
    )
    report.goal("exceptions in the client", int(logger.error is not None or thread.is_alive()), at_most=0)


def _verify(report: Report, direct, logger: Logger) -> None:
    """Asks MLflow itself."""
    history = direct.get_metric_history(logger.run_id, "loss")
    data = direct.get_run(logger.run_id).data
    steps = range(logger.steps)
    stored = {(metric.step, metric.value) for metric in history}
    missing = sum((step, 1.0 / (step + 1)) not in stored for step in steps)
    missing += sum(data.params.get(f"param-{step}") != str(step) for step in steps)
    missing += sum(data.tags.get(f"tag-{step}") != str(step) for step in steps)
    repeated = len(history) - len({metric.step for metric in history})
    report.figures.update(missing=missing, repeated_metrics=repeated)
    report.goal("values missing in MLflow", missing, at_most=0)
    report.goal("metric values stored twice", repeated, at_most=0)


if __name__ == "__main__":
    runner.main()
