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
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile, normal_state
from aftercall.wire.stamps import is_absent, read_stamp_ms

WORDS_CHARACTERS_MAX = 200
STATE_CHARACTERS_MAX = 40


def read_contact(profile: Profile, response: HttpResponse, now_ms: int, mask: Mask) -> ReadAnswer:
    """Say what the answer to a read means; all that is taken from it goes through `mask`."""
    if response.status != 200:
        refusal = _refusal(profile, response, now_ms, mask)
        return refusal or answer.Unavailable(*_trouble(profile, response, mask))
    document = json_object(response.body)
    names = profile.read.fields
    if document is None or not any(name in document for name in names.values()):
        # A login page or a proxy's notice with status 200 is no contact.
        shape = _shape(response, mask)
        return answer.Unavailable("garbage", f"The answer is {shape}, not a contact.")
    state, idle = _state(profile, document.get(names["state"]), mask)
    outcome, agent = _text(document.get(names["outcome"])), _text(document.get(names["agent"]))
    custom = document.get(names["custom_fields"])
    stamp = document.get(names["timestamp"])
    stamp_ms = read_stamp_ms(stamp)
    return answer.Found(
        Observed(
            state=state,
            outcome=None if outcome is None else mask.value(outcome),
            agent=None if agent is None else mask.value(agent),
            notes=_text(document.get(names["notes"])),
            timestamp_ms=stamp_ms,
            custom_fields=custom if isinstance(custom, Mapping) else None,
            etag=_etag(response.headers),
            idle=idle,
            stamp_unknown=stamp_ms is None and not is_absent(stamp),
        )
    )


def read_written(profile: Profile, response: HttpResponse, now_ms: int, mask: Mask) -> WriteAnswer:
    """Say what the answer to a write means; its words go through `mask`."""
    if response.status in profile.write.success:
        return _taken(profile, response, mask)
    if response.status == 412:
        return answer.Stale()
    refusal = _refusal(profile, response, now_ms, mask)
    if refusal is not None:
        return refusal
    code, words = _trouble(profile, response, mask)
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


def words_of(profile: Profile, response: HttpResponse, mask: Mask) -> str:
    """Return the tenant's own words about a refusal, masked, then cut; no control characters."""
    document = json_object(response.body) or {}
    told = [_text(document.get(name)) for name in profile.words]
    told.append(response.headers.get(profile.words_header))
    return clean(next((words for words in told if words), ""), mask)


def clean(words: str, mask: Mask) -> str:
    """Return `words` on one line, masked, without control characters, of bounded length."""
    line = mask.words(answer.one_line(words[:2000]))
    if len(line) <= WORDS_CHARACTERS_MAX:
        return line
    return line[: WORDS_CHARACTERS_MAX - 1] + "…"


Refusal = answer.Absent | answer.Throttled | answer.Unauthorized | answer.Forbidden | answer.Refused


def _taken(
    profile: Profile, response: HttpResponse, mask: Mask
) -> answer.Accepted | answer.Uncertain:
    """Say what a status of success means, by what stands under it."""
    body = response.body.strip()
    if body and not body.startswith((b"{", b"[")):
        return answer.Uncertain("garbage", f"The answer is {_shape(response, mask)}.")
    document = json_object(body) or {}
    errors = document.get("errorCount")
    counted = isinstance(errors, int | float) and errors > 0
    if document.get("success") is False or document.get("error") or counted:
        words = words_of(profile, response, mask)
        told = f"The answer says failure{': ' if words else '.'}{words}"
        return answer.Uncertain("answer_says_failure", told)
    return answer.Accepted()


def _state(profile: Profile, value: Json, mask: Mask) -> tuple[str | None, bool]:
    """Return a dialer state, normalised, and whether it may be written over."""
    if not isinstance(value, str):
        return None, False
    state = normal_state(value)
    if state in profile.allowed_states or state in profile.active_states:
        return state, state not in profile.active_states
    told = normal_state(clean(value, mask))[:STATE_CHARACTERS_MAX]
    return told or None, False


def _refusal(profile: Profile, response: HttpResponse, now_ms: int, mask: Mask) -> Refusal | None:
    """Return what an answer means that certainly changed nothing; None for any other."""
    words = words_of(profile, response, mask)
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


def _trouble(profile: Profile, response: HttpResponse, mask: Mask) -> tuple[str, str]:
    """Return a reason code and words for an answer that settles nothing."""
    status = response.status
    if 300 <= status < 400:
        return "redirected", f"The answer is a redirect ({status}); is tenant.base_url right?"
    words = words_of(profile, response, mask)
    return f"status_{status}", f"The tenant answered {status}{': ' if words else '.'}{words}"


def _shape(response: HttpResponse, mask: Mask) -> str:
    kind = clean(response.headers.get("content-type", ""), mask).partition(";")[0]
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
