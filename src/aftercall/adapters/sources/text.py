"""From bytes to text: which encoding, and text in pieces that end where a line ends.

Bytes that do not belong to the encoding never fail a file. Each becomes a lone surrogate, which
no valid text contains, so that the rows that have them can be told from the others.
"""

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from typing import Final

from aftercall.errors import SourceUnreadable

_ERRORS: Final = "aftercall.keep_bad_bytes"
_HEAD_BYTES: Final = 4096

# The four-byte marks come first: the one of UTF-32 LE starts with the one of UTF-16 LE.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Decodable by every encoding that can replace what it does not know; UTF-16 and 32 need the mark.
_PROBE: Final = b"\xff\xfe\x00\x00,b\n\xff"
_LINE_END: Final = re.compile(r"\r\n?|\n")


def _keep_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    """Decode what cannot be decoded to one lone surrogate per byte.

    `surrogateescape` does the same, but only for bytes above 127, which is too few for UTF-16.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in bad), error.end


codecs.register_error(_ERRORS, _keep_bad_bytes)


def has_bad_bytes(text: str) -> bool:
    """Tell whether `text` has a lone surrogate, at the speed of an encoder."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def read_head(chunks: Iterator[bytes]) -> bytes:
    """Take at least the first 4 KiB from `chunks`, or all there is."""
    head = b""
    while len(head) < _HEAD_BYTES and (more := next(chunks, b"")):
        head += more
    return head


def choose_encoding(head: bytes, wanted: str) -> str:
    """Name the encoding of a file that starts with `head`.

    Args:
        head: the first bytes of the file.
        wanted: `auto`, or what the user said, which is believed.

    Raises:
        SourceUnreadable: if `wanted` is not an encoding of text.
    """
    if wanted == "auto":
        return _by_mark(head) or _by_nuls(head) or "utf-8"
    try:
        b"a,b\n".decode(wanted, "replace")  # refuses codecs that are not about text
        codecs.getincrementaldecoder(wanted)(_ERRORS).decode(_PROBE, final=True)
    except (LookupError, ValueError) as error:
        raise SourceUnreadable(
            f"{wanted!r} is not a known text encoding.",
            fix="Say --encoding utf-8, utf-16, latin-1, cp1252 or another name Python knows.",
        ) from error
    family = codecs.lookup(wanted).name
    if family in {"utf-16", "utf-32"}:
        # Python's decoder for these insists on a mark, which many files do not have.
        found = _by_mark(head) or _by_nuls(head) or ""
        return found if found.startswith(family) else f"{family}-le"
    return wanted


def _by_mark(head: bytes) -> str | None:
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


def _by_nuls(head: bytes) -> str | None:
    # Latin letters, digits and delimiters have a NUL as their other half in UTF-16.
    even, odd = head[0:_HEAD_BYTES:2].count(0), head[1:_HEAD_BYTES:2].count(0)
    enough = min(len(head), _HEAD_BYTES) * 0.15
    if odd > enough and odd > 8 * even:
        return "utf-16-le"
    if even > enough and even > 8 * odd:
        return "utf-16-be"
    return None


def decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Decode `chunks`, without the byte order mark and without cutting a CR LF in two."""
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(encoding)(errors=_ERRORS), translate=False
    )
    started = False
    for text in _texts(decoder, chunks):
        yield text if started else text.removeprefix("\ufeff")
        started = True


def _texts(decoder: io.IncrementalNewlineDecoder, chunks: Iterable[bytes]) -> Iterator[str]:
    for chunk in chunks:
        if text := decoder.decode(chunk):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def with_plain_newlines(chunks: Iterable[str]) -> Iterator[str]:
    """Turn CR LF and CR into LF, in chunks that never cut a CR LF in two."""
    for chunk in chunks:
        if "\r" in chunk:
            yield chunk.replace("\r\n", "\n").replace("\r", "\n")
        else:
            yield chunk


def whole_lines(chunks: Iterable[str], limit: int) -> Iterator[str | None]:
    """Regroup `chunks` into pieces of one or more whole lines.

    Args:
        chunks: text that never cuts a CR LF in two.
        limit: the longest line to hold, in characters, to within one chunk.

    Yields:
        Pieces that end with a line end (except the last of a file without one), or None in place
        of a line that is too long; the rest of that line is dropped when the caller goes on.
    """
    parts: list[str] = []
    held = 0
    dropping = False
    for chunk in chunks:
        start = 0
        if dropping:
            first_end = _LINE_END.search(chunk)
            if first_end is None:
                continue
            start, dropping = first_end.end(), False
        cut = max(chunk.rfind("\n"), chunk.rfind("\r")) + 1
        if cut > start:
            parts.append(chunk[start:cut])
            yield "".join(parts)
            parts, held, start = [], 0, cut
        if start < len(chunk):
            parts.append(chunk[start:])
            held += len(chunk) - start
        if held > limit:
            yield None
            parts, held, dropping = [], 0, True
    if parts:
        yield "".join(parts)
