"""Instants: whole milliseconds since the Unix epoch, and their one text form (ISO 8601, UTC)."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Return the milliseconds since the epoch of an aware `moment`, rounded down."""
    return (moment - EPOCH) // MILLISECOND


def from_ms(ms: int) -> datetime:
    """Return the aware UTC datetime of `ms` milliseconds since the epoch."""
    return EPOCH + timedelta(milliseconds=ms)


def text(ms: int) -> str:
    """Return `ms` as ISO 8601 in UTC with milliseconds: ``2026-11-23T10:00:00.000Z``."""
    # Not strftime: it writes the year 26 as "26" (docs.python.org/3/library/datetime.html, note 2).
    return from_ms(ms).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse(words: str) -> datetime | None:
    """Return the UTC datetime that ISO 8601 `words` name, or None if they name none.

    A date without a time and a time without a zone name no instant; one that in UTC lies outside
    of the calendar (``0001-01-01T00:00:00+02:00``) cannot be told.
    """
    try:
        moment = datetime.fromisoformat(words)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
