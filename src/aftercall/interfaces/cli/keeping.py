"""What takes data out of the trail, or keeps it in: audit seal, erase, expire and hold."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import typer

from aftercall.domain import instant
from aftercall.domain.acts import Hold, Scope, holds
from aftercall.errors import AftercallError
from aftercall.interfaces.cli.figures import count
from aftercall.interfaces.cli.listings import journal_of
from aftercall.interfaces.cli.options import Caution, Place
from aftercall.interfaces.cli.runs import print_json, settings_for
from aftercall.interfaces.cli.terminal import err, out, plain, say
from aftercall.ports.audit import PersonalData
from aftercall.settings import Settings
from aftercall.wiring import Trail, open_audit, open_trail

Result = TypeVar("Result")

LINES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Erasure:
    """The options of `audit erase`."""

    contact: str
    campaign: str
    reason: str


def seal(place: Place) -> int:
    """Seal what is not sealed yet."""
    sealed = _worked(place, lambda trail, _: trail.seal())
    say(f"{count(sealed, 'entry', 'entries')} sealed.")
    return 0


def erase(place: Place, asked: Erasure, caution: Caution) -> int:
    """Erase a person's data, having asked."""
    scope = Scope(asked.contact, asked.campaign)
    if not asked.contact or not asked.reason.strip():
        option = "--reason" if asked.contact else "--contact"
        raise typer.BadParameter("must not be empty.", param_hint=option)

    async def work(trail: Trail, _: Settings) -> int:
        found = trail.held_of(scope)
        if not found.campaigns:
            message = f"There is no row of {scope} in this journal."
            raise AftercallError(message, fix="Contacts are told apart by case and by blanks.")
        for line in _told(scope, found):
            say(line)
        held = [hold for hold in trail.holds() if hold.meets(scope, found.campaigns)]
        for hold in held:
            say(f"Hold {hold.number} covers it, so it may not be erased: {plain(hold.reason)}")
        if caution.dry_run:
            say("Nothing was changed.")
            return 0
        if not (held or caution.yes or _confirmed()):
            say("Nothing was changed.")
            return 1
        done = await trail.erase(scope, asked.reason)
        say(f"Erased, and recorded. {count(len(done.rewritten), 'result file')} written anew.")
        for failed in done.failed:
            say(f"warning: A result file could not be written anew: {plain(failed)}")
        if done.failed:
            say("fix: Remove it, or make it writable and erase again.")
        return 1 if done.failed else 0

    return _worked(place, work)


def _told(scope: Scope, found: PersonalData) -> Iterator[str]:
    rows = count(found.rows, "row")
    yield f"{plain(str(scope))}: personal data in {rows} and {count(found.events, 'CRM event')}."
    if found.unnamed:
        which = count(found.unnamed, "of these rows is", "of these rows are")
        yield f"{which} invalid, without a contact, and only quoted the id somewhere."
    if found.open_rows:
        yield f"{count(found.open_rows, 'row')} still open: bring them to their end first."
    for directory, run in found.results[:LINES_SHOWN]:
        yield f"result files of run {run} in {plain(directory)}"
    if found.inputs:
        yield "Your own input files are not touched:"
    for name, lines in found.inputs[:LINES_SHOWN]:
        shown = ", ".join(map(str, lines[:LINES_SHOWN]))
        more = ", ..." if len(lines) > LINES_SHOWN else ""
        yield f"  {plain(name)}, line {shown}{more}"


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        message = "Erasing cannot be undone, and there is no terminal to ask on."
        raise AftercallError(message, fix="Look with --dry-run, then say --yes.")
    err().print("Erase this for good? [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def expire(place: Place, *, dry_run: bool) -> int:
    """Take out what is older than it is to be kept."""

    async def work(trail: Trail, settings: Settings) -> tuple[int, int]:
        days = settings.audit.retain_days
        taking = trail.expirable if dry_run else trail.expire
        return await taking(days), days

    taken, days = _worked(place, work)
    done = "would be taken out." if dry_run else "taken out."
    say(f"{count(taken, 'entry', 'entries')} older than {count(days, 'day')} {done}")
    return 0


def hold_add(place: Place, contact: str, campaign: str, reason: str) -> int:
    """Place a hold and print its number."""
    scope = Scope(contact, campaign)
    if scope == Scope():
        raise typer.BadParameter("say whose data is held.", param_hint="--contact or --campaign")
    held = _worked(place, lambda trail, _: trail.hold(scope, reason))
    out().print(str(held.number))
    say(f"Hold {held.number} covers {plain(str(scope))} until it is released.")
    return 0


def hold_release(place: Place, number: int, reason: str) -> int:
    """Release a hold."""
    held = _worked(place, lambda trail, _: trail.release(number, reason))
    say(f"Hold {held.number} on {plain(str(held.scope))} is released.")
    return 0


def hold_list(place: Place, *, json: bool) -> int:
    """List the holds in force."""
    with place.kept_in_errors(), open_audit(journal_of(place)) as archive:
        found = holds(archive.acts())
    if json:
        print_json({"holds": [_as_json(hold) for hold in found]})
        return 0
    for hold in found:
        placed = instant.text(hold.placed_ms)
        words = f"{hold.number}  {hold.scope}  {placed}  {hold.by}  {hold.reason}"
        out().print(plain(words), soft_wrap=True)
    if not found:
        say("There are no holds in force.")
    return 0


def _as_json(hold: Hold) -> dict[str, object]:
    return {
        "hold": hold.number,
        "contact": hold.scope.contact,
        "campaign": hold.scope.campaign,
        "reason": hold.reason,
        "by": hold.by,
        "placed": instant.text(hold.placed_ms),
    }


def _worked(place: Place, work: Callable[[Trail, Settings], Coroutine[Any, Any, Result]]) -> Result:
    """Open the trail, and return what comes of some work on it."""
    with place.kept_in_errors():
        settings = settings_for(place)

        async def whole() -> Result:
            async with open_trail(settings) as trail:
                return await work(trail, settings)

        return asyncio.run(whole())
