"""The schema that editors are given: a validator takes what loads, and marks what does not."""

import json
import tomllib
from typing import Any

import fastjsonschema
import pytest
from tests.surfaces.rig import profile_of_the_page

from aftercall.adapters.profiles import built_in_names, read_profile
from aftercall.interfaces.cli.profile_text import profile_text
from aftercall.wire.profile import ProfileInvalid, profile_from, profile_schema

from .test_profile import changed

VALIDATE: Any = fastjsonschema.compile(json.loads(json.dumps(profile_schema())))

TEXTS = {
    **{name: read_profile(name).text for name in built_in_names()},
    "the page": profile_of_the_page(),
    "profile new": profile_text("gateway"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_an_editor_marks_nothing_in_a_profile_that_loads(name: str) -> None:
    tables = tomllib.loads(TEXTS[name])
    profile_from(tables)
    VALIDATE(tables)


RULE = {"status": [400], "means": "wait"}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("abuot",), "x"),
        (("name",), "My Profile"),
        (("auth", "0", "style"), "pasword"),
        (("auth", "0", "url"), "http://login.example"),
        (("read", "fields", "state"), "a..b"),
        (("read", "fields", "outcom"), "code"),
        (("write", "method"), "POTS"),
        (("write", "success"), [500]),
        (("write", "fields", "notes"), "note"),
        (("write", "fields", "notes"), ["notes", "agent"]),
        (("write", "fields", "notes"), {"from": "note"}),
        (("write", "fields", "notes"), {"from": "notes", "form": "iso"}),
        (("states", "wait"), "DIALING"),
        (("errors", "words_header"), "a b"),
        (("errors", "rules"), [RULE | {"means": "waits"}]),
        (("pace", "requests_per_second_max"), 0),
        (("follow_ups", "tags"), {"url": "/t", "fields": {"t": "targt"}}),
        (("lookup", "x"), {"url": "/x/{key}", "key": ["skill"], "items": "i"}),
    ],
    ids=str,
)
def test_an_editor_marks_what_does_not_load(place: tuple[str, ...], value: object) -> None:
    tables = changed(place, value)
    with pytest.raises(ProfileInvalid):
        profile_from(tables)
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        VALIDATE(tables)


def test_an_editor_knows_what_a_field_can_carry() -> None:
    told = json.dumps(profile_schema()["$defs"])
    for name in ("outcome", "event_id", "target", "call_record.called_number"):
        assert f'"{name}"' in told
