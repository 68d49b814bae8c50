"""Several contacts in one request: what is asked for, and what of an answer is believed."""

import json
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercall.domain.answer import Found, Throttled
from aftercall.wire.http import HttpRequest
from aftercall.wire.language.bulk import Bulk
from aftercall.wire.lists import can_be_listed, items_in, list_request, throttled_by
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile, profile_from
from aftercall.wire.responses import read_contact, read_item
from aftercall.wire.target import Target

from .make import MINIMAL, answered, row
from .test_contradictions import merged

PLAIN = {"url": "/c", "ids": "ids", "items": "all", "id": "id"}
NOTHING_TO_MASK = Mask(())
ROWS = [row(contact="p1"), row(contact="p/2"), row(contact="7")]


def profile_with(bulk: dict[str, Any], **more: Any) -> Profile:
    changed = merged(MINIMAL, {"read": {"bulk": PLAIN | {"etag": "v"} | bulk}})
    return profile_from(merged(changed, more))


def bulk_of(profile: Profile) -> Bulk:
    assert profile.read.bulk is not None
    return profile.read.bulk


def asked(bulk: dict[str, Any], contacts: list[str] | None = None) -> HttpRequest:
    profile = profile_with(bulk)
    rows = ROWS if contacts is None else [row(contact=one) for one in contacts]
    return list_request(Target(profile, "https://t.example"), bulk_of(profile), rows, "T", "r-1")


def test_ids_go_into_one_parameter_joined() -> None:
    request = asked({"separator": ";", "constants": {"view": "full", "deep": True, "none": ""}})
    parts = urlsplit(request.url)
    assert (request.method, parts.path, request.body) == ("GET", "/c", None)
    assert parse_qsl(parts.query, keep_blank_values=True) == [
        ("view", "full"),
        ("deep", "true"),
        ("none", ""),
        ("ids", "p1;p/2;7"),
    ]
    assert request.headers["Authorization"] == "Bearer T"
    assert request.headers["X-Request-ID"] == "r-1"


def test_ids_go_into_a_parameter_each() -> None:
    request = asked({"ids_in": "query_each", "url": "/c?of={campaign}"})
    assert request.url == "https://t.example/c?of=C1&ids=p1&ids=p%2F2&ids=7"


def test_ids_go_into_a_json_body() -> None:
    given = {"method": "POST", "ids_in": "json", "ids": "where.in", "campaign": "where.list"}
    request = asked(given | {"constants": {"size": 50}})
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    where = {"list": "C1", "in": ["p1", "p/2", "7"]}
    assert json.loads(request.body or b"") == {"size": 50, "where": where}


def test_ids_go_as_numbers() -> None:
    request = asked({"method": "POST", "ids_in": "json", "ids_type": "integer"}, ["7", "1200"])
    assert json.loads(request.body or b"") == {"ids": [7, 1200]}


@pytest.mark.parametrize(
    ("bulk", "contact", "can"),
    [
        ({}, "a-1", True),
        ({}, "a,1", False),
        ({"separator": "; "}, "a;1", True),
        ({"ids_in": "query_each"}, "a,1", True),
        ({"method": "POST", "ids_in": "json"}, "a,1", True),
        ({"method": "POST", "ids_in": "json", "ids_type": "integer"}, "17", True),
        ({"method": "POST", "ids_in": "json", "ids_type": "integer"}, "017", False),
        ({"method": "POST", "ids_in": "json", "ids_type": "integer"}, "a1", False),
        ({"method": "POST", "ids_in": "json", "ids_type": "integer"}, "9" * 19, False),
    ],
)
def test_an_id_that_could_not_be_told_apart_is_not_listed(
    bulk: dict[str, Any], contact: str, *, can: bool
) -> None:
    assert can_be_listed(bulk_of(profile_with(bulk)), contact) is can


IDLE = {"s": "IDLE", "v": '"1"'}


@pytest.mark.parametrize(
    "answer",
    [
        answered(500, {"all": [{"id": "p1"}]}),
        answered(200, b"<html>"),
        answered(200, {"all": {"p1": IDLE}}),
        answered(200, {"none": []}),
        answered(204),
    ],
)
def test_what_is_no_list_tells_of_nobody(answer: Any) -> None:
    assert items_in(bulk_of(profile_with({})), answer, ROWS) == {}


