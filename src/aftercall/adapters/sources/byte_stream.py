"""The bytes of an input: counted and hashed as they are read, and unpacked if they are gzip."""

import hashlib
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, Final

from aftercall.adapters.sources.rows import CHUNK_BYTES, MIB, RowProblem
from aftercall.errors import SourceUnreadable

GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31  # zlib's way to say: expect a gzip header and check the trailer

# Deflate cannot do better than 1032:1; tables of real rows stay far below 100:1.
_RATIO_LIMIT: Final = 200
_RATIO_FREE_BYTES: Final = 64 * MIB


class BrokenOffError(Exception):
    """The input ends or breaks where it should go on; rows before that point are good.

    Attributes:
        problem: what the last row of the source is to say.
    """

    def __init__(self, problem: RowProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class ByteStream:
    """Reads an open binary file once, from its start to its end.

    Attributes:
        name: what the user calls the input.
        bytes_total: the size of the file in bytes as stored; None if it is not known.
        bytes_read: how many of those bytes have been read.
    """

    def __init__(self, raw: BinaryIO, name: str, bytes_total: int | None, *, owned: bool) -> None:
        self.name = name
        self.bytes_total = bytes_total
        self.bytes_read = 0
        self._raw = raw
        self._owned = owned
        self._digest = hashlib.sha256()

    def chunks(self) -> Iterator[bytes]:
        """Give the content in order, unpacked if it is gzip, at most `CHUNK_BYTES` at a time.

        Raises:
            BrokenOffError: while iterating, if gzip data is damaged, cut off or a bomb.
            SourceUnreadable: while iterating, if the system cannot read on.
        """
        first = self._read()
        stored = chain([first], iter(self._read, b""))
        return _unpacked(stored) if first.startswith(GZIP_MAGIC) else stored

    def hash_all(self) -> str:
        """Give the hex SHA-256 of the bytes as stored.

        What is left of a file of known size is read first, so that the digest is that of the
        file even when its rows stopped early. A pipe may never end: there it covers what was read.
        """
        if self.bytes_total is not None:
            while self._read():
                pass
        return self._digest.hexdigest()

    def close(self) -> None:
        """Close the file, unless it belongs to somebody else (standard input)."""
        if self._owned:
            self._raw.close()

    def _read(self) -> bytes:
        try:
            block = self._raw.read(CHUNK_BYTES)
        except OSError as error:
            raise SourceUnreadable(
                f"{self.name} cannot be read: {error.strerror}.",
                fix="Check the disk or the mount, then run the same command again.",
            ) from error
        self.bytes_read += len(block)
        self._digest.update(block)
        return block


def _unpacked(stored: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip data of one or more members with a bounded amount of memory."""
    inflater = zlib.decompressobj(wbits=_GZIP_WINDOW)
    taken = given = 0
    for block in stored:
        taken += len(block)
        rest = block
        while rest:
            if inflater.eof:
                rest = rest.lstrip(b"\0")  # tape-style padding after a member is allowed
                inflater = zlib.decompressobj(wbits=_GZIP_WINDOW) if rest else inflater
                continue
            try:
                data = inflater.decompress(rest, CHUNK_BYTES)
            except zlib.error as error:
                raise _gzip_broken("is damaged") from error
            rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            given += len(data)
            if given > _RATIO_FREE_BYTES and given > taken * _RATIO_LIMIT:
                raise BrokenOffError(
                    RowProblem(
                        "gzip_bomb",
                        f"the gzip data grows more than {_RATIO_LIMIT}-fold when unpacked",
                        "unpack it yourself and give the unpacked file, if it is meant to be so",
                    )
                )
            if data:
                yield data
    if not inflater.eof:
        raise _gzip_broken("breaks off before its end")


def _gzip_broken(how: str) -> BrokenOffError:
    return BrokenOffError(
        RowProblem(
            "gzip_broken",
            f"the gzip data {how}; the rows before this point were read",
            "copy or compress the file again, then run the same command again",
        )
    )
