"""How the Merkle tree is kept: in tiles of 256 hashes (c2sp.org/tlog-tiles, height 8).

Tile (level, place) holds up to 256 hashes of complete subtrees of 256**level leaves each, in their
order; level 0 holds the leaves' own hashes. All other nodes are made of them when they are needed.
A tree only grows: full tiles never change, and the last one of a level is filled up.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from aftercall.domain.merkle import EMPTY_ROOT, Subtree, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
HASH_BYTES = 32
TILE_BYTES = WIDTH * HASH_BYTES

ReadTile = Callable[[int, int], bytes]
"""Returns a tile by level and place; fewer bytes, or none, where the tree has not grown to."""

TileKey = tuple[int, int]


def hashes_in(tile: bytes) -> list[bytes]:
    """Return the hashes in (a part of) a tile."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def subtrees(read: ReadTile) -> Subtree:
    """Return what provides the complete subtrees of a tree that is kept in tiles.

    It raises `ValueError` where a tile lacks hashes.
    """

    def subtree(level: int, place: int) -> bytes:
        tile_level, inner = divmod(level, HEIGHT)
        tile_place, start = divmod(place << inner, WIDTH)
        tile = read(tile_level, tile_place)
        part = tile[start * HASH_BYTES : (start + (1 << inner)) * HASH_BYTES]
        if len(part) != HASH_BYTES << inner:
            message = f"tile {tile_level}/{tile_place} is too short"
            raise ValueError(message)
        return _folded(hashes_in(part))

    return subtree


def grown(size: int, leaves: Sequence[bytes], read: ReadTile) -> Mapping[TileKey, bytes]:
    """Return the tiles that are new or fuller once `leaves` follow the first `size` ones.

    Raises:
        ValueError: a tile that is to be filled up is shorter than it must be.
    """
    changed: dict[TileKey, bytes] = {}
    level, first, fresh = 0, size, list(leaves)
    while fresh:
        place, held = divmod(first, WIDTH)
        kept = read(level, place)[: held * HASH_BYTES] if held else b""
        if len(kept) != held * HASH_BYTES:
            message = f"tile {level}/{place} is too short"
            raise ValueError(message)
        row = kept + b"".join(fresh)
        fresh = []
        for number, start in enumerate(range(0, len(row), TILE_BYTES), place):
            tile = row[start : start + TILE_BYTES]
            changed[level, number] = tile
            if len(tile) == TILE_BYTES:
                fresh.append(_folded(hashes_in(tile)))
        level, first = level + 1, place
    return changed


class TreeBuilder:
    """Builds a tree leaf by leaf in little memory, to compare it with one that is kept."""

    def __init__(self) -> None:
        self.size = 0
        self._edges: list[list[bytes]] = [[]]

    def add(self, hashed: bytes) -> Iterator[tuple[TileKey, bytes]]:
        """Add a leaf's hash; yield the tiles that are full with it."""
        self.size += 1
        level, place = 0, self.size
        while True:
            edge = self._edges[level]
            edge.append(hashed)
            if len(edge) < WIDTH:
                return
            place //= WIDTH
            yield (level, place - 1), b"".join(edge)
            hashed = _folded(edge)
            edge.clear()
            level += 1
            if level == len(self._edges):
                self._edges.append([])

    def partial(self) -> Iterator[tuple[TileKey, bytes]]:
        """Yield the tiles that are not full yet."""
        place = self.size
        for level, edge in enumerate(self._edges):
            place //= WIDTH
            if edge:
                yield (level, place), b"".join(edge)

    def root(self) -> bytes:
        """Return the root of the tree as it is now."""
        found: bytes | None = None
        for edge in self._edges:
            row = edge
            while row:
                if len(row) & 1:
                    found = row[-1] if found is None else node_hash(row[-1], found)
                row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        return EMPTY_ROOT if found is None else found


def _folded(hashes: list[bytes]) -> bytes:
    """Return the root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]
