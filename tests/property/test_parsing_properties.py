"""Whatever the input or the tenant gives, it becomes a value; nothing is ever raised."""

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aftercall.adapters.profiles import load_profile
from aftercall.domain import answer
from aftercall.domain.columns import ColumnMap
from aftercall.domain.commitment import canonical_json
from aftercall.domain.disposition import CANONICAL, Rules, identity_of, read_disposition
from aftercall.domain.key import key_of
from aftercall.domain.outcomes import CODE
from aftercall.wire.auth import Token, TokenRefused, TokenUnavailable, read_token
from aftercall.wire.codes import read_part
from aftercall.wire.http import HttpResponse
from aftercall.wire.language.codes import Lookup
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile
from aftercall.wire.requests import ON_NOTHING, read_request, write_request
from aftercall.wire.responses import read_contact, read_written
from aftercall.wire.target import Target

from .strategies import MATRIX, NOW, any_cell, any_cells, any_text, ids, instants, json_values

if TYPE_CHECKING:
    from collections.abc import Mapping

PROFILE = load_profile("outbound-v1")
PROFILES = (PROFILE, load_profile("acd"))
TARGET = Target(PROFILE, "https://acme.niceincontact.com")
RULES = Rules(MATRIX, NOW)

TOKEN_FIELDS = ("access_token", "expires_in")
FAILURES = ("success", "error", "errorCount")

ODD: tuple[Any, ...] = (
    " ", "\u202e", "1e999", "nan", "-7", 0, -1, 7, 1.5, 10**400, True, False, [], {}, [1], {"a": 1},
    None,
)  # fmt: skip
texts = st.sampled_from(("", "\ud800", "a\udfff", "a\r\nb\x1b[2J", "READY"))
odd: st.SearchStrategy[Any] = texts | texts | st.sampled_from(ODD)
field_values = odd | odd | json_values | any_text | instants.map(str) | st.floats()
FIELDS = (*map(str, PROFILE.read.fields.values()), *PROFILE.errors.words, *FAILURES)
flat = st.fixed_dictionaries({}, optional=dict.fromkeys((*FIELDS, *TOKEN_FIELDS), field_values))
documents = flat | flat | flat.map(lambda inner: {"resultSet": inner})
spelled = documents.map(lambda each: json.dumps(each).encode())
bodies = st.one_of(
    spelled,
    spelled,
    st.binary(),
    spelled.map(lambda each: each[:-1]),
    documents.map(lambda each: json.dumps(each).encode("utf-16")),
    st.sampled_from([opened * 100_000 for opened in (b"[", b'{"state":', b'[{"":')]),
)
headers = st.dictionaries(
    st.sampled_from(["retry-after", "etag", "content-type", "icstatusdescription"]), any_text
)
good = st.just(200)
statuses = good | st.sampled_from([204, 400, 401, 404, 429, 500]) | st.integers(100, 599)
responses = st.builds(HttpResponse, statuses, headers, bodies)
read_on = st.builds(HttpResponse, good, headers, spelled)
"""Of any status and any form, an answer would hardly ever be read to its fields."""


profiles = st.sampled_from(PROFILES)
often = settings(max_examples=300)


@often
@given(profiles, read_on | responses, st.integers(0, 4 * 10**12))
def test_any_answer_to_a_read_means_something_that_can_be_stored(
    profile: Profile, response: HttpResponse, now_ms: int
) -> None:
    got = read_contact(profile, response, now_ms, Mask())
    assert isinstance(got, answer.ReadAnswer)
    if isinstance(got, answer.Found):
        contact = got.contact
        canonical_json({"a": [contact.state, contact.outcome, contact.agent]}).encode()
        assert contact.etag is None or contact.etag.isprintable()


