"""What a soak recorded, its page, and the limits it is measured by."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.faults import FLAPPING_RECOVERY_SECONDS, NOTICE_SECONDS, RECOVERY_SECONDS, Episode
from bench.report import Report, percentile
from bench.verdicts import ALWAYS, MLFLOW, Answer, Call, Judge
from bench.vitals import LogFigures, Sample, median_mib
from bench.watch import Change

GOAL_PERCENT = 99.95
GOAL_GROWTH_PERCENT = 5.0
SHOWN_COMPLAINTS = 12
WRITE_FAULTS = ("missing", "stored twice", "stored though refused")
COUNTED = (Answer.RIGHT, Answer.REFUSED, Answer.UNKNOWN, Answer.CUT, Answer.RELAYED)


@dataclass
class Record:
    idle_descriptors: int
    left_descriptors: int = 0
    begin: float = 0.0
    end: float = 0.0
    episodes: list[Episode] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    polls: list[dict] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    watch_errors: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    writes: dict[str, list[str]] = field(default_factory=lambda: {fault: [] for fault in WRITE_FAULTS})
    acknowledged: int = 0
    broken_callers: list[str] = field(default_factory=list)
    reloads: int = 0
    is_well: bool = False
    exit_code: int | None = None
    growth_percent: float = 0.0
    log: LogFigures = field(default_factory=LogFigures)


@dataclass
class Row:
    """Calls counted by one of their properties."""

    counts: Counter[Answer] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # of right answers
    faulty: int = 0

    def add(self, call: Call, complaint: str) -> None:
        self.counts[call.answer] += 1
        self.faulty += bool(complaint)
        if call.answer is Answer.RIGHT:
            self.seconds.append(call.seconds)

    @property
    def total(self) -> int:
        return self.counts.total()

    def cells(self) -> tuple[object, ...]:
        return self.total, *(self.counts[each] for each in COUNTED), self.faulty


def episode_line(episode: Episode, begin: float) -> str:
    return (
        f"{episode.begin - begin:7.1f} s  {episode.fault.name.ljust(14)} for {episode.end - episode.begin:5.1f} s, "
        f"OPEN after {_shown(episode.seconds_to_open)}, degraded after {_shown(episode.seconds_to_degraded)}, "
        f"got over {_shown(episode.seconds_to_recover)} after its end"
    )


def _shown(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


def show(report: Report, record: Record) -> None:
    judge = Judge(record.episodes, record.changes)
    judged = [(call, judge.complaint(call)) for call in record.calls]
    by_route: dict[str, Row] = defaultdict(Row)
    by_phase: dict[str, Row] = defaultdict(Row)
    for call, complaint in judged:
        by_route[call.route].add(call, complaint)
        if call.route in MLFLOW:
            by_phase[_phase(call, record.episodes)].add(call, complaint)
    _add_polls(by_route["health"], record)
    _show_routes(report, record, by_route)
    _show_phases(report, record, by_phase)
    _show_complaints(report, record, [(call, complaint) for call, complaint in judged if complaint])
    _show_process(report, record)
    for group, routes in (("calls that need no MLflow", ALWAYS), ("calls to MLflow", MLFLOW)):
        report.goal(f"{group}: % answered rightly", _percent(by_route, routes), at_least=GOAL_PERCENT)
    report.goal(
        "answers other than the one asked for", sum(row.counts[Answer.WRONG] for row in by_route.values()), at_most=0
    )
    for fault, writes in record.writes.items():
        report.goal(f"writes {fault}", len(writes), at_most=0)
    _breaker_goals(report, record)
    _process_goals(report, record)


def _add_polls(row: Row, record: Record) -> None:
    """Watch's own looks count only when they fail. A request that was never sent is an error, but no request."""
    bad = sum(_failed(each) for each in record.polls) + len(record.watch_errors)
    row.counts[Answer.RIGHT] += sum(max(0, each["requests"] - _failed(each)) for each in record.polls)
    row.counts[Answer.FAILED] += bad
    row.faulty += bad


def _failed(poll: dict) -> int:
    return sum(poll["errors"].values())


def _phase(call: Call, episodes: list[Episode]) -> str:
    """The last fault that the call overlaps."""
    return next((each.fault.name for each in reversed(episodes) if each.overlaps(call.begin, call.end)), "healthy")


def _percent(by_route: dict[str, Row], routes: Sequence[str]) -> float:
    total = sum(by_route[route].total for route in routes)
    faulty = sum(by_route[route].faulty for route in routes)
    return 100.0 * (total - faulty) / total if total else 0.0


def _show_routes(report: Report, record: Record, by_route: dict[str, Row]) -> None:
    rows = []
    for route in (*ALWAYS, *MLFLOW):
        row = by_route[route]
        p50, p99 = (1e3 * percentile(row.seconds, percent) for percent in (50, 99))
        if route == "health":
            polls = [each for each in record.polls if each["requests"]]
            p50, p99 = (max((each[f"{p}_ms"] for each in polls), default=0.0) for p in ("p50", "p99"))
        rows.append((route, *row.cells(), f"{_percent(by_route, [route]):.3f}", f"{p50:.1f}", f"{p99:.1f}"))
    header = ("route class", "calls", *COUNTED, "faulty", "rightly %", "p50 ms", "p99 ms")
    report.table(header, rows)
    report.line("milliseconds are those of right answers; for health, of the worst phase")
    report.figures["routes"] = [dict(zip(header, row, strict=True)) for row in rows]


