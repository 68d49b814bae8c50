from datetime import UTC, datetime, timedelta, timezone

import pytest

from aftercall.domain import instant

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_an_instant_is_the_same_in_every_zone() -> None:
    east = TEN.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert instant.to_ms(east) == instant.to_ms(TEN) == 1_795_428_000_000


def test_microseconds_are_cut_off_also_before_the_epoch() -> None:
    assert instant.to_ms(TEN.replace(microsecond=1_999)) == instant.to_ms(TEN) + 1
    assert instant.to_ms(instant.EPOCH - timedelta(microseconds=1)) == -1


def test_the_text_has_milliseconds_and_is_utc() -> None:
    assert instant.text(1_795_428_000_007) == "2026-11-23T10:00:00.007Z"


@pytest.mark.parametrize("year", [1, 26, 999, 9999])
def test_the_text_of_any_year_has_four_digits_and_can_be_read_again(year: int) -> None:
    moment = datetime(year, 11, 23, tzinfo=UTC)
    words = instant.text(instant.to_ms(moment))
    assert words == f"{year:04d}-11-23T00:00:00.000Z"
    assert instant.parse(words) == moment


@pytest.mark.parametrize(
    "words", ["2026-11-23T10:00:00Z", "2026-11-23T11:00:00+01:00", "20261123T100000Z"]
)
def test_iso_8601_with_a_zone_is_read_as_utc(words: str) -> None:
    moment = instant.parse(words)
    assert moment == TEN
    assert moment is not None
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "words",
    [
        "",
        "soon",
        "2026-11-23",
        "2026-11-23T10:00:00",
        "2026-02-30T10:00:00Z",
        "1795428000",
        "0001-01-01T00:00:00+02:00",
        "9999-12-31T23:59:59-02:00",
    ],
)
def test_what_names_no_instant_is_none(words: str) -> None:
    assert instant.parse(words) is None
