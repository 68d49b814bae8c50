"""Opt-outs by their deadlines: what the listing is made of, and who has looked at them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.federal_holidays import FederalHolidays
from aftercall.adapters.journal.sqlite import SqliteJournal, open_archive, opt_outs_beside
from aftercall.adapters.journal.sqlite.opt_outs import SqliteOptOuts
from aftercall.domain.business_days import Calendar
from aftercall.domain.opt_outs import (
    Acknowledgement,
    OptOut,
    OptOutFilter,
    Standing,
    Terms,
    judge,
)
from aftercall.domain.outcomes import Category
from aftercall.errors import JournalBusy, JournalError
from aftercall.ports import Archive
from aftercall.settings import OptOuts, Settings


def terms_of(table: OptOuts, outcomes: Mapping[str, Category]) -> Terms:
    """Return how long opt-outs may take, as their table says, and which outcome codes are some."""
    return Terms(
        calendar=Calendar(ZoneInfo(table.time_zone), FederalHolidays()),
        business_days=table.business_days,
        near_days=table.near_days,
        codes=frozenset(code for code, means in outcomes.items() if means is Category.OPT_OUT),
    )


def now_ms() -> int:
    """Return the time."""
    return SystemClock().now_us() // 1000


def judged(archive: Archive, asked: OptOutFilter, terms: Terms, at_ms: int) -> Iterator[OptOut]:
    """Yield opt-outs with where they stand at `at_ms`, the nearest deadline first."""
    return (judge(row, terms, at_ms) for row in archive.opt_outs(asked))


def unsure(archive: Archive, asked: OptOutFilter, terms: Terms, at_ms: int) -> Iterator[OptOut]:
    """Yield the same without most of those that were applied in time, which are the most."""
    rows = archive.opt_outs(asked, terms.shortest_ms)
    return (judge(row, terms, at_ms) for row in rows)


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says of opt-outs.

    Attributes:
        by: who says it.
        reason: why nothing more is to be done about them, or why something is.
        withdrawn: an earlier acknowledgement is taken back.
    """

    by: str
    reason: str
    withdrawn: bool = False


async def acknowledge(settings: Settings, rows: Sequence[int], word: Word) -> Sequence[int]:
    """Store that somebody has looked at opt-outs; all of them, or none if one cannot be.

    A process that works on the journal goes on, and seals the entries.

    Returns:
        The rows it was stored for: not those that stand so already.

    Raises:
        JournalError: there is no journal, or one of the rows is no opt-out or was applied in time.
    """
    with _at(settings.journal.path) as (archive, opt_outs):
        at_ms = now_ms()
        terms = terms_of(settings.opt_outs, settings.outcomes)
        found = [_standing(archive, row, terms, at_ms) for row in dict.fromkeys(rows)]
        changed = [
            one.row.row
            for one in found
            if (one.standing is Standing.ACKNOWLEDGED) is word.withdrawn
        ]
        said = Acknowledgement(word.by, word.reason, at_ms)
        await opt_outs.acknowledge(changed, said, withdrawn=word.withdrawn)
        return changed


@contextmanager
def _at(path: Path) -> Iterator[tuple[Archive, SqliteOptOuts]]:
    with open_archive(path):
        pass  # It says so if there is no journal, where opening one for work would make it.
    try:
        journal = SqliteJournal(path)
    except JournalBusy:
        with opt_outs_beside(path) as opt_outs, open_archive(path) as archive:
            yield archive, opt_outs
        return
    try:
        yield journal.archive, journal.opt_outs
    finally:
        journal.close()


def _standing(archive: Archive, row: int, terms: Terms, at_ms: int) -> OptOut:
    found = archive.opt_out(row)
    if found is None:
        message = f"Row {row} is no opt-out with a deadline of its own."
        fix = "Choose rows from the list; it has their numbers in front."
        raise JournalError(message, fix=fix, next_command="aftercall optouts")
    one = judge(found, terms, at_ms)
    if one.standing is Standing.APPLIED:
        message = f"Row {row} was applied in time: there is nothing to acknowledge."
        fix = "Leave it out. Nothing was stored."
        raise JournalError(message, fix=fix, next_command="aftercall optouts")
    return one
