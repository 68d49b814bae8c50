"""What cells of any field have in common: what is wrong with one, emptiness, text, instants."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aftercall.domain import instant

MOMENT_EXAMPLE = "Write it like 2026-11-23T10:00:00Z or 2026-11-23T10:00:00+01:00."


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a row."""

    field: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Now:
    """The time at which cells are read, UTC, and how far ahead of it an instant may lie."""

    moment: datetime
    skew_seconds: float


def is_absent(cell: object) -> bool:
    """Say whether `cell` is empty: nothing, or a text of blanks."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def is_text(words: str) -> bool:
    """Say whether `words` can be written as UTF-8 (no half of a surrogate pair)."""
    return words.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in words)


def read_moment(name: str, cell: object, now: Now, problems: list[Problem]) -> datetime | None:
    """Read the `cell` of field `name` as an instant in the past, in UTC and whole milliseconds.

    Returns None for an empty cell, and for one that is none after adding what is wrong with it.
    """
    if is_absent(cell):
        return None
    moment = cell if isinstance(cell, datetime) else None
    if isinstance(cell, str):
        try:
            moment = datetime.fromisoformat(cell.strip())
        except ValueError:
            moment = None
    if moment is None:
        message = f"The {name} is not an ISO 8601 date and time."
        problems.append(Problem(name, "bad_timestamp", message, MOMENT_EXAMPLE))
        return None
    if moment.tzinfo is None or moment.utcoffset() is None:
        message = f"The {name} has no time zone, so it names no instant."
        problems.append(Problem(name, "naive_timestamp", message, MOMENT_EXAMPLE))
        return None
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        message = f"The {name} lies outside of the calendar."
        problems.append(Problem(name, "bad_timestamp", message, MOMENT_EXAMPLE))
        return None
    ahead = (moment - now.moment).total_seconds()
    if ahead > now.skew_seconds:
        message = f"The {name} lies {_ahead(ahead)} in the future."
        hint = "Is the time zone right? Is this machine's clock right?"
        problems.append(Problem(name, "future_timestamp", message, hint))
        return None
    # Milliseconds are what the journal and the tenant keep; rounding here makes the value that
    # is compared the same as the value that is stored.
    return instant.from_ms(instant.to_ms(moment))


def _ahead(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def names_contact(cells: str, contact: str) -> bool:
    """Say whether a row's original cells, a JSON array, hold a contact's id as a word of its own.

    Rows that are broken keep what was said in any cell, or all of it in one: the id counts
    wherever no letter, digit, hyphen or underscore touches it.
    """
    whole = re.compile(rf"(?<![\w-]){re.escape(contact)}(?![\w-])")
    return any(whole.search(words) for words in _words_in(json.loads(cells)))


def _words_in(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for part in value:
            yield from _words_in(part)
    elif value is not None:
        yield str(value)
