"""The guards of the product, each with a way to take it out: what is then broken must be found.

Nothing here is a mock: one guard is removed, everything else is the product as it is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from aftercall.adapters.journal.sqlite import claims, outbox, pacing, statements
from aftercall.domain import settlement
from aftercall.domain.pacing import Slots
from aftercall.domain.status import Event
from aftercall.domain.window import Window
from aftercall.engine import lane, rounds, slots, tenant, writer
from aftercall.wire import heard, masking, requests, responses


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard.

    Attributes:
        name: what it does.
        removed: a context within which it is gone.
        broken: the beginnings of the names of violations that show it, any of them.
        histories: within so many histories one is found.
    """

    name: str
    removed: Callable[[], Any]
    broken: tuple[str, ...]
    histories: int = 400


@contextmanager
def _swapped(owner: Any, name: str, value: Any) -> Iterator[None]:
    kept = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, kept)


@contextmanager
def _statement(name: str, change: Callable[[str], str]) -> Iterator[None]:
    """Change one SQL statement of the journal."""
    known = statements.statements()
    kept = known[name]
    known[name] = change(kept)
    assert known[name] != kept, f"the guard in statement {name} is not where it was"
    try:
        yield
    finally:
        known[name] = kept


def _without(name: str, guard: str, instead: str = "") -> Callable[[], Any]:
    return lambda: _statement(name, lambda sql: sql.replace(guard, instead))


def _ignoring(*reasons: str) -> Callable[[], Any]:
    """Decide as ever, but write where one of `reasons` speaks against it."""

    def decide(*given: Any) -> Any:
        verdict = settlement.decide(*given)
        return None if verdict is not None and verdict.reason in reasons else verdict

    return lambda: _swapped(writer, "decide", decide)


def _lost_is_not_sent() -> Any:
    def written_failure(failure: Any) -> Any:
        return replace(responses.read_failure(failure), sent=True)

    return _swapped(tenant, "written_failure", written_failure)


def _no_condition() -> Any:
    def write_request(target: Any, row: Any, token: str, request_id: str, basis: Any) -> Any:
        return requests.write_request(target, row, token, request_id, replace(basis, etag=None))

    return _swapped(tenant, "write_request", write_request)


def _doubt_forgotten() -> Any:
    def conclude(*given: Any) -> Any:
        return replace(settlement.conclude(*given), doubt=False)

    return _swapped(writer, "conclude", conclude)


def _claims_nothing() -> Any:
    def take_turn(db: Any, *given: Any) -> Any:
        turn = _take_turn(db, *given)
        for claim in turn.claims:
            db.execute("UPDATE row SET status = 'pending' WHERE id = ?", (claim.row,))
        return turn

    _take_turn = claims._take_turn
    return _swapped(claims, "_take_turn", take_turn)


def _no_permits() -> Any:
    async def grant(self: Any, *, write: bool) -> Any:
        departure = await kept(self, write=write)
        if departure is not None:
            self._gates.permits.release()
        return departure

    kept = lane.Lane.grant
    return _swapped(lane.Lane, "grant", grant)


def _permits_kept() -> Any:
    def release(self: Any, *given: Any, **named: Any) -> None:
        """Give nothing back."""

    return _swapped(lane.Lane, "release", release)


@contextmanager
def _unpaced() -> Iterator[None]:
    def reserve(tat_us: int, now_us: int, count: int, spacing_us: int) -> Any:
        return Slots(now_us, count, spacing_us), now_us

    with (
        _swapped(pacing, "reserve", reserve),
        _swapped(Window, "opens_in", lambda self, now: 0.0),
    ):
        yield


def _no_pause() -> Any:
    async def pause(self: Any, until_us: int) -> None:
        """Go on."""

    async def throttled(self: Any, wanted: Any, sent_seconds: float) -> float:
        return 0.0

    @contextmanager
    def both() -> Iterator[None]:
        with (
            _swapped(slots.SlotBook, "pause", pause),
            _swapped(lane.Lane, "throttled", throttled),
        ):
            yield

    return both()


def _new_event_id() -> Any:
    count = iter(range(10**9))
    kept: Any = getattr(outbox, "Delivery")  # noqa: B009

    def delivery(number: int, event_id: str, *rest: Any) -> Any:
        return kept(number, f"{event_id}-{next(count)}", *rest)

    return _swapped(outbox, "Delivery", delivery)


