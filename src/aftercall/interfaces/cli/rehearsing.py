"""What `sync --rehearse` does: the run against a simulator, and what it says of the real one."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.passing_directory import passing_directory
from aftercall.domain.delivery import EventState
from aftercall.domain.follow_ups import OPEN, UNDONE, EntryKind, FollowUpKind, FollowUpState
from aftercall.domain.report import Report, exit_code
from aftercall.domain.status import REFUSED, Status
from aftercall.errors import AftercallError
from aftercall.interfaces.cli import failures
from aftercall.interfaces.cli.mischief import MISSING, ON_CALL, Mischief
from aftercall.interfaces.cli.options import Reading
from aftercall.interfaces.cli.performing import Performance
from aftercall.interfaces.cli.proof import Proof
from aftercall.interfaces.cli.rehearsal import Rehearsal, Simulator, rehearsing
from aftercall.interfaces.cli.rehearsal_text import Rehearsed, rehearsal_view
from aftercall.interfaces.cli.runs import (
    Request,
    check_files,
    check_results,
    error_json,
    print_json,
    results_of,
    run_performance,
)
from aftercall.interfaces.cli.terminal import plain, print_pieces, say, wide_out
from aftercall.ports import AuditFilter, EventFilter, RowRecord
from aftercall.ports.follow_ups import FollowUpFilter, FollowUpRecord
from aftercall.settings import Settings
from aftercall.wiring import Job, Session, SourceOptions, open_archive
from aftercall.wiring.rehearsal import (
    Likeness,
    Stage,
    copy_for,
    costs_of,
    hasten,
    known_secrets,
    likeness_of,
    places_of,
    seconds_of,
    stand_ins,
    turned_to,
)

REFUSED_SHOWN = 5
UNDONE_SHOWN = 2

KNOWN_BY_STATE = {
    FollowUpState.DONE: "done",
    FollowUpState.UNKNOWN: "unsure",
    FollowUpState.FAILED: "unsure",
}
"""Whether a follow-up that ended so is one that the tenant took: any other it did not."""
EVENTS_MAX = 10_000_000

Opened = Callable[[Session], Job]
"""Opens the files that are rehearsed."""


def rehearse(files: Sequence[str], request: Request, reading: Reading, mischief: Mischief) -> int:
    """Run files against a simulator of the configuration, and tell what came of it."""
    try:
        with request.place.kept_in_errors():
            check_files(files)
            settings = request.settings()
            if request.output.results is not None:
                check_results(request.output, settings)
            options = SourceOptions(reading.format, reading.encoding, reading.delimiter)
            play = _Play(settings, request, mischief)
            rehearsed = play.perform(lambda session: session.files(files, options))
    except AftercallError as error:
        if request.output.json:
            print_json({"error": error_json(error), "exit_code": error.exit_code})
        raise
    given = [*reading.words(), *reading.form_words(), *request.speed.words()]
    return _tell(rehearsed, request, request.place.command("sync", *files, *given))


@dataclass(frozen=True, slots=True)
class _Play:
    """One rehearsal."""

    settings: Settings
    request: Request
    mischief: Mischief

    def perform(self, opened: Opened) -> Rehearsed:
        """Run it, and put together what both sides say of it.

        Raises:
            AftercallError: it could not be begun, or the simulator ended early.
        """
        likeness = likeness_of(self.settings)
        with passing_directory("rehearsal") as directory:
            world = directory / "world.json"
            # The pace is counted, not waited for.
            options = likeness.options(world, paced=False)
            world.write_text(json.dumps(likeness.world(paced=False)), encoding="utf-8")
            ours = stand_ins(self.settings)
            theirs = known_secrets(self.settings, ours)
            run = Rehearsal([*options, *self.mischief.options()], directory / "simulator.log")
            with rehearsing(run, theirs) as simulator:
                stage = Stage(simulator.url, simulator.crm_url, directory)
                return self._on(stage, simulator, likeness, (opened, ours))

    def _on(
        self,
        stage: Stage,
        simulator: Simulator,
        likeness: Likeness,
        how: tuple[Opened, Mapping[str, str]],
    ) -> Rehearsed:
        opened, environment = how
        turned = turned_to(self.settings, stage)
        copy_for(self.settings, stage)
        started_ms = SystemClock().now_us() // 1000

        def prepare(session: Session) -> Job:
            job = opened(session)
            hasten(job)
            return job

        if not self.request.output.quiet:
            here = " or ".join(map(plain, places_of(self.settings)))
            say(f"A rehearsal against a simulator on this machine: nothing is sent to {here}.")
        performed = run_performance(
            Performance(
                turned,
                prepare,
                quiet=self.request.output.quiet,
                wait_crm=self.mischief.crm_recovers,
                environment=environment,
            )
        )
        report = performed.report
        costs = costs_of(self.settings, report.pace)
        output = self.request.output
        return Rehearsed(
            report=report,
            trouble=performed.trouble,
            proof=_proof(turned, likeness, simulator, (report, started_ms)),
            costs=tuple(costs),
            seconds=seconds_of(self.settings, costs),
            events=_events(turned, report),
            faults=_happened(simulator, self.mischief, report),
            refused=_refused(turned, report),
            undone=_undone(turned, report),
            files=results_of(report, turned, replace(output, no_results=output.results is None)),
            places=tuple(places_of(self.settings)),
            seed=self.mischief.seed,
        )


def _proof(
    settings: Settings, likeness: Likeness, simulator: Simulator, begun: tuple[Report, int]
) -> Proof:
    """Hold what the simulator saw against what the journal says since it began (ms).

    Rows that other runs had left open were gone on with, too, as in a real run.
    """
    report, started_ms = begun
    named = likeness.names_campaigns
    seen = simulator.witness()
    applied: Counter[tuple[str, str, str]] = Counter()
    followed: dict[str, Counter[str]] = {"done": Counter(), "unsure": Counter()}
    for kind, states in report.follow_ups.items():
        followed["unsure"][kind] += sum(states.get(state, 0) for state in OPEN)
    with open_archive(settings.journal.path) as archive:
        for text in archive.entries(AuditFilter(from_ms=started_ms)):
            entry = json.loads(text)
            if entry["kind"] == "settled" and entry["status"] == Status.APPLIED:
                code = str(entry["outcome_code"])
                campaign = str(entry["campaign_id"]) if named else ""
                applied[campaign, str(entry["contact_id"]), likeness.ids.get(code, code)] += 1
            if entry["kind"] == EntryKind.SETTLED:
                came = KNOWN_BY_STATE.get(entry["status"])
                if came is not None:
                    followed[came][entry["follow_up"]["action"]] += 1
        asked = EventFilter(EventState.DELIVERED, from_ms=started_ms)
        delivered = {one.event_id for one in archive.crm.find(asked, EVENTS_MAX)}
    seen = replace(seen, heard=len(delivered & simulator.heard()))
    return Proof(applied, seen if named else seen.without_campaigns(), len(delivered), **followed)


def _events(settings: Settings, report: Report) -> dict[str, dict[str, int]]:
    """Count the events of a run by endpoint and state."""
    found: dict[str, dict[str, int]] = {}
    with open_archive(settings.journal.path) as archive:
        for one in archive.crm.tally(EventFilter(run=report.run)):
            found.setdefault(one.endpoint, {})[one.state] = one.events
    return found


def _happened(simulator: Simulator, mischief: Mischief, report: Report) -> dict[str, int]:
    """Return how often each chosen fault really happened."""
    counts = dict(simulator.stats()["faults"])
    if ON_CALL in mischief.shares:
        counts[ON_CALL] = sum(bool(entry["deferrals"]) for entry in report.audit_trail)
    counts[MISSING] = report.count(Status.MISSING)
    return {kind: counts.get(kind, 0) for kind in mischief.shares}


def _refused(settings: Settings, report: Report) -> tuple[tuple[RowRecord, str], ...]:
    """Return the first rows that somebody should look at, each with its input's name."""
    with open_archive(settings.journal.path) as archive:
        (record,) = archive.runs(report.run)
        names = {source.number: source.name for source in record.sources}
        rows = archive.first_rows(report.run, REFUSED, REFUSED_SHOWN)
        return tuple((row, names[row.source]) for row in rows)


def _undone(settings: Settings, report: Report) -> tuple[FollowUpRecord, ...]:
    """Return the first follow-ups of each kind that were not done."""
    found: list[FollowUpRecord] = []
    with open_archive(settings.journal.path) as archive:
        for kind in map(FollowUpKind, report.follow_ups):
            asked = FollowUpFilter(run=report.run, kind=kind, states=tuple(UNDONE))
            found += archive.follow_ups.find(asked, UNDONE_SHOWN)
    return tuple(found)


def _tell(rehearsed: Rehearsed, request: Request, command: str) -> int:
    """Print what came of it; return the exit code that the run would have ended with."""
    trouble = rehearsed.trouble
    code = exit_code(rehearsed.report) if trouble is None else trouble.exit_code
    if trouble is None and not rehearsed.sound:
        code = failures.FAILURE
    if request.output.json:
        error = None if trouble is None else error_json(trouble)
        print_json({**rehearsed.as_json(), "exit_code": code, "error": error})
    else:
        print_pieces(rehearsal_view(rehearsed, command, wide_out().width))
    if trouble is not None:
        trouble.next_command = f"{command} --rehearse"
        failures.tell(trouble)
    return code
