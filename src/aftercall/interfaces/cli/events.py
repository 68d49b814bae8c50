"""What `crm list` and `crm show` do."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import typer
from rich.console import RenderableType
from rich.text import Text

from aftercall.domain import instant
from aftercall.domain.delivery import EventState
from aftercall.domain.disposition import Json
from aftercall.engine.overview import find_run
from aftercall.errors import JournalError
from aftercall.interfaces.cli.figures import count, local_time, one_place, zone
from aftercall.interfaces.cli.listings import journal_of
from aftercall.interfaces.cli.moments import moment_of
from aftercall.interfaces.cli.options import Chosen, Place
from aftercall.interfaces.cli.runs import print_json
from aftercall.interfaces.cli.tables import Cell, table
from aftercall.interfaces.cli.terminal import out, plain, print_pieces, say
from aftercall.ports import (
    AttemptRecord,
    DisabledEndpoint,
    EventArchive,
    EventFilter,
    EventHistory,
    EventRecord,
)
from aftercall.wiring import open_archive

INDENT = "    "


def asked_for(chosen: Chosen, status: EventState | None) -> EventFilter:
    """Return what the journal is asked.

    Raises:
        typer.BadParameter: a date is none.
    """
    return EventFilter(
        state=status,
        endpoint=chosen.endpoint,
        run=chosen.run,
        contact=chosen.contact,
        from_ms=None if chosen.since is None else moment_of("--since", chosen.since, days=0),
        until_ms=None if chosen.until is None else moment_of("--until", chosen.until, days=1),
    )


def check_alone(chosen: Chosen) -> None:
    """Check that events which are named are not described as well.

    Raises:
        typer.BadParameter: they are.
    """
    if any(value is not None for value in asdict(chosen).values()):
        message = "Name events or describe them by options, not both."
        raise typer.BadParameter(message, param_hint="EVENT")


def listed(place: Place, asked: EventFilter, events_max: int, *, json: bool) -> int:
    """List events."""
    with place.kept_in_errors(), open_archive(journal_of(place)) as archive:
        if asked.run is not None:
            find_run(archive, asked.run)
        events = archive.crm.find(asked, events_max)
        tallies = archive.crm.tally(asked)
        disabled = archive.crm.disabled()
        every = [] if asked.endpoint is None else archive.crm.tally(EventFilter())
    total = sum(one.events for one in tallies)
    states: dict[str, int] = {}
    for one in tallies:
        states[one.state] = states.get(one.state, 0) + one.events
    if json:
        document = {
            "total": total,
            "states": states,
            "endpoints": [asdict(one) for one in tallies],
            "disabled": [one.name for one in disabled],
            "events": [event_json(event) for event in events],
        }
        print_json(document)
        return 0
    off = frozenset(one.name for one in disabled)
    print_pieces(events_view(events, off))
    if total > len(events):
        say(f"{len(events):,} of {count(total, 'event')}: --limit N for more.")
    if not total:
        say("There are no such events.")
    known = off | {one.endpoint for one in every}
    if asked.endpoint is not None and asked.endpoint not in known:
        listed = ", ".join(sorted(map(plain, known))) or "none"
        say(
            f"There never was an event for an endpoint of that name; those that had some: {listed}."
        )
    if states.get(EventState.DEAD):
        say(f"next: {place.command('crm', 'replay', '--dry-run')}")
    meant = {asked.endpoint} if asked.endpoint is not None else off
    say_disabled([one for one in disabled if one.name in meant], place)
    return 0


def say_disabled(disabled: Sequence[DisabledEndpoint], place: Place) -> None:
    """Say which endpoints are not called, and how that is ended."""
    for one in disabled:
        since = local_time(one.disabled_ms)
        say(f"The endpoint {plain(one.name)} is not called since {since}: {plain(one.words)}.")
        say(f"next: {place.command('crm', 'enable', one.name)}")


def show(place: Place, event_id: str, *, body: bool, json: bool) -> int:
    """Show one event and its attempts."""
    with place.kept_in_errors(), open_archive(journal_of(place)) as archive:
        history = history_of(archive.crm, event_id)
        off = frozenset(one.name for one in archive.crm.disabled())
    if json:
        document = event_json(history.event) | {
            "attempts": [attempt_json(attempt) for attempt in history.attempts]
        }
        print_json(document | ({"body": history.body} if body else {}))
        return 0
    print_pieces(history_view(history, off))
    if body:
        out().print(plain(history.body), soft_wrap=True)
    return 0


def history_of(archive: EventArchive, event_id: str) -> EventHistory:
    """Return an event and its attempts.

    Raises:
        JournalError: there is none of that id.
    """
    history = archive.history(event_id)
    if history is None:
        message = f"There is no event {event_id} in this journal."
        raise JournalError(
            message, fix="Give the id of one that is listed.", next_command="aftercall crm list"
        )
    return history


def event_json(event: EventRecord) -> dict[str, Json]:
    """Return an event as JSON, its times as text beside the milliseconds."""
    given: dict[str, Json] = asdict(event)
    return given | {
        "due": None if event.due_ms is None else instant.text(event.due_ms),
        "created": instant.text(event.created_ms),
        "delivered": None if event.delivered_ms is None else instant.text(event.delivered_ms),
    }


def attempt_json(attempt: AttemptRecord) -> dict[str, Json]:
    """Return an attempt as JSON."""
    given: dict[str, Json] = asdict(attempt)
    return given | {"at": instant.text(attempt.at_ms)}


def standing(event: EventRecord, off: Collection[str]) -> str:
    """Return where an event stands, in words; `off` are the endpoints that are not called."""
    words = f"{event.state}, {count(event.attempts, 'attempt')}"
    if event.words:
        words += f": {plain(event.words)}"
    if event.due_ms is not None and event.endpoint in off:
        words += ", held until the endpoint is enabled"
    elif event.due_ms is not None:
        due = event.due_ms <= instant.to_ms(datetime.now(UTC))
        words += ", due now" if due else f", next {local_time(event.due_ms)}"
    elif event.state == EventState.WAITING:
        words += ", after an earlier event of the contact"
    return words


def events_view(events: Sequence[EventRecord], off: Collection[str]) -> Iterator[RenderableType]:
    """Yield CRM events: what they tell of, and below it where they stand."""
    for event in events:
        line = Text(f"{local_time(event.created_ms)}  ", style="bold")
        line.append(f"{what(event)}  for {plain(event.endpoint)}", style="not bold")
        yield line.append(f"\n{INDENT}{standing(event, off)}  {event.event_id}", style="not bold")


def what(event: EventRecord) -> str:
    """Return what an event tells of."""
    return "  ".join(plain(cell) for cell in (event.campaign, event.contact, event.outcome))


def history_view(history: EventHistory, off: Collection[str]) -> Iterator[RenderableType]:
    """Yield an event and its attempts."""
    event = history.event
    line = Text(event.event_id, style="bold")
    line.append(f"  for {plain(event.endpoint)}", style="not bold")
    line.append(f"\n{INDENT}{what(event)}  run {plain(event.run)}", style="not bold")
    yield line.append(f"\n{INDENT}{standing(event, off)}", style="not bold")
    if history.attempts:
        yield Text()
        yield table(
            (">attempt", f"at ({zone()})", "answer", ">ms", "it began with"),
            [attempt_cells(attempt) for attempt in history.attempts],
        )


def attempt_cells(attempt: AttemptRecord) -> Sequence[Cell]:
    """Return the line of an attempt."""
    return (
        f"{attempt.attempt}",
        local_time(attempt.at_ms),
        plain(attempt.words),
        one_place(attempt.latency_ms),
        plain(attempt.answer),
    )
