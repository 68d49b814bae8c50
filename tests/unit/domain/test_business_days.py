from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from aftercall.adapters.federal_holidays import FederalHolidays
from aftercall.domain import instant
from aftercall.domain.business_days import Calendar, deadline_of

NEW_YORK = ZoneInfo("America/New_York")
CALENDAR = Calendar(NEW_YORK, FederalHolidays())

# As published by the Office of Personnel Management for 2026 and 2027.
OBSERVED = {
    date(2026, 1, 1), date(2026, 1, 19), date(2026, 2, 16), date(2026, 5, 25), date(2026, 6, 19),
    date(2026, 7, 3), date(2026, 9, 7), date(2026, 10, 12), date(2026, 11, 11),
    date(2026, 11, 26), date(2026, 12, 25),
    date(2027, 1, 1), date(2027, 1, 18), date(2027, 2, 15), date(2027, 5, 31), date(2027, 6, 18),
    date(2027, 7, 5), date(2027, 9, 6), date(2027, 10, 11), date(2027, 11, 11),
    date(2027, 11, 25), date(2027, 12, 24), date(2027, 12, 31),
}  # fmt: skip


def ms(month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    moment = datetime(2026, month, day, hour, minute, tzinfo=NEW_YORK)
    return instant.to_ms(moment.astimezone(UTC))


def test_the_holidays_are_those_that_the_government_observes() -> None:
    holidays = FederalHolidays()
    days = (
        date.fromordinal(number)
        for number in range(date(2026, 1, 1).toordinal(), date(2028, 1, 1).toordinal())
    )
    assert {day for day in days if day.weekday() < 5 and day in holidays} == OBSERVED
    assert "2026-01-01" not in holidays


@pytest.mark.parametrize(
    ("received", "last"),
    [
        (date(2026, 3, 2), date(2026, 3, 16)),
        (date(2026, 3, 7), date(2026, 3, 20)),  # a Saturday: Monday is the first day
        (date(2026, 3, 8), date(2026, 3, 20)),
        (date(2026, 11, 20), date(2026, 12, 7)),  # Thanksgiving, and the Friday after it counts
        (date(2026, 6, 26), date(2026, 7, 13)),  # Independence Day is observed on Friday the 3rd
        (date(2027, 12, 17), date(2028, 1, 4)),  # two holidays observed, one in the other year
        (date(2026, 12, 24), date(2027, 1, 11)),
    ],
)
def test_the_tenth_business_day_after_receipt(received: date, last: date) -> None:
    assert CALENDAR.after(received, 10) == last
    assert CALENDAR.between(received, last) == 10


def test_the_day_of_receipt_is_not_counted_whatever_the_hour() -> None:
    for hour in (0, 9, 23):
        assert deadline_of(ms(3, 2, hour, 59), 1, CALENDAR).day == date(2026, 3, 3)


def test_it_is_due_when_the_last_day_is_over_in_the_zone() -> None:
    deadline = deadline_of(ms(3, 2, 10, 0), 10, CALENDAR)
    assert (deadline.received, deadline.day) == (date(2026, 3, 2), date(2026, 3, 16))
    assert deadline.due_ms == ms(3, 17)
    assert instant.text(deadline.due_ms) == "2026-03-17T04:00:00.000Z"  # summer time since the 8th


def test_the_zone_decides_to_which_day_an_instant_belongs() -> None:
    late_evening = ms(3, 2, 23, 30)
    tokyo = Calendar(ZoneInfo("Asia/Tokyo"), FederalHolidays())
    assert deadline_of(late_evening, 1, CALENDAR).day == date(2026, 3, 3)
    assert deadline_of(late_evening, 1, tokyo).day == date(2026, 3, 4)


def test_the_first_day_of_the_calendar_does_no_harm() -> None:
    first = deadline_of(instant.to_ms(datetime(1, 1, 1, tzinfo=UTC)), 10, CALENDAR)
    assert first.received == date(1, 1, 1)
    assert first.day == date(1, 1, 15)