def test_only_who_was_asked_for_and_is_told_once_counts() -> None:
    items = [
        {"id": "p1", "n": 1},
        {"id": "p9"},
        {"id": 7, "n": 2},
        None,
        {"no": "id"},
        {"id": "p/2"},
        {"id": "p/2"},
        {"id": True},
    ]
    bulk = bulk_of(profile_with({}))
    told = items_in(bulk, answered(200, {"all": items}), ROWS)
    assert told == {"p1": {"id": "p1", "n": 1}, "7": {"id": 7, "n": 2}}
    whole = bulk_of(profile_with({"items": ""}))
    assert items_in(whole, answered(200, items), ROWS) == told


CONTACTS = st.sampled_from(["p1", "p/2", "7", "p1 ", "P1", "p\ud800", "", "07"])


@given(st.lists(CONTACTS | st.none() | st.integers(0, 9), max_size=8))
def test_never_is_one_contact_told_of_as_another(ids: list[Any]) -> None:
    items = [{"id": one, "place": place} for place, one in enumerate(ids)]
    told = items_in(bulk_of(profile_with({})), answered(200, {"all": items}), ROWS)
    named = Counter(str(one) for one in ids if one is not None)
    assert set(told) == {one.contact for one in ROWS if named[one.contact] == 1}
    assert all(str(item["id"]) == contact for contact, item in told.items())  # type: ignore[index, call-overload]


def test_an_item_is_read_as_a_contact_is() -> None:
    contact: dict[str, Any] = {"s": "idle", "o": "SOLD", "desk": 9}
    profile = profile_with({}, read={"told": {"desk": "desk"}})
    alone = read_contact(profile, answered(200, contact, {"etag": '"1"'}), 0, NOTHING_TO_MASK)
    assert isinstance(alone, Found)
    assert alone.contact.idle
    assert read_item(profile, contact | {"v": '"1"', "id": "p1"}, NOTHING_TO_MASK) == alone


def test_an_item_may_have_an_envelope_and_paths_of_its_own() -> None:
    profile = profile_with({"envelope": "lead", "fields": {"state": "phase", "outcome": "r.code"}})
    item: Any = {"id": "p1", "lead": {"phase": "IDLE", "r": {"code": 17}, "v": '"1"'}}
    found = read_item(profile, item, NOTHING_TO_MASK)
    assert found is not None
    assert (found.contact.idle, found.contact.outcome, found.contact.etag) == (True, "17", '"1"')


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"id": "p1", "v": '"1"'},
        {"s": None, "v": '"1"'},
        {"s": 4, "v": '"1"'},
        {"s": "IDLE"},
        {"s": "IDLE", "v": 'W/"1"'},
        {"s": "IDLE", "v": '"1"', "o": {"id": 3}},
        [],
        "IDLE",
        None,
    ],
)
def test_an_item_that_does_not_tell_all_that_a_write_rests_on_tells_nothing(item: Any) -> None:
    assert read_item(profile_with({}), item, NOTHING_TO_MASK) is None


def test_without_if_match_an_item_needs_no_etag() -> None:
    profile = profile_with({}, write={"if_match": False})
    found = read_item(profile, {"s": "IDLE"}, NOTHING_TO_MASK)
    assert found is not None
    assert found.contact.etag is None


def test_a_list_can_ask_to_slow_down() -> None:
    rules = [{"on": "read", "status": [503], "text": "busy", "means": "throttled"}]
    profile = profile_with({}, errors={"words": ["m"], "rules": rules})
    told = throttled_by(profile, answered(429, headers={"retry-after": "3"}), 0, NOTHING_TO_MASK)
    assert told == Throttled(3.0)
    assert throttled_by(profile, answered(503, {"m": "too busy"}), 0, NOTHING_TO_MASK)
    assert not throttled_by(profile, answered(503), 0, NOTHING_TO_MASK)
    assert not throttled_by(profile, answered(200, {"all": []}), 0, NOTHING_TO_MASK)
