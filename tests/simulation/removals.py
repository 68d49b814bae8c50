"""The ways to take a guard of the product out, each a context within which it is gone.

Nothing here is a mock: one guard is removed, everything else is the product as it is.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from aftercall.adapters.journal.sqlite import claims, intake, outbox, pacing, statements
from aftercall.domain import settlement
from aftercall.domain.answer import (
    Absent,
    Accepted,
    Refused,
    Unavailable,
    Uncertain,
)
from aftercall.domain.audit import Finding
from aftercall.domain.delivery import EventState, Judgement, Signal
from aftercall.domain.delivery import judge as judge_delivery
from aftercall.domain.pacing import Slots, Spacing
from aftercall.domain.status import Event, Status
from aftercall.domain.window import Window
from aftercall.engine import delivery, lane, reader, rounds, sealing, slots, tenant, writer
from aftercall.wire import heard, masking, refusals, requests, responses

from . import disk


@contextmanager
def swapped(owner: Any, name: str, value: Any) -> Iterator[None]:
    kept = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, kept)


@contextmanager
def statement(name: str, change: Callable[[str], str]) -> Iterator[None]:
    """Change one SQL statement of the journal."""
    known = statements.statements()
    kept = known[name]
    known[name] = change(kept)
    assert known[name] != kept, f"the guard in statement {name} is not where it was"
    try:
        yield
    finally:
        known[name] = kept


def without(name: str, guard: str, instead: str = "") -> Callable[[], Any]:
    return lambda: statement(name, lambda sql: sql.replace(guard, instead))


def ignoring(*reasons: str) -> Callable[[], Any]:
    """Decide as ever, but write where one of `reasons` speaks against it."""

    def decide(*given: Any) -> Any:
        verdict = settlement.decide(*given)
        return None if verdict is not None and verdict.reason in reasons else verdict

    return lambda: swapped(writer, "decide", decide)


def lost_is_not_sent() -> Any:
    def written_failure(failure: Any) -> Any:
        return replace(responses.read_failure(failure), sent=True)

    return swapped(tenant, "written_failure", written_failure)


def sent_again_blindly() -> Any:
    async def write(self: Any, *given: Any) -> Any:
        got = await kept(self, *given)
        return await kept(self, *given) if isinstance(got[0], Uncertain) else got

    kept = tenant.Tenant.write
    return swapped(tenant.Tenant, "write", write)


def missing_if_unreadable() -> Any:
    """Take whatever shows no contact for the answer that there is none."""

    def read_contact(*given: Any) -> Any:
        got = responses.read_contact(*given)
        return Absent() if isinstance(got, Unavailable) else got

    return swapped(reader, "read_contact", read_contact)


def refused_if_it_fails() -> Any:
    """Take a failure of the tenant for its refusal."""

    def read_written(*given: Any) -> Any:
        got = responses.read_written(*given)
        return Refused("failed") if isinstance(got, Uncertain) else got

    return swapped(tenant, "read_written", read_written)


def no_condition() -> Any:
    def write_request(target: Any, row: Any, token: str, request_id: str, basis: Any) -> Any:
        return requests.write_request(target, row, token, request_id, replace(basis, etag=None))

    return swapped(tenant, "write_request", write_request)


def doubt_forgotten() -> Any:
    def conclude(*given: Any) -> Any:
        return replace(settlement.conclude(*given), doubt=False)

    return swapped(writer, "conclude", conclude)


def claims_nothing() -> Any:
    def take_turn(db: Any, *given: Any) -> Any:
        turn = _take_turn(db, *given)
        for claim in turn.claims:
            db.execute("UPDATE row SET status = 'pending' WHERE id = ?", (claim.row,))
        return turn

    _take_turn = claims._take_turn
    return swapped(claims, "_take_turn", take_turn)


def no_permits() -> Any:
    async def grant(self: Any, *, write: bool) -> Any:
        departure = await kept(self, write=write)
        if departure is not None:
            self._gates.permits.release(self._holder)
        return departure

    kept = lane.Lane.grant
    return swapped(lane.Lane, "grant", grant)


def permits_kept() -> Any:
    def release(self: Any, *given: Any, **named: Any) -> None:
        """Give nothing back."""

    return swapped(lane.Lane, "release", release)


@contextmanager
def unpaced() -> Iterator[None]:
    def reserve(tat_us: int, now_us: int, count: int, spacing_us: int) -> Any:
        return Slots(now_us, count, spacing_us), now_us

    with (
        swapped(pacing, "reserve", reserve),
        swapped(Window, "opens_in", lambda self, now: 0.0),
        swapped(Spacing, "leave", lambda self, now_us, pace: None),
        swapped(Spacing, "left", lambda self, now_us, pace: None),
    ):
        yield


def tenant_unpaced() -> Any:
    """Keep the pace of each campaign and forget that of the tenant: its slots and its window."""

    async def at_pace_of(self: Any, tenant: Any) -> bool:
        return True

    return swapped(lane.Lane, "_at_pace_of", at_pace_of)


def dates_unread() -> Any:
    def retry_after_seconds(headers: Any, *given: Any) -> Any:
        return kept(headers, *given) if headers.get("retry-after", "").isdigit() else None

    kept = refusals.retry_after_seconds
    return swapped(refusals, "retry_after_seconds", retry_after_seconds)


def no_pause() -> Any:
    async def pause(self: Any, until_us: int) -> None:
        """Go on."""

    async def throttled(self: Any, wanted: Any, sent_seconds: float) -> float:
        return 0.0

    @contextmanager
    def both() -> Iterator[None]:
        with (
            swapped(slots.SlotBook, "pause", pause),
            swapped(lane.Lane, "throttled", throttled),
        ):
            yield

    return both()


def new_event_id() -> Any:
    count = iter(range(10**9))
    kept: Any = getattr(outbox, "Delivery")  # noqa: B009

    def delivery(number: int, event_id: str, *rest: Any) -> Any:
        return kept(number, f"{event_id}-{next(count)}", *rest)

    return swapped(outbox, "Delivery", delivery)


def unannounced() -> Any:
    def conclude(*given: Any) -> Any:
        made = settlement.conclude(*given)
        return replace(made, announce=made.announce and made.reason != "read_back")

    return swapped(writer, "conclude", conclude)


def announced_when_refused() -> Any:
    def conclude(*given: Any) -> Any:
        made = settlement.conclude(*given)
        return replace(made, announce=made.announce or made.event is Event.REJECT)

    return swapped(writer, "conclude", conclude)


def any_200_is_success() -> Any:
    def read_written(profile: Any, response: Any, *given: Any) -> Any:
        if 200 <= response.status < 300:
            return Accepted()
        return responses.read_written(profile, response, *given)

    return swapped(tenant, "read_written", read_written)


def delivered_if(good: Callable[[int | None], bool]) -> Callable[[], Any]:
    """Take an event for delivered by the status of an answer, None if there is none."""

    def judge(attempt: int, answer: Any, *given: Any) -> Any:
        if good(answer.status):
            return Judgement(EventState.DELIVERED, None, Signal.UP)
        return judge_delivery(attempt, answer, *given)

    return lambda: swapped(delivery, "judge", judge)


@contextmanager
def taken_in_twice() -> Iterator[None]:
    """Let a disposition in that is in the journal already; its index stands behind that."""

    def admitted(self: Any, candidate: Any) -> Any:
        finding = kept(self, candidate)
        return Finding(Status.PENDING, "") if finding is intake.SETTLED_BEFORE else finding

    kept = intake._Admission._judge
    with (
        swapped(disk, "WATCHES", disk.WATCHES + "DROP INDEX main.row_holder;"),
        swapped(intake._Admission, "_judge", admitted),
    ):
        yield


def steps_unrecorded() -> Any:
    async def step_back(self: Any, *given: Any) -> None:
        """Know of none."""

    return swapped(sealing.Sealer, "_step_back", step_back)


def not_sealed_at_the_end() -> Any:
    async def run(self: Any, done: Any) -> None:
        work = asyncio.ensure_future(kept(self, asyncio.Event()))
        await done.wait()
        work.cancel()
        await asyncio.wait({work})

    kept = sealing.Sealer.run
    return swapped(sealing.Sealer, "run", run)


def key_told() -> Any:
    return swapped(heard, "masked", lambda words, told: words)


def trail_tidied() -> Any:
    def add_entry(db: Any, run: int, entry: Any, now_ms: int) -> None:
        db.execute("DELETE FROM audit WHERE row = ?", (entry["row_id"],))
        kept(db, run, entry, now_ms)

    kept: Any = getattr(claims, "add_entry")  # noqa: B009
    return swapped(claims, "add_entry", add_entry)


def no_entry() -> Any:
    def conclude(*given: Any) -> Any:
        made = settlement.conclude(*given)
        return replace(made, entry=None) if made.event is Event.MISS else made

    return swapped(writer, "conclude", conclude)


@contextmanager
def secrets_told() -> Iterator[None]:
    def as_it_came(words: str, told: Any) -> str:
        return words

    # Bound anew, so that neither the engine nor the delivery masks.
    with swapped(masking, "masked", as_it_came), swapped(heard, "masked", as_it_came):
        yield


@contextmanager
def notes_told() -> Iterator[None]:
    def as_it_came(words: str, row: Any) -> str:
        return words

    with (
        swapped(masking, "without_personal_data", as_it_came),
        swapped(settlement, "without_personal_data", as_it_came),
    ):
        yield


@contextmanager
def one_turn_after_the_other() -> Iterator[None]:
    """Let a campaign's turn take all its rows, and the others wait for its end."""
    with (
        swapped(rounds, "TURNS_MAX", 1),
        swapped(rounds.TurnLimits, "rows_at", lambda self, pace: 10**6),
    ):
        yield


def turn_lost() -> Any:
    def due(self: Any, campaign: str, due_ms: int) -> None:
        """Forget it."""

    return swapped(rounds.Rounds, "due", due)


def asked_again_at_once() -> Any:
    return swapped(rounds.Rounds, "_until_next", lambda self, now_ms: 0.0)


class Nothing(Exception):
    """What no journal raises."""


def pump_fails_alone() -> Any:
    return swapped(lane, "AftercallError", Nothing)
