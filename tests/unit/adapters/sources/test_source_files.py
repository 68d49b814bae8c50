import gzip
import hashlib
import io
import json
import os
import pty
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import pytest

from aftercall.adapters.sources import RawRow, SourceFormat, SourceOptions, open_source
from aftercall.errors import SourceUnreadable

from .reading import MIB, codes, problem_of

AUTO = SourceOptions()
CSV = b"id,note\n1,x\n2,y\n"


def write(folder: Path, name: str, data: bytes) -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def refused(
    path: str, options: SourceOptions = AUTO, stdin: BinaryIO | None = None
) -> SourceUnreadable:
    with pytest.raises(SourceUnreadable) as caught:
        open_source(path, options, stdin)
    assert caught.value.fix
    return caught.value


def test_a_file_gives_rows_its_form_and_its_digest(tmp_path: Path) -> None:
    path = write(tmp_path, "calls.csv", CSV)
    source = open_source(path)
    assert (source.name, source.bytes_total, source.sha256) == (path, len(CSV), None)
    assert source.format == SourceFormat("csv", "utf-8", ",", ("id", "note"))
    rows = list(source.rows())
    assert rows[0] == RawRow(2, {"id": "1", "note": "x"}, ("1", "x"), None)
    assert source.sha256 == hashlib.sha256(CSV).hexdigest()
    assert source.bytes_read == len(CSV)


def test_the_digest_is_of_the_whole_file_even_if_rows_stop_early(tmp_path: Path) -> None:
    data = b"id,note\n1," + b"x" * (32 * MIB)
    source = open_source(write(tmp_path, "calls.csv", data))
    assert codes(list(source.rows(start_after_line=1))) == ["row_too_large"]
    assert source.sha256 == hashlib.sha256(data).hexdigest()


def test_rows_are_given_once(tmp_path: Path) -> None:
    source = open_source(write(tmp_path, "calls.csv", CSV))
    assert len(list(source.rows())) == 2
    with pytest.raises(RuntimeError, match="open it again"):
        source.rows()


def test_a_source_can_be_left_early(tmp_path: Path) -> None:
    with open_source(write(tmp_path, "calls.csv", CSV)) as source:
        assert next(source.rows(start_after_line=2)).line == 3
    assert source.sha256 is None


@pytest.mark.parametrize(
    ("name", "data", "kind", "delimiter"),
    [
        ("a.csv", b"[x];{y}\n", "csv", ";"),
        ("a.TSV", b"name, first\tid\n", "csv", "\t"),
        ("a.psv", b"a,b|c\n", "csv", "|"),
        ("a.txt", b"a;b\n", "csv", ";"),
        ("a.jsonl", b"[1]\n", "jsonl", None),
        ("a.ndjson", b"{}\n", "jsonl", None),
        ("a.json", b" [{}]", "json", None),
        ("a.json", b'\n{"a": 1}\n{"a": 2}\n', "jsonl", None),
        ("a.json", b'{"a": 1}\r\n\r\n{"a": 2', "jsonl", None),
        ("a.json", b'{"a": 1}\n', "json", None),
        ("a.json", b'{\n"a": 1}\n', "json", None),
        ("a.dat", b"\n[{}]", "json", None),
        ("a.dat", b'{"a": 1}\n{"a": 2}\n', "jsonl", None),
        ("a", b"a,b\n", "csv", ","),
    ],
)
def test_the_kind_is_found(
    tmp_path: Path, name: str, data: bytes, kind: str, delimiter: str | None
) -> None:
    with open_source(write(tmp_path, name, data)) as source:
        assert (source.format.kind, source.format.delimiter) == (kind, delimiter)


