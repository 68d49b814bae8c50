"""What `crm replay` and `crm enable` do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import typer

from aftercall.adapters.clock import SystemClock
from aftercall.domain.delivery import EventState
from aftercall.engine.delivery import Endpoint
from aftercall.engine.overview import find_run
from aftercall.errors import ConfigInvalid
from aftercall.interfaces.cli.deliveries import chosen_endpoints, deliver_round, print_round
from aftercall.interfaces.cli.events import event_json, events_view, history_of
from aftercall.interfaces.cli.figures import count
from aftercall.interfaces.cli.options import Place, Sending
from aftercall.interfaces.cli.runs import print_json, settings_for
from aftercall.interfaces.cli.terminal import plain, print_pieces, say
from aftercall.ports import EventFilter, EventRecord
from aftercall.settings import Settings
from aftercall.wiring import configured, open_archive, redelivery_at

EVENTS_MAX = 10_000
"""As many are sent again by one command; the next one goes on."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What is to be sent again.

    Attributes:
        events: the ids that were named; none if the events are described by `asked`.
        asked: which events.
        sending: how many of them, and whether they really are.
    """

    events: tuple[str, ...]
    asked: EventFilter
    sending: Sending

    def check(self) -> None:
        """Check that not everything is sent again that was ever delivered.

        Raises:
            typer.BadParameter: it would be; or what was asked for is under way anyhow.
        """
        if self.events:
            return
        if self.asked.state is EventState.WAITING:
            message = "Waiting events are under way; aftercall crm enable NAME hurries them."
            raise typer.BadParameter(message, param_hint="--status")
        narrowed = (self.asked.run, self.asked.from_ms, self.asked.until_ms, self.sending.limit)
        if self.asked.state is EventState.DELIVERED and not any(map(_given, narrowed)):
            message = "It would send every event again: add --run, --since, --until or --limit."
            raise typer.BadParameter(message, param_hint="--status")


def _given(value: object) -> bool:
    return value is not None


def replay(place: Place, wanted: Replay) -> int:
    """Send events again."""
    wanted.check()
    with place.kept_in_errors():
        settings = settings_for(place)
        found, total = _found(settings, wanted)
        if wanted.sending.dry_run or not found:
            return _tell_found(found, total, wanted)
        endpoints = _reached(settings, found)
        with redelivery_at(settings.journal.path) as (outbox, worked_on):
            numbers = [event.number for event in reversed(found)]
            queued = asyncio.run(outbox.replay(numbers, SystemClock().now_us() // 1000))
        _tell_queued(len(found), queued, wanted, worked_on=worked_on)
        if not queued or worked_on:
            return 0
        done = deliver_round(settings, endpoints, wait=False)
    if wanted.sending.json:
        print_json({"replayed": queued} | done.as_json())
    else:
        print_round(done, place)
    return done.code


def _found(settings: Settings, wanted: Replay) -> tuple[Sequence[EventRecord], int]:
    with open_archive(settings.journal.path) as archive:
        if wanted.events:
            named = [history_of(archive.crm, one).event for one in dict.fromkeys(wanted.events)]
            return sorted(named, key=lambda event: -event.number), len(named)
        if wanted.asked.run is not None:
            find_run(archive, wanted.asked.run)
        events_max = min(wanted.sending.limit or EVENTS_MAX, EVENTS_MAX)
        total = sum(one.events for one in archive.crm.tally(wanted.asked))
        return archive.crm.find(wanted.asked, events_max), total


def _tell_found(found: Sequence[EventRecord], total: int, wanted: Replay) -> int:
    if wanted.sending.json:
        listed = [event_json(event) for event in found]
        print_json({"dry_run": wanted.sending.dry_run, "total": total, "events": listed})
        return 0
    print_pieces(events_view(found, frozenset()))
    say(f"{count(len(found), 'event')} would be sent again." if found else NOTHING)
    return 0


NOTHING = "There are no such events."


def _reached(settings: Settings, events: Sequence[EventRecord]) -> Sequence[Endpoint]:
    """Return the endpoints of some events, ready to be called; nothing was changed yet.

    Raises:
        ConfigInvalid: none of them is in the configuration, or a secret is missing.
    """
    names = sorted({event.endpoint for event in events})
    known = [name for name in names if name in configured(settings)]
    lost = ", ".join(plain(name) for name in names if name not in known)
    if lost and known:
        say(f"Not in the configuration, so its events will wait: {lost}.")
    return chosen_endpoints(settings, known or names)


def _tell_queued(found: int, queued: int, wanted: Replay, *, worked_on: bool) -> None:
    told = f"{queued:,} of {count(found, 'event')} will be sent again."
    if queued < found:
        told += " The others are under way already."
    if not wanted.sending.json:
        say(told)
        if worked_on:
            say("The process that works on the journal delivers them.")
    elif not queued or worked_on:
        print_json({"replayed": queued, "delivered_elsewhere": worked_on})


def enable(place: Place, name: str) -> int:
    """Let an endpoint be called again."""
    with place.kept_in_errors():
        settings = settings_for(place)
        with open_archive(settings.journal.path) as archive:
            disabled = {one.name for one in archive.crm.disabled()}
            tallies = archive.crm.tally(EventFilter())
            known = {one.endpoint for one in tallies}
        if name not in disabled | known | set(configured(settings)):
            message = f"There is no endpoint {name}, neither in the configuration nor the journal."
            raise ConfigInvalid(message, fix="Give the name of one that is listed by crm list.")
        with redelivery_at(settings.journal.path) as (outbox, worked_on):
            hurried = asyncio.run(outbox.enable(name, SystemClock().now_us() // 1000))
    state = "is called again" if name in disabled else "was not disabled"
    waiting = sum(
        one.events for one in tallies if (one.endpoint, one.state) == (name, EventState.WAITING)
    )
    due = f"{count(waiting, 'event')} {'waits' if waiting == 1 else 'wait'} for it"
    say(f"The endpoint {plain(name)} {state}; {due}, {hurried:,} of them earlier than before.")
    if name not in configured(settings):
        say("The configuration does not have it, so nobody delivers them.")
        say("fix: Give it back its table, under the same name; the address may be another.")
    elif worked_on:
        say("The process that works on the journal delivers them.")
    else:
        say(f"next: {place.command('crm', 'deliver', '--endpoint', name)}")
    return 0
