"""Whatever is fed, configured or typed: no traceback, always words that help."""

import copy
import gzip
import os
import platform
import random
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aftercall.wire.profile import profile_from

from .fuzzing import CORPUS, SUFFIXES, TARGETS, THERE, built_in, seeds
from .oracles import commanded, read_all, refused, spoken

ROWS = 20_000
"""Times the soak's factor, a million."""

PIECES = (
    b"campaign,contact,outcome,agent,notes,timestamp\n", b"C1,p1,INTERESTED,a1,,\n", b'"', b",",
    b"\n", b"\r\n", b"\r", b"\t", b";", b"\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"[",
    b"]", b"{", b"}", b'{"campaign":"C1","contact":7}', b"\\u0000", b"\xf0\x9f\x92\xa9",
    b"\x1b[31m",
    b"=cmd|' /C calc'!A0", b"../../etc/passwd", b"%2e%2e", b"1e999", b"NaN", b"null", b"\x1f\x8b",
    b"PK\x03\x04", b'\xed\xa0\x80"', b"[" * 2000, b'{"a":' * 2000,
)  # fmt: skip
rubbish = st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=12).map(b"".join)
elements = st.sampled_from(
    (b'{"contact":7}', b"{}", b"7", b"null", b"[1]", b'"x"', b'{"a":"]},"}', b"{")
)
arrays = st.lists(elements, max_size=5).map(lambda some: b"[%s]" % b" ,\n".join(some))
tables = st.lists(
    st.sampled_from((b"C1,p1", b'"a\nb",c', b'"a,b', b"x", b"", b'""')), max_size=5
).map(lambda some: b"\n".join([b"campaign,contact", *some]))
files = rubbish | arrays | tables
packed = st.builds(
    lambda file, lost: gzip.compress(file)[: -lost or None], files, st.integers(0, 12)
)
patient = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@patient
@given(files | packed, st.sampled_from(SUFFIXES))
def test_any_file_is_read_or_refused_in_one_line(
    tmp_path: Path, content: bytes, suffix: str
) -> None:
    path = tmp_path / f"rubbish{suffix}"
    path.write_bytes(content)
    read_all(path)


def test_a_great_many_rubbish_rows(tmp_path: Path, soak_factor: int) -> None:
    """Rows that begin well and are then bent: a byte changed, doubled, dropped, or rubbish."""
    dice = random.Random(os.urandom(8) if soak_factor > 1 else 11)
    left = ROWS * soak_factor
    while left > 0:
        lines = [b"campaign,contact,outcome,agent,notes,timestamp,custom_fields"]
        for number in range(2000):
            line = bytearray(
                b'C%d,p%d,INTERESTED,a1,"a note",2026-01-02T03:04:05Z,"{""a"": [1]}"'
                % (number % 7, number)
            )
            for _ in range(dice.randrange(4)):
                place = dice.randrange(len(line))
                line[place : place + dice.randrange(3)] = dice.choice(
                    (bytes([dice.randrange(256)]), dice.choice(PIECES[:28]), b"")
                )
            lines.append(bytes(line))
        path = tmp_path / "many.csv"
        path.write_bytes(b"\n".join(lines))
        left -= max(1000, read_all(path))


values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
TABLES = ("tenant", "outcomes", "limits", "retry", "rows", "crm", "journal", "audit", "surprise")
KEYS = (
    "profile", "instance", "base_url", "url", "requests_per_second", "concurrency", "batch",
    "attempts_max", "columns", "on_conflict", "defer_minutes", "INTERESTED", "include", "proxy",
)  # fmt: skip


@patient
@given(
    st.dictionaries(
        st.sampled_from(TABLES),
        values | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), values, max_size=4),
        max_size=4,
    )
)
def test_any_configuration_is_taken_or_refused_with_a_fix(tables: dict[str, Any]) -> None:
    refused(tables)


@patient
@given(rubbish)
def test_any_configuration_file_is_taken_or_refused(content: bytes) -> None:
    words = content.decode(errors="replace")
    try:
        tables = tomllib.loads(words)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    assert refused(tables) != ""


