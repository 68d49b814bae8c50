import base64

import pytest

from aftercall.adapters.signing import Ed25519Signer, verify
from aftercall.domain.note import Checkpoint, Note, Signature, VerifierKey

from .make import NOON_MS

# The example of the documentation of golang.org/x/mod/sumdb/note.
THEIR_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
THEIR_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann"
    " x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6K"
    "E6RyyBwJnAM=\n"
)


def signed(text: str = "text\n", name: str = "log.example") -> tuple[Note, VerifierKey]:
    signer = Ed25519Signer.generate(name)
    made = Signature(name, signer.key.key_id, signer.sign(text.encode()))
    return Note(text, (made,)), signer.key


def test_a_note_of_another_implementation_is_read_and_checked() -> None:
    key = VerifierKey.parse(THEIR_KEY)
    note = Note.parse(THEIR_NOTE)
    assert note.signers([key], verify) == [key]
    assert (str(note), key.text) == (THEIR_NOTE, THEIR_KEY)


def test_a_note_says_who_has_signed_it() -> None:
    note, key = signed()
    other = VerifierKey("another", bytes(32))
    assert Note.parse(str(note)).signers([other, key], verify) == [key]
    assert Note("text\n").signers([key], verify) == []


def test_a_signature_that_is_wrong_or_unknown_is_told() -> None:
    note, key = signed()
    with pytest.raises(ValueError, match="is wrong"):
        Note("other\n", note.signatures).signers([key], verify)
    with pytest.raises(ValueError, match="not a known key"):
        note.signers([], verify)
    with pytest.raises(ValueError, match="not a known key"):
        note.signers([signed()[1]], verify)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "text",
        "text\n\n",
        "text\n\n— name\n",
        "text\n\n— name YQ==\n",
        "text\n\n- name " + base64.b64encode(bytes(68)).decode() + "\n",
        "text\n\n— name " + base64.b64encode(bytes(68)).decode(),
        "text\n\n— na+me " + base64.b64encode(bytes(68)).decode() + "\n",
        "text\n\n— name " + base64.b64encode(bytes(69)).decode() + "\n",
        "text\n\n— name " + base64.b64encode(bytes(68)).decode()[:-2] + "B=\n",
    ],
)
def test_what_is_not_written_like_a_note_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Note.parse(written)


def test_a_note_without_signatures_is_its_text() -> None:
    assert Note.parse("one\ntwo\n") == Note("one\ntwo\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        THEIR_KEY[:-1],
        THEIR_KEY.replace("c74f", "c74e"),
        THEIR_KEY.replace("Peter", "Paul"),
        THEIR_KEY.replace("c74f20a3", "C74F20A3"),
        f"{THEIR_KEY} ",
        "a b+00000000+AQ==",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        VerifierKey.parse(text)


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    made = Checkpoint("log.example", 7, bytes(range(32)), NOON_MS + 5)
    assert made.text == (
        "log.example\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
        "time 2026-11-23T12:00:00.005Z\n"
    )
    assert Checkpoint.parse(made.text) == made


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("log.example", "log example"),
        ("\n7\n", "\n07\n"),
        ("\n7\n", "\n-7\n"),
        ("Hh8=", "Hh9="),
        ("Hh8=\n", "\n"),
        ("time ", "when "),
        ("12:00:00.005Z", "25:00:00.005Z"),
        ("12:00:00.005Z", "12:00:00.005z"),
        (".005Z\n", ".005Z"),
        (".005Z\n", ".005Z\nmore\n"),
    ],
)
def test_what_is_not_written_like_a_checkpoint_is_refused(old: str, new: str) -> None:
    text = Checkpoint("log.example", 7, bytes(range(32)), NOON_MS + 5).text
    assert old in text
    with pytest.raises(ValueError, match=r"."):
        Checkpoint.parse(text.replace(old, new))
