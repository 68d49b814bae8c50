import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercall.adapters.sources import RawRow, SourceOptions, open_source

from .reading import MIB, codes, opened, problem_of

LINES = SourceOptions(kind="jsonl")


def read(data: str | bytes, after: int = 0) -> list[RawRow]:
    return list(opened(data, LINES).rows(after))


def test_one_object_per_line() -> None:
    rows = read('{"id": "1", "n": 2}\r\n\n  \n{"id": "2", "tags": ["a", {"b": null}]}')
    assert [r.line for r in rows] == [1, 4]
    assert rows[0].cells == {"id": "1", "n": 2}
    assert rows[1].values == ({"id": "2", "tags": ["a", {"b": None}]},)
    assert codes(rows) == [None, None]


def test_a_broken_line_says_where_and_the_next_goes_on() -> None:
    rows = read('{"id": 1}\n{"id": 2,, }\n{"id": 3}\n{"id": "4\n')
    assert codes(rows) == [None, "json_broken", None, "json_broken"]
    assert "line 2, column 10" in problem_of(rows[1]).message
    assert (rows[1].cells, rows[1].values) == ({}, ('{"id": 2,, }',))
    assert rows[3].values == ('{"id": "4',)


def test_of_a_broken_line_the_start_is_kept() -> None:
    (row,) = read('{"a": ' + "x" * MIB)
    assert row.values == ('{"a": ' + "x" * (64 * 1024 - 6),)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000])
def test_numbers_that_are_none_are_broken(value: str) -> None:
    rows = read(f'{{"n": {value}}}\n{{"n": 1.5}}\n')
    assert codes(rows) == ["json_broken", None]
    assert rows[1].cells == {"n": 1.5}


@pytest.mark.parametrize("value", ["1", '"text"', "null", "[1]", "true"])
def test_what_is_no_object_is_a_problem_that_keeps_the_value(value: str) -> None:
    (row,) = read(value)
    assert codes([row]) == ["not_an_object"]
    assert (row.cells, row.values) == ({}, (json.loads(value),))


@pytest.mark.parametrize("line", ['{"a": 1, "b": 2, "a": 3}', '{"x": {"a": 1, "a": 1}}'])
def test_a_key_twice_is_a_problem(line: str) -> None:
    (row,) = read(line)
    assert codes([row]) == ["duplicate_key"]
    assert "'a'" in problem_of(row).message


def nested(levels: int) -> str:
    return '{"a":' * (levels - 1) + "{}" + "}" * (levels - 1)


def test_nesting_has_a_limit() -> None:
    rows = read("\n".join([nested(32), nested(33), nested(100_000), "[" * 200_000]))
    assert codes(rows) == [None, "too_deep", "too_deep", "too_deep"]


def test_brackets_in_texts_are_no_nesting() -> None:
    (row,) = read(json.dumps({"note": '{[\\"' * 100, "list": [[]] * 40}))
    assert row.problem is None


def test_bytes_that_are_no_text_are_a_problem_of_their_line_only() -> None:
    rows = read(b'{"n": "gr\xc3\xbcn"}\n{"n": "gr\xfcn"}\n{"n": "a\0b"}\n{"n": "x"}\n')
    assert codes(rows) == [None, "bad_encoding", "nul_byte", None]


def test_half_a_surrogate_pair_is_broken_and_a_whole_one_is_text() -> None:
    rows = read(r'{"n": "\ud83d"}' + "\n" + r'{"n": "\ud83d\ude00"}' + "\n" + r'{"n": "\\ud83d"}')
    assert codes(rows) == ["json_broken", None, None]
    assert rows[1].cells == {"n": "\U0001f600"}
    assert rows[2].cells == {"n": "\\ud83d"}


def test_a_line_that_is_too_long_is_a_problem_and_the_next_goes_on() -> None:
    rows = read('{"a": 1}\n{"b": "' + "x" * (17 * MIB) + '"}\r\n{"c": 3}\n{"d": 4}')
    assert codes(rows) == [None, "row_too_large", None, None]
    assert [r.line for r in rows] == [1, 2, 3, 4]
    assert rows[2].cells == {"c": 3}


def test_a_last_line_that_is_too_long_is_a_problem() -> None:
    rows = read('{"a": 1}\n{"b": "' + "x" * (40 * MIB))
    assert codes(rows) == [None, "row_too_large"]


def test_ten_megabytes_in_a_value_are_fine() -> None:
    (row,) = read(json.dumps({"n": "x" * (10 * MIB)}))
    assert (row.problem, len(str(row.cells["n"]))) == (None, 10 * MIB)


def test_reading_can_go_on_after_a_line() -> None:
    rows = read('{"a": 1}\nbroken\n{"a": 3}\n', after=2)
    assert [(r.line, r.cells) for r in rows] == [(3, {"a": 3})]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
OBJECT = st.dictionaries(st.text(), JSON)


@given(objects=st.lists(OBJECT, max_size=6), ascii_only=st.booleans())
def test_what_json_writes_is_read(objects: list[dict[str, object]], *, ascii_only: bool) -> None:
    text = "".join(json.dumps(value, ensure_ascii=ascii_only) + "\n" for value in objects)
    rows = list(open_source("-", LINES, io.BytesIO(b"\n{}\n" + text.encode())).rows())
    assert [row.values for row in rows] == [({},), *((value,) for value in objects)]
    assert [row.line for row in rows] == list(range(2, len(objects) + 3))


@given(st.binary(max_size=200))
def test_no_bytes_at_all_raise(data: bytes) -> None:
    # The text before it is long enough that the whole is never taken for a binary file.
    source = open_source("-", LINES, io.BytesIO(b'{"a": 1}' * 9000 + b"\n" + data))
    rows = list(source.rows())
    assert rows[0].problem is not None
