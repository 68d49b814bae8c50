"""Others accept what we prove: an independent Merkle log, an independent Ed25519, our own script.

tlog-scales implements c2sp.org/tlog-tiles and RFC 9162; PyNaCl brings libsodium's Ed25519.
"""

import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import nacl.exceptions
import nacl.signing
import pytest
from cryptography.exceptions import InvalidSignature
from tlog_scales.reader import TilesReader
from tlog_scales.signing import NoteSignature, Vkey
from tlog_scales.tlog import ConsistencyProof, InclusionProof, InclusionProofInvalid

from aftercall.adapters.signing import Ed25519Signer
from aftercall.domain.bundle import BundleBroken, check_bundle
from aftercall.domain.merkle import consistency_proof, inclusion_proof, leaf_hash
from aftercall.domain.note import Checkpoint, Note
from aftercall.domain.tiles import subtrees
from aftercall.engine.proving import bundle_of, prove_row
from aftercall.ports import AuditFilter

from .rig import Copy, Desk, flips, trust

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_audit.py"


@pytest.fixture
async def log(bench: Desk, signer: Ed25519Signer) -> Copy:
    """A trail with more than one tile, and checkpoints between."""
    await bench.small()
    for start in range(0, 300, 37):
        await bench.rig.admit(
            *(bench_candidate(f"Q{start + at}") for at in range(37)), at_ms=bench.clock.now_ms
        )
        bench.clock.now_ms += 1000
        await bench.sealer.seal()
    return Copy(bench.path, trust(signer.key))


def bench_candidate(contact: str):
    from tests.contract.rig import broken  # noqa: PLC0415

    return broken(contact=contact)


class Tiles:
    """Our tiles, given to the independent reader by the paths of c2sp.org/tlog-tiles."""

    def __init__(self, copy: Copy) -> None:
        self.copy = copy

    def get(self, *path: str) -> bytes | None:
        _, level, place, *width = path
        tile = self.copy.archive.tile(int(level), int(place.removesuffix(".p")))
        return tile[: 32 * int(width[0])] if width else tile or None


def test_an_independent_reader_makes_the_same_of_our_tiles(log: Copy) -> None:
    ours = subtrees(log.archive.tile)
    for stored in log.archive.checkpoints():
        checkpoint = Checkpoint.parse(Note.parse(stored.note).text)
        reader = TilesReader(Tiles(log))
        reader.set_size(checkpoint.size)
        assert reader.calculate_root_hash() == checkpoint.root
        for leaf in range(0, checkpoint.size, 17):
            theirs = reader.get_inclusion_proof(leaf, checkpoint.size).node_hashes
            assert theirs == inclusion_proof(leaf, checkpoint.size, ours)
        for old in range(1, checkpoint.size, 19):
            theirs = reader.get_consistency_proof(old, checkpoint.size).node_hashes
            assert theirs == consistency_proof(old, checkpoint.size, ours)


def test_an_independent_checker_accepts_our_proofs(log: Copy) -> None:
    ours = subtrees(log.archive.tile)
    checkpoints = [
        Checkpoint.parse(Note.parse(stored.note).text) for stored in log.archive.checkpoints()
    ]
    newest = checkpoints[-1]
    assert newest.size > 256
    for entry in log.archive.entries():
        hashed = leaf_hash(entry.text.encode())
        proof = inclusion_proof(entry.leaf, newest.size, ours)
        InclusionProof(entry.leaf, newest.size, proof).check(hashed, newest.root)
        with pytest.raises(InclusionProofInvalid):
            InclusionProof(entry.leaf, newest.size, proof).check(bytes(32), newest.root)
    for old in checkpoints:
        proof = [] if old is newest else consistency_proof(old.size, newest.size, ours)
        ConsistencyProof(old.size, newest.size, proof).check(old.root, newest.root)


