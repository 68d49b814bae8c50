"""What `profile new` writes: each example in it can be taken, one at a time."""

import re
import tomllib

import pytest

from aftercall.interfaces.cli.profile_text import profile_text
from aftercall.wire.profile import profile_from

LINES = profile_text("gateway").splitlines()
TABLE = re.compile(r"# \[\[?[\w.]+\]\]?")
KEY = re.compile(r"# \w+ = ")
OR = re.compile(r'(?P<key>\w+) = .*# or (?P<other>\{.*\}|\w+ = "\w+")')


def examples() -> dict[str, tuple[int, int]]:
    """Return the commented lines: single ones, and tables with what is in them."""
    found: dict[str, tuple[int, int]] = {}
    place = 0
    while place < len(LINES):
        end = place + 1
        if TABLE.match(LINES[place]):
            while end < len(LINES) and LINES[end].startswith("# "):
                end += 1
        if TABLE.match(LINES[place]) or KEY.match(LINES[place]):
            found[LINES[place].partition("  ")[0]] = (place, end)
        place = end
    return found


EXAMPLES = examples()


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_holds_together_with_the_rest(example: str) -> None:
    first, end = EXAMPLES[example]
    lines = [
        line.removeprefix("# ") if first <= place < end else line
        for place, line in enumerate(LINES)
    ]
    if "dropped" in example:
        lines = [line for line in lines if not line.startswith("customFields")]
    profile_from(tomllib.loads("\n".join(lines)))


ALTERNATIVES = [place for place, line in enumerate(LINES) if OR.match(line)]


@pytest.mark.parametrize("place", ALTERNATIVES)
def test_each_alternative_of_a_field_can_be_taken(place: int) -> None:
    found = OR.match(LINES[place])
    assert found is not None
    lines = LINES.copy()
    lines[place] = f"{found['key']} = {found['other']}"
    fields = profile_from(tomllib.loads("\n".join(lines))).write.fields
    assert (
        fields[found["key"]]
        != profile_from(tomllib.loads("\n".join(LINES))).write.fields[found["key"]]
    )


def test_there_are_examples_of_every_kind() -> None:
    assert len(EXAMPLES) > 10
    assert len(ALTERNATIVES) == 2