def _unannounced() -> Any:
    def conclude(*given: Any) -> Any:
        made = settlement.conclude(*given)
        return replace(made, announce=made.announce and made.reason != "read_back")

    return _swapped(writer, "conclude", conclude)


def _trail_tidied() -> Any:
    def add_entry(db: Any, run: int, entry: Any, now_ms: int) -> None:
        db.execute("DELETE FROM audit WHERE row = ?", (entry["row_id"],))
        kept(db, run, entry, now_ms)

    kept: Any = getattr(claims, "add_entry")  # noqa: B009
    return _swapped(claims, "add_entry", add_entry)


def _no_entry() -> Any:
    def conclude(*given: Any) -> Any:
        made = settlement.conclude(*given)
        return replace(made, entry=None) if made.event is Event.MISS else made

    return _swapped(writer, "conclude", conclude)


@contextmanager
def _secrets_told() -> Iterator[None]:
    def as_it_came(words: str, told: Any) -> str:
        return words

    # Bound anew, so that neither the engine nor the delivery masks.
    with _swapped(masking, "masked", as_it_came), _swapped(heard, "masked", as_it_came):
        yield


@contextmanager
def _notes_told() -> Iterator[None]:
    def as_it_came(words: str, row: Any) -> str:
        return words

    with (
        _swapped(masking, "without_personal_data", as_it_came),
        _swapped(settlement, "without_personal_data", as_it_came),
    ):
        yield


@contextmanager
def one_turn_after_the_other() -> Iterator[None]:
    """Let a campaign's turn take all its rows, and the others wait for its end."""
    with (
        _swapped(rounds, "TURNS_MAX", 1),
        _swapped(rounds.Rounds, "_rows_of_turn", lambda self, lane: 10**6),
    ):
        yield


def _turn_lost() -> Any:
    def due(self: Any, campaign: str, due_ms: int) -> None:
        """Forget it."""

    return _swapped(rounds.Rounds, "due", due)


def _asked_again_at_once() -> Any:
    return _swapped(rounds.Rounds, "_until_next", lambda self, now_ms: 0.0)


class _Nothing(Exception):
    """What no journal raises."""


def _pump_fails_alone() -> Any:
    return _swapped(lane, "AftercallError", _Nothing)


LEFT = "('pending', 'deferred', 'doubtful')"

GUARDS = (
    Guard("no write over a call", _ignoring("on_call"), ("G2 live call",)),
    Guard("If-Match on the write", _no_condition, ("G2 If-Match",)),
    Guard(
        "an old read is made again",
        lambda: _swapped(tenant, "_fresh_seconds", lambda lane: 1e9),
        ("G2 fresh",),
        1500,
    ),
    Guard("claimed on disk before a request leaves", _claims_nothing, ("G3 claimed", "G1")),
    Guard("a lost answer is in doubt", _lost_is_not_sent, ("G3 ledger",)),
    Guard("doubt is kept until it is read back", _doubt_forgotten, ("G3 ledger",)),
    Guard(
        "what a dead process left is in doubt",
        _without("doubt_left", "doubt = 1", "doubt = 0"),
        ("G3 ledger",),
        1500,
    ),
    Guard("the tenant's newer outcome stays", _ignoring("newer_in_tenant"), ("G4 newest",)),
    Guard("slots keep their distance, and the window", _unpaced, ("G5 pace",)),
    Guard("so many in flight", _no_permits, ("G5 in flight",)),
    Guard("Retry-After is kept", _no_pause, ("G5 Retry-After",)),
    Guard("an event for each applied row", _unannounced, ("G6 outbox",)),
    Guard("an event keeps its id", _new_event_id, ("G6 event",)),
    Guard("entries are only added", _trail_tidied, ("journal",)),
    Guard("an entry for each settled row", _no_entry, ("G7 entries",)),
    Guard("a secret that the tenant quotes is masked", _secrets_told, ("G8 secrets",)),
    Guard("notes that the tenant quotes are masked", _notes_told, ("G8 secrets",)),
    Guard("a permit comes back", _permits_kept, ("stuck", "deadlocked", "spinning")),
    Guard(
        "what is parked is taken up again",
        _without("unpark", LEFT, "('no such status')"),
        ("liveness",),
    ),
    Guard("a row that waits has its turn", _turn_lost, ("liveness",)),
    Guard("time passes between two looks", _asked_again_at_once, ("spinning",)),
    Guard("a journal that fails is told to all", _pump_fails_alone, ("stuck", "traceback"), 1500),
)
"""Every guard that the simulation is known to miss when it is gone."""
