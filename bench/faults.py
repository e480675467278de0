"""What is done to MLflow, or to the way there, during a soak; when; and what of it a caller may notice."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench import fault_proxy
from bench.fault_proxy import FaultProxy
from bench.watch import Watch
from support.mlflow_server import MlflowServer
from support.process import wait_until
from support.upstream import BlackHole

# From the fault to OPEN and degraded: probes that fail within 10 s of traffic's last answer say "busy", three more must
# fail, each up to 2 s long and 1 s apart; and some noise.
NOTICE_SECONDS = 22.0
# From MLflow's answer to CLOSED and healthy: two probes, a trial, two looks; MLflow's first answers are slow.
RECOVERY_SECONDS = 20.0
# The same after a fault that lets some probes pass: a failed trial costs the full open time, at most 60 s and jitter.
FLAPPING_RECOVERY_SECONDS = 85.0
START_SECONDS = 300.0  # for MLflow's own start, on a machine with other things to do
STEADY_SECONDS = 3.0  # how long nothing may change before a fault counts as over


@dataclass(frozen=True)
class Fault:
    name: str
    begin: Callable[[], object]
    end: Callable[[], object]  # returns once MLflow answers
    opens_breaker: bool = True
    degrades_health: bool = True
    answers: bool = False  # every call is still answered, if late
    recovery_seconds: float = RECOVERY_SECONDS


@dataclass
class Episode:
    """One fault as it went; monotonic times. Without `recovered`, the fault's limit ends it for the callers."""

    fault: Fault
    begin: float
    end: float = float("inf")
    seconds_to_open: float | None = None
    seconds_to_degraded: float | None = None
    recovered: float | None = None

    @property
    def over(self) -> float:
        """Refusals after this are not excused."""
        limit = self.end + self.fault.recovery_seconds
        return limit if self.recovered is None else min(limit, self.recovered)

    @property
    def seconds_to_recover(self) -> float | None:
        return None if self.recovered is None else self.recovered - self.end

    def overlaps(self, begin: float, end: float) -> bool:
        return begin <= self.over and end >= self.begin


def all_faults(mlflow: MlflowServer, proxy: FaultProxy) -> dict[str, Fault]:
    hole = contextlib.ExitStack()

    def kill() -> None:
        proxy.refuse()
        mlflow.kill()

    def start() -> None:
        mlflow.start().wait_ready(START_SECONDS)
        proxy.listen()

    def refuse() -> None:
        proxy.refuse()
        proxy.drop()

    def vanish() -> None:
        proxy.refuse()
        proxy.freeze()
        hole.enter_context(BlackHole(proxy.port))

    def reappear() -> None:
        hole.close()
        proxy.drop()
        proxy.listen()

    def spoiled(name: str, treatment: fault_proxy.Treatment, **options: object) -> Fault:
        def begin() -> None:
            proxy.treatment = treatment

        def end() -> None:
            proxy.treatment = fault_proxy.unchanged

        return Fault(name, begin, end, **options)

    unseen = {"opens_breaker": False, "degrades_health": False}  # or seen by chance
    flapping = {**unseen, "recovery_seconds": FLAPPING_RECOVERY_SECONDS}
    faults = [
        Fault("killed", kill, start),
        Fault("hung", mlflow.stop, mlflow.cont),
        Fault("refused", refuse, proxy.listen),
        Fault("black hole", vanish, reappear),
        spoiled("slow", fault_proxy.late, answers=True, **unseen),
        spoiled("trickling", fault_proxy.in_crumbs, answers=True, **unseen),
        spoiled("cut by half", fault_proxy.cut_by_half, **flapping),
        spoiled("half head", fault_proxy.half_head),
        spoiled("wrong framing", fault_proxy.wrong_framing),
        # To the breaker, a head of MLflow is a sign of life and a 500 its caller's mistake: only health tells of these.
        spoiled("half body", fault_proxy.half_body, opens_breaker=False),
        spoiled("error page", fault_proxy.error_page, opens_breaker=False),
        spoiled("swapped", fault_proxy.swapped(), **flapping),
    ]
    return {fault.name: fault for fault in faults}


# A gateway can't mend an answer that belongs to another call: this one is played on demand, to see the soak fail.
UNFAIR = ("swapped",)


def in_random_order(faults: list[Fault], choice: random.Random) -> Iterator[Fault]:
    """Every fault once, then every fault once more in another order, and so on."""
    while True:
        yield from choice.sample(faults, len(faults))


def play(fault: Fault, seconds: float, watch: Watch, halfway: Callable[[], object]) -> Episode:
    """The fault lasts `seconds`, counted from when it was noticed if it must be; then it ends and must be got over."""
    episode = Episode(fault, time.monotonic())

    def is_noticed() -> bool:
        episode.seconds_to_open = watch.first(episode.begin, "breaker", "OPEN")
        episode.seconds_to_degraded = watch.first(episode.begin, "health", "degraded")
        is_open = episode.seconds_to_open is not None or not fault.opens_breaker
        return is_open and (episode.seconds_to_degraded is not None or not fault.degrades_health)

    fault.begin()
    _await(is_noticed, NOTICE_SECONDS)
    time.sleep(seconds / 2)
    halfway()
    time.sleep(seconds / 2)
    is_noticed()
    fault.end()
    episode.end = time.monotonic()

    def is_steady() -> bool:
        return is_well(watch) and time.monotonic() >= _latest_change(watch, episode.end) + STEADY_SECONDS

    if _await(is_steady, fault.recovery_seconds + STEADY_SECONDS):
        episode.recovered = _latest_change(watch, episode.end)
    return episode


def _latest_change(watch: Watch, begin: float) -> float:
    return max([begin, *(change.at for change in watch.changes)])


def is_well(watch: Watch) -> bool:
    return (watch.latest("health"), watch.latest("breaker")) == ("healthy", "CLOSED")


def _await(probe: Callable[[], bool], seconds: float) -> bool:
    try:
        return wait_until("", probe, seconds, every=0.1)
    except TimeoutError:
        return False