def _show_phases(report: Report, record: Record, by_phase: dict[str, Row]) -> None:
    rows = []
    for name, row in sorted(by_phase.items(), key=lambda item: (item[0] != "healthy", item[0])):
        episodes = [each for each in record.episodes if each.fault.name == name]
        times = [
            max((getattr(each, what) or 0.0 for each in episodes), default=0.0)
            for what in ("seconds_to_open", "seconds_to_degraded", "seconds_to_recover")
        ]
        bad_polls = sum(_failed(each) for each in record.polls if each["name"] == name)
        rows.append((name, len(episodes) or "", *(f"{each:.1f}" for each in times), *row.cells(), bad_polls))
    header = ("phase", "times", "OPEN s", "degraded s", "back s", "calls", *COUNTED, "faulty", "health faulty")
    report.table(header, rows)
    report.figures["phases"] = [dict(zip(header, row, strict=True)) for row in rows]


def _show_complaints(report: Report, record: Record, complaints: list[tuple[Call, str]]) -> None:
    kinds = Counter((_phase(call, record.episodes), call.route, complaint) for call, complaint in complaints)
    shown = Counter()
    for call, complaint in complaints:
        kind = (_phase(call, record.episodes), call.route, complaint)
        shown[kind] += 1
        if shown[kind] == 1 and len(shown) <= SHOWN_COMPLAINTS:
            report.line(f"{kinds[kind]} x {', '.join(kind)}, first at {call.begin - record.begin:.1f} s: {call.detail}")
    for each in record.polls:
        for text, count in each["errors"].items():
            report.line(f"{count} x {each['name']}, health: {text}")
    for fault, writes in record.writes.items():
        for write in writes[:3]:
            report.line(f"write {fault}: {write}")
    for text in [*record.watch_errors[:3], *record.broken_callers]:
        report.line(text)
    report.figures["complaints"] = [[*kind, count] for kind, count in kinds.most_common()]


def _show_process(report: Report, record: Record) -> None:
    tenth = (record.end - record.begin) / 10
    tenths = [record.begin + number * tenth for number in range(10)]
    memory = [median_mib(record.samples, begin, begin + tenth) for begin in tenths]
    most = max((each.descriptors for each in record.samples), default=0)
    report.line(f"resident MiB, median of each tenth: {', '.join(f'{each:.1f}' for each in memory)}")
    report.line(f"descriptors: {record.idle_descriptors} idle, {most} at most, {record.left_descriptors} afterwards")
    report.line(f"breaker: {_counted(record.log.transitions) or 'no transitions'}")
    report.line(f"log lines at error level: {_counted(record.log.errors) or 'none'}")
    report.line(f"writes acknowledged: {record.acknowledged}; settings reloaded: {record.log.reloads} times")
    report.line()
    record.growth_percent = 100.0 * (memory[-1] / memory[1] - 1.0) if memory[1] else 0.0
    report.figures.update(
        memory_mib=[round(each, 2) for each in memory],
        descriptors={"idle": record.idle_descriptors, "most": most, "left": record.left_descriptors},
        transitions=dict(record.log.transitions),
        error_lines=dict(record.log.errors),
        writes_acknowledged=record.acknowledged,
    )


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} x {what}" for what, count in sorted(counts.items()))


def _breaker_goals(report: Report, record: Record) -> None:
    opening = [each.seconds_to_open for each in record.episodes if each.fault.opens_breaker]
    degrading = [each.seconds_to_degraded for each in record.episodes if each.fault.degrades_health]
    for what, seconds in (("OPEN", opening), ("degraded", degrading)):
        report.goal(f"seconds from a fault that must be noticed to {what}", _worst(seconds), at_most=NOTICE_SECONDS)
    for what, limit in (("steady", RECOVERY_SECONDS), ("flapping", FLAPPING_RECOVERY_SECONDS)):
        after = [each.seconds_to_recover for each in record.episodes if each.fault.recovery_seconds == limit]
        report.goal(f"seconds from the end of a {what} fault to CLOSED and healthy", _worst(after), at_most=limit)
    report.goal("breaker not CLOSED, or health not healthy, at the end", int(not record.is_well), at_most=0)
    report.figures["episodes"] = [
        {
            "fault": each.fault.name,
            "begin": round(each.begin - record.begin, 1),
            "seconds": round(each.end - each.begin, 1),
            "to_open": _rounded(each.seconds_to_open),
            "to_degraded": _rounded(each.seconds_to_degraded),
            "to_recover": _rounded(each.seconds_to_recover),
        }
        for each in record.episodes
    ]


def _worst(seconds: Sequence[float | None]) -> float | None:
    return None if None in seconds else max(seconds, default=0.0)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def _process_goals(report: Report, record: Record) -> None:
    report.goal(
        "growth of resident memory from the second tenth to the last in %",
        record.growth_percent,
        at_most=GOAL_GROWTH_PERCENT,
    )
    report.goal("descriptors left open", max(0, record.left_descriptors - record.idle_descriptors), at_most=0)
    report.goal("log lines at error level", record.log.errors.total(), at_most=0)
    report.goal("reloads asked for and not done", record.reloads - record.log.reloads, at_most=0)
    report.goal("callers that did not run to their end", len(record.broken_callers), at_most=0)
    report.goal("exit code after SIGTERM other than 0", int(record.exit_code != 0), at_most=0)
