"""What a tenant's refusals mean: by the profile's rules first, then by their status."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache

from aftercall.domain import answer, instant
from aftercall.domain.disposition import Json
from aftercall.wire.http import HttpResponse
from aftercall.wire.json_paths import json_value, text_of, value_at
from aftercall.wire.language.refusals import ErrorRule, Operation
from aftercall.wire.language.write import Failure
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile, follow_ups_of
from aftercall.wire.signs import failure_words

WORDS_CHARACTERS_MAX = 200
WORDS_READ_MAX = 2000

Refusal = (
    answer.Absent
    | answer.Throttled
    | answer.Busy
    | answer.Unauthorized
    | answer.Forbidden
    | answer.Refused
    | answer.Unavailable
    | answer.Uncertain
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, when (ms), and what must not come back in the answer's words.

    The operation is None for what no rule of the profile is about, such as signing in.
    """

    operation: Operation | None
    now_ms: int
    mask: Mask


def refusal_of(profile: Profile, response: HttpResponse, asked: Asked) -> Refusal | None:
    """Return what an answer means that is known to be a refusal; None for any other."""
    ruled = ruled_refusal(profile, response, asked)
    if ruled is not None:
        return ruled
    words = words_of(profile, response, asked)
    match response.status:
        case 401:
            return answer.Unauthorized()
        case 403:
            return answer.Forbidden(words)
        case 404 | 410:
            return answer.Absent(words)
        case 429:
            return _throttled(profile, response, asked)
        case 408 | 425:
            return None
        case status if 400 <= status < 500:
            return answer.Refused(f"refused_{status}", words)
        case _:
            return None


def ruled_refusal(profile: Profile, response: HttpResponse, asked: Asked) -> Refusal | None:
    """Return what the profile's own rules say of an answer; None if none of them fits."""
    rule = _rule_of(profile, response, asked.operation)
    if rule is None:
        return None
    code, told = trouble_of(profile, response, asked)
    words = words_of(profile, response, asked)
    code = rule.reason or (f"refused_{response.status}" if rule.means == "permanent" else code)
    advised = _with_fix(words, rule.fix)
    match rule.means:
        case "retry":
            return answer.Unavailable(code, _with_fix(told, rule.fix))
        case "wait":
            return answer.Busy(code, advised, rule.wait_seconds)
        case "throttled":
            return _throttled(profile, response, asked)
        case "permanent":
            return answer.Refused(code, advised)
        case "absent":
            return answer.Absent(advised)
        case "auth":
            return answer.Unauthorized()
        case "permission":
            return answer.Forbidden(advised)
        case "unsure":
            return answer.Uncertain(code, _with_fix(told, rule.fix))


def is_unauthorized(profile: Profile, response: HttpResponse, operation: Operation) -> bool:
    """Say whether an answer means that the token is not good (any more)."""
    rule = _rule_of(profile, response, operation)
    return response.status == 401 if rule is None else rule.means == "auth"


def trouble_of(profile: Profile, response: HttpResponse, asked: Asked) -> tuple[str, str]:
    """Return a reason code and words for an answer that settles nothing."""
    status = response.status
    if 300 <= status < 400:
        return "redirected", f"The answer is a redirect ({status}); is tenant.base_url right?"
    words = words_of(profile, response, asked)
    return f"status_{status}", f"The tenant answered {status}{': ' if words else '.'}{words}"


def words_of(profile: Profile, response: HttpResponse, asked: Asked) -> str:
    """Return the tenant's own words about a refusal, masked, then cut; no control characters."""
    return clean(_raw_words(profile, response, asked.operation), asked.mask)


def clean(words: str, mask: Mask) -> str:
    """Return `words` on one line, masked, without control characters, of bounded length."""
    line = mask.words(answer.one_line(words[:WORDS_READ_MAX]))
    if len(line) <= WORDS_CHARACTERS_MAX:
        return line
    return line[: WORDS_CHARACTERS_MAX - 1] + "…"


def retry_after_seconds(
    headers: Mapping[str, str], now_ms: int, name: str = "retry-after"
) -> float | None:
    """Return the seconds that ``Retry-After`` asks to wait, given in seconds or as a date.

    A date is one of the sender's clock, which may differ from ours: it counts from the answer's own
    ``Date`` (RFC 9110, 6.6.1), and from `now_ms` if there is none.
    """
    value = headers.get(name, "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until_ms = _date_ms(value)
    if until_ms is None:
        return None
    answered_ms = _date_ms(headers.get("date", ""))
    return max(0.0, (until_ms - (now_ms if answered_ms is None else answered_ms)) / 1000)


def _date_ms(value: str) -> int | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return instant.to_ms(moment)


def finite_seconds(value: Json) -> float | None:
    """Return a number of seconds that a JSON value gives as a number or as text."""
    try:
        seconds = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None


def _throttled(profile: Profile, response: HttpResponse, asked: Asked) -> answer.Throttled:
    pace = profile.pace
    named = retry_after_seconds(response.headers, asked.now_ms, pace.retry_after_header)
    return answer.Throttled(pace.retry_after_seconds if named is None else named)


def _rule_of(
    profile: Profile, response: HttpResponse, operation: Operation | None
) -> ErrorRule | None:
    """Return the first rule that fits. It looks at the words as they came, unmasked."""
    rules = profile.errors.rules
    if not rules:
        return None
    words = answer.one_line(_raw_words(profile, response, operation)[:WORDS_READ_MAX])
    for rule in rules:
        said = rule.text is None or _pattern(rule.text).search(words) is not None
        if said and rule.on in {"any", operation} and response.status in rule.status:
            return rule
    return None


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _raw_words(profile: Profile, response: HttpResponse, operation: Operation | None) -> str:
    errors, signs = profile.errors, _signs(profile, operation)
    document = json_value(response.body)
    told = [text_of(value_at(document, path)) for path in errors.words]
    if signs is not None:
        told.append(failure_words(signs, document))
    if errors.words_header is not None:
        told.append(response.headers.get(errors.words_header))
    if errors.plain_text:
        told.append(_plain_text(response, document))
    return next((words for words in told if words), "")


def _signs(profile: Profile, operation: Operation | None) -> Failure | None:
    """Return what tells a failure in the answer to an operation; its text is words, too."""
    if operation == "write":
        return profile.write.failure
    followed = follow_ups_of(profile).get(operation or "")
    return None if followed is None else followed.failure


def _plain_text(response: HttpResponse, document: Json) -> str | None:
    """Return the body if it is a bare text, as such or as JSON; never a page of HTML."""
    if isinstance(document, str):
        return text_of(document)
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {"", "text/plain"}:
        return None
    text = response.body[:WORDS_READ_MAX].decode("utf-8", "replace")
    return None if text.lstrip().startswith(("<", "{", "[")) else text


def _with_fix(words: str, fix: str) -> str:
    if not fix:
        return words
    stop = "" if not words or words.endswith((".", "!", "?", "…")) else "."
    return f"{words}{stop} {fix}".strip()
