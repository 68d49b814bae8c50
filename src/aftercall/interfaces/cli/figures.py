"""Numbers and times as people read them."""

from datetime import UTC, datetime

from aftercall.domain import instant


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 row``, ``1,200 rows``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """Return a duration: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``, ``1 d 3 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, whole_seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days:,} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole_seconds} s" if minutes else f"{whole_seconds} s"


def clock(seconds: float) -> str:
    """Return a duration as a clock shows it: ``0:28``, ``1:02:03``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def one_place(number: float) -> str:
    """Return a number with one decimal place, or none if it is large."""
    return f"{number:.1f}" if number < 1000 else f"{number:,.0f}"


def local_time(ms: int) -> str:
    """Return an instant in the zone of this machine, without the zone."""
    return f"{instant.from_ms(ms).astimezone():%Y-%m-%d %H:%M:%S}"


def moment(when: datetime) -> str:
    """Return a time of today as ``10:00 UTC``, another one with its day."""
    today = datetime.now(UTC).date()
    return f"{when:%H:%M} UTC" if when.date() == today else f"{when:%Y-%m-%d %H:%M} UTC"


def zone() -> str:
    """Return the name of this machine's zone now."""
    return datetime.now(UTC).astimezone().tzname() or "local"