@patient
@given(st.dictionaries(st.text(max_size=8), values, max_size=5))
def test_any_profile_is_refused_by_a_value_error(tables: dict[str, Any]) -> None:
    # It says of each key what is wrong with it.
    with pytest.raises(ValueError, match=r"(?s)name: .*; .*write: "):
        profile_from(tables)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where everything in a document is."""
    found = [path] if path else []
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, inner in pairs:
        found += places(inner, (*path, key))
    return found


def bent(tables: dict[str, Any], bends: list[tuple[int, Any]]) -> dict[str, Any]:
    """Return a copy of a document with other values at some of its places, or without them.

    Below zero, a place is one of those at which an address stands.
    """
    whole = copy.deepcopy(tables)
    for where, value in bends:
        known = [one for one in places(whole) if where >= 0 or one[-1] == "url"]
        if not known:
            break
        *path, last = known[where % len(known)]
        inner: Any = whole
        for key in path:
            inner = inner[key]
        if value is DROPPED:
            del inner[last]
        else:
            inner[last] = value
    return whole


DROPPED = object()
BUILT_IN = [tomllib.loads(text) for text in built_in()]
near = (
    st.sampled_from([*sorted({str(path[-1]) for one in BUILT_IN for path in places(one)})])
    | st.sampled_from(["/a/{contact}", "{x}", "https://[", "(", "a\r\nb", -1, 0, 10**30, [], {}])
)  # fmt: skip
addresses = st.sampled_from(
    ["/a/{x}", "/a/{contact}", "/{campaign}/{}", "/v{version}/{key}", "//x/{contact}", "/a b",
     "https://{instance}.example/{contact}", "https://t.example/{x}", "http://t.example/", "ftp://x"]
)  # fmt: skip
bends = st.lists(
    st.tuples(st.integers(0, 10_000), values | near | st.just(DROPPED))
    | st.tuples(st.integers(-100, -1), addresses),
    min_size=1,
    max_size=4,
)


@patient
@given(st.sampled_from(BUILT_IN), bends)
def test_a_profile_that_was_bent_is_refused_in_words_or_can_be_spoken(
    tables: dict[str, Any], changes: list[tuple[int, Any]]
) -> None:
    spoken(bent(tables, changes))


GOOD = {
    "tenant": {"base_url": "https://tenant.example"},
    "outcomes": {"INTERESTED": "positive"},
    "limits": {"requests_per_second": 5.0, "concurrency": 3},
    "rows": {"columns": {"contact": "who"}, "on_conflict": "newest"},
    "crm": {"url": "https://crm.example/hook"},
}


@patient
@given(bends)
def test_a_configuration_that_was_bent_is_taken_or_refused(changes: list[tuple[int, Any]]) -> None:
    refused(bent(GOOD, changes))


WORDS = (
    "outcomes", "pull", "optouts", "profile", "verify", "seal", "erase", "expire", "prove", "hold",
    "add", "--contact", "p1", "--yes", "--reason", "--dry-run", "gaps", "replay", "--status",
    "checkpoint", "keygen", "--format", "bundle", "--out", "out.json", "--results",
    "sync", "plan", "resume", "retry", "runs", "show", "export", "crm", "list", "audit", "check",
    "--json", "--help", "--config", "--journal", "-", "--", "--set", "campaign=C1", "--delimiter",
    "--encoding", "nothing.csv", ".", "/", "/dev/null", "--status", "applied", "--debug", "--limit",
)  # fmt: skip


@patient
@given(
    st.lists(
        st.sampled_from(WORDS) | st.text(st.characters(exclude_characters="\0"), max_size=6),
        max_size=5,
    )
)
def test_any_command_line_is_done_or_refused_in_words(tmp_path: Path, words: list[str]) -> None:
    commanded(words, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_begins_with_and_what_it_once_broke_is_judged_like_the_rest(
    target: str,
) -> None:
    inputs = list(seeds(target))
    for data in inputs:
        TARGETS[target](data)
    assert len(inputs) > len(list((CORPUS / target).glob("*")))


def test_the_fuzzer_runs(tmp_path: Path) -> None:
    """For a moment, so that it does not rot; for long in the soak."""
    command = [sys.executable, "-m", "tests.rubbish.fuzzing", "answer", "--seconds", "1"]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    if not THERE:
        assert (done.returncode, "dependency group" in done.stdout) == (69, True)
        assert (sys.platform, platform.machine()) != ("linux", "x86_64")
        return
    assert done.returncode == 0, done.stderr[-2000:]
    runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert runs is not None
    assert int(runs[1]) > 100