def test_a_kind_that_was_said_is_believed(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", b'{"a": 1}\n')
    with open_source(path, SourceOptions(kind="jsonl")) as source:
        assert [row.cells for row in source.rows()] == [{"a": 1}]


def test_json_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "starts with neither" in refused(write(tmp_path, "a.json", CSV)).message


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n", b"\xef\xbb\xbf", b"\n" * (3 * MIB)])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    error = refused(write(tmp_path, name, data))
    assert "empty" in error.message or "nothing but blanks" in error.message


def test_blanks_before_the_first_text_are_counted(tmp_path: Path) -> None:
    source = open_source(write(tmp_path, "a.csv", b"\n" * 300_000 + CSV))
    assert [row.line for row in source.rows()] == [300_002, 300_003]


def test_a_missing_file_gets_suggestions(tmp_path: Path) -> None:
    write(tmp_path, "calls.csv", CSV)
    error = refused(str(tmp_path / "cals.csv"))
    assert "There is no file" in error.message
    assert str(tmp_path / "calls.csv") in error.fix
    assert refused(str(tmp_path / "zzz.parquet")).fix == "Check the path."
    assert "does not exist" in refused(str(tmp_path / "no" / "calls.csv")).fix


def test_a_journal_is_no_suggestion(tmp_path: Path) -> None:
    for name in ("calls.db", "calls.db-wal", "calls.db-shm", "calls.lock"):
        write(tmp_path, name, CSV)
    assert refused(str(tmp_path / "calls.dbx")).fix == "Check the path."


def test_errors_are_sentences(tmp_path: Path) -> None:
    for error in (
        refused(str(tmp_path / "calls.csv")),
        refused(str(tmp_path)),
        refused(write(tmp_path, "a.csv.gz", gzip.compress(CSV)[:-12])),
        refused(write(tmp_path, "b.csv", b",,\n")),
        refused(write(tmp_path, "c.csv", b'a,"b\n1,2\n')),
    ):
        assert error.message[0] in "/T"
        assert error.fix[0].isupper()
        assert error.message.endswith(".")
        assert error.fix.endswith(".")


def test_a_directory_is_refused_with_its_usable_files(tmp_path: Path) -> None:
    assert "no file in it" in refused(str(tmp_path)).fix
    write(tmp_path, "photo.png", b"x")
    for i in range(7):
        write(tmp_path, f"day{i}.csv.gz", CSV)
    error = refused(str(tmp_path))
    assert "is a directory" in error.message
    assert error.fix.endswith(
        "day0.csv.gz, day1.csv.gz, day2.csv.gz, day3.csv.gz, day4.csv.gz and 2 more."
    )


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "calls.csv", CSV)
    Path(path).chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)  # root may read everything, so become nobody for a moment
    try:
        error = refused(path)
        hidden = refused(str(tmp_path / "x" / ".." / "other.csv"))
    finally:
        if root:
            os.seteuid(0)
    assert "may not be read" in error.message
    assert hidden.exit_code == 2


def test_a_directory_that_may_not_be_looked_into_suggests_nothing() -> None:
    root = os.geteuid() == 0
    with TemporaryDirectory() as name:  # not tmp_path, which nobody may not even pass through
        folder = Path(name)
        path = write(folder, "calls.csv", CSV)
        folder.chmod(0o311)
        if root:
            os.seteuid(65534)
        try:
            error = refused(path.replace("calls", "cals"))
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o700)
    assert "There is no file" in error.message
    assert error.fix == "Check the path."


@pytest.mark.parametrize("path", ["a\0b.csv", "x" * 5000])
def test_a_path_that_cannot_be_one_is_refused(path: str) -> None:
    assert "cannot be opened" in refused(path).message


def test_a_file_that_cannot_be_read_on_is_refused() -> None:
    # Its first page is never mapped, so that reading fails although opening does not.
    assert "cannot be read" in refused("/proc/self/mem", SourceOptions(kind="csv")).message


def test_a_file_without_a_size_is_read_like_a_pipe() -> None:
    with open_source("/proc/self/status", SourceOptions("csv")) as source:
        assert source.bytes_total is None


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00" + b"\0" * 50, "Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 50, "old Excel"),
        (b"PAR1\x15\x04\x15\x10", "Parquet"),
        (b"SQLite format 3\0\x10", "SQLite"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"\x28\xb5\x2f\xfdabc", "packed"),
        (gzip.compress(gzip.compress(CSV, mtime=0), mtime=0), "gzip data inside"),
        (b"\x7fELF\x02\x01\x01" + b"\0\x01\x02" * 50, "binary data"),
        (hashlib.shake_256(b"seed").digest(4000), "binary data"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, what: str) -> None:
    error = refused(write(tmp_path, "calls.csv", data))
    assert what in error.message
    assert "CSV" in error.fix


@pytest.mark.parametrize("name", ["calls.csv.gz", "calls.gz", "calls.csv"])
def test_gzip_is_unpacked_and_the_digest_is_of_the_file(tmp_path: Path, name: str) -> None:
    data = gzip.compress(CSV) + gzip.compress(b"") + gzip.compress(b"3,z\n") + b"\0" * 100
    source = open_source(write(tmp_path, name, data))
    assert [row.cells["id"] for row in source.rows()] == ["1", "2", "3"]
    assert (source.sha256, source.bytes_read) == (hashlib.sha256(data).hexdigest(), len(data))


