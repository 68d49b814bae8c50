import gzip
from datetime import timedelta
from email.utils import format_datetime

import pytest

from aftercall.domain import answer
from aftercall.domain.answer import Found, Observed
from aftercall.wire.http import MaybeSent, NotSent
from aftercall.wire.json_paths import json_object
from aftercall.wire.masking import Mask
from aftercall.wire.refusals import (
    WORDS_CHARACTERS_MAX,
    Asked,
    clean,
    finite_seconds,
    retry_after_seconds,
    words_of,
)
from aftercall.wire.responses import (
    STATE_CHARACTERS_MAX,
    read_contact,
    read_failure,
    read_written,
    written_failure,
)

from .make import NOON, NOON_MS, PROFILE, answered, row

ASKED = Asked("read", NOON_MS, Mask())
GARBAGE = [
    b"<html>please log in</html>",
    b"\xff\xfe\x00",
    b"{",
    b"[" * 100_000,
    b'"READY"',
    b"null",
    b"[]",
    b"{}",
    b'{"unrelated": 1}',
    gzip.compress(b'{"state": "READY"}'),
    b'{"state": ' + b"1" * 5000 + b"}",
]


def read(status: int, body: object = b"", **headers: str) -> answer.ReadAnswer:
    return read_contact(PROFILE, answered(status, body, headers), NOON_MS, Mask())


def written(status: int, body: object = b"", **headers: str) -> answer.WriteAnswer:
    return read_written(PROFILE, answered(status, body, headers), NOON_MS, Mask())


def contact(body: object, **headers: str) -> Observed:
    got = read(200, body, **headers)
    assert isinstance(got, Found)
    return got.contact


def test_a_contact_is_read_field_by_field() -> None:
    body = {
        "state": " callback ",
        "outcomeCode": "SALE",
        "agentId": 17,
        "notes": "n",
        "dispositionTimestamp": "2026-11-23T13:00:00.5+01:00",
        "customFields": {"a": 1},
        "more": True,
    }
    assert contact(body, etag='"v1"') == Observed(
        state="CALLBACK",
        outcome="SALE",
        agent="17",
        notes="n",
        timestamp_ms=NOON_MS + 500,
        custom_fields={"a": 1},
        etag='"v1"',
        idle=True,
    )


@pytest.mark.parametrize("state", [None, "", "  ", True, 1.5, 7, ["READY"], {"name": "READY"}])
def test_a_state_that_is_no_text_is_not_told(state: object) -> None:
    got = contact({"state": state})
    assert (got.state, got.idle) == (None, False)


@pytest.mark.parametrize("state", ["READY", " ready ", "Call-Back", "Wrapped", "dispositioned"])
def test_only_the_profiles_states_may_be_written_over(state: str) -> None:
    assert contact({"state": state}).idle is (state not in {"Call-Back", "Wrapped"})


@pytest.mark.parametrize("state", ["Wrap up", "wrap-up", " WRAP__UP!", "connected"])
def test_an_active_state_is_known_in_any_spelling(state: str) -> None:
    got = contact({"state": state})
    assert got.state in PROFILE.active_states
    assert got.idle is False


@pytest.mark.parametrize("state", ["TALKING", "IN_CALL", "ON HOLD", "7", "READYé", "NOT READY"])
def test_any_other_state_is_told_and_not_idle(state: str) -> None:
    got = contact({"state": state})
    assert (got.state, got.idle) == (state.upper().replace(" ", "_"), False)


def test_an_unknown_state_is_of_bounded_length_and_quotes_nothing() -> None:
    assert len(contact({"state": "X" * 9000}).state or "") == STATE_CHARACTERS_MAX
    mask = Mask(("s3cret-t0ken",), row(notes="her diagnosis is private"))
    for state in ("on s3cret-t0ken", "her diagnosis is private", "HER DIAGNOSIS IS"):
        got = read_contact(PROFILE, answered(200, {"state": state}), NOON_MS, mask)
        assert isinstance(got, Found)
        assert "S3CRET" not in (got.contact.state or "")
        assert "DIAGNOSIS" not in (got.contact.state or "")


@pytest.mark.parametrize("stamp", [None, "", "  "])
def test_a_timestamp_that_is_absent_is_not_told(stamp: object) -> None:
    got = contact({"state": "READY", "dispositionTimestamp": stamp})
    assert (got.timestamp_ms, got.stamp_unknown) == (None, False)
    assert contact({"state": "READY"}).stamp_unknown is False


