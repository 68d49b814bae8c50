"""Profiles that are well-formed and would lose, muddle or misdirect something all the same."""

from typing import Any

import pytest

from aftercall.wire.profile import ProfileInvalid, profile_from

from .make import MINIMAL

LIST = {"url": "/l", "items": "i", "id": "id", "name": "n"}
BACK = {"fields": {"outcome": "o"}}
BULK = {"url": "/c", "ids": "ids", "items": "all", "id": "id"}
TAG = {"url": "/t/{contact}", "fields": {"a": "target"}}


def merged(base: Any, more: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(more, dict):
        return more
    return base | {key: merged(base.get(key), value) for key, value in more.items()}


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    # A list would not be of the row's campaign, or would lack what a write depends on.
    (
        {"read": {"url": "/k/{campaign}/{contact}", "bulk": BULK}},
        "read.bulk.campaign: missing; read.url holds {campaign}, and this url does not",
    ),
    ({"read": {"bulk": BULK}}, "read.bulk.etag: missing; an item has no header"),
    (
        {"read": {"bulk": BULK | {"etag": "v"}}, "readback": {"url": "/d/{contact}", **BACK}},
        "read.bulk: [readback] asks for each contact by itself all the same",
    ),
    # Requests of lists that cannot be made, or would lose a part.
    ({"read": {"bulk": BULK | {"ids_in": "json", "etag": "v"}}}, "a GET has no JSON body"),
    (
        {"read": {"bulk": BULK | {"etag": "v", "constants": {"ids": "1"}}}},
        "read.bulk: two things go to ids",
    ),
    (
        {"read": {"bulk": BULK | {"etag": "v", "campaign": "ids.of"}}},
        "read.bulk: two things go to ids.of",
    ),
    ({"read": {"bulk": BULK | {"max": 1}}}, "read.bulk.max: 1 is too small"),
    ({"read": {"bulk": BULK | {"url": "/c/{contact}"}}}, "read.bulk.url: holds {contact}; only"),
    (
        {"read": {"bulk": BULK | {"url": "/v{version}/c", "etag": "v"}}},
        "read.bulk.version: missing",
    ),
    # An old read would be written over without a promise.
    ({"read": {"good_for_seconds": 30.0}}, "read.good_for_seconds: needs etag_covers_state"),
    (
        {"read": {"etag_covers_state": True, "good_for_seconds": 61.0}},
        "read.good_for_seconds: 61.0 is too large; at most 60",
    ),
    (
        {"read": {"etag_covers_state": True}, "write": {"if_match": False}},
        "read.etag_covers_state: needs an ETag, and write.if_match",
    ),
    # All rows would be about one contact.
    ({"read": {"url": "/c/1"}}, "read.url: must hold {contact}"),
    ({"readback": {"url": "/d", **BACK}}, "readback.url: must hold {contact}"),
    ({"write": {"url": "/c"}}, "write.url: must hold {contact}"),
    ({"follow_ups": {"tags": TAG | {"url": "/t"}}}, "follow_ups.tags.url: must hold {contact}"),
    # One would be written over the other: notes would be lost.
    ({"write": {"fields": {"a.n": "event_id"}}}, "write.fields.a.n: is within a"),
    (
        {"follow_ups": {"tags": TAG | {"fields": {"a": "target", "a.b.c": "outcome"}}}},
        "follow_ups.tags.fields.a.b.c: is within a",
    ),
    # Two symbols would be the same state.
    ({"states": {"allowed": ["IDLE", "\N{GREEN HEART}"]}}, "states.allowed: holds a name without"),
    ({"states": {"wait": [""]}}, "states.wait: holds a name without"),
    # What went well would be no contact, and what failed would be applied or not there.
    ({"read": {"absent": [200]}}, "read.absent: holds 200"),
    ({"read": {"absent": [404, 429, 503]}}, "read.absent: holds 429, 503"),
    ({"readback": {"url": "/c/{contact}", "none": [500], **BACK}}, "readback.none: holds 500"),
    ({"write": {"success": [200, 302]}}, "write.success.1: 302 is too large; at most 299"),
    # Headers that are ours, or none.
    ({"request_id_header": "Authorization"}, "request_id_header: is a header that is set already"),
    ({"write": {"idempotency_header": "If-Match"}}, "idempotency_header: is a header that is set"),
    ({"headers": {"Transfer-Encoding": "chunked"}}, "is a header that is set already"),
    ({"headers": {"x-a": "b\r\nx-c: d"}}, "holds a character that no header has"),
    # What cannot be sent so.
    (
        {"write": {"body": "form", "fields": {"n": {"from": "notes", "when_absent": "null"}}}},
        "write.fields.n.when_absent: only a JSON body has null",
    ),
    ({"lookup": {"l": LIST | {"url": "/{key}", "key": ["notes"]}}}, "lookup.l.key.0: is no key"),
    ({"lookup": {"l": LIST | {"url": "/{key}", "key": ["skill"]}}}, "lookup.l.key.0: is no key"),
    (
        {"codes": {"source": "static", "lookup": "l"}, "lookup": {"l": LIST}},
        'codes.lookup: source = "static" has none',
    ),
    ({"codes": {"static": {"SALE": "1"}}}, 'codes.static: source = "identity" has none'),
    ({"read": {"envelope": ["a..b"]}}, "read.envelope.0: is no path"),
    ({"pace": {"requests_per_second_max": 1e-9}}, "pace.requests_per_second_max: 1e-09 is too"),
    # Addresses that are none.
    ({"base": {"url": "/x"}}, "base.url: must be a whole address"),
    ({"base": {"url": "https://a.example?b=c"}}, "base.url: must be a whole address"),
    ({"base": {"url": "https://["}}, "base.url: is no address"),
    ({"base": {"url": "https://"}}, "base.url: names no host"),
    ({"base": {"url": "https://a..example"}}, "base.url: names no host"),
    ({"base": {"url": f"https://{'a' * 64}.example"}}, "base.url: names no host"),
    ({"base": {"url": "https://a.example:99999"}}, "base.url: is no address"),
    ({"base": {"url": "https://me:pw@a.example"}}, "base.url: must not hold a user name"),
    ({"read": {"url": "/c/{contact}#x"}}, "read.url: has a fragment"),
    ({"read": {"url": "/c/{contact}/{{campaign}}"}}, "read.url: holds a brace"),
]