def test_the_kind_of_a_packed_file_is_found(tmp_path: Path) -> None:
    with open_source(write(tmp_path, "a.jsonl.gz", gzip.compress(b'{"a": 1}\n'))) as source:
        assert [row.cells for row in source.rows()] == [{"a": 1}]


def test_gzip_that_breaks_off_ends_with_a_row_that_says_so(tmp_path: Path) -> None:
    lines = b"".join(
        b"%d,%s\n" % (i, hashlib.sha256(b"%d" % i).hexdigest().encode()) for i in range(20_000)
    )
    packed = gzip.compress(b"id,note\n" + lines)
    rows = list(open_source(write(tmp_path, "a.csv.gz", packed[:-1000])).rows())
    assert problem_of(rows[-1]).code == "gzip_broken"
    assert rows[-1].line == rows[-2].line + 1
    assert 19_000 < len(rows) < 20_000
    assert all(row.problem is None for row in rows[:-1])


@pytest.mark.parametrize(
    "data",
    [gzip.compress(CSV, mtime=0)[:-12], b"\x1f\x8b\x08\0junkjunkjunk"],
    ids=["cut", "junk"],
)
def test_small_gzip_that_is_damaged_is_never_read_as_whole(tmp_path: Path, data: bytes) -> None:
    assert "gzip data" in refused(write(tmp_path, "a.csv.gz", data)).message


def test_something_after_the_gzip_data_is_damage(tmp_path: Path) -> None:
    data = gzip.compress(b"id,note\n" + b"1,xyz\n" * 2000) + b"junk"
    rows = list(open_source(write(tmp_path, "a.csv.gz", data)).rows())
    assert problem_of(rows[-1]).code == "gzip_broken"


def test_a_zip_bomb_is_stopped(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(b"id,note\n")]
    parts += [packer.compress(b"1," + b"x" * 1_000_000 + b"\n") for _ in range(100)]
    data = b"".join([*parts, packer.flush()])
    rows = list(open_source(write(tmp_path, "a.csv.gz", data)).rows())
    assert problem_of(rows[-1]).code == "gzip_bomb"
    assert len(rows) < 80


def test_standard_input_is_read_and_left_open() -> None:
    stdin = io.BytesIO(CSV)
    source = open_source("-", SourceOptions(), stdin)
    assert (source.name, source.bytes_total) == ("<stdin>", None)
    assert [row.cells["id"] for row in source.rows()] == ["1", "2"]
    assert source.sha256 == hashlib.sha256(CSV).hexdigest()
    assert not stdin.closed


def test_packed_json_comes_through_a_pipe() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as sink:
        sink.write(gzip.compress(b'[{"a": 1}, {"a": 2}]'))
    with os.fdopen(reading, "rb") as stdin:
        rows = list(open_source("-", SourceOptions(), stdin).rows())
    assert [row.cells for row in rows] == [{"a": 1}, {"a": 2}]


def test_a_terminal_is_refused() -> None:
    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb"), os.fdopen(follower, "rb") as terminal:
        error = refused("-", stdin=terminal)
    assert "is a terminal" in error.message
    assert "|" in error.fix


def lines_of(name: str) -> Iterator[str]:
    row = {"contact_id": "c", "phone": "+49301234567", "outcome": "SALE", "note": "some text"}
    if name.startswith("csv"):
        yield "contact_id,phone,outcome,note\n"
        yield from (f"c-{i},+49301234567,SALE,some text\n" for i in range(200_000))
    elif name.endswith("jsonl"):
        yield from (json.dumps(row | {"contact_id": f"c-{i}"}) + "\n" for i in range(200_000))
    else:
        yield "["
        yield from (json.dumps(row | {"contact_id": f"c-{i}"}) + ", " for i in range(199_999))
        yield json.dumps(row) + "]"


@pytest.mark.parametrize("name", ["csv.csv", "lines.jsonl", "one-line.json"])
def test_memory_stays_flat(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("w") as out:
        out.writelines(lines_of(name))
    tracemalloc.start()
    try:
        count = sum(1 for _ in open_source(str(path)).rows())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 200_000
    assert peak < 16 * MIB
