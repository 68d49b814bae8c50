"""From a tenant's HTTP answers to what they mean.

Status codes are those of RFC 9110; 429 and Retry-After are RFC 6585 and RFC 9110, section 10.2.3.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from aftercall.domain import answer, instant
from aftercall.domain.answer import Observed, ReadAnswer, WriteAnswer
from aftercall.domain.disposition import Json
from aftercall.wire.http import HttpResponse, MaybeSent, SendFailure
from aftercall.wire.profile import Profile

WORDS_CHARACTERS_MAX = 200


def read_contact(profile: Profile, response: HttpResponse, now_ms: int) -> ReadAnswer:
    """Say what the answer to a read means."""
    if response.status != 200:
        refusal = _refusal(profile, response, now_ms)
        return refusal or answer.Unavailable(*_trouble(profile, response))
    document = json_object(response.body)
    names = profile.read.fields
    if document is None or not any(name in document for name in names.values()):
        # A login page or a proxy's notice with status 200 is no contact.
        return answer.Unavailable("garbage", f"The answer is {_shape(response)}, not a contact.")
    state = _text(document.get(names["state"]))
    custom = document.get(names["custom_fields"])
    stamp = instant.parse(_text(document.get(names["timestamp"])) or "")
    return answer.Found(
        Observed(
            state=state.strip().upper() or None if state else None,
            outcome=_text(document.get(names["outcome"])),
            agent=_text(document.get(names["agent"])),
            notes=_text(document.get(names["notes"])),
            timestamp_ms=None if stamp is None else instant.to_ms(stamp),
            custom_fields=custom if isinstance(custom, Mapping) else None,
            etag=_etag(response.headers),
        )
    )


def read_written(profile: Profile, response: HttpResponse, now_ms: int) -> WriteAnswer:
    """Say what the answer to a write means."""
    if response.status in profile.write.success:
        body = response.body.strip()
        if not body or body.startswith((b"{", b"[")):
            return answer.Accepted()
        return answer.Uncertain("garbage", f"The answer is {_shape(response)}.")
    if response.status == 412:
        return answer.Stale()
    refusal = _refusal(profile, response, now_ms)
    if refusal is not None:
        return refusal
    code, words = _trouble(profile, response)
    # A redirect is answered by something in front of the tenant; any other trouble may have come
    # up after the change was made.
    if 300 <= response.status < 400:
        return answer.Unavailable(code, words)
    return answer.Uncertain(code, words)


def read_failure(failure: SendFailure) -> answer.Unavailable:
    """Say what it means for a read that no answer came: it changes nothing either way."""
    return answer.Unavailable(failure.code, failure.words, sent=isinstance(failure, MaybeSent))


def written_failure(failure: SendFailure) -> answer.Unavailable | answer.Uncertain:
    """Say what it means for a write that no answer came."""
    if isinstance(failure, MaybeSent):
        return answer.Uncertain(failure.code, failure.words)
    return answer.Unavailable(failure.code, failure.words, sent=False)


def retry_after_seconds(headers: Mapping[str, str], now_ms: int) -> float | None:
    """Return the seconds that ``Retry-After`` asks to wait, given in seconds or as a date."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (instant.to_ms(moment) - now_ms) / 1000)


def json_object(body: bytes) -> Mapping[str, Json] | None:
    """Return the JSON object that `body` is, or None if it is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def words_of(profile: Profile, response: HttpResponse) -> str:
    """Return the tenant's own words about a refusal, cut and free of control characters."""
    document = json_object(response.body) or {}
    told = [_text(document.get(name)) for name in profile.words]
    told.append(response.headers.get(profile.words_header))
    return clean(next((words for words in told if words), ""))


def clean(words: str) -> str:
    """Return `words` on one line, without control characters, of bounded length."""
    line = answer.one_line(words[:2000])
    if len(line) <= WORDS_CHARACTERS_MAX:
        return line
    return line[: WORDS_CHARACTERS_MAX - 1] + "…"


Refusal = answer.Absent | answer.Throttled | answer.Unauthorized | answer.Forbidden | answer.Refused


def _refusal(profile: Profile, response: HttpResponse, now_ms: int) -> Refusal | None:
    """Return what an answer means that certainly changed nothing; None for any other."""
    words = words_of(profile, response)
    match response.status:
        case 401:
            return answer.Unauthorized()
        case 403:
            return answer.Forbidden(words)
        case 404 | 410:
            return answer.Absent(words)
        case 429:
            return answer.Throttled(retry_after_seconds(response.headers, now_ms))
        case 408 | 425:
            return None
        case status if 400 <= status < 500:
            return answer.Refused(f"refused_{status}", words)
        case _:
            return None


def _trouble(profile: Profile, response: HttpResponse) -> tuple[str, str]:
    """Return a reason code and words for an answer that settles nothing."""
    status = response.status
    if 300 <= status < 400:
        return "redirected", f"The answer is a redirect ({status}); is tenant.base_url right?"
    words = words_of(profile, response)
    return f"status_{status}", f"The tenant answered {status}{': ' if words else '.'}{words}"


def _shape(response: HttpResponse) -> str:
    kind = clean(response.headers.get("content-type", "")).partition(";")[0]
    return f"{len(response.body)} bytes of {kind or 'an unnamed type'}"


def _etag(headers: Mapping[str, str]) -> str | None:
    """Return the entity tag if a write can be made to depend on it."""
    etag = headers.get("etag", "").strip()
    if etag.startswith("W/") or etag == "*":
        # If-Match compares strongly (RFC 9110, section 13.1.1): a weak tag never matches, and a
        # bare star matches anything.
        return None
    return etag if etag and etag.isascii() and etag.isprintable() else None


def _text(value: Json) -> str | None:
    if isinstance(value, str):
        # JSON can spell half of a surrogate pair ("\ud800"), which no database takes.
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def finite_seconds(value: Json) -> float | None:
    """Return a number of seconds that a JSON value gives as a number or as text."""
    try:
        seconds = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None
