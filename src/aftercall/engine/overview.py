"""The read side: what reports, listings and pages are made of."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import overload

from aftercall.domain.disposition import Json
from aftercall.domain.follow_ups import OPEN as OPEN_FOLLOW_UPS
from aftercall.domain.opt_outs import Fate, OptOutRow, Standing, Terms, fate_of, judge
from aftercall.domain.report import PHASES, Latency, OptOutCount, Report, latency_of
from aftercall.domain.status import LANDED, OPEN
from aftercall.errors import JournalError
from aftercall.ports import Archive, AuditFilter, RunRecord
from aftercall.ports.follow_ups import FollowUpCounts


@dataclass(frozen=True, slots=True)
class AuditTrail(Sequence[Mapping[str, Json]]):
    """Audit entries, read from the journal each time they are iterated: memory stays flat.

    Attributes:
        opened: opens the journal for reading.
        asked: which entries.
    """

    opened: Callable[[], AbstractContextManager[Archive]]
    asked: AuditFilter

    def texts(self) -> Iterator[str]:
        """Yield the entries as JSON texts, in the order in which they were stored."""
        with self.opened() as archive:
            yield from archive.entries(self.asked)

    def __iter__(self) -> Iterator[Mapping[str, Json]]:
        """Yield the entries in the order in which they were stored."""
        return (json.loads(entry) for entry in self.texts())

    def __len__(self) -> int:
        """Count the entries."""
        return sum(1 for _ in self.texts())

    @overload
    def __getitem__(self, place: int) -> Mapping[str, Json]: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Mapping[str, Json]]: ...

    def __getitem__(self, place: int | slice) -> Mapping[str, Json] | Sequence[Mapping[str, Json]]:
        """Return one entry or some; each access reads the journal anew."""
        return list(self)[place]

    def __contains__(self, entry: object) -> bool:
        """Say whether an entry like this is among them."""
        return any(one == entry for one in self)


def find_run(archive: Archive, run: str | None) -> RunRecord:
    """Return the record of `run`; of the newest run if it is None.

    Raises:
        JournalError: there is no such run, or none at all.
    """
    found = archive.runs(run, 1)
    if not found:
        message = f"There is no run {run} in this journal." if run else "There are no runs yet."
        next_command = "aftercall runs" if run else "aftercall sync calls.csv"
        raise JournalError(message, fix="", next_command=next_command)
    return found[0]


def report_of(
    archive: Archive, run: str, terms: Terms, trail: AuditTrail | tuple[()] = ()
) -> Report:
    """Count a run's rows and put its report together; `terms` say which opt-outs are late.

    Raises:
        JournalError: there is no such run.
    """
    record = find_run(archive, run)
    tallies = tuple(archive.tallies(run))
    still_open = any(tally.status in OPEN for tally in tallies)
    follow_ups = archive.follow_ups.count(run)
    finished = record.intake_complete and not still_open and not follow_ups_open(follow_ups)
    return Report(
        run=run,
        state="finished" if finished else "paused",
        read=record.read,
        tallies=tallies,
        latency=_latencies(archive, run),
        pace=tuple(archive.pace(run)),
        deliveries=dict(archive.crm.count(run)),
        disabled=tuple(one.name for one in archive.crm.disabled()),
        elapsed_seconds=record.worked_ms / 1000,
        opt_outs=_opt_outs(archive, run, terms),
        follow_ups=follow_ups,
        audit_trail=trail,
    )


def follow_ups_open(counts: FollowUpCounts) -> bool:
    """Say whether some of the counted follow-ups are still to be worked on."""
    return any(states.get(state) for states in counts.values() for state in OPEN_FOLLOW_UPS)


def _opt_outs(archive: Archive, run: str, terms: Terms) -> OptOutCount:
    read, partial, rest = archive.opt_outs_of_run(run, terms.shortest_ms)
    not_landed = late = 0
    for row in rest:
        fate = fate_of(row)
        # One that was superseded by a newer opt-out of the same contact has landed with it.
        if row.status in LANDED or fate.landed:
            late += _is_late(row, fate, terms)
        else:
            not_landed += 1
    return OptOutCount(read, not_landed, late, partial)


def _is_late(row: OptOutRow, fate: Fate, terms: Terms) -> bool:
    """Say whether an opt-out that landed did so after its deadline, and nobody says why."""
    applied_ms = fate.applied_ms
    if applied_ms is None or applied_ms - row.received_ms < terms.shortest_ms:
        return False  # Without a look at the calendar, whose library takes a while to import.
    judged = judge(row, terms, applied_ms)
    return not judged.in_time and judged.standing is not Standing.ACKNOWLEDGED


def _latencies(archive: Archive, run: str) -> Mapping[str, Latency]:
    counted = archive.latencies(run)
    by_phase = {phase: [one for one in counted if one.phase == phase] for phase in PHASES}
    return {phase: latency_of(counts) for phase, counts in by_phase.items() if counts}