def test_an_independent_ed25519_accepts_our_checkpoints(log: Copy, signer: Ed25519Signer) -> None:
    key = Vkey.from_string(signer.key.text)
    assert key.serialize() == signer.key.text
    assert Vkey(key.name, None, key.sig_type, key.pubkey).key_id == key.key_id
    for stored in log.archive.checkpoints():
        text, _, below = stored.note.partition("\n\n")
        (signature,) = map(NoteSignature.from_line, below.splitlines())
        assert key.match(signature)
        libsodium = nacl.signing.VerifyKey(key.pubkey)
        libsodium.verify(f"{text}\n".encode(), signature.payload)
        with pytest.raises(nacl.exceptions.BadSignatureError):
            libsodium.verify(f"{text}\n\n".encode(), signature.payload)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script of the documentation, as a module."""
    spec = importlib.util.spec_from_file_location("verify_audit", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_is_short_and_needs_nothing_of_ours() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    imported = {
        line.split()[1].split(".")[0] for line in text.splitlines() if "import " in line[:7]
    }
    imported |= {line.split()[1].split(".")[0] for line in text.splitlines() if line[:5] == "from "}
    assert imported == {"base64", "hashlib", "json", "sys", "cryptography"}


def run(script: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(script), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    "asked", [AuditFilter(), AuditFilter(contact="P3"), AuditFilter(contact="-")]
)
def test_the_script_accepts_a_bundle(
    log: Copy, signer: Ed25519Signer, tmp_path: Path, asked: AuditFilter
) -> None:
    bundle = tmp_path / "bundle.jsonl"
    bundle.write_text("".join(f"{line}\n" for line in bundle_of(log.archive, asked)), "utf-8")
    done = run(SCRIPT, str(bundle), signer.key.text)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ok: ")
    stranger = Ed25519Signer.generate(signer.key.name)
    refused = run(SCRIPT, str(bundle), stranger.key.text)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "not signed by this key" in refused.stderr


def test_the_script_accepts_the_proof_of_a_row(
    log: Copy, signer: Ed25519Signer, tmp_path: Path
) -> None:
    proof = tmp_path / "proof.json"
    found = prove_row(log.archive, 3, disclose=True)
    proof.write_text(json.dumps(found, ensure_ascii=False, indent=2), "utf-8")
    done = run(SCRIPT, str(proof), signer.key.text)
    assert (done.returncode, done.stderr) == (0, "")
    for before, after in (
        ('"leaf": ', '"leaf": 1'),
        ('"row_id": 3', '"row_id": 2'),
        ('"value": "x"', '"value": "y"'),
        ('"salt": "', '"salt": "00'),
    ):
        changed = json.dumps(found, indent=2).replace(before, after)
        assert changed != json.dumps(found, indent=2), before
        proof.write_text(changed, "utf-8")
        assert run(SCRIPT, str(proof), signer.key.text).returncode == 1, before
    proof.write_text(json.dumps(prove_row(log.archive, 3), indent=2), "utf-8")
    assert "hashes, but of no entry in here" in run(SCRIPT, str(proof), signer.key.text).stdout


def test_the_script_tells_a_wrong_call_from_a_broken_bundle(tmp_path: Path) -> None:
    assert run(SCRIPT).stderr.startswith("Check an audit bundle")
    missing = run(SCRIPT, str(tmp_path / "none.jsonl"), "key")
    assert missing.stderr.startswith("cannot be read: ")


@pytest.mark.parametrize("place", ['"leaf":1', '"leaves":1', '"leaves":2'])
@pytest.mark.parametrize("form", [".0", "true"])
def test_a_place_that_is_written_otherwise_is_found(
    small: Copy, signer: Ed25519Signer, script: ModuleType, place: str, form: str
) -> None:
    whole = "".join(f"{line}\n" for line in bundle_of(small.archive, AuditFilter(contact="P1")))
    assert f"{place}," in whole
    written = f"{place}.0" if form == ".0" else place[:-1] + form
    changed = whole.replace(f"{place},", f"{written},", 1).encode()
    lines = changed.splitlines(keepends=True)
    with pytest.raises(BundleBroken):
        check_bundle(lines, [signer.key], small.trust.verify)
    with pytest.raises(ValueError):
        script.check_bundle(io.BytesIO(changed), signer.key.text)


async def test_the_script_finds_every_flipped_bit(
    small: Copy, signer: Ed25519Signer, script: ModuleType, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.jsonl"
    lines = bundle_of(small.archive, AuditFilter(contact="P2"))
    whole = "".join(f"{line}\n" for line in lines).encode()
    bundle.write_bytes(whole)
    assert script.main(str(bundle), signer.key.text).startswith("1 of 6 entries")
    wrong = (InvalidSignature, KeyError, TypeError, ValueError, AttributeError)
    for number, changed in enumerate(flips(whole)):
        assert isinstance(changed, bytes)
        bundle.write_bytes(changed)
        try:
            script.main(str(bundle), signer.key.text)
        except wrong:
            continue
        pytest.fail(f"bit {number} was flipped unnoticed")
