"""From a tenant's HTTP answers to what they mean.

Status codes are those of RFC 9110; 429 and Retry-After are RFC 6585 and RFC 9110, section 10.2.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aftercall.domain import answer
from aftercall.domain.answer import Observed, ReadAnswer, WriteAnswer
from aftercall.domain.disposition import Json
from aftercall.wire.http import HttpResponse, MaybeSent, SendFailure
from aftercall.wire.json_paths import (
    first_at,
    json_object,
    json_value,
    text_of,
    value_at,
)
from aftercall.wire.language.contact import Read, Readback
from aftercall.wire.language.table import JsonPaths, ReadField, paths_of
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile, normal_state
from aftercall.wire.refusals import Asked, clean, refusal_of, ruled_refusal, trouble_of, words_of
from aftercall.wire.signs import says_failure
from aftercall.wire.stamps import is_absent, read_stamp_ms

STATE_CHARACTERS_MAX = 40
CLOSED = "CLOSED"
"""The state of a contact that tells none, but something that only a closed one has."""

UNREADABLE = answer.Unavailable(
    "unreadable_outcome",
    "The outcome that the tenant tells is neither text nor a whole number; is the profile's path"
    " of it (fields.outcome) right?",
)
"""Taken for none, it would be written over, and after a lost answer written twice."""

Fields = Mapping[ReadField, JsonPaths]
"""What is read, and where it stands."""

NO_STATES: Mapping[str, str] = {}
EMPTY: tuple[Json, ...] = (None, [], {})
"""What stands where something would stand if it were there."""


def read_contact(
    profile: Profile,
    response: HttpResponse,
    now_ms: int,
    mask: Mask,
    states: Mapping[str, str] = NO_STATES,
) -> ReadAnswer:
    """Say what the answer to a read means; all that is taken from it goes through `mask`.

    Args:
        profile: the tenant's language.
        response: the answer.
        now_ms: the time, for a ``Retry-After`` that is a date.
        mask: what must not come back.
        states: the names of dialer states by id, if the tenant tells ids.
    """
    rules, asked = profile.read, Asked("read", now_ms, mask)
    if response.status in rules.absent or (response.status == 204 and rules.empty_is_absent):
        return answer.Absent(words_of(profile, response, asked))
    if response.status != 200:
        return _other(profile, response, asked)
    document = json_object(response.body)
    found = None if document is None else _object(rules, document, _told_of_state(profile))
    if found is None:
        none = _says_none(rules, document)
        return answer.Absent() if none else _no_contact(profile, response, asked)
    contact = _contact(profile, rules.fields, found, mask, states)
    if contact is None:
        return UNREADABLE
    etag = response.headers.get(rules.etag_header or "", "")
    if rules.etag is not None:
        etag = text_of(value_at(found, rules.etag)) or ""
    return answer.Found(_depending_on(profile, contact, etag))


def read_item(
    profile: Profile, item: Json, mask: Mask, states: Mapping[str, str] = NO_STATES
) -> answer.Found | None:
    """Say what an item of a list tells of its contact.

    Returns:
        The contact; None if the item does not tell of it all that a write rests on: then the
        contact must be read by itself.
    """
    rules, bulk = profile.read, profile.read.bulk
    found = None if bulk is None else value_at(item, bulk.envelope)
    if not isinstance(found, Mapping):
        return None
    contact = _contact(profile, rules.fields_of_item, found, mask, states)
    if contact is None or contact.state is None:
        return None
    place = rules.etag_of_item
    etag = "" if place is None else text_of(value_at(found, place)) or ""
    contact = _depending_on(profile, contact, etag)
    if contact.etag is None and place is not None and profile.write.if_match:
        return None
    return answer.Found(contact)


def read_held(profile: Profile, response: HttpResponse, now_ms: int, mask: Mask) -> ReadAnswer:
    """Say what reading a disposition back means: found with no state, or anything else."""
    rules = profile.readback
    if rules is not None and response.status in rules.none:
        return answer.Found(Observed(None))
    if rules is None or response.status != 200:
        return _other(profile, response, Asked("read", now_ms, mask))
    if not response.body.strip():
        return answer.Found(Observed(None))
    document = json_object(response.body)
    found = None if document is None else _object(rules, document)
    if found is None and _says_none(rules, document):
        return answer.Found(Observed(None))
    if found is None:
        shape = _shape(response, mask)
        return answer.Unavailable("garbage", f"The answer is {shape}, not a disposition.")
    held = _observed(rules, rules.fields, found, mask)
    return UNREADABLE if held is None else answer.Found(held)


def with_held(contact: Observed, held: Observed) -> Observed:
    """Return a contact with the disposition that was read beside it.

    A closed contact's own is final. Until then it may tell what is none yet, such as 0, and not
    when that was stored: then what was read back counts.
    """
    if held.outcome is None or (contact.closed and contact.outcome is not None):
        return contact
    return replace(
        contact,
        outcome=held.outcome,
        agent=held.agent,
        notes=held.notes,
        timestamp_ms=held.timestamp_ms,
        stored_ms=held.stored_ms,
        stamp_unknown=held.stamp_unknown,
        custom_fields=held.custom_fields or contact.custom_fields,
    )


def read_written(profile: Profile, response: HttpResponse, now_ms: int, mask: Mask) -> WriteAnswer:
    """Say what the answer to a write means; its words go through `mask`."""
    asked = Asked("write", now_ms, mask)
    if response.status in profile.write.success:
        return _taken(profile, response, asked)
    if response.status == 412:
        return answer.Stale()
    refusal = refusal_of(profile, response, asked)
    if refusal is not None:
        return refusal
    code, words = trouble_of(profile, response, asked)
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


def _taken(profile: Profile, response: HttpResponse, asked: Asked) -> WriteAnswer:
    """Say what a status of success means, by what stands under it."""
    body = response.body.strip()
    document = json_value(body)
    if body and not isinstance(document, dict | list):
        return answer.Uncertain("garbage", f"The answer is {_shape(response, asked.mask)}.")
    if not says_failure(profile.write.failure, document):
        return answer.Accepted()
    ruled = ruled_refusal(profile, response, asked)
    if ruled is not None:
        return ruled
    words = words_of(profile, response, asked)
    told = f"The answer says failure{': ' if words else '.'}{words}"
    return answer.Uncertain("answer_says_failure", told)


def _object(rules: Read | Readback, document: Json, more: Sequence[str] = ()) -> Json:
    """Return the object that is spoken of: the first place at which any known field stands."""
    known = [path for paths in rules.fields.values() for path in paths_of(paths)]
    known += more
    for place in rules.envelope:
        found = value_at(document, place)
        if any(_stands(found, path) for path in known):
            return found
    return None


def _says_none(rules: Read | Readback, document: Json) -> bool:
    """Say whether an answer says in its body that what was asked for is not there."""
    places = (path for path in rules.none_if_empty if _stands(document, path))
    return any(value_at(document, path) in EMPTY for path in places)


def _no_contact(profile: Profile, response: HttpResponse, asked: Asked) -> ReadAnswer:
    """Say what an answer with status 200 means in which no contact stands."""
    # A login page or a proxy's notice is nothing that the profile's rules speak of.
    told = json_object(response.body) is not None
    refusal = ruled_refusal(profile, response, asked) if told else None
    if refusal is None:
        words = f"The answer is {_shape(response, asked.mask)}, not a contact."
        return answer.Unavailable("garbage", words)
    if isinstance(refusal, answer.Uncertain):
        return answer.Unavailable(refusal.code, refusal.words)
    return refusal


def _told_of_state(profile: Profile) -> tuple[str, ...]:
    """Return the paths of what else tells a contact's state: it may tell no more of itself."""
    named = profile.read.state_id
    return (*profile.states.closed_if_present, *(() if named is None else (named,)))


