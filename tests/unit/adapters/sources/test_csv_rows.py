import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercall.adapters.sources import RawRow, SourceOptions, open_source
from aftercall.adapters.sources.csv_rows import CsvRows, sniff_delimiter
from aftercall.errors import SourceUnreadable

from .reading import MIB, codes, opened, problem_of

CSV = SourceOptions(kind="csv")
LINE_END = re.compile(r"\r\n?|\n")


def read(data: str | bytes, options: SourceOptions = CSV, after: int = 0) -> list[RawRow]:
    return list(opened(data, options).rows(after))


def test_rows_have_their_line_cells_and_values() -> None:
    first, second = read("id,outcome\n1,SALE\n2,NO\n")
    assert (first.line, first.values, first.problem) == (2, ("1", "SALE"), None)
    assert first.cells == {"id": "1", "outcome": "SALE"}
    assert (second.line, second.cells) == (3, {"id": "2", "outcome": "NO"})


def test_a_header_alone_is_a_source_without_rows() -> None:
    source = open_source("-", CSV, io.BytesIO(b"id,outcome\r\n"))
    assert list(source.rows()) == []
    assert source.format.columns == ("id", "outcome")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_each_line_end_is_understood(end: str, *, last: bool) -> None:
    text = end.join(["id,note", "1,x", "2,y"]) + (end if last else "")
    assert [(r.line, r.values) for r in read(text)] == [(2, ("1", "x")), (3, ("2", "y"))]


def test_line_ends_may_be_mixed_and_quoted_ones_are_kept() -> None:
    rows = read('id,note\r\n1,"a\r\nb\nc\rd"\r2,x\n\r\n3,y')
    assert [(r.line, r.cells["id"]) for r in rows] == [(2, "1"), (6, "2"), (8, "3")]
    assert rows[0].cells["note"] == "a\r\nb\nc\rd"


def test_only_line_ends_of_csv_split_rows() -> None:
    note = "a\x0bb\x0cc\x1cd\x85e\u2028f"
    (row,) = read(f"id,note\n1,{note}\n")
    assert (row.cells["note"], row.problem) == (note, None)


def test_blank_lines_are_skipped_and_counted() -> None:
    rows = read("\n  \nid,note\n\n1,x\n \t \n2,y\n")
    assert [(r.line, r.cells["id"]) for r in rows] == [(5, "1"), (7, "2")]


def test_an_empty_quoted_cell_is_no_blank_line() -> None:
    (row,) = read('id\n""\n')
    assert (row.cells, row.problem) == ({"id": ""}, None)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(delimiter: str) -> None:
    text = f"id{delimiter}note\n1{delimiter}a,b;c\n".replace("a,b;c", '",;|\t,,,"')
    source = open_source("-", CSV, io.BytesIO(text.encode()))
    assert source.format.delimiter == delimiter
    assert [r.cells for r in source.rows()] == [{"id": "1", "note": ",;|\t,,,"}]


def test_delimiters_inside_quotes_and_in_the_data_do_not_count() -> None:
    assert sniff_delimiter('"a;b;c;d",e\n1;2;3;4;5\n') == ","
    assert sniff_delimiter('id;"x\ny,,,,";z\n') == ";"
    assert sniff_delimiter("\r\nid|note\r\n") == "|"
    assert sniff_delimiter("id\n1;2\n") == ","
    assert sniff_delimiter('"id"\n"a";"b"\n') == ","
    assert sniff_delimiter(" \t \r\nid;note\n") == ";"
    assert sniff_delimiter("name, first\tid\n", "\t") == "\t"
    assert sniff_delimiter("name,id\n", "\t") == ","


@pytest.mark.parametrize(("said", "used"), [("tab", "\t"), ("\\t", "\t"), (":", ":"), (";", ";")])
def test_a_delimiter_that_was_said_is_believed(said: str, used: str) -> None:
    source = open_source(
        "-", SourceOptions("csv", delimiter=said), io.BytesIO(f"a,b{used}c\n1{used}2\n".encode())
    )
    assert source.format.delimiter == used
    assert source.format.columns == ("a,b", "c")
    assert [r.values for r in source.rows()] == [("1", "2")]


