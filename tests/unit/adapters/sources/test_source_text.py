import codecs
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercall.adapters.sources import RawRow, SourceOptions, guard_cell, open_source, unguard_cell
from aftercall.adapters.sources.text import choose_encoding, decoded, has_bad_bytes, whole_lines
from aftercall.errors import SourceUnreadable

from .reading import codes

TEXT = "id,note\n1,gr\u00fcn \u20ac \U0001f600\n2,x\n"


def read(data: bytes, encoding: str = "auto") -> tuple[str, list[RawRow]]:
    source = open_source("-", SourceOptions("csv", encoding), io.BytesIO(data))
    return source.format.encoding, list(source.rows())


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_unicode_is_recognised(mark: bytes, encoding: str) -> None:
    found, rows = read(mark + TEXT.encode(encoding))
    assert found == encoding
    assert rows[0].cells == {"id": "1", "note": "gr\u00fcn \u20ac \U0001f600"}


@pytest.mark.parametrize("said", ["utf-8", "utf-8-sig"])
def test_a_mark_is_removed_when_the_encoding_was_said_too(said: str) -> None:
    found, rows = read(codecs.BOM_UTF8 + TEXT.encode(), said)
    assert found == said
    assert rows[1].cells == {"id": "2", "note": "x"}


@pytest.mark.parametrize(
    ("said", "mark", "encoding"),
    [
        ("utf-16", codecs.BOM_UTF16_LE, "utf-16-le"),
        ("UTF_16", codecs.BOM_UTF16_BE, "utf-16-be"),
        ("utf16", b"", "utf-16-be"),
        ("utf-16", b"", "utf-16-le"),
        ("utf-32", b"", "utf-32-le"),
        ("utf-32", codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_the_byte_order_is_found_even_without_a_mark(said: str, mark: bytes, encoding: str) -> None:
    found, rows = read(mark + TEXT.encode(encoding), said)
    assert found == encoding
    assert rows[1].cells == {"id": "2", "note": "x"}


@pytest.mark.parametrize("said", ["latin-1", "cp1252"])
def test_other_encodings_are_read_when_they_are_said(said: str) -> None:
    _, rows = read("id,gr\u00fcn\n1,\u00fc\n".encode(said), said)
    assert [(r.cells, r.problem) for r in rows] == [({"id": "1", "gr\u00fcn": "\u00fc"}, None)]


@pytest.mark.parametrize(
    ("said", "bad"),
    [
        ("ascii", b"\xfc"),
        ("cp1252", b"\x81"),
        ("shift_jis", b"\xff"),
        ("utf-16-le", b"\x00\xd8x\x00"),
        ("utf-16-be", b"\xdc\x00"),
        ("utf-16-le", b"\x00\xd8\x00\xd8"),
    ],
)
def test_bad_bytes_are_a_problem_of_their_row_in_every_encoding(said: str, bad: bytes) -> None:
    data = "id,note\n1,".encode(said) + bad + "\n2,x\n".encode(said)
    _, rows = read(data, said)
    assert codes(rows) == ["bad_encoding", None]
    assert rows[1].cells == {"id": "2", "note": "x"}


def test_utf16_that_ends_in_the_middle_of_a_character_is_a_bad_last_row() -> None:
    _, rows = read("id,note\n1,x\n2,y".encode("utf-16-le") + b"z")
    assert codes(rows) == [None, "bad_encoding"]


@pytest.mark.parametrize(
    "said", ["klingon", "hex", "rot13", "undefined", "a\0b", "idna", "punycode"]
)
def test_what_is_no_text_encoding_is_refused(said: str) -> None:
    with pytest.raises(SourceUnreadable, match="not a known text encoding") as caught:
        read(b"a,b\n1,2\n", said)
    assert "--encoding" in caught.value.fix


def test_a_few_nul_bytes_do_not_make_it_utf16() -> None:
    assert choose_encoding(b"id,note\n1,a\0b\n2,\0\0\0\n" + b"3,x\n" * 9, "auto") == "utf-8"
    assert choose_encoding(b"", "auto") == "utf-8"


@given(st.text(), st.sampled_from(["utf-8", "utf-16-le", "shift_jis"]), st.integers(1, 5))
def test_decoding_is_the_same_wherever_it_is_cut(text: str, encoding: str, size: int) -> None:
    data = text.encode(encoding, "ignore")
    chunks = list(decoded([data[i : i + size] for i in range(0, len(data), size)], encoding))
    assert "".join(chunks) == data.decode(encoding).removeprefix("\ufeff")
    assert not any(chunk.endswith("\r") for chunk in chunks[:-1])


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(st.binary() | st.text().map(str.encode))
def test_bad_bytes_of_utf8_are_found_and_can_be_written_back(data: bytes) -> None:
    text = "".join(decoded([data], "utf-8"))
    assert has_bad_bytes(text) != is_utf8(data)
    assert text.encode("utf-8", "surrogateescape") == data.removeprefix(codecs.BOM_UTF8)


def test_text_that_cannot_be_encoded_is_not_hidden_by_the_decoder_for_bad_bytes() -> None:
    assert list(decoded([b"\xfc"], "utf-8")) == ["\udcfc"]
    with pytest.raises(UnicodeEncodeError):
        "\ud800".encode("utf-8", "aftercall.keep_bad_bytes")


@given(st.text("ab\r\n"), st.integers(1, 5))
def test_pieces_end_with_lines_and_lose_nothing(text: str, size: int) -> None:
    text = text.replace("\r\n", "\n")
    pieces = list(whole_lines([text[i : i + size] for i in range(0, len(text), size)], 1000))
    assert "".join(filter(None, pieces)) == text
    assert all(piece and piece[-1] in "\r\n" for piece in pieces[:-1])


def test_a_line_beyond_the_limit_is_dropped_and_the_others_stay() -> None:
    chunks = ["a\nxx", "xxxx", "xxxx", "xx\nb", "b\n", "c"]
    assert list(whole_lines(chunks, 5)) == ["a\n", None, "bb\n", "c"]
    assert list(whole_lines(["xxx", "xxx", "xxx"], 5)) == [None]


@given(st.text() | st.text("'=+-@\t\rx"))
def test_unguarding_takes_back_guarding(text: str) -> None:
    assert unguard_cell(guard_cell(text)) == text


@given(st.text() | st.text("'=+-@\t\rx"))
def test_a_guarded_cell_is_no_formula(text: str) -> None:
    assert not guard_cell(text).startswith(tuple("=+-@\t\r"))


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("=1", "'=1"),
        ("-5", "'-5"),
        ("+49", "'+49"),
        ("@x", "'@x"),
        ("\t=", "'\t="),
        ("\r", "'\r"),
        ("'=x", "''=x"),
        ("''=x", "'''=x"),
        ("'x", "'x"),
        ("x=1", "x=1"),
        ("", ""),
    ],
)
def test_what_is_guarded(text: str, guarded: str) -> None:
    assert guard_cell(text) == guarded