@pytest.mark.parametrize(
    "stamp",
    [
        "yesterday",
        "2026-11-23T12:00:00",
        "2026-11-23 12:00:00",
        "2026-11-23",
        "23/11/2026 12:00",
        "0001-01-01T00:00:00+02:00",
        True,
        -1,
        10**18,
        float("nan"),
        float("inf"),
        [],
        {"at": 1},
    ],
)
def test_a_timestamp_that_names_no_instant_is_told_apart_from_none(stamp: object) -> None:
    got = contact({"state": "READY", "dispositionTimestamp": stamp})
    assert (got.timestamp_ms, got.stamp_unknown) == (None, True)


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-11-23T12:00:00Z",
        "2026-11-23t12:00:00.000z",
        "2026-11-23 12:00:00Z",
        "2026-11-23 12:00:00 UTC",
        "2026-11-23 13:00:00 +01:00",
        "2026-11-23T14:00:00+0200",
        "20261123T120000Z",
        NOON_MS,
        NOON_MS // 1000,
        NOON_MS / 1000,
    ],
)
def test_the_forms_of_a_timestamp(stamp: object) -> None:
    got = contact({"state": "READY", "dispositionTimestamp": stamp})
    assert (got.timestamp_ms, got.stamp_unknown) == (NOON_MS, False)


def test_fields_of_another_type_are_not_told() -> None:
    body = {"state": "READY", "outcomeCode": None, "agentId": 1.5, "customFields": [1]}
    assert contact(body) == Observed("READY", idle=True)


def test_half_a_surrogate_pair_of_the_tenant_can_be_stored() -> None:
    got = contact(b'{"state": "READY", "outcomeCode": "A\\ud800B", "agentId": "\\udfff"}')
    assert (got.outcome, got.agent) == ("A?B", "?")


@pytest.mark.parametrize("etag", ['"v1"', '""', "unquoted"])
def test_an_etag_is_kept_as_it_came(etag: str) -> None:
    assert contact({"state": "READY"}, etag=etag).etag == etag


@pytest.mark.parametrize("etag", ["", " ", "*", 'W/"v1"', '"\udcff"', '"é"', '"a\r\nb"'])
def test_an_etag_that_no_write_can_depend_on_is_none(etag: str) -> None:
    assert contact({"state": "READY"}, etag=etag).etag is None


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_a_page_of_something_in_between_is_no_contact(body: bytes) -> None:
    got = read(200, body, **{"content-type": "text/html; charset=utf-8"})
    assert isinstance(got, answer.Unavailable)
    assert got.code == "garbage"
    assert f"{len(body)} bytes of text/html" in got.words


READ_KINDS = {
    200: answer.Found,
    401: answer.Unauthorized,
    403: answer.Forbidden,
    404: answer.Absent,
    408: answer.Unavailable,
    410: answer.Absent,
    425: answer.Unavailable,
    429: answer.Throttled,
}


@pytest.mark.parametrize("status", range(200, 600))
def test_every_status_of_a_read_means_something(status: int) -> None:
    got = read(status, {"state": "READY", "message": "why"})
    otherwise = answer.Refused if 400 <= status < 500 else answer.Unavailable
    assert isinstance(got, READ_KINDS.get(status, otherwise))
    if isinstance(got, answer.Refused):
        assert got == answer.Refused(f"refused_{status}", "why")
    if isinstance(got, answer.Unavailable):
        assert got.code == ("redirected" if 300 <= status < 400 else f"status_{status}")


WRITE_KINDS = {
    200: answer.Accepted,
    204: answer.Accepted,
    401: answer.Unauthorized,
    403: answer.Forbidden,
    404: answer.Absent,
    408: answer.Uncertain,
    410: answer.Absent,
    412: answer.Stale,
    425: answer.Uncertain,
    429: answer.Throttled,
}


def kind_of_write(status: int) -> type:
    """Only a status that says so proves that nothing was changed; all others leave it open."""
    if status in WRITE_KINDS:
        return WRITE_KINDS[status]
    if 300 <= status < 400:
        return answer.Unavailable
    return answer.Refused if 400 <= status < 500 else answer.Uncertain


@pytest.mark.parametrize("status", range(200, 600))
def test_every_status_of_a_write_means_something(status: int) -> None:
    got = written(status, {"message": "why"} if status not in {200, 204} else b"")
    assert type(got) is kind_of_write(status)
    if isinstance(got, answer.Refused):
        assert got == answer.Refused(f"refused_{status}", "why")
    if isinstance(got, answer.Uncertain):
        assert got == answer.Uncertain(f"status_{status}", f"The tenant answered {status}: why")


@pytest.mark.parametrize("body", [b"", b" \r\n", b"{}", b'{"state": "READY"}', b"[]"])
@pytest.mark.parametrize("status", [200, 204])
def test_a_write_is_taken_if_the_tenant_says_so(status: int, body: bytes) -> None:
    assert written(status, body) == answer.Accepted()


@pytest.mark.parametrize(
    "body",
    [
        {"error": None, "success": True, "errorCount": 0},
        {"error": "", "state": "READY"},
        {"success": None, "errors": []},
        {"errorCount": "none"},
    ],
)
def test_an_answer_that_says_no_failure_is_taken(body: object) -> None:
    assert written(200, body) == answer.Accepted()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "locked", "success": False}, "The answer says failure: locked"),
        ({"success": False}, "The answer says failure."),
        ({"errorCount": 1}, "The answer says failure."),
        ({"error": {"code": 7}, "message": "no"}, "The answer says failure: no"),
    ],
)
def test_a_success_that_says_failure_is_uncertain(body: object, words: str) -> None:
    assert written(200, body) == answer.Uncertain("answer_says_failure", words)


