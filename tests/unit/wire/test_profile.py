import copy
import tomllib
from importlib import resources
from typing import Any

import pytest

from aftercall.adapters.profiles import built_in_names, load_profile
from aftercall.errors import ConfigInvalid
from aftercall.wire.profile import READ_FIELDS, WRITE_FIELDS, profile_from

TEXT = (resources.files("aftercall.wire") / "profiles" / "outbound-v1.toml").read_text("utf-8")
TABLES = tomllib.loads(TEXT)

PLACES = [
    (name,) if not isinstance(value, dict) else (name, inner)
    for name, value in TABLES.items()
    for inner in (value if isinstance(value, dict) else [""])
] + [
    (table, "fields", name)
    for table, names in (("read", READ_FIELDS), ("write", WRITE_FIELDS))
    for name in names
]


def changed(place: tuple[str, ...], value: object) -> dict[str, Any]:
    """Return the built-in profile's tables with one value changed, or taken out if it is None."""
    tables: dict[str, Any] = copy.deepcopy(TABLES)
    table = tables
    for name in place[:-1]:
        table = table[name]
    table.pop(place[-1], None)
    if value is not None:
        table[place[-1]] = value
    return tables


def test_the_default_profile_speaks_the_outbound_api() -> None:
    profile = load_profile("outbound-v1")
    assert profile.base_url == "https://{instance}.niceincontact.com"
    assert profile.write.method == "PATCH"
    assert profile.write.success == {200, 204}
    assert profile.active_states == {"DIALING", "RINGING", "CONNECTED", "WRAP_UP"}
    assert profile.read.path == profile.write.path
    assert set(profile.read.fields) == set(READ_FIELDS)
    assert set(profile.write.fields) == set(WRITE_FIELDS)
    assert (profile.token.renew_early_seconds, profile.token.expires_in_default_seconds) == (
        60,
        3600,
    )


def test_every_built_in_profile_can_be_read() -> None:
    assert "outbound-v1" in built_in_names()
    assert [load_profile(name).name for name in built_in_names()] == list(built_in_names())


@pytest.mark.parametrize("name", ["outbound", "../outbound-v1", "", "outbound-v1.toml"])
def test_an_unknown_name_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(ConfigInvalid) as refusal:
        load_profile(name)
    assert "outbound-v1" in refusal.value.fix


@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_a_missing_key_is_named(place: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=rf"profile\.{'.'.join(place)} is missing"):
        profile_from(changed(place, None))


@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_a_value_of_another_type_is_named(place: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=rf"profile\.{'.'.join(place)} is of the wrong type"):
        profile_from(changed(place, value=True))


@pytest.mark.parametrize(
    "place",
    [
        ("colour",),
        ("token", "colour"),
        ("read", "colour"),
        ("write", "colour"),
        ("states", "colour"),
        ("errors", "colour"),
        ("read", "fields", "colour"),
        ("write", "fields", "colour"),
    ],
    ids=".".join,
)
def test_an_unknown_key_is_named(place: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=rf"profile\.{'.'.join(place)} is not known"):
        profile_from(changed(place, "blue"))


@pytest.mark.parametrize(
    ("place", "value", "kind"),
    [
        (("write", "success"), ["200"], "int"),
        (("write", "success"), [True], "int"),
        (("states", "active"), [7], "str"),
        (("errors", "words"), ["message", None], "str"),
    ],
)
def test_a_list_of_something_else_is_named(
    place: tuple[str, ...], value: object, kind: str
) -> None:
    with pytest.raises(ValueError, match=rf"profile\.{'.'.join(place)} is not a list of {kind}"):
        profile_from(changed(place, value))


@pytest.mark.parametrize("spelled", ["on hold", "On-Hold", " ON__HOLD ", "(on hold)"])
def test_states_are_compared_normalised(spelled: str) -> None:
    assert profile_from(changed(("states", "active"), [spelled])).active_states == {"ON_HOLD"}
    assert profile_from(changed(("states", "allowed"), [spelled])).allowed_states == {"ON_HOLD"}


def test_no_state_is_both_active_and_allowed() -> None:
    profile = load_profile("outbound-v1")
    assert "READY" in profile.allowed_states
    assert not profile.active_states & profile.allowed_states
