"""A profile's file: all that is wrong with it is told at once, in plain words."""

import copy
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from aftercall.adapters.profiles import built_in_names, load_profile
from aftercall.errors import ConfigInvalid
from aftercall.wire.language.contact import READ_FIELDS
from aftercall.wire.profile import ProfileInvalid, profile_from

TEXT = (resources.files("aftercall.wire") / "profiles" / "outbound-v1.toml").read_text("utf-8")
TABLES = tomllib.loads(TEXT)
REQUIRED = [
    ("name",),
    ("auth",),
    ("read",),
    ("write",),
    ("states",),
    ("read", "url"),
    ("read", "fields"),
    ("write", "url"),
    ("write", "method"),
    ("write", "fields"),
    ("states", "wait"),
    ("states", "allowed"),
]


def changed(place: tuple[str, ...], value: object) -> dict[str, Any]:
    """Return the built-in profile's tables with one value changed, or taken out if it is None."""
    tables: dict[str, Any] = copy.deepcopy(TABLES)
    table: Any = tables
    for name in place[:-1]:
        table = table[int(name)] if name.isdigit() else table.setdefault(name, {})
    table.pop(place[-1], None)
    if value is not None:
        table[place[-1]] = value
    return tables


def problems(tables: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(ProfileInvalid) as caught:
        profile_from(tables)
    return caught.value.problems


def places(table: object, here: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the place of every value in the built-in profile that is no table."""
    if isinstance(table, dict):
        for name, value in table.items():
            yield from places(value, (*here, name))
    elif isinstance(table, list) and table and isinstance(table[0], dict):
        for number, value in enumerate(table):
            yield from places(value, (*here, str(number)))
    else:
        yield here


def test_the_default_profile_speaks_the_outbound_api() -> None:
    profile = load_profile("outbound-v1")
    assert profile.base.url == "https://{instance}.niceincontact.com"
    assert profile.write.method == "PATCH"
    assert profile.write.success == {200, 204}
    assert profile.active_states == {"DIALING", "RINGING", "CONNECTED", "WRAP_UP"}
    assert profile.read.url == profile.write.url
    assert set(profile.read.fields) == set(READ_FIELDS)
    assert {field.from_ for field in profile.write.fields.values()} == set(READ_FIELDS) - {"state"}
    (auth,) = profile.auth
    assert (auth.style, auth.variables) == (
        "client_credentials",
        ("CXONE_CLIENT_ID", "CXONE_CLIENT_SECRET"),
    )
    assert (auth.renew_early_seconds, auth.expires_in_default_seconds) == (60, 3600)


def test_every_built_in_profile_can_be_read() -> None:
    assert "outbound-v1" in built_in_names()
    assert [load_profile(name).name for name in built_in_names()] == list(built_in_names())


@pytest.mark.parametrize("name", built_in_names())
def test_no_state_means_two_things(name: str) -> None:
    states = load_profile(name).states
    assert not states.wait & states.allowed
    assert not states.closed & (states.wait | states.allowed)


@pytest.mark.parametrize("name", ["outbound", "", "acd-v1"])
def test_an_unknown_name_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(ConfigInvalid) as refusal:
        load_profile(name)
    assert "outbound-v1" in refusal.value.fix


def test_a_name_that_is_nearly_one_is_recognised() -> None:
    with pytest.raises(ConfigInvalid, match="Did you mean 'outbound-v1'"):
        load_profile("outboundv1")


@pytest.mark.parametrize("place", REQUIRED, ids=".".join)
def test_a_missing_key_is_named(place: tuple[str, ...]) -> None:
    assert problems(changed(place, None))[0] == f"{'.'.join(place)}: missing"


@pytest.mark.parametrize("place", list(places(TABLES)), ids=".".join)
def test_a_value_of_another_type_is_named(place: tuple[str, ...]) -> None:
    told = problems(changed(place, value=True))
    assert len(told) == 1
    assert told[0].startswith(f"{'.'.join(place)}: true is a truth value; ")


@pytest.mark.parametrize(
    ("place", "meant"),
    [
        (("abuot",), '"about"'),
        (("auth", "0", "stile"), '"style"'),
        (("auth", "0", "answer", "expire_in"), '"expires_in"'),
        (("read", "envelop"), '"envelope"'),
        (("read", "success"), '"write.success"'),
        (("write", "colour"), ""),
        (("write", "fields", "notes"), '"characters_max"'),
        (("states", "closed_word"), '"closed_words"'),
        (("errors", "word"), '"words"'),
        (("if_match",), '"write.if_match"'),
    ],
    ids=str,
)
def test_an_unknown_key_is_named_with_the_one_that_was_meant(
    place: tuple[str, ...], meant: str
) -> None:
    odd: object = {"from": "notes", "charactersmax": 9} if place[-1] == "notes" else "x"
    (told,) = problems(changed(place, odd))
    assert "unknown key" in told
    assert told.endswith(f"; did you mean {meant}?" if meant else "unknown key")


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("write", "method"), "PATHC", 'did you mean "PATCH"?'),
        (("write", "fields", "notes"), "note", 'did you mean "notes"?'),
        (("write", "success"), ["200"], "write.success.0: "),
        (("write", "success"), [99], "99 is too small; at least 200"),
        (("states", "wait"), [7], "states.wait.0: 7 is a whole number; text is wanted"),
        (("read", "url"), "http://x", 'must begin with "/"'),
        (("read", "url"), "/x/{contct}", "holds {contct}; only {campaign}, {contact}"),
        (("read", "fields", "state"), "a..b", "is no path"),
        (("auth", "0", "url"), "/x{campaign}", "only {instance} can be filled in"),
        (("errors", "words_header"), "a b", "is no name of a header"),
        (("errors", "rules"), [{"status": [400], "text": "(", "means": "wait"}], "no regular"),
        (("errors", "rules"), [{"status": [400], "text": "[[a]", "means": "wait"}], "no regular"),
        (
            ("errors", "rules"),
            [{"status": [400], "text": "a{99999999999999}", "means": "wait"}],
            "no regular",
        ),
        (("headers",), {"Authorization": "x"}, "is a header that is set already"),
        (("name",), "My Profile", "is not of the form"),
        (("pace", "requests_per_second_max"), 0, "0 is too small; at least 0.001"),
        (("base", "hosts"), ["https://x.example"], "must be a bare domain"),
    ],
    ids=str,
)
def test_a_value_that_cannot_be_is_said(place: tuple[str, ...], value: object, words: str) -> None:
    (told,) = problems(changed(place, value))
    assert told.startswith(".".join(place[:2] if place[0] != "auth" else place[:1]))
    assert words in told


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("states", "lookup"), "states", "states.lookup: there is no [lookup.states]"),
        (("codes", "source"), "lookup", 'codes.lookup: missing; source = "lookup" needs'),
        (("write", "fields", "notes"), "told.skill", 'there is no "skill" in [read.told]'),
        (("write", "fields", "agentId"), None, 'no field carries "agent"; map it, or list it'),
        (("write", "dropped"), ["notes"], '"notes" is sent and dropped at once'),
        (("write", "fields", "outcomeCode"), None, 'no field carries "outcome"'),
        (("write", "fields", "x"), {}, "write.fields.x: give one of from and value"),
        (("write", "wrapper"), "x", None),
        (("read", "fields", "state"), None, "without the state nothing may be written"),
        (("read", "fields", "outcome"), None, "a lost answer could not be read back"),
        (("states", "allowed"), [], "nothing could ever be written"),
        (("states", "allowed"), ["ringing"], "RINGING is in wait and in allowed"),
        (("read", "url"), "/v{version}/x", "read.version: missing; its url holds {version}"),
        (("auth", "0", "url"), None, "auth.0.url: missing"),
    ],
    ids=str,
)
def test_tables_that_contradict_each_other_are_said(
    place: tuple[str, ...], value: object, told: str | None
) -> None:
    tables = changed(place, value)
    if told is None:
        assert profile_from(tables).write.wrapper == value
    else:
        assert any(told in problem for problem in problems(tables))


def test_custom_fields_may_be_dropped_but_for_some() -> None:
    whole = changed(("write", "dropped"), ["custom_fields"])
    assert problems(whole) == ('write.dropped: "custom_fields" is sent and dropped at once',)
    whole["write"]["fields"]["customFields"] = "custom_fields.callback_time"
    assert profile_from(whole).write.custom_fields_sent == ("callback_time",)
    # Without a word about the others, as profiles had it before there was one.
    del whole["write"]["dropped"]
    assert profile_from(whole).write.custom_fields_sent == ("callback_time",)
    assert load_profile("outbound-v1").write.custom_fields_sent == ()


def test_outcomes_are_pulled_from_a_list_of_all_not_from_one_of_each_campaign() -> None:
    every = {"url": "/codes", "items": "items", "id": "id", "name": "name"}
    tables = changed(("codes", "catalogue"), "codes") | {"lookup": {"codes": every}}
    assert profile_from(tables).codes.catalogue == "codes"
    tables["lookup"] = {"codes": every | {"url": "/{key}/codes", "key": ["campaign"]}}
    (told,) = problems(tables)
    assert told.startswith("codes.catalogue: [lookup.codes] is a list of each {key}")


def test_what_is_not_written_is_no_witness_of_a_write() -> None:
    fields = {"outcomeCode": "outcome", "notes": "notes", "customFields": "custom_fields"}
    tables = changed(("write", "fields"), fields)
    tables["write"]["dropped"] = ["agent", "timestamp"]
    assert problems(tables) == (
        "read.fields.agent: is not written, so it cannot be read back; leave it out",
        'read.timestamp_means: must be "written": the row\'s own time is dropped',
    )
    del tables["read"]["fields"]["agent"]
    tables["read"]["timestamp_means"] = "written"
    assert profile_from(tables).write.dropped == ("agent", "timestamp")


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    text = TEXT.replace('method = "PATCH"', 'methd = "PATCH"')
    path.write_text(text.replace("success = [200", "success = [2"))
    with pytest.raises(ConfigInvalid) as refusal:
        load_profile(str(path))
    assert str(refusal.value).splitlines()[1:] == [
        "  write.method: missing",
        "  write.success.0: 2 is too small; at least 200",
        '  write.methd: unknown key; did you mean "method"?',
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"name = ", "is not valid TOML"), (b"\xff\xfe", "is not UTF-8 text")],
)
def test_a_file_that_is_no_profile_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "gateway.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigInvalid, match=words):
        load_profile(str(path))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="There is no profile") as refusal:
        load_profile(str(tmp_path / "gateway.toml"))
    assert refusal.value.next_command == f"aftercall profile new {tmp_path / 'gateway.toml'}"


@pytest.mark.parametrize("spelled", ["on hold", "On-Hold", " ON__HOLD ", "(on hold)"])
def test_states_are_compared_normalised(spelled: str) -> None:
    assert profile_from(changed(("states", "wait"), [spelled])).active_states == {"ON_HOLD"}
    assert profile_from(changed(("states", "allowed"), [spelled])).states.allowed == {"ON_HOLD"}
