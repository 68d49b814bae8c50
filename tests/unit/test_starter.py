"""The configuration that `aftercall init` writes: it loads, and what it shows is true."""

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from aftercall.domain.outcomes import Category
from aftercall.errors import ConfigInvalid
from aftercall.interfaces.cli.starter import starter_text
from aftercall.settings import Settings, load_settings

Load = Callable[[str], Settings]

COMMENTED = re.compile(r"# (?P<key>\w+) = .*")
HEADER = re.compile(r"\[([\w.]+)\]")


class Line(NamedTuple):
    """A line that can be uncommented."""

    table: str
    key: str
    place: int
    text: str


def commented_lines() -> Iterator[Line]:
    table = ""
    for place, text in enumerate(starter_text().splitlines()):
        if header := HEADER.fullmatch(text):
            table = header[1]
        elif commented := COMMENTED.fullmatch(text):
            yield Line(table, commented["key"], place, text)


LINES = list(commented_lines())
EXAMPLES = [line for line in LINES if "# example" in line.text and line.key != "instance"]
DEFAULTS = [line for line in LINES if "# example" not in line.text]


INSTANCE = next(line for line in LINES if line.key == "instance")


def filled() -> str:
    """Return the starter with the tenant filled in."""
    return starter_text().replace(INSTANCE.text, INSTANCE.text.removeprefix("# "))


def name_of(line: Line) -> str:
    return f"{line.table}.{line.key}"


@pytest.fixture
def load(tmp_path: Path) -> Load:
    for name in ("ca.pem", "client.pem"):
        (tmp_path / name).touch()

    def load_text(text: str) -> Settings:
        path = tmp_path / "aftercall.toml"
        path.write_text(text, encoding="utf-8")
        return load_settings(path, {})

    return load_text


def uncommented(line: Line) -> str:
    lines = filled().splitlines()
    if line.key == "base_url":
        lines[INSTANCE.place] = INSTANCE.text
    lines[line.place] = line.text.removeprefix("# ")
    return "\n".join(lines)


def test_it_says_what_to_fill_in(load: Load) -> None:
    with pytest.raises(ConfigInvalid, match="give the address of the tenant"):
        load(starter_text())


def test_it_loads_once_the_tenant_is_filled_in(load: Load) -> None:
    settings = load(filled())
    assert settings.tenant.instance == "na1"
    assert settings.outcomes == {
        "INTERESTED": Category.POSITIVE,
        "APPOINTMENT_SET": Category.POSITIVE,
        "NOT_INTERESTED": Category.NEGATIVE,
        "CALLBACK_LATER": Category.CALLBACK,
        "NO_ANSWER": Category.UNREACHABLE,
        "BUSY": Category.UNREACHABLE,
        "VOICEMAIL": Category.UNREACHABLE,
        "WRONG_NUMBER": Category.UNREACHABLE,
        "DO_NOT_CALL": Category.OPT_OUT,
    }


def test_it_has_every_table() -> None:
    assert set(tomllib.loads(starter_text())) == set(Settings.model_fields)


def test_it_is_short_enough_to_be_read() -> None:
    lines = starter_text().splitlines()
    assert len(lines) < 100
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("line", DEFAULTS, ids=name_of)
def test_a_commented_default_is_the_default(load: Load, line: Line) -> None:
    text = uncommented(line)
    assert tomllib.loads(text) != tomllib.loads(filled())
    assert load(text) == load(filled())


@pytest.mark.parametrize("line", EXAMPLES, ids=name_of)
def test_a_commented_example_can_be_used(load: Load, line: Line) -> None:
    assert load(uncommented(line)) != load(filled())


def test_every_default_is_shown() -> None:
    shown = {(line.table, line.key) for line in DEFAULTS}
    scalars = {
        (table, key)
        for table, field in Settings.model_fields.items()
        for key, inner in getattr(field.annotation, "model_fields", {}).items()
        if inner.default is not None and not isinstance(inner.default, dict)
    }
    assert scalars <= shown