@pytest.mark.parametrize("said", ["", "ab", '"', "\n", "\0"])
def test_what_cannot_be_a_delimiter_is_refused(said: str) -> None:
    with pytest.raises(SourceUnreadable, match="cannot be a delimiter") as caught:
        read("a,b\n", SourceOptions("csv", delimiter=said))
    assert "--delimiter" in caught.value.fix


def test_header_cells_are_stripped_and_data_cells_are_not() -> None:
    (row,) = read("\ufeff id , note\n 1 , x \n")
    assert row.cells == {"id": " 1 ", "note": " x "}


def test_a_header_column_twice_is_refused_with_both_positions() -> None:
    with pytest.raises(SourceUnreadable, match=r"'id' twice: at position 1 and at position 3"):
        read("id,note, id\n1,2,3\n")


def test_columns_without_a_name_are_ignored_but_kept_in_values() -> None:
    assert opened("id,,note,\n", CSV).format.columns == ("id", "", "note", "")
    rows = read("id,,note,\n1,x,2,y\n3,,4\n")
    assert [r.cells for r in rows] == [{"id": "1", "note": "2"}, {"id": "3", "note": "4"}]
    assert [r.values for r in rows] == [("1", "x", "2", "y"), ("3", "", "4")]
    assert codes(rows) == [None, None]


@pytest.mark.parametrize("header", [",,,\n1,2,3,4\n", "aftercall_status\nok\n", ", ,\n"])
def test_a_header_without_any_name_is_refused(header: str) -> None:
    with pytest.raises(SourceUnreadable, match="names no column") as caught:
        read(header)
    assert "first line" in caught.value.fix


def test_two_hundred_opened() -> None:
    names = [f"c{i}" for i in range(200)]
    text = ",".join(names) + "\n" + ",".join(map(str, range(200))) + "\n"
    (row,) = read(text)
    assert row.cells == {name: str(i) for i, name in enumerate(names)}


def test_rows_of_another_length_are_problems_of_their_own() -> None:
    rows = read("a,b,c\n1,2\n1,2,3\n1,2,3,4\n1,2,3,,\n1\n")
    assert codes(rows) == [
        "too_few_cells",
        None,
        "too_many_cells",
        "too_many_cells",
        "too_few_cells",
    ]
    assert rows[0].cells == {"a": "1", "b": "2"}
    assert rows[2].values == ("1", "2", "3", "4")
    assert rows[3].values == ("1", "2", "3", "", "")
    assert "unquoted delimiter" in problem_of(rows[2]).hint
    assert "2 cells, the header has 3" in problem_of(rows[0]).message


def test_a_nul_character_is_a_problem_of_its_row_only() -> None:
    rows = read(b"id,note\n1,fine\n2,a\0b\n3,fine\n")
    assert codes(rows) == [None, "nul_byte", None]
    assert rows[1].values == ("2", "a\0b")
    assert [r.line for r in rows] == [2, 3, 4]


def test_a_byte_that_is_not_utf8_is_a_problem_of_its_row_only() -> None:
    lines = [f"{i},gr\u00fcn".encode() for i in range(1000)]
    lines[500] = b"500,gr\xfcn"
    rows = read(b"id,note\n" + b"\n".join(lines))
    bad = [row for row in rows if row.problem]
    assert (len(rows), len(bad), bad[0].line) == (1000, 1, 502)
    assert problem_of(bad[0]).code == "bad_encoding"
    assert "--encoding latin-1" in problem_of(bad[0]).hint
    assert str(bad[0].values[1]).encode("utf-8", "surrogateescape") == b"gr\xfcn"
    assert rows[499].cells["note"] == "gr\u00fcn"


@pytest.mark.parametrize("bad", [b"\0", b"\xff"])
def test_a_bad_byte_in_a_row_that_stretches_over_chunks_is_found(bad: bytes) -> None:
    before = b"0," + b"x" * 250_000 + b"\n"
    data = b"id,note\n" + before + b'1,"' + bad + b"line\n" * 150_000 + b'"\n2,x\n'
    rows = read(data)
    assert [row.problem is None for row in rows] == [True, False, True]
    assert rows[2].line == 150_004


