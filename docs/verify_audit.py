"""Check an audit bundle, or the proof of a row, of aftercall with nothing but the public key.

    python verify_audit.py bundle.jsonl 'name+1a2b3c4d+AbCd...'
    python verify_audit.py proof.json 'name+1a2b3c4d+AbCd...'

It shares no code with aftercall, so that you need not trust it; it needs "cryptography" alone.
Formats: RFC 6962, c2sp.org/tlog-checkpoint, docs/compliance.md. It ends with 0 if all holds; else
with 1, and says the first thing that does not.
"""

import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Broken(Exception): ...


def need(true, words):
    if not true:
        raise Broken(words)


def b64(text):
    """Decode base64 that is written in the one right way."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, AttributeError):
        raise Broken("a part of it is not base64") from None
    need(base64.b64encode(data).decode() == text, "a part of it is not base64 as it should be")
    return data


def hash_of(kind, *parts):
    """Return the hash of a leaf (kind 0) or an inner node (kind 1)."""
    return hashlib.sha256(bytes([kind]) + b"".join(parts)).digest()


def open_checkpoint(note, vkey):
    """Check the signature of a checkpoint; return the log's name, size, root and time."""
    name, key_id, encoded = vkey.split("+", 2)
    key = b64(encoded)
    right = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8]
    need(key[:1] == b"\x01" and len(key) == 33 and key_id == right, "the key is not an Ed25519 key")
    text, blank, below = note.partition("\n\n")
    need(blank and below.endswith("\n"), "the checkpoint is not signed")
    signed = False
    for line in below[:-1].split("\n"):
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014", "the checkpoint has a strange line")
        blob = b64(parts[2])
        if parts[1] == name and blob[:4].hex() == key_id:
            try:
                Ed25519PublicKey.from_public_bytes(key[1:]).verify(blob[4:], f"{text}\n".encode())
            except InvalidSignature:
                raise Broken("the signature of the checkpoint is wrong") from None
            signed = True
    need(signed, "the checkpoint is not signed by this key")
    origin, size, root, time = text.split("\n")
    need(origin == name, "the checkpoint is of another log")
    return origin, int(size), b64(root), time


class Lines:
    """The lines of a bundle, of which the next one can be seen before it is used."""

    def __init__(self, file):
        self.file = file
        self.advance()

    def advance(self):
        line = self.file.readline()
        self.next = json.loads(line) if line else None
        written = json.dumps(self.next, ensure_ascii=False, separators=(",", ":"))
        need(not line or f"{written}\n".encode() == line, f"a line was changed: {line[:60]!r}")


def root_of(first, size, lines, counts):
    """Put the tree together (RFC 6962, section 2.1) from what stands in the bundle."""
    piece = lines.next
    need(piece, f"the end is missing, from entry {first} on")
    if list(piece) == ["leaves", "hash"] and repr(piece["leaves"]) == f"{size}":
        counts["hidden"] += size
        hashed = b64(piece["hash"])
    elif size == 1:
        need(list(piece) == ["leaf", "entry"], f"entry {first} or its hash is missing")
        need(repr(piece["leaf"]) == f"{first}", f"entry {first} should stand where another does")
        counts["entries"] += 1
        hashed = hash_of(0, piece["entry"].encode())
    else:
        left = 1 << ((size - 1).bit_length() - 1)
        above = root_of(first, left, lines, counts)
        return hash_of(1, above, root_of(first + left, size - left, lines, counts))
    lines.advance()
    return hashed


def check_bundle(file, vkey):
    lines = Lines(file)
    need(list(lines.next) == ["format", "checkpoint"], "this is no bundle")
    need(lines.next["format"] == "aftercall-audit-bundle/1", "this is no bundle")
    origin, size, root, time = open_checkpoint(lines.next["checkpoint"], vkey)
    lines.advance()
    counts = {"entries": 0, "hidden": 0}
    found = root_of(0, size, lines, counts) if size else hashlib.sha256(b"").digest()
    need(lines.next is None, "there is more in it than the checkpoint covers")
    need(found == root, "an entry was changed, put in, left out or moved")
    return f"{counts['entries']} of {size} entries of {origin} at {time}"


def check_proof(proof, vkey):
    """Check the inclusion proofs that `aftercall audit prove` prints (RFC 9162, 2.1.3.2)."""
    origin, size, root, time = open_checkpoint(proof["checkpoint"], vkey)
    for one in proof["proofs"]:
        hashed, here, last = b64(one["leaf_hash"]), one["leaf"], size - 1
        need(
            "entry" not in one or hash_of(0, one["entry"].encode()) == hashed,
            "the entry was changed",
        )
        need(0 <= here < size, "the leaf is not in the log")
        for part in map(b64, one["proof"]):
            need(last > 0, "the proof is too long")
            if here & 1 or here == last:
                hashed = hash_of(1, part, hashed)
                while here and not here & 1:
                    here, last = here >> 1, last >> 1
            else:
                hashed = hash_of(1, hashed, part)
            here, last = here >> 1, last >> 1
        need(last == 0 and hashed == root, f"leaf {one['leaf']} is not in the log")
    return f"{len(proof['proofs'])} entries about row {proof['row_id']} in {origin} at {time}"


def main(path, vkey):
    with open(path, "rb") as file:
        is_proof = file.read(2) == b"{\n"
        file.seek(0)
        return check_proof(json.load(file), vkey) if is_proof else check_bundle(file, vkey)


if __name__ == "__main__":
    try:
        print("ok:", main(*sys.argv[1:]))
    except (Broken, LookupError, TypeError, ValueError, AttributeError, RecursionError) as trouble:
        sys.exit(f"does not hold: {trouble}")