def _stands(document: Json, path: str) -> bool:
    """Say whether something stands at `path`, if only a null."""
    *way, last = path.split(".")
    above = value_at(document, ".".join(way))
    return isinstance(above, Mapping) and last in above


def _contact(
    profile: Profile, fields: Fields, found: Json, mask: Mask, states: Mapping[str, str]
) -> Observed | None:
    """Return what an object tells of a contact, without its ETag; None as for `_observed`."""
    contact = _observed(profile.read, fields, found, mask)
    if contact is None:
        return None
    name, idle, closed = _state(profile, fields.get("state"), found, mask, states)
    told = {
        name: mask.value(words)
        for name, paths in profile.read.told.items()
        if (words := text_of(first_at(found, paths_of(paths))))
    }
    return replace(contact, state=name, idle=idle, closed=closed, told=told)


def _depending_on(profile: Profile, contact: Observed, etag: str) -> Observed:
    """Return a contact with the entity tag that a write of it depends on, if there is one."""
    # One that no write is made to depend on promises nothing.
    strong = _strong(etag) if profile.write.if_match else None
    return contact if strong is None else replace(contact, etag=strong)


def _observed(rules: Read | Readback, fields: Fields, found: Json, mask: Mask) -> Observed | None:
    """Return what a contact or a disposition tells, without its state.

    None if an outcome is told, but not so that it can be compared.
    """

    def at(name: ReadField) -> Json:
        return first_at(found, paths_of(fields.get(name)))

    told, agent = at("outcome"), text_of(at("agent"))
    outcome = text_of(told)
    if told is not None and outcome is None:
        return None
    custom, stamp = at("custom_fields"), at("timestamp")
    stamp_ms = read_stamp_ms(stamp)
    reached = rules.timestamp_means == "reached"
    return Observed(
        None,
        outcome=None if outcome is None else mask.value(outcome),
        agent=None if agent is None else mask.value(agent),
        notes=text_of(at("notes")),
        timestamp_ms=stamp_ms if reached else None,
        stored_ms=None if reached else stamp_ms,
        stamp_unknown=stamp_ms is None and not is_absent(stamp),
        custom_fields=custom if isinstance(custom, Mapping) else None,
    )