@pytest.mark.parametrize(("head", "hint"), [(b"gr\xfcn,id", "--encoding"), (b"a\0,id", "tr -d")])
def test_a_header_that_is_not_clean_text_is_refused(head: bytes, hint: str) -> None:
    with pytest.raises(SourceUnreadable, match="The header on line 1 is not clean") as caught:
        read(head + b"\n1,2\n" + b"3,4\n" * 20)
    assert hint in caught.value.fix


def test_a_cell_of_ten_megabytes_is_a_problem_of_its_row_only() -> None:
    large = "x" * (10 * MIB)
    rows = read(f'id,note\n1,fine\n2,{large}\n3,"{large}"\n4,"two\nlines"\n5,fine\n')
    assert codes(rows) == [None, "cell_too_large", "cell_too_large", None, None]
    assert [r.line for r in rows] == [2, 3, 4, 5, 7]
    assert len(str(rows[1].values[1])) == 10 * MIB


def test_a_cell_of_just_one_mebibyte_is_accepted() -> None:
    limit = "x" * MIB
    rows = read(f"id,note\n1,{limit}\n2,{limit}x\n")
    assert codes(rows) == [None, "cell_too_large"]


@pytest.mark.parametrize("last", ["", "\n"])
def test_a_quote_that_is_never_closed_costs_its_own_line_only(last: str) -> None:
    rows = read('id,note\n1,"x\ny"\n2,"open\n3,y\r\n\n4,"a ""z""",b' + last)
    assert codes(rows) == [None, "quote_not_closed", None, "too_many_cells"]
    assert [row.line for row in rows] == [2, 4, 5, 7]
    assert "line 4 is never closed" in problem_of(rows[1]).message
    assert (rows[1].cells, rows[1].values) == ({}, ("2", "open"))
    assert rows[2].values == ("3", "y")


def test_an_open_quote_is_not_closed_by_the_next_quoted_cell() -> None:
    rows = read('id,note,at\n1,"open,x\n2,y,x\n3,"a ""z"", b",x\n4,"two\n""lines""",x\n')
    assert codes(rows) == ["quote_not_closed", None, None, None]
    assert [row.values[0] for row in rows] == ["1", "2", "3", "4"]


def test_an_open_quote_in_the_last_line_is_a_problem_of_it() -> None:
    assert codes(read('id,note\n1,x\n2,"open')) == [None, "quote_not_closed"]


def test_open_quotes_in_a_large_file_hide_no_row() -> None:
    lines = [f"{i},some text of a note" for i in range(300_000)]
    for place in (5, 100_000, 299_990):
        lines[place] = f'{place},"open'
    rows = read("id,note\n" + "\n".join(lines) + "\n")
    bad = [row for row in rows if row.problem]
    assert codes(bad) == ["quote_not_closed"] * 3
    assert [row.line for row in bad] == [7, 100_002, 299_992]
    assert [row.values[0] for row in rows] == [str(i) for i in range(300_000)]
    assert [row.line for row in rows] == list(range(2, 300_002))


def test_open_quotes_in_every_line_cost_linear_time() -> None:
    rows = read("id,note\n" + '1","open\n' * 20_000)
    assert codes(rows) == ["quote_not_closed"] * 20_000
    assert rows[0].values == ('1"', "open")


def test_bad_bytes_after_an_open_quote_are_still_found() -> None:
    rows = read(b'id,note\n1,"open\n2,gr\xfcn\n3,a\0b\n4,fine\n')
    assert codes(rows) == ["quote_not_closed", "bad_encoding", "nul_byte", None]


def test_a_line_without_end_after_an_open_quote_hides_no_row() -> None:
    rows = read('id,note\n1,"open\n2,y\n3,' + "x" * (17 * MIB))
    assert codes(rows) == ["quote_not_closed", None, "row_too_large"]
    assert [row.line for row in rows] == [2, 3, 4]


