"""Business days against brute force: every day looked at on its own, holidays written down here."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from aftercall.adapters.federal_holidays import FederalHolidays
from aftercall.domain import instant
from aftercall.domain.business_days import Calendar, deadline_of

ZONES = ("America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "UTC", "Asia/Kolkata")
DAYS = st.dates(date(2022, 1, 1), date(2045, 12, 31))
INSTANTS = st.datetimes(
    datetime(2022, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(2045, 12, 31),  # noqa: DTZ001 - the strategy adds the zone
    timezones=st.just(UTC),
)
CALENDAR = Calendar(ZoneInfo("America/New_York"), FederalHolidays())
ONE = timedelta(days=1)


def nth(year: int, month: int, weekday: int, place: int) -> date:
    """Return the `place`-th `weekday` of a month; the last one for -1."""
    days = [date(year, month, 1) + ONE * each for each in range(31)]
    return [day for day in days if day.month == month and day.weekday() == weekday][place]


def off(day: date) -> bool:
    """Say whether nobody works on `day`, by the letter of 5 U.S.C. 6103."""
    if day.weekday() >= 5:
        return True
    movable = {
        nth(day.year, 1, 0, 2), nth(day.year, 2, 0, 2), nth(day.year, 5, 0, -1),
        nth(day.year, 9, 0, 0), nth(day.year, 10, 0, 1), nth(day.year, 11, 3, 3),
    }  # fmt: skip
    if day in movable:
        return True
    fixed = {(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)}
    near = [day]
    if day.weekday() == 4:
        near.append(day + ONE)  # observed on the Friday before a Saturday
    if day.weekday() == 0:
        near.append(day - ONE)  # observed on the Monday after a Sunday
    return any((each.month, each.day) in fixed for each in near)


@given(DAYS, st.integers(1, 40))
def test_so_many_business_days_later(day: date, days: int) -> None:
    found = CALENDAR.after(day, days)
    worked = [each for each in span(day, found) if not off(each)]
    assert len(worked) == days
    assert worked[-1] == found


@given(DAYS, st.integers(0, 400))
def test_business_days_between(day: date, length: int) -> None:
    until = day + ONE * length
    assert CALENDAR.between(day, until) == sum(not off(each) for each in span(day, until))
    assert CALENDAR.between(until + ONE, day) == 0


@given(INSTANTS, st.integers(1, 20), st.sampled_from(ZONES))
def test_the_deadline_is_a_midnight_of_the_zone(moment: datetime, days: int, name: str) -> None:
    zone = ZoneInfo(name)
    stamp = instant.to_ms(moment)
    deadline = deadline_of(stamp, days, Calendar(zone, FederalHolidays()))
    due = instant.from_ms(deadline.due_ms).astimezone(zone)
    assert (due.hour, due.minute, due.second) == (0, 0, 0)
    assert due.date() == deadline.day + ONE
    assert deadline.received == instant.from_ms(stamp).astimezone(zone).date()
    assert deadline.due_ms - stamp > days * 24 * 3_600_000 - 3_600_000


@given(INSTANTS, INSTANTS)
def test_what_was_received_earlier_is_never_due_later(one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))
    sooner = deadline_of(instant.to_ms(first), 10, CALENDAR)
    assert sooner.due_ms <= deadline_of(instant.to_ms(second), 10, CALENDAR).due_ms


def span(day: date, until: date) -> list[date]:
    return [day + ONE * each for each in range(1, (until - day).days + 1)]
