"""What kind of file an input is: from its name, then from how it starts."""

import re
from pathlib import PurePath
from typing import Final, Literal

from aftercall.adapters.sources.json_values import Nesting
from aftercall.errors import SourceUnreadable

EXTENSIONS: Final[dict[str, Literal["csv", "jsonl", "json"]]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".psv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
}
_DELIMITERS: Final = {".tsv": "\t", ".psv": "|"}

_BLANKS: Final = " \t\r\n"
_BINARY: Final = (
    (re.compile(rb"PK\x03\x04"), "a zip archive or an Excel workbook"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "an old Excel workbook"),
    (re.compile(rb"PAR1[\x00-\x1f]"), "a Parquet file"),
    (re.compile(rb"ARROW1\x00"), "an Arrow file"),
    (re.compile(rb"Obj\x01"), "an Avro file"),
    (re.compile(rb"SQLite format 3\x00"), "a SQLite database"),
    (re.compile(rb"%PDF-"), "a PDF"),
    (re.compile(rb"\x1f\x8b"), "gzip data inside gzip data"),
    (re.compile(rb"BZh[1-9]1AY&SY|\xfd7zXZ\x00|\x28\xb5\x2f\xfd|7z\xbc\xaf"), "a packed file"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff"), "a picture"),
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x19\x1c-\x1f]")
_BAD_BYTE: Final = re.compile(r"[\udc00-\udcff]")
_SAMPLE: Final = 4096

# An object that only wraps the array of rows, under one of the names that exports use.
_WRAPPED: Final = re.compile(r'"(dispositions|rows|data|items|records|results)"\s*:\s*\[\s*[{\]]')


def kind_by_name(name: str) -> Literal["csv", "jsonl", "json"] | None:
    """Tell the kind from the extension of a file name, a final `.gz` aside."""
    return EXTENSIONS.get(_extension(name))


def delimiter_by_name(name: str) -> str:
    """Give the delimiter that an extension stands for, or an empty text."""
    return _DELIMITERS.get(_extension(name), "")


def _extension(name: str) -> str:
    return PurePath(name.lower().removesuffix(".gz")).suffix


def refuse_binary(name: str, head: bytes, text: str) -> None:
    """Refuse what is not text at all.

    Args:
        name: what the user calls the input.
        head: how it starts, in bytes.
        text: the same, decoded.

    Raises:
        SourceUnreadable: if it is a known binary format or looks like one.
    """
    what = next((known for magic, known in _BINARY if magic.match(head)), None)
    if what is None:
        sample = text[:_SAMPLE]
        controls = len(_CONTROL.findall(sample)) / (len(sample) or 1)
        bad = len(_BAD_BYTE.findall(sample)) / (len(sample) or 1)
        # A few stray bytes are a matter for the rows that have them.
        if controls > 0.3 or (controls > 0.05 and bad > 0.1):
            what = "binary data"
    if what is not None:
        raise SourceUnreadable(
            f"{name} is {what}, not text.",
            fix="Save it as CSV (UTF-8) in the program it comes from, and give that file.",
        )


def kind_by_start(name: str, head: str, said: str) -> tuple[Literal["csv", "jsonl", "json"], bool]:
    """Tell the kind from how the text starts.

    Args:
        name: what the user calls the input.
        head: the start of the text, with something in it that is not blank.
        said: `csv`, `jsonl` or `json` from the user or the file name, or an empty text.

    Returns:
        The kind, and whether a `json` is a single object instead of an array.

    Raises:
        SourceUnreadable: if it is said to be JSON and is not, or if it only wraps the rows.
    """
    text = head.lstrip(_BLANKS)
    if said == "csv":
        return "csv", False
    if said == "jsonl":
        return "jsonl", False
    if text.startswith("["):
        return "json", False
    if text.startswith("{"):
        return _lines_or_object(name, text)
    if said == "json":
        raise SourceUnreadable(
            f"{name} is not JSON: it starts with neither [ nor {{.",
            fix="Give an array of objects, or name the file after what it is (.csv, .jsonl).",
        )
    return "csv", False


def _lines_or_object(name: str, text: str) -> tuple[Literal["jsonl", "json"], bool]:
    """Tell JSON Lines from one object, which is usually spread over several lines."""
    line_end = re.search(r"[\r\n]", text)
    if line_end and text[line_end.end() :].strip(_BLANKS):
        first = Nesting()
        first.feed(text[: line_end.start()])
        if first.depth == 0 and not first.in_text:
            return "jsonl", False
    before, reached = Nesting(), 0
    for found in _WRAPPED.finditer(text):
        before.feed(text[reached : found.start()])
        reached = found.start()
        if before.depth == 1 and not before.in_text:
            key = found.group(1)
            raise SourceUnreadable(
                f"{name} is one object with the rows under {key!r}.",
                fix="Give the array of rows itself.",
                next_command=f"jq .{key} < old.json > rows.json",
            )
    return "json", True
