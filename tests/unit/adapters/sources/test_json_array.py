import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercall.adapters.sources import RawRow, SourceOptions, open_source
from aftercall.adapters.sources.json_array import JsonArray
from aftercall.adapters.sources.json_values import Nesting
from aftercall.errors import SourceUnreadable

from .reading import MIB, codes, opened, problem_of

JSON = SourceOptions(kind="json")


def read(data: str | bytes, after: int = 0) -> list[RawRow]:
    return list(opened(data, JSON).rows(after))


def test_elements_have_the_line_where_they_start() -> None:
    rows = read('\n [ {"a": 1},\r\n\r\n  {"a":\n 2}, {"a": 3}\r]\n\n')
    assert [(r.line, r.cells) for r in rows] == [(2, {"a": 1}), (4, {"a": 2}), (5, {"a": 3})]
    assert rows[0].values == ({"a": 1},)
    assert codes(rows) == [None, None, None]


@pytest.mark.parametrize("text", ["[]", " [ \n ] \n"])
def test_an_empty_array_has_no_rows(text: str) -> None:
    assert read(text) == []


def test_elements_that_are_no_objects_are_problems() -> None:
    rows = read('[1, {"a": 1}, "x,]", [2, [3]], null, 12]')
    assert codes(rows) == ["not_an_object", None, *["not_an_object"] * 4]
    assert [r.values for r in rows[2:]] == [("x,]",), ([2, [3]],), (None,), (12,)]


def test_a_broken_element_does_not_affect_the_next() -> None:
    rows = read('[{"a": 1},\n{"a": nope},\n{"a": 3],\n,{"a": 1, "a": 2}, {"a": 5},}, {"a": 6},]')
    assert codes(rows) == [
        *(None, "json_broken", "json_broken", "json_broken", "duplicate_key"),
        *(None, "json_broken", None, "json_broken"),
    ]
    assert "line 2, column 7" in problem_of(rows[1]).message
    assert rows[5].cells == {"a": 5}


@pytest.mark.parametrize(
    "tail", ['{"a": 2', '{"a": "x', '{"a": "x\\', "", ' {"a": 2}', "12", '{"a": [1, {"b": 2}]']
)
def test_a_file_that_breaks_off_ends_with_a_row_that_says_so(tail: str) -> None:
    rows = read('[{"a": 1},\n' + tail)
    assert codes(rows) == [None, "json_broken"]
    assert rows[1].line == 2
    assert "breaks off on line 2" in problem_of(rows[1]).message


def test_an_array_that_is_only_opened_breaks_off() -> None:
    rows = read("[\n")
    assert codes(rows) == ["json_broken"]
    assert rows[0].line == 2


def test_something_after_the_array_is_reported() -> None:
    rows = read('[{"a": 1}]\n[{"a": 2}]')
    assert codes(rows) == [None, "json_broken"]
    assert "after the end of the array on line 2" in problem_of(rows[1]).message


@pytest.mark.parametrize(
    ("element", "code"),
    [
        (b'{"a": NaN}', "json_broken"),
        (b'{"a": ' + b"9" * 5000 + b"}", "json_broken"),
        (b'{"a": "gr\xfcn"}', "bad_encoding"),
        (b'{"a": "x\0"}', "nul_byte"),
        (b'{"a": "\\ud83d"}', "json_broken"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "too_deep"),
        (b'{"a":' * 90_000 + b"1" + b"}" * 90_000, "too_deep"),
    ],
)
def test_each_problem_is_that_of_one_element(element: bytes, code: str) -> None:
    rows = read(b'[{"a": 1}, ' + element + b', {"a": 3}]')
    assert codes(rows) == [None, code, None]


def test_an_element_that_is_too_large_is_skipped() -> None:
    rows = read('[{"a": 1},\n{"a": "' + "x,]" * (6 * MIB) + '"},\n{"a": 3}]')
    assert codes(rows) == [None, "row_too_large", None]
    assert [r.line for r in rows] == [1, 2, 3]


def test_a_large_element_takes_linear_time() -> None:
    value = {"list": [{"n": i, "t": 'x"]'} for i in range(400_000)]}
    text = json.dumps([value, {"a": 1}])
    started = time.process_time()
    rows = read(text)
    assert [r.values for r in rows] == [(value,), ({"a": 1},)]
    assert time.process_time() - started < 30  # minutes if each chunk started from the beginning


