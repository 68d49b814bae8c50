"""The guards of the product: what is broken without one of them must be found."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aftercall.engine import tenant

from . import removals, removals_of_lists


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard.

    Attributes:
        name: what it does.
        removed: a context within which it is gone.
        broken: the beginnings of the names of violations that show it, any of them.
        histories: within so many histories one is found.
        first: the seed of the first of them.
        besides: what else is broken without it, and may be found before.
    """

    name: str
    removed: Callable[[], Any]
    broken: tuple[str, ...]
    histories: int = 400
    first: int = 0
    besides: tuple[str, ...] = ()


LEFT = "('pending', 'deferred', 'doubtful')"

GUARDS = (
    Guard(
        "how far an input was read is stored with its rows",
        removals.without("advance_source", "rows_read + :rows", "rows_read"),
        ("G1 reconciles",),
    ),
    Guard(
        "every row that is read is counted",
        removals.without("count_read", "rows_read + :rows", "rows_read"),
        ("G1 reconciles",),
    ),
    Guard(
        "a wait that is no failure costs no attempt",
        removals.without("settle_rows", "attempts - s.refund", "attempts"),
        ("G1 failed",),
    ),
    Guard("what shows no contact is read again", removals.missing_if_unreadable, ("G1 missing",)),
    Guard(
        "a failure is no refusal",
        removals.refused_if_it_fails,
        ("G1 rejected",),
        besides=("G3 ledger",),
    ),
    Guard("no write over a call", removals.ignoring("on_call"), ("G2 live call",)),
    Guard("If-Match on the write", removals.no_condition, ("G2 If-Match",)),
    Guard(
        "an old read is made again",
        lambda: removals.swapped(tenant, "_fresh_seconds", lambda *given: 1e9),
        ("G2 fresh",),
        1500,
    ),
    Guard(
        "whoever a list leaves out is read alone",
        removals_of_lists.free_if_left_out,
        ("G3 read back", "G2"),
        first=3,
    ),
    Guard(
        "who is told twice is read alone",
        removals_of_lists.last_that_is_told,
        ("G3 read back", "G2"),
        first=3,
    ),
    Guard(
        "a list is read by its ids",
        removals_of_lists.in_their_order,
        ("G3 read back", "G2"),
        first=3,
    ),
    Guard(
        "a list that is old is read again",
        removals_of_lists.all_at_once_and_never_again,
        ("G2 fresh",),
        first=3,
    ),
    Guard(
        "whether a write has landed no list is asked",
        removals_of_lists.together_in_doubt,
        ("G3 read alone",),
        first=3,
    ),
    Guard("claimed on disk before a request leaves", removals.claims_nothing, ("G3 claimed", "G1")),
    Guard("a disposition is taken in once", removals.taken_in_twice, ("G3 one holder",)),
    Guard(
        "what no longer counts makes way",
        removals.without("stand_aside", "WHERE", "WHERE FALSE AND"),
        ("G3 standing",),
    ),
    Guard("nothing is sent again blindly", removals.sent_again_blindly, ("G3 read back",)),
    Guard("what is read back is not sent again", removals.ignoring("read_back"), ("G3 repeated",)),
    Guard(
        "a write in doubt gives way to what came after it",
        removals.ignoring("newer_in_tenant_in_doubt"),
        ("G3 twice",),
        first=700,
        besides=("G2 live call", "G4 newest"),
    ),
    Guard("a lost answer is in doubt", removals.lost_is_not_sent, ("G3 ledger",)),
    Guard("doubt is kept until it is read back", removals.doubt_forgotten, ("G3 ledger",)),
    Guard(
        "what a dead process left is in doubt",
        removals.without("doubt_left", "doubt = 1", "doubt = 0"),
        ("G3 ledger",),
        1500,
    ),
    Guard("the tenant's newer outcome stays", removals.ignoring("newer_in_tenant"), ("G4 newest",)),
    Guard("slots keep their distance, and the window", removals.unpaced, ("G5 pace",)),
    Guard("the tenant as a whole is paced, too", removals.tenant_unpaced, ("G5 pace",)),
    Guard("so many in flight", removals.no_permits, ("G5 in flight",)),
    Guard("Retry-After is kept", removals.no_pause, ("G5 Retry-After",)),
    Guard("Retry-After can be a date", removals.dates_unread, ("G5 Retry-After",)),
    Guard("an event for each applied row", removals.unannounced, ("G6 outbox",)),
    Guard("only what was applied is told", removals.announced_when_refused, ("G6 too early",)),
    Guard("a login page is no success", removals.any_200_is_success, ("G6 too early", "G1 ledger")),
    Guard(
        "an event without an answer stays",
        removals.delivered_if(lambda status: status is None),
        ("G6 heard",),
    ),
    Guard(
        "an event that was refused stays",
        removals.delivered_if(lambda status: status is not None),
        ("G6 heard",),
    ),
    Guard(
        "the next event of a contact has its turn",
        removals.without("release_next", "due_ms IS NULL AND", "FALSE AND"),
        ("G6 delivered",),
    ),
    Guard("an event keeps its id", removals.new_event_id, ("G6 event",)),
    Guard("entries are only added", removals.trail_tidied, ("journal",)),
    Guard("an entry for each settled row", removals.no_entry, ("G7 entries",)),
    Guard("a clock that was set back is recorded", removals.steps_unrecorded, ("G7 log",)),
    Guard("what came last is sealed", removals.not_sealed_at_the_end, ("G7 sealed",)),
    Guard("a key that the CRM quotes is masked", removals.key_told, ("G8 secrets",)),
    Guard("a secret that the tenant quotes is masked", removals.secrets_told, ("G8 secrets",)),
    Guard("notes that the tenant quotes are masked", removals.notes_told, ("G8 secrets",)),
    Guard("a permit comes back", removals.permits_kept, ("stuck", "deadlocked", "spinning")),
    Guard(
        "what is parked is taken up again",
        removals.without("unpark", LEFT, "('no such status')"),
        ("liveness",),
    ),
    Guard("a row that waits has its turn", removals.turn_lost, ("liveness",)),
    Guard("time passes between two looks", removals.asked_again_at_once, ("spinning",)),
    Guard(
        "a journal that fails is told to all",
        removals.pump_fails_alone,
        ("stuck", "traceback"),
        1500,
    ),
)
"""Every guard that the simulation is known to miss when it is gone."""
