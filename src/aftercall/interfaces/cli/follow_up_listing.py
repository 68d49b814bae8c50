"""What `followups list` and `followups show` do."""

import json as json_text
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from rich.console import RenderableType
from rich.text import Text

from aftercall.domain import instant
from aftercall.domain.disposition import Json
from aftercall.domain.follow_ups import OPEN, UNDONE, FollowUpKind, FollowUpState
from aftercall.engine.overview import find_run
from aftercall.errors import JournalError
from aftercall.interfaces.cli.figures import count, local_time, zone
from aftercall.interfaces.cli.listings import journal_of
from aftercall.interfaces.cli.options import Following, Place
from aftercall.interfaces.cli.reasons import words_of
from aftercall.interfaces.cli.runs import print_json
from aftercall.interfaces.cli.tables import table
from aftercall.interfaces.cli.terminal import plain, print_pieces, say
from aftercall.ports import Archive, AuditFilter
from aftercall.ports.follow_ups import FollowUpFilter, FollowUpRecord
from aftercall.wiring import open_archive

INDENT = "    "

FIXES = {
    FollowUpState.FAILED: "once the tenant works again, try them again:",
    FollowUpState.REFUSED: "once what the tenant says is put right, try them again:",
    FollowUpState.UNKNOWN: "see at the tenant whether they were done; if they were not:",
}
"""What to do about follow-ups that ended in a state, before the command that does it."""


def filter_of(asked: Following) -> FollowUpFilter:
    """Return what the journal is asked."""
    return FollowUpFilter(
        run=asked.run,
        contact=asked.contact,
        kind=None if asked.kind is None else FollowUpKind(asked.kind),
        states=tuple(map(FollowUpState, asked.state or ())),
    )


def listed(place: Place, asked: Following, most: int, *, json: bool) -> int:
    """List follow-ups."""
    wanted = filter_of(asked)
    with place.kept_in_errors(), open_archive(journal_of(place)) as archive:
        if asked.run is not None:
            find_run(archive, asked.run)
        found = archive.follow_ups.find(wanted, most)
        tally = archive.follow_ups.tally(wanted)
    total = sum(sum(states.values()) for states in tally.values())
    if json:
        listing = [follow_up_json(one) for one in found]
        print_json({"total": total, "counts": tally, "follow_ups": listing})
        return 0
    print_pieces(follow_ups_view(found))
    if total > len(found):
        say(f"{len(found):,} of {count(total, 'follow-up')}: --limit N for more.")
    if not total:
        say("There are no such follow-ups.")
    _say_next(place, found)
    return 0


def _say_next(place: Place, found: Sequence[FollowUpRecord]) -> None:
    """Say what can be done about what is listed."""
    for state, words in FIXES.items():
        for run in dict.fromkeys(one.run for one in found if one.state == state):
            command = place.command("followups", "retry", run, "--state", state.value)
            say(f"{state.value}: {words}", f"next: {command}")
    for run in dict.fromkeys(one.run for one in found if one.state in OPEN):
        say("go on with what is open:", f"next: {place.command('resume', run)}")


def show(place: Place, number: int, *, json: bool) -> int:
    """Show one follow-up and its audit entries."""
    with place.kept_in_errors(), open_archive(journal_of(place)) as archive:
        one = archive.follow_ups.one(number)
        if one is None:
            message = f"There is no follow-up {number} in this journal."
            fix = "Give the number of one that is listed."
            raise JournalError(message, fix=fix, next_command="aftercall followups list")
        entries = list(_entries_of(archive, one))
    if json:
        print_json(follow_up_json(one) | {"audit": entries})
        return 0
    print_pieces(_history_view(one, entries))
    _say_next(place, [one])
    return 0


def _entries_of(archive: Archive, one: FollowUpRecord) -> Iterator[Mapping[str, Json]]:
    for text in archive.entries(AuditFilter(run=one.run, contact=one.contact)):
        entry = json_text.loads(text)
        mine = {"action": one.kind, "target": one.target}
        if entry["row_id"] == one.row and entry.get("follow_up") == mine:
            yield entry


def follow_up_json(one: FollowUpRecord) -> dict[str, Json]:
    """Return a follow-up as JSON, its times as text beside the milliseconds."""
    given: dict[str, Json] = asdict(one)
    return given | {
        "due": None if one.due_ms is None else instant.text(one.due_ms),
        "created": instant.text(one.created_ms),
        "settled": None if one.settled_ms is None else instant.text(one.settled_ms),
    }


def called(one: FollowUpRecord) -> str:
    """Return what is done, in the words of the configuration."""
    return f"{one.kind} {plain(one.target)}".rstrip()


def follow_ups_view(found: Sequence[FollowUpRecord]) -> Iterator[RenderableType]:
    """Yield follow-ups: what they are about, and below it where they stand."""
    for one in found:
        line = Text(f"{one.number}", style="bold")
        what = "  ".join(plain(cell) for cell in (one.campaign, one.contact, one.outcome))
        line.append(f"  {called(one)}  {what}  ", style="not bold")
        line.append(one.state, style=f"not bold {style_of(one.state)}")
        if one.reason and one.state != FollowUpState.DONE:
            line.append(f": {words_of(one.reason)}", style="not bold")
        line.append(
            f"\n{INDENT}{plain(one.source)}:{one.line} ({one.row_status})", style="not bold"
        )
        line.append(f", run {plain(one.run)}, {count(one.attempts, 'attempt')}", style="not bold")
        if one.due_ms is not None:
            line.append(f", due {local_time(one.due_ms)}", style="not bold")
        if one.words:
            line.append(f"\n{INDENT}{plain(one.words)}", style="not bold")
        yield line


def style_of(state: str) -> str:
    """Return the colour of a state; its name says the same without one."""
    if state in OPEN:
        return "yellow"
    return "red" if state in UNDONE else "green"


def _history_view(
    one: FollowUpRecord, entries: Sequence[Mapping[str, Json]]
) -> Iterator[RenderableType]:
    yield from follow_ups_view([one])
    if entries:
        yield Text()
        rows = []
        for entry in entries:
            moment = instant.parse(str(entry["timestamp"]))
            at = "" if moment is None else local_time(instant.to_ms(moment))
            cells = (entry["attempt"], at, entry["status"], words_of(str(entry["reason"])))
            rows.append(tuple(plain(str(cell)) for cell in cells))
        yield table((">attempt", f"at ({zone()})", "then", "why"), rows)
