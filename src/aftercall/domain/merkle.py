"""The Merkle tree of RFC 6962, section 2.1: hashes, proofs, and how they are checked.

A tree of n leaves is known by its root. An inclusion proof shows that an entry is leaf i of it; a
consistency proof shows that a smaller tree is its beginning, so that nothing was taken out,
changed or put in. Proofs are made of complete subtrees, which whoever keeps the tree provides.
"""

import hashlib
from collections.abc import Callable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()

Subtree = Callable[[int, int], bytes]
"""Returns the hash of the complete subtree of 2**level leaves with this place in its level."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split_of(size: int) -> int:
    """Return the largest power of two smaller than `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def root(size: int, subtree: Subtree) -> bytes:
    """Return the root of the tree of the first `size` leaves."""
    return range_root(0, size, subtree) if size else EMPTY_ROOT


def range_root(first: int, size: int, subtree: Subtree) -> bytes:
    """Return the root over `size` leaves from `first` on, as they stand within a tree."""
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return subtree(level, first >> level)
    left = split_of(size)
    below = range_root(first + left, size - left, subtree)
    return node_hash(range_root(first, left, subtree), below)


def inclusion_proof(leaf: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the audit path of a leaf (section 2.1.1), from the bottom up.

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= leaf < size:
        message = f"a tree of {size} leaves has no leaf {leaf}"
        raise ValueError(message)
    first, path = 0, []
    while size > 1:
        left = split_of(size)
        if leaf - first < left:
            path.append(range_root(first + left, size - left, subtree))
            size = left
        else:
            path.append(range_root(first, left, subtree))
            first, size = first + left, size - left
    return path[::-1]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Return the proof that the tree of `old` leaves begins that of `new` (section 2.1.2).

    Raises:
        ValueError: `old` is 0 or larger than `new`.
    """
    if not 0 < old <= new:
        message = f"a tree of {new} leaves does not begin with {old}"
        raise ValueError(message)
    first, size, rest, whole, path = 0, new, old, True, []
    while rest != size:
        left = split_of(size)
        if rest <= left:
            path.append(range_root(first + left, size - left, subtree))
            size = left
        else:
            path.append(range_root(first, left, subtree))
            first, size, rest, whole = first + left, size - left, rest - left, False
    if not whole:
        path.append(range_root(first, size, subtree))
    return path[::-1]


def root_of_inclusion(hashed: bytes, leaf: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Return the root to which a proof leads from a leaf's hash; None if it leads nowhere.

    The algorithm is that of RFC 9162, section 2.1.3.2.
    """
    if not 0 <= leaf < size:
        return None
    here, last, found = leaf, size - 1, hashed
    for part in proof:
        if last == 0:
            return None
        if here & 1 or here == last:
            found = node_hash(part, found)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, part)
        here, last = here >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """Say whether a proof shows that one tree, as size and root, is the beginning of another.

    The algorithm is that of RFC 9162, section 2.1.4.2. The empty tree begins every tree.
    """
    (old_size, old_root), (new_size, new_root) = old, new
    if old_size == 0:
        return old_root == EMPTY_ROOT and not proof
    if old_size == new_size:
        return old_root == new_root and not proof
    if not 0 < old_size < new_size:
        return False
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    here, last = old_size - 1, new_size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    if not path:
        return False
    older = newer = path[0]
    for part in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            older, newer = node_hash(part, older), node_hash(part, newer)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            newer = node_hash(newer, part)
        here, last = here >> 1, last >> 1
    return last == 0 and older == old_root and newer == new_root
