"""Check an audit bundle, or the proof of a row, of aftercall with nothing but the public key.

    python verify_audit.py bundle.jsonl (or proof.json) 'name+1a2b3c4d+AbCd...'

It shares no code with aftercall and needs "cryptography" alone. Formats: RFC 6962,
c2sp.org/tlog-checkpoint, docs/compliance.md. Ends with 0 if all holds, else with 1.
"""

import base64
import hashlib
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def need(true, words):
    if not true:
        raise ValueError(words)


def b64(text):
    """Decode base64 that is written in the one right way."""
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "a part of it is not base64 as it should be")
    return data


def written(value):
    """Return the one way to write a value as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def hash_of(kind, *parts):
    """Return the hash of a leaf (kind 0) or an inner node (kind 1)."""
    return hashlib.sha256(bytes([kind]) + b"".join(parts)).digest()


def open_checkpoint(note, vkey):
    """Check the signature of a checkpoint; return the log's name, size, root and time."""
    need(vkey.count("+") > 1, "the key is not one that aftercall audit key prints")
    name, key_id, encoded = vkey.split("+", 2)
    key = b64(encoded)
    right = hashlib.sha256(f"{name}\n".encode() + key).hexdigest()[:8]
    need(key[:1] == b"\x01" and len(key) == 33 and key_id == right, "the key is not an Ed25519 key")
    text, blank, below = note.partition("\n\n")
    need(blank and below.endswith("\n"), "the checkpoint is not signed")
    named = [line.split(" ") for line in below.split("\n") if line.startswith(f"\u2014 {name} ")]
    mine = [blob for blob in (b64(parts[2]) for parts in named) if blob[:4].hex() == key_id]
    need(mine, "the checkpoint is not signed by this key")
    for blob in mine:
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(blob[4:], f"{text}\n".encode())
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
        need(not line or f"{written(self.next)}\n".encode() == line, "a line was changed")


def root_of(first, size, lines, counts):
    """Put the tree together (RFC 6962, section 2.1) from what stands in the bundle."""
    piece = lines.next
    need(piece, f"the end is missing, from entry {first} on")
    if list(piece) == ["leaves", "hash"] and repr(piece["leaves"]) == f"{size}":
        hashed = b64(piece["hash"])
    elif size == 1:
        fits = list(piece) == ["leaf", "entry"] and repr(piece["leaf"]) == f"{first}"
        need(fits, f"entry {first} or its hash should stand where something else does")
        counts["entries"], hashed = counts["entries"] + 1, hash_of(0, piece["entry"].encode())
    else:
        left = 1 << ((size - 1).bit_length() - 1)
        above = root_of(first, left, lines, counts)
        return hash_of(1, above, root_of(first + left, size - left, lines, counts))
    lines.advance()
    return hashed


def check_bundle(file, vkey):
    lines = Lines(file)
    need(next(iter(lines.next.items())) == ("format", "aftercall-audit-bundle/1"), "no bundle")
    origin, size, root, time = open_checkpoint(lines.next["checkpoint"], vkey)
    lines.advance()
    counts = {"entries": 0}
    found = root_of(0, size, lines, counts) if size else hashlib.sha256(b"").digest()
    need(lines.next is None and found == root, "an entry was changed, put in, left out or moved")
    return f"{counts['entries']} of {size} entries of {origin} at {time}"


def check_entry(one, row):
    """Check that an entry is what its hash says, and shown values what it committed to."""
    entry = json.loads(one["entry"])
    right = hash_of(0, one["entry"].encode()) == b64(one["leaf_hash"]) and entry["row_id"] == row
    need(right, "the entry was changed, or is about another row")
    for name, shown in one["openings"].items():
        made = hashlib.sha256(bytes.fromhex(shown["salt"]) + written(shown["value"]).encode())
        need(entry["commitments"][name] == made.hexdigest(), f"{name}: not what was recorded")


def check_proof(proof, vkey):
    """Check the inclusion proofs that `aftercall audit prove` prints (RFC 9162, 2.1.3.2)."""
    origin, size, root, time = open_checkpoint(proof["checkpoint"], vkey)
    for one in proof["proofs"]:
        hashed, here, last = b64(one["leaf_hash"]), one["leaf"], size - 1
        if "entry" in one:
            check_entry(one, proof["row_id"])
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
    number, shown = len(proof["proofs"]), all("entry" in one for one in proof["proofs"])
    what = f"entries about row {proof['row_id']}" if shown else "hashes, but of no entry in here,"
    return f"{number} {what} in {origin} at {time}"


def main(path, vkey):
    with open(path, "rb") as file:
        is_proof = file.read(2) == b"{\n"
        file.seek(0)
        return check_proof(json.load(file), vkey) if is_proof else check_bundle(file, vkey)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        print("ok:", main(*sys.argv[1:]))
    except OSError as trouble:
        sys.exit(f"cannot be read: {trouble}")
    except Exception as trouble:  # noqa: BLE001 - whatever cannot be read does not hold.
        sys.exit(f"does not hold: {str(trouble) or 'the signature is wrong'}")