@often
@given(profiles, read_on | responses, st.integers(0, 4 * 10**12))
def test_any_answer_to_a_write_means_something(
    profile: Profile, response: HttpResponse, now_ms: int
) -> None:
    got = read_written(profile, response, now_ms, Mask())
    assert isinstance(got, answer.WriteAnswer)
    if isinstance(got, answer.Accepted):
        assert response.status in profile.write.success


granted = st.fixed_dictionaries(
    {"access_token": st.just("tok-1") | field_values, "expires_in": field_values}
)
tokens = st.builds(HttpResponse, good, headers, granted.map(lambda it: json.dumps(it).encode()))


@often
@given(profiles, tokens | responses, st.floats(0, 1e9))
def test_any_answer_of_the_token_endpoint_means_something(
    profile: Profile, response: HttpResponse, now_seconds: float
) -> None:
    got = read_token(profile, response, now_seconds, Mask())
    assert isinstance(got, Token | TokenRefused | TokenUnavailable)
    if isinstance(got, Token):
        assert got.secret.isprintable()
        assert got.renew_at_seconds > now_seconds


@st.composite
def looked_up(draw: st.DrawFn) -> tuple[Lookup, HttpResponse]:
    """A look-up and an answer to it, most of the time with a list in its place."""
    lookup = draw(st.sampled_from([*PROFILES[1].lookup.values()]))
    names = filter(None, (lookup.id, lookup.name, lookup.active, lookup.group))
    fields = st.fixed_dictionaries({}, optional=dict.fromkeys(names, field_values))
    item = fields | fields | field_values
    document = {lookup.items: draw(st.lists(item, max_size=5) | field_values)}
    listed = HttpResponse(200, {}, json.dumps(document).encode())
    return lookup, draw(st.just(listed) | responses)


@often
@given(looked_up())
def test_any_answer_to_a_look_up_is_a_list_or_none(asked: tuple[Lookup, HttpResponse]) -> None:
    part = read_part(*asked, 0)
    for item in () if part is None else part.items:
        assert item.id
        (item.id + item.name + (item.group or "")).encode()


@given(any_cells)
def test_any_cells_are_a_disposition_or_have_problems(cells: dict[str, object]) -> None:
    disposition, problems = read_disposition(cells, RULES)
    assert (disposition is None) == bool(problems)
    for problem in problems:
        assert problem.field in CANONICAL
        assert problem.code
        assert problem.message
        assert problem.hint
        (problem.message + problem.hint).encode()
    for words in identity_of(cells).values():
        assert words.isprintable()
        words.encode()


@given(
    st.fixed_dictionaries(
        {"campaign": ids, "contact": ids, "outcome": st.sampled_from(sorted(MATRIX)), "agent": ids},
        optional=dict.fromkeys(("notes", "custom_fields", "timestamp", "event_id"), any_cell),
    )
)
def test_whatever_is_a_disposition_can_be_keyed_and_sent(cells: dict[str, object]) -> None:
    disposition, _ = read_disposition(cells, RULES)
    if disposition is None:
        return
    assert CODE.fullmatch(disposition.outcome)
    assert key_of(disposition) == key_of(disposition)
    assert read_request(TARGET, disposition, "t", "r").url.isascii()
    body = write_request(TARGET, disposition, "t", "r", ON_NOTHING).body
    assert body is not None
    sent: Mapping[str, object] = json.loads(body)
    assert sent["outcomeCode"] == disposition.outcome
    assert sent.get("customFields") == disposition.custom_fields


@given(
    st.dictionaries(
        st.sampled_from(["campaign_id", "agent", "custom.a", "custom.b", "Notes"]), any_cell
    ),
    st.dictionaries(st.sampled_from(CANONICAL), st.text(min_size=1)),
)
def test_any_cells_can_be_put_in_their_places(
    cells: dict[str, object], defaults: dict[str, object]
) -> None:
    columns = ColumnMap(defaults=defaults)
    fields = columns.canonical(cells, columns.places(cells))
    assert set(fields) <= set(CANONICAL)
    assert set(defaults) <= set(fields)