def _state(
    profile: Profile, place: JsonPaths | None, found: Json, mask: Mask, names: Mapping[str, str]
) -> tuple[str | None, bool, bool]:
    """Return a dialer state, normalised, whether a write may leave, and whether it is closed."""
    states, told = profile.states, first_at(found, paths_of(place))
    if profile.read.state_id is not None:
        told = names.get(text_of(value_at(found, profile.read.state_id)) or "", told)
    if not isinstance(told, str):
        signs = (value_at(found, path) for path in states.closed_if_present)
        closed = any(sign is not None for sign in signs)
        return (CLOSED if closed else None), False, closed
    state = normal_state(told)
    if state in states.wait | states.allowed | states.closed:
        return state, state in states.allowed - states.wait, state in states.closed
    shown = normal_state(clean(told, mask))[:STATE_CHARACTERS_MAX]
    return shown or None, False, False


def _other(profile: Profile, response: HttpResponse, asked: Asked) -> ReadAnswer:
    """Say what the answer to a read means that brings nothing."""
    refusal = refusal_of(profile, response, asked)
    if refusal is None or isinstance(refusal, answer.Uncertain):
        return answer.Unavailable(*trouble_of(profile, response, asked))
    return refusal


def _shape(response: HttpResponse, mask: Mask) -> str:
    kind = clean(response.headers.get("content-type", ""), mask).partition(";")[0]
    return f"{len(response.body)} bytes of {kind or 'an unnamed type'}"


def _strong(etag: str) -> str | None:
    """Return the entity tag if a write can be made to depend on it."""
    etag = etag.strip()
    if etag.startswith("W/") or etag == "*":
        # If-Match compares strongly (RFC 9110, section 13.1.1): a weak tag never matches, and a
        # bare star matches anything.
        return None
    return etag if etag and etag.isascii() and etag.isprintable() else None
