"""Days and times that are typed as options."""

from datetime import UTC, date, datetime, timedelta

import typer

from aftercall.domain import instant


def moment_of(option: str, words: str, *, days: int) -> int:
    """Return the milliseconds of a time, or of the start of the day `days` after a day (UTC).

    Raises:
        typer.BadParameter: `words` name neither.
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
    return instant.to_ms(datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=days))
