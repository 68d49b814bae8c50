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
    return from_ms(ms).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def parse(words: str) -> datetime | None:
    """Return the aware datetime that ISO 8601 `words` name, or None if they name none.

    A date without a time and a time without a zone name no instant.
    """
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
