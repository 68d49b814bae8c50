"""Proofs and tiles against the definitions of RFC 6962, section 2.1, written down as they stand."""

import hashlib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from aftercall.domain import merkle
from aftercall.domain.tiles import TileKey, TreeBuilder, grown, subtrees

SIZES = st.integers(min_value=1, max_value=700)


def entries(size: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(size)]


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH({}) = SHA-256(), MTH({d(0)}) = SHA-256(0x00 || d(0)), MTH(D[n]) = ... of RFC 6962."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = largest_power_of_two_below(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = largest_power_of_two_below(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D[n]) of RFC 6962, section 2.1.2."""
    return subproof(m, leaves, whole=True)


def subproof(m: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = largest_power_of_two_below(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


def largest_power_of_two_below(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def planted(steps: Sequence[int]) -> dict[TileKey, bytes]:
    """Return the tiles of a tree that has grown in steps."""
    tiles: dict[TileKey, bytes] = {}
    leaves = [merkle.leaf_hash(entry) for entry in entries(sum(steps))]
    size = 0
    for step in steps:
        more = leaves[size : size + step]
        tiles.update(grown(size, more, lambda level, place: tiles.get((level, place), b"")))
        size += step
    return tiles


def subtree_of(size: int) -> merkle.Subtree:
    tiles = planted([size])
    return subtrees(lambda level, place: tiles[level, place])


@given(st.lists(st.integers(min_value=1, max_value=300), min_size=1, max_size=5))
def test_a_tree_that_has_grown_in_steps_is_the_same_tree(steps: list[int]) -> None:
    size = sum(steps)
    tiles = planted(steps)
    assert tiles == planted([size])
    builder = TreeBuilder()
    built = dict[TileKey, bytes]()
    for entry in entries(size):
        built.update(builder.add(merkle.leaf_hash(entry)))
    assert built | dict(builder.partial()) == tiles
    assert builder.root() == mth(entries(size))
    assert merkle.root(size, subtrees(lambda *at: tiles[at])) == mth(entries(size))


def test_more_than_two_levels_of_tiles() -> None:
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(256 * 256 + 300)]
    builder = TreeBuilder()
    built = dict[TileKey, bytes]()
    for leaf in leaves:
        built.update(builder.add(leaf))
    built |= dict(builder.partial())
    tiles = grown(0, leaves, lambda *at: b"")
    assert built == tiles
    assert {level for level, _ in tiles} == {0, 1, 2}
    assert builder.root() == merkle.root(len(leaves), subtrees(lambda *at: tiles[at]))


def test_the_empty_tree() -> None:
    assert merkle.root(0, lambda *at: b"") == TreeBuilder().root() == mth([])


@given(SIZES, st.data())
def test_an_inclusion_proof_is_that_of_the_definition_and_is_accepted(
    size: int, data: st.DataObject
) -> None:
    leaf = data.draw(st.integers(0, size - 1))
    leaves = entries(size)
    made = merkle.inclusion_proof(leaf, size, subtree_of(size))
    assert made == path(leaf, leaves)
    hashed = merkle.leaf_hash(leaves[leaf])
    assert merkle.root_of_inclusion(hashed, leaf, size, made) == mth(leaves)


@given(SIZES, st.data())
def test_a_consistency_proof_is_that_of_the_definition_and_is_accepted(
    size: int, data: st.DataObject
) -> None:
    old = data.draw(st.integers(1, size))
    leaves = entries(size)
    made = merkle.consistency_proof(old, size, subtree_of(size))
    assert made == proof(old, leaves)
    assert merkle.is_consistent((old, mth(leaves[:old])), (size, mth(leaves)), made)


@given(st.integers(2, 300), st.data())
def test_a_proof_of_something_else_is_refused(size: int, data: st.DataObject) -> None:
    leaves, subtree = entries(size), subtree_of(size)
    root = mth(leaves)
    leaf = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != leaf))
    made = merkle.inclusion_proof(leaf, size, subtree)
    hashed = merkle.leaf_hash(leaves[leaf])
    tampered = [bytes(32), *made[1:]]
    assert merkle.root_of_inclusion(hashed, other, size, made) != root
    assert merkle.root_of_inclusion(merkle.leaf_hash(b"other"), leaf, size, made) != root
    for wrong in (tampered, made[1:], [*made, bytes(32)]):
        assert merkle.root_of_inclusion(hashed, leaf, size, wrong) != root
    old = data.draw(st.integers(1, size - 1))
    begun = mth(leaves[:old])
    made = merkle.consistency_proof(old, size, subtree)
    for wrong in ([bytes(32), *made[1:]], made[1:], [*made, bytes(32)], []):
        assert not merkle.is_consistent((old, begun), (size, root), wrong)
    assert not merkle.is_consistent((old, mth([b"other"])), (size, root), made)
    assert not merkle.is_consistent((old, begun), (size, mth(leaves[:-1])), made)
    assert not merkle.is_consistent((size, root), (old, begun), made)
