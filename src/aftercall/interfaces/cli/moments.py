"""Days and times as options give them."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

import typer

from aftercall.domain import instant

EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def moment_of(option: str, words: str, *, days: int = 0, zone: tzinfo = UTC) -> int:
    """Return the milliseconds of a time, or of the start of the day `days` after a day.

    Args:
        option: whose value it is, for the error.
        words: a day, or a time with a zone.
        days: 0 for the start of the day that is given, 1 for its end.
        zone: where a day begins.

    Raises:
        typer.BadParameter: it is neither.
    """
    try:
        day = date.fromisoformat(words)
    except ValueError:
        moment = instant.parse(words)
        if moment is None:
            message = (
                f"{words!r} is no day like 2026-11-23 and no time with a zone"
                " like 2026-11-23T10:00:00Z."
            )
            raise typer.BadParameter(message, param_hint=option) from None
        return instant.to_ms(moment)
    try:
        midnight = datetime.combine(day + timedelta(days=days), time(), zone)
        return instant.to_ms(midnight.astimezone(UTC))
    except OverflowError:  # "0001-01-01" and "9999-12-31" mean that there is no limit.
        return instant.to_ms(EARLIEST if day.year == 1 else LATEST)