def ruled(text: str) -> Any:
    return merged(
        MINIMAL, {"errors": {"rules": [{"status": [400], "text": text, "means": "wait"}]}}
    )


@pytest.mark.parametrize(
    "text", ["(a+)+$", r"(\w+\s?)*locked", "((a*)b)*", "(?:x|y+){2,}", "(?P<n>.*)+", "([()]+)*"]
)
def test_a_pattern_that_would_never_end_does_not_load(text: str) -> None:
    with pytest.raises(ProfileInvalid) as caught:
        profile_from(ruled(text))
    assert "on some words it would never end" in "\n".join(caught.value.problems)


@pytest.mark.parametrize(
    "text", [r"(\+)+", "([+*])+", "(a+)b+", "(ab)+c*", "(?!.*(?:x|y)).*z", "(a{3})+", "(a)?(b+)"]
)
def test_a_pattern_that_repeats_simple_things_loads(text: str) -> None:
    profile_from(ruled(text))


@pytest.mark.parametrize(("tables", "words"), CONTRADICTIONS)
def test_it_does_not_load(tables: dict[str, Any], words: str) -> None:
    with pytest.raises(ProfileInvalid) as caught:
        profile_from(merged(MINIMAL, tables))
    assert words in "\n".join(caught.value.problems)


def test_what_looks_alike_and_is_right_does_load() -> None:
    right = {
        "base": {"url": "https://{instance}.a.example:8443/x"},
        "read": {"absent": [204, 404], "envelope": ["", "a.0"], "told": {"z": "z"}},
        "write": {"url": "/c", "fields": {"c": "contact", "n2": "event_id", "x.y": "told.z"}},
        "lookup": {"l": LIST | {"url": "/{key}", "key": ["told.z", "campaign"]}},
    }
    profile_from(merged(MINIMAL, right))


def test_two_things_that_go_to_one_place_are_told_of_once() -> None:
    bulk = BULK | {"etag": "v", "constants": {"ids": "1"}}
    with pytest.raises(ProfileInvalid) as caught:
        profile_from(merged(MINIMAL, {"read": {"bulk": bulk}}))

    assert str(caught.value).count("two things go to ids") == 1
