"""Each part of a built-in profile says where it is from: documented, given, or a conclusion."""

import re
from collections.abc import Iterator

import pytest

from aftercall.adapters.profiles import built_in_names, read_profile

HEADER = re.compile(r"\[\[?([\w.]+)\]\]?")
MARK = re.compile(r"\[(documented|given|inferred)\b")
OUT_OF_MARKS = {"documented": "acd", "given": "outbound-v1"}


def parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield each table with the remarks above it; tables of one list are one part."""
    lines = text.splitlines()
    starts = [("", 0)]
    for place, line in enumerate(lines):
        found = HEADER.fullmatch(line)
        if found is None or (line.startswith("[[") and starts[-1][0] == found[1]):
            continue
        first = place
        while lines[first - 1].startswith("#"):
            first -= 1
        starts.append((found[1], first))
    ends = [first for _, first in starts[1:]] + [len(lines)]
    for (name, first), end in zip(starts, ends, strict=True):
        yield name, "\n".join(lines[first:end])


@pytest.mark.parametrize("name", built_in_names())
def test_each_part_of_a_built_in_profile_says_where_it_is_from(name: str) -> None:
    found = dict(parts(read_profile(name).text))
    assert {"base", "auth", "read", "write", "states", "errors"} <= found.keys()
    assert [part for part, text in found.items() if not MARK.search(text)] == []


@pytest.mark.parametrize("name", built_in_names())
def test_the_file_says_what_its_marks_mean(name: str) -> None:
    text = read_profile(name).text
    head = text.partition("\nname = ")[0]
    marks = set(re.findall(r"\[(\w+)[\]:]", re.sub(r'"[^"]*"', "", text))) & {
        "documented", "given", "inferred"
    }  # fmt: skip
    assert "inferred" in marks
    assert all(f"[{mark}]" in head for mark in marks)
    assert f"docs/profile-{name}.md" in head