def test_reading_can_go_on_among_open_quotes() -> None:
    text = 'id,note\n1,"open\n2,y\n3,z\n'
    assert [(row.line, row.values) for row in read(text, after=3)] == [(4, ("3", "z"))]


def test_a_line_without_end_stops_the_reading() -> None:
    source = open_source("-", CSV, io.BytesIO(b"id,note\n1,x\n2," + b"x" * (40 * MIB)))
    rows = list(source.rows())
    assert codes(rows) == [None, "row_too_large"]
    assert (rows[1].line, source.bytes_read < 20 * MIB) == (3, True)


def test_a_stop_that_is_known_already_is_not_reported_again() -> None:
    assert read('id,note\n1,x\n2,"open\n', after=3) == []


@pytest.mark.parametrize("header", ['id,"note\n1,2\n', "x" * (17 * MIB)])
def test_a_header_without_end_is_refused(header: str) -> None:
    with pytest.raises(SourceUnreadable, match="The header cannot be read") as caught:
        read(header)
    assert "Close the quote" in caught.value.fix


def test_csv_is_not_fooled_by_a_lower_limit_of_others() -> None:
    source = open_source("-", CSV, io.BytesIO(b'id,note\n1,x\n2,"' + b"y\n3,4\n" * 50 + b'"\n'))
    rows = source.rows()
    first = next(rows)
    before = csv.field_size_limit(20)
    try:
        rest = list(rows)
    finally:
        csv.field_size_limit(before)
    assert first.problem is None
    assert codes(rest) == ["csv_broken"]
    assert rest[0].line == 3


def test_reading_can_go_on_after_a_line() -> None:
    rows = read('id,note\n1,"a\nb"\n2,y\n3,z\n', after=2)
    assert [(r.line, r.cells["id"]) for r in rows] == [(4, "2"), (5, "3")]
    assert read("id\n1\n", after=2) == []


def test_a_result_file_can_be_fed_back() -> None:
    text = (
        "id,aftercall_status,'=sum,note,aftercall_error\n"
        "1,failed,5,'=cmd,x\n2,failed,-5,''@x,'=y\n3,failed,6,'quoted,\n4,failed\n5,,,a,,b\n"
    )
    source = open_source("-", CSV, io.BytesIO(text.encode()))
    rows = list(source.rows())
    assert source.format.columns == ("id", "=sum", "note")
    assert [r.values for r in rows] == [
        ("1", "5", "=cmd"),
        ("2", "-5", "'@x"),
        ("3", "6", "'quoted"),
        ("4",),
        ("5", "", "a", "b"),
    ]
    assert rows[0].cells == {"id": "1", "=sum": "5", "note": "=cmd"}
    assert codes(rows) == [None, None, None, "too_few_cells", "too_many_cells"]


def test_quotes_stay_in_a_file_that_is_not_a_result() -> None:
    (row,) = read("id,note\n1,'=x\n")
    assert row.cells["note"] == "'=x"


CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
TABLE = st.lists(st.tuples(CELL, CELL, CELL), max_size=8)


@given(
    table=TABLE,
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    bom=st.booleans(),
)
def test_what_csv_writes_is_read_with_the_right_lines(
    table: list[tuple[str, str, str]], delimiter: str, end: str, *, bom: bool
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b", "c"])
    starts = []
    for row in table:
        starts.append(1 + len(LINE_END.findall(out.getvalue())))
        writer.writerow(row)
    rows = read(out.getvalue().encode("utf-8-sig" if bom else "utf-8"))
    assert [row.values for row in rows] == table
    assert [row.line for row in rows] == starts
    assert codes(rows) == [None] * len(table)


@given(table=TABLE, size=st.integers(1, 7))
def test_where_chunks_are_cut_makes_no_difference(
    table: list[tuple[str, str, str]], size: int
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *table])
    text = out.getvalue().replace("\r\n", "\r")  # the decoder never cuts these in two
    cut = CsvRows([text[i : i + size] for i in range(0, len(text), size)], ",")
    whole = CsvRows([text], ",")
    assert list(cut.rows(0)) == list(whole.rows(0))
