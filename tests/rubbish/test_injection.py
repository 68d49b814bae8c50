"""Nothing of a row, nor what a tenant tells, becomes a path, a header or another request."""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import pytest

from aftercall.adapters.profiles import load_profile
from aftercall.domain.disposition import Disposition, Rules, read_disposition
from aftercall.domain.instant import from_ms
from aftercall.domain.outcomes import Category
from aftercall.wire.http import HttpRequest
from aftercall.wire.requests import (
    Basis,
    key_in,
    lookup_request,
    read_request,
    readback_request,
    write_request,
)
from aftercall.wire.target import Target

BASE = "https://tenant.example"
RULES = Rules({"INTERESTED": Category.POSITIVE}, from_ms(1_800_000_000_000))
EVIL = (
    "x\r\nX-Evil: 1\r\n\r\nGET /evil", "../../evil", "..", ".", "a/../evil", "..\\evil", "a/evil",
    "%2e%2e%2fevil", "?evil=1#evil", "{campaign}evil", "@evil.example", "//evil.example/",
    "evil\x00", "evil\u2028", "\u202eevil", '","evil":"', "evil\x1b[31m", "${evil}", "=evil()",
)  # fmt: skip
FIELDS = ("campaign", "contact", "outcome", "agent", "notes", "event_id", "custom_fields")


def rows(evil: str) -> Iterator[Disposition]:
    """Return what comes of rows that have it in a field, one after another; most are refused."""
    usual = {"campaign": "C1", "contact": "P1", "outcome": "INTERESTED", "agent": "A1"}
    for field in FIELDS:
        value: object = {"skill": evil, evil: evil} if field == "custom_fields" else evil
        made, _ = read_disposition(usual | {field: value}, RULES)
        if made is not None:
            yield made


def requests(target: Target, row: Disposition, told: str) -> Iterator[HttpRequest]:
    basis = Basis('"v1"', {"skill": told or "9001"}, "7")
    yield read_request(target, row, "tok", "r")
    yield readback_request(target, row, "tok", "r")
    yield write_request(target, row, "tok", "r", basis)
    for lookup in target.profile.lookup.values():
        key = key_in(lookup.key, row, {"skill": told} if told else {}) if lookup.key else ""
        if key is not None:
            yield lookup_request(target, lookup, key, 0, "tok")


def shape(request: HttpRequest) -> tuple[int, tuple[str, ...]]:
    """Return how many segments the path has, and which headers there are."""
    return urlsplit(request.url).path.count("/"), tuple(sorted(request.headers))


@pytest.mark.parametrize("name", ["outbound-v1", "acd"])
@pytest.mark.parametrize("evil", EVIL)
def test_no_field_reaches_more_than_its_place(name: str, evil: str) -> None:
    target = Target(load_profile(name), BASE)
    harmless = next(rows("harmless"))
    usual = {shape(request) for request in requests(target, harmless, "9001")}
    asked = [one for row in rows(evil) for one in requests(target, row, "")]
    asked += requests(target, harmless, evil)

    assert len(asked) >= 3
    for request in asked:
        parts = urlsplit(request.url)
        assert request.url.startswith(f"{BASE}/")
        assert request.url.isascii()
        assert request.url.isprintable()
        assert " " not in request.url
        assert (parts.query, parts.fragment) == ("", "") or parts.query.startswith("skip=0")
        assert shape(request) in usual
        assert all(unquote(one) not in {".", ".."} for one in parts.path.split("/"))
        assert all(value.isprintable() for value in request.headers.values())
        assert "evil" not in repr(request.headers)