def test_reading_can_go_on_after_a_line() -> None:
    rows = read('[\n{"a": 1},\n{"a": 2},\n{"a": 3}\n]', after=3)
    assert [(r.line, r.cells) for r in rows] == [(4, {"a": 3})]


def test_an_object_over_several_lines_is_one_row() -> None:
    value = {"id": 1, "tags": [{"x": 1}], "note": '"rows": [{'}
    source = open_source("-", JSON, io.BytesIO(b"\n" + json.dumps(value, indent=2).encode()))
    rows = list(source.rows())
    assert source.format.kind == "json"
    assert [(r.line, r.cells) for r in rows] == [(2, value)]


@pytest.mark.parametrize("text", ['{\n"a": 1', '{\n"a": 1}\n{"a": 2}', '{"a": {\n"a": 1}}}'])
def test_an_object_that_is_broken_is_one_row_with_a_problem(text: str) -> None:
    assert codes(read(text)) == ["json_broken"]


def test_an_object_that_is_too_large_is_one_row_with_a_problem() -> None:
    assert codes(read('{\n"a": "' + "x" * (17 * MIB) + '"}')) == ["row_too_large"]


def test_an_object_before_the_start_is_not_given() -> None:
    assert read('{\n"a": 1}', after=1) == []


@pytest.mark.parametrize("key", ["dispositions", "rows", "data"])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_object_around_the_rows_is_refused_with_a_way_out(key: str, indent: int | None) -> None:
    text = json.dumps({"count": 1, "meta": {"a": 1}, key: [{"id": 1}]}, indent=indent)
    with pytest.raises(SourceUnreadable, match=f"rows under '{key}'") as caught:
        read(text)
    assert caught.value.next_command.startswith(f"jq .{key}")


def test_names_of_wrappers_deep_inside_cost_no_time() -> None:
    inner = ", ".join(['{"data": [{"x": 1}]}'] * 12_000)
    started = time.process_time()
    (row,) = read('{\n"calls": [' + inner + "]}")
    assert row.problem is None
    assert time.process_time() - started < 5  # minutes if each name were looked at from the start


def test_objects_with_a_list_per_line_are_json_lines() -> None:
    text = '{"id": 1, "data": [{"x": 1}]}\n{"id": 2}\n'
    source = open_source("-", JSON, io.BytesIO(text.encode()))
    assert source.format.kind == "jsonl"
    assert [r.cells["id"] for r in source.rows()] == [1, 2]


def test_a_nested_list_is_not_taken_for_the_rows() -> None:
    (row,) = read('{\n"call": {"data": [{"x": 1}]}}')
    assert row.cells == {"call": {"data": [{"x": 1}]}}


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
CHUNKS = st.integers(1, 9)


@given(
    values=st.lists(VALUE, max_size=6),
    size=CHUNKS,
    indent=st.sampled_from([None, 0, 2]),
    ascii_only=st.booleans(),
)
def test_what_json_writes_is_read_wherever_it_is_cut(
    values: list[object], size: int, indent: int | None, *, ascii_only: bool
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    rows = JsonArray(text[i : i + size] for i in range(0, len(text), size)).rows(0)
    assert [row.values for row in rows] == [(value,) for value in values]


@given(st.text('[]{},:"\\a1 \n', max_size=40), CHUNKS)
def test_any_text_is_read_the_same_wherever_it_is_cut(text: str, size: int) -> None:
    text = "[" + text
    whole = list(JsonArray([text]).rows(0))
    cut = list(JsonArray(text[i : i + size] for i in range(0, len(text), size)).rows(0))
    assert cut == whole


@given(VALUE, CHUNKS)
def test_the_end_of_a_value_is_found_wherever_it_is_cut(value: object, size: int) -> None:
    text = json.dumps(value) + ",x"
    nesting, found = Nesting(), []
    for i in range(0, len(text), size):
        end = nesting.feed(text[i : i + size])
        if end >= 0:
            found.append(i + end)
            break
    assert found == [len(text) - 2]
