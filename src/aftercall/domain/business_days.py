"""Business days: which days count, and when a period of so many of them is over.

The holidays and the time zone are arguments; see `docs/opt-outs.md` for the sources of the rules.
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from aftercall.domain import instant

DAY = timedelta(days=1)
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days that count as business days, in one place.

    Attributes:
        zone: the time zone in which a day begins and ends.
        holidays: the days from Monday to Friday on which nobody works.
    """

    zone: tzinfo
    holidays: Container[date]

    def local(self, ms: int) -> datetime:
        """Return the instant `ms` as the calendar's zone has it; where that is no time, in UTC."""
        moment = instant.from_ms(ms)
        try:
            return moment.astimezone(self.zone)
        except OverflowError:  # The first hours of the year 1, west of Greenwich.
            return moment

    def day_of(self, ms: int) -> date:
        """Return the day, in the calendar's zone, that the instant `ms` belongs to."""
        return self.local(ms).date()

    def is_business_day(self, day: date) -> bool:
        """Say whether `day` counts: no Saturday, no Sunday, no holiday."""
        return day.weekday() < SATURDAY and day not in self.holidays

    def after(self, day: date, days: int) -> date:
        """Return the last of the `days` business days (1 or more) that follow `day`.

        The day itself is never counted, whatever the hour, and need not be a business day.
        """
        while days:
            day += DAY
            days -= self.is_business_day(day)
        return day

    def between(self, day: date, until: date) -> int:
        """Count the business days after `day` to `until`, that included; 0 if it is no later."""
        return _between(self, day, until)

    def end_of(self, day: date) -> int:
        """Return the instant (ms) at which `day` is over in the calendar's zone."""
        midnight = datetime.combine(day + DAY, time(), self.zone)
        return instant.to_ms(midnight.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Deadline:
    """When something that was received has to be done.

    Attributes:
        received: the day on which it was received.
        day: the last day on which doing it is in time.
        due_ms: when that day is over.
    """

    received: date
    day: date
    due_ms: int


def deadline_of(received_ms: int, days: int, calendar: Calendar) -> Deadline:
    """Return the deadline `days` business days after the instant `received_ms`."""
    return _deadline(calendar, calendar.day_of(received_ms), days)


# What is received in large numbers is received on few days.
@lru_cache(maxsize=1024)
def _deadline(calendar: Calendar, received: date, days: int) -> Deadline:
    day = calendar.after(received, days)
    return Deadline(received, day, calendar.end_of(day))


@lru_cache(maxsize=1024)
def _between(calendar: Calendar, day: date, until: date) -> int:
    count = 0
    while day < until:
        day += DAY
        count += calendar.is_business_day(day)
    return count