@pytest.mark.parametrize("body", [b"<html>log in</html>", b"OK", b"\xff", b'"text"'])
def test_a_success_with_a_page_of_something_in_between_is_uncertain(body: bytes) -> None:
    got = written(200, body)
    assert isinstance(got, answer.Uncertain)
    assert got.code == "garbage"


def test_words_are_the_first_of_the_profiles_fields_that_has_any() -> None:
    assert words_of(PROFILE, answered(400, {"error": "b", "message": "a"}), ASKED) == "a"
    nested = {"message": "", "error": {"x": 1}, "Message": "c"}
    assert words_of(PROFILE, answered(400, nested), ASKED) == "c"
    header = {"icstatusdescription": " from\tthe header "}
    assert words_of(PROFILE, answered(400, b"<html>", header), ASKED) == "from the header"
    assert words_of(PROFILE, answered(400, b"<html>secret page</html>"), ASKED) == ""


def test_words_are_one_printable_line_of_bounded_length() -> None:
    got = read(400, {"message": "a\r\nb\x1b[31m\x00" + "c" * 5000})
    assert isinstance(got, answer.Refused)
    assert got.words.startswith("a b [31m c")
    assert len(got.words) == WORDS_CHARACTERS_MAX
    assert got.words.endswith("…")
    assert clean("x" * 200, Mask()) == "x" * 200
    assert clean("x" * 201, Mask()) == "x" * 199 + "…"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("99999999999999", 999_999_999.0),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("soon", None),
        ("٣", None),
        ("Mon, 99 Nov 2026 12:00:00 GMT", None),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 12:00:30 -0000", 30.0),
        ("Mon, 23 Nov 2026 13:00:30 +0100", 30.0),
        ("Monday, 23-Nov-26 12:00:30 GMT", 30.0),
        ("Mon Nov 23 12:00:30 2026", 30.0),
        ("Mon, 23 Nov 2020 12:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": value}, NOON_MS) == seconds


@pytest.mark.parametrize("hour", [11, 12, 13])
def test_a_date_to_wait_for_is_one_of_the_tenants_clock(hour: int) -> None:
    headers = {
        "date": f"Mon, 23 Nov 2026 {hour}:00:05 GMT",
        "retry-after": f"Mon, 23 Nov 2026 {hour}:00:45 GMT",
    }
    assert retry_after_seconds(headers, NOON_MS) == 40.0
    assert retry_after_seconds(headers | {"date": "today"}, NOON_MS) == max(
        0.0, 3600.0 * (hour - 12) + 45.0
    )
    assert retry_after_seconds(headers | {"retry-after": "7"}, NOON_MS) == 7.0


def test_without_retry_after_no_wait_is_named() -> None:
    assert retry_after_seconds({}, NOON_MS) is None
    assert read(429) == answer.Throttled(None)


def test_being_throttled_carries_the_wait_of_reads_and_writes() -> None:
    date = format_datetime(NOON + timedelta(seconds=9), usegmt=True)
    assert read(429, **{"retry-after": "7"}) == answer.Throttled(7.0)
    assert written(429, **{"retry-after": date}) == answer.Throttled(9.0)


def test_a_read_without_an_answer_changed_nothing() -> None:
    assert read_failure(NotSent("dns", "no")) == answer.Unavailable("dns", "no", sent=False)
    assert read_failure(MaybeSent("timeout", "no")) == answer.Unavailable("timeout", "no")


def test_a_write_without_an_answer_is_uncertain_only_if_it_may_have_left() -> None:
    assert written_failure(NotSent("dns", "no")) == answer.Unavailable("dns", "no", sent=False)
    assert written_failure(MaybeSent("timeout", "no")) == answer.Uncertain("timeout", "no")


@pytest.mark.parametrize("body", [b"", b"[1]", b"\xff", b"1e999", b"{'a': 1}"])
def test_a_body_that_is_no_object_is_none(body: bytes) -> None:
    assert json_object(body) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (3600, 3600.0),
        ("3600", 3600.0),
        (1.5, 1.5),
        ("soon", None),
        (None, None),
        ([1], None),
        ("inf", None),
        ("nan", None),
        pytest.param(10**400, None, id="huge"),
    ],
)
def test_seconds_are_a_finite_number(value: object, seconds: float | None) -> None:
    assert finite_seconds(value) == seconds  # type: ignore[arg-type]


def test_what_is_shown_of_an_answer_leaves_out_its_body_and_headers() -> None:
    assert "secret" not in repr(answered(200, b"secret", {"x": "secret"}))
