"""A rehearsal as a person or a program reads it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.console import RenderableType
from rich.text import Text

from aftercall.domain.report import Report
from aftercall.domain.status import Status
from aftercall.errors import AftercallError
from aftercall.interfaces.cli.figures import count, duration
from aftercall.interfaces.cli.follow_up_listing import follow_up_json, follow_ups_view
from aftercall.interfaces.cli.listing_text import row_json, rows_view
from aftercall.interfaces.cli.mischief import WORDS
from aftercall.interfaces.cli.proof import Proof, proof_view
from aftercall.interfaces.cli.report_text import (
    Step,
    follow_ups,
    opt_outs,
    reconciliation,
    statuses,
    steps_view,
)
from aftercall.interfaces.cli.tables import table
from aftercall.interfaces.cli.terminal import plain
from aftercall.ports import RowRecord
from aftercall.ports.follow_ups import FollowUpRecord
from aftercall.wiring.rehearsal import Cost

CAMPAIGNS_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What came of a rehearsal.

    Attributes:
        report: the run's report.
        trouble: why it ended early, if it did.
        proof: what the simulator saw beside what we say was done.
        costs: the requests of each campaign at the configured limits.
        seconds: how long they take in all, at the least.
        events: CRM events by endpoint and state.
        faults: how often each fault happened.
        refused: the first rows that somebody should look at, each with its input's name.
        undone: the first follow-ups that were not done.
        files: result files by name, if they were asked for.
        places: the hosts to which nothing was sent.
        seed: which requests went wrong.
    """

    report: Report
    trouble: AftercallError | None
    proof: Proof
    costs: tuple[Cost, ...]
    seconds: float
    events: Mapping[str, Mapping[str, int]]
    faults: Mapping[str, int]
    refused: tuple[tuple[RowRecord, str], ...]
    undone: tuple[FollowUpRecord, ...]
    files: Mapping[str, str]
    places: tuple[str, ...]
    seed: int

    @property
    def sound(self) -> bool:
        """Whether the tenant holds each change once; a write in doubt may have landed or not."""
        in_doubt = self.report.count(Status.WRITING, Status.DOUBTFUL)
        return in_doubt > 0 or self.proof.sound

    @property
    def requests(self) -> int:
        """All requests to the tenant, without signing in."""
        return sum(cost.requests for cost in self.costs)

    def as_json(self) -> dict[str, object]:
        """Return it as one JSON document."""
        report = self.report.as_json()
        # How fast a simulator on this machine answers says nothing of the tenant.
        for name in ("latency", "pace", "average_latency_ms", "elapsed_seconds", "files", "crm"):
            report.pop(name)
        seen = self.proof.witness
        rows = [row_json(row, {row.source: name}) for row, name in self.refused]
        return {
            "rehearsal": True,
            **report,
            "first_refused": rows,
            "first_follow_ups_not_done": [follow_up_json(one) for one in self.undone],
            "requests": self.requests,
            "seconds_at_least": round(self.seconds, 3),
            "campaigns": [asdict(cost) for cost in self.costs],
            "crm": {name: dict(states) for name, states in self.events.items()},
            "seed": self.seed,
            "faults": dict(self.faults),
            "proof": {
                "holds": self.sound,
                "applied": self.proof.applied.total(),
                "changes": seen.changes.total(),
                "repeats": seen.repeats,
                "live_call_writes": seen.live_calls,
                "events": self.proof.events,
                "heard": seen.heard,
                "badly_signed": seen.badly_signed,
                "follow_ups_done": dict(self.proof.done),
                "follow_ups_taken": dict(seen.followed),
            },
            "files": dict(self.files),
            "nothing_was_sent_to": list(self.places),
        }


def rehearsal_view(rehearsed: Rehearsed, command: str, width: int) -> Iterator[RenderableType]:
    """Yield a rehearsal piece by piece, for a terminal of `width` columns.

    Args:
        rehearsed: what came of it.
        command: the same in earnest, as it is typed.
        width: how wide the terminal is.
    """
    report = rehearsed.report
    ended = "Rehearsed" if report.state == "finished" else "Rehearsed in part"
    places = " or ".join(map(plain, rehearsed.places))
    yield Text(f"{ended}; nothing was sent to {places}.", style="bold")
    yield Text()
    yield reconciliation(report, width)
    if report.read:
        yield Text()
        yield statuses(report)
    if report.opt_outs.read:
        yield Text()
        yield opt_outs(report)
    if report.follow_ups:
        yield Text()
        yield follow_ups(report)
    if rehearsed.refused:
        yield Text()
        yield Text("the first that somebody should look at", style="bold")
        yield from rows_view(
            [row for row, _ in rehearsed.refused],
            {row.source: name for row, name in rehearsed.refused},
        )
    if rehearsed.undone:
        yield Text()
        yield Text("the first follow-ups that were not done", style="bold")
        yield from follow_ups_view(rehearsed.undone)
    if rehearsed.costs:
        yield Text()
        yield from _costs(rehearsed)
    if rehearsed.faults:
        yield Text()
        yield _faults(rehearsed)
    yield from proof_view(rehearsed.proof, paced=False)
    others = rehearsed.proof.applied.total() - report.count(Status.APPLIED)
    if others > 0:
        yield Text(f"  {count(others, 'row')} of them had been left open by other runs")
    yield from _under_way(rehearsed)
    yield Text()
    for name, path in rehearsed.files.items():
        yield Text(f"{'files':<7}{plain(path)}  ({name})")
    yield from steps_view(_steps(rehearsed, command))


def _costs(rehearsed: Rehearsed) -> Iterator[RenderableType]:
    """Yield the requests that were counted, and how long they take at the configured limits."""
    rows = [
        (plain(one.campaign), f"{one.requests:,}", f"{one.per_second:,g}", duration(one.seconds))
        for one in rehearsed.costs[:CAMPAIGNS_SHOWN]
    ]
    yield table(("campaign", ">requests", ">limit/s", ">at least"), rows)
    rest = rehearsed.costs[CAMPAIGNS_SHOWN:]
    if rest:
        requests = count(sum(one.requests for one in rest), "request")
        yield Text(f"and {count(len(rest), 'more campaign')}: {requests}")
    requests = count(rehearsed.requests, "request")
    least = duration(rehearsed.seconds)
    yield Text(f"{requests}, which take {least} at the configured limits.", style="bold")


def _faults(rehearsed: Rehearsed) -> RenderableType:
    rows = [(kind, f"{times:,}", WORDS.get(kind, "")) for kind, times in rehearsed.faults.items()]
    return table((f"fault (seed {rehearsed.seed})", ">times", "what happened"), rows)


def _under_way(rehearsed: Rehearsed) -> Iterator[Text]:
    """Yield what the CRM has not taken, by endpoint."""
    for name, states in rehearsed.events.items():
        parts = [
            f"{states[state]:,} {words}"
            for state, words in (("waiting", "wait to be delivered"), ("dead", "given up"))
            if states.get(state)
        ]
        if parts:
            yield Text(f"          {plain(name)}: {', '.join(parts)}")


def _steps(rehearsed: Rehearsed, command: str) -> Sequence[Step]:
    steps = []
    if not rehearsed.faults:
        steps.append(Step("see it while things go wrong", f"{command} --rehearse --faults"))
    steps.append(Step("do it in earnest", command))
    return steps
