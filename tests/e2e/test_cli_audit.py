"""The commands about the audit trail, as they are typed."""

import json
import os
import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest

from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.errors import AftercallError
from aftercall.interfaces.cli.audit import replaced

from .rig import HEADER, Desk

PRIVATE = "Zoë said call 0555-1234"
ROWS = (
    HEADER
    + "".join(f"C1,p{n},INTERESTED,A1,{PRIVATE} {n},2026-01-02T03:04:05Z\n" for n in range(4))
    + "C2,p0,INTERESTED,A1,,2026-01-02T03:04:05Z\n"
    + "C1,p9,NONSENSE,A1,,2026-01-02T03:04:05Z\n"
)


@pytest.fixture
def signed(office: Desk) -> Desk:
    """A directory with a key and a run."""
    office.run("audit", "keygen")
    office.write("calls.csv", ROWS)
    office.run("sync", "calls.csv")
    return office


def key_of(desk: Desk) -> str:
    return desk.run("audit", "key").stdout.strip()


def files_with(directory: Path, words: bytes) -> set[str]:
    """Return the files of ours that hold some bytes."""
    found = (file for file in directory.rglob("*") if file.is_file() and file.name != "calls.csv")
    return {file.name for file in found if words in file.read_bytes()}


def test_a_key_is_made_once_for_its_owner_alone(office: Desk) -> None:
    made = office.run("audit", "keygen", "--name", "log.example/one")
    assert made.stderr.endswith("next: aftercall check\n")
    assert made.returncode == 0
    assert made.stdout.startswith("log.example/one+")
    path = office.path / "aftercall-audit.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert key_of(office) == made.stdout.strip()
    kept = path.read_bytes()
    again = office.run("audit", "keygen")
    assert again.returncode == 1
    assert "never overwritten" in again.stderr
    assert path.read_bytes() == kept
    private = kept.decode().strip().rpartition("+")[2]
    assert private not in made.stdout + made.stderr + again.stderr


def test_an_export_is_not_written_through_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious", encoding="utf-8")
    (tmp_path / f".bundle.{os.getpid()}.part").symlink_to(elsewhere)
    with (
        pytest.raises(AftercallError, match="cannot be written"),
        replaced(tmp_path / "bundle") as file,
    ):
        file.write(b"entries")
    assert elsewhere.read_text(encoding="utf-8") == "precious"


def test_a_key_is_not_written_through_a_link(office: Desk) -> None:
    elsewhere = office.path / "elsewhere"
    (office.path / "aftercall-audit.key").symlink_to(elsewhere)
    assert office.run("audit", "keygen").returncode == 1
    assert not elsewhere.exists()


@pytest.mark.parametrize("harm", ["readable", "garbage", "link"])
def test_a_key_that_cannot_be_trusted_stops_a_run_before_it_begins(office: Desk, harm: str) -> None:
    office.run("audit", "keygen")
    path = office.path / "aftercall-audit.key"
    if harm == "readable":
        path.chmod(0o640)
    elif harm == "garbage":
        path.write_bytes(path.read_bytes().swapcase())
    else:
        path.rename(office.path / "moved")
        path.symlink_to("moved")
    office.write("calls.csv", ROWS)
    done = office.run("sync", "calls.csv")
    assert done.returncode == 78
    assert "audit key" in done.stderr
    assert not (office.path / "aftercall.db").exists()


def test_a_run_is_sealed_and_can_be_verified(signed: Desk) -> None:
    done = signed.run("audit", "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert "7 entries, each as it was sealed" in done.stdout
    assert key_of(signed) in done.stdout
    found = signed.json("audit", "verify")
    assert (found["ok"], found["entries"], found["opened"], found["unsealed"]) == (True, 7, 4, 0)
    assert found["keys"] == [key_of(signed)]


def test_without_a_key_it_says_so_and_what_to_do(office: Desk) -> None:
    office.write("calls.csv", ROWS)
    office.run("sync", "calls.csv")
    done = office.run("audit", "verify")
    assert done.returncode == 0
    assert "not signed" in done.stderr
    assert "audit keygen" in done.stderr
    assert "0 of them signed" in done.stdout
    assert "not signed" in office.run("audit", "checkpoint").stderr
    made = office.run("audit", "keygen")
    assert office.run("audit", "verify", "--key", made.stdout.strip()).returncode == 0
    assert office.json("audit", "verify")["signed"] == 1


def test_check_tells_whether_the_trail_is_signed(office: Desk) -> None:
    told = office.run("check").stdout
    assert "not signed" in told
    assert "audit keygen" in told
    office.run("audit", "keygen", "--name", "log.example/one")
    assert "signed as log.example/one" in office.run("check").stdout
    (office.path / "aftercall-audit.key").chmod(0o644)
    done = office.run("check")
    assert done.returncode == 78
    assert "chmod 600" in done.stdout


def test_a_change_is_found_and_told(signed: Desk) -> None:
    with closing(sqlite3.connect(signed.path / "aftercall.db")) as db, db:
        db.execute("UPDATE audit SET entry = replace(entry, 'applied', 'missing') WHERE row = 2")
    done = signed.run("audit", "verify")
    assert (done.returncode, done.stdout) == (1, "")
    assert "(row 2, contact p1, campaign C1) is not what was sealed" in done.stderr
    assert "fix: " in done.stderr
    found = signed.run("audit", "verify", "--json")
    assert found.returncode == 1
    assert json.loads(found.stdout)["ok"] is False
    for words in (("export", "--format", "bundle", "--out", "b.jsonl"), ("prove", "2")):
        refused = signed.run("audit", *words)
        assert refused.returncode == 1
        assert "is not what was sealed" in refused.stderr
    assert not (signed.path / "b.jsonl").exists()


def test_a_kept_checkpoint_shows_that_the_end_was_cut_off(signed: Desk) -> None:
    (signed.path / "old.db").write_bytes((signed.path / "aftercall.db").read_bytes())
    signed.write("more.csv", HEADER + "C1,p7,INTERESTED,A1,,2026-01-02T03:04:05Z\n")
    signed.run("sync", "more.csv")
    signed.write("kept", signed.run("audit", "checkpoint").stdout)
    assert signed.run("audit", "verify", "--checkpoint", "kept").returncode == 0
    (signed.path / "old.db").rename(signed.path / "aftercall.db")
    assert signed.run("audit", "verify").returncode == 0
    done = signed.run("audit", "verify", "--checkpoint", "kept")
    assert done.returncode == 1
    assert "its end was cut off" in done.stderr


def test_a_trail_that_was_emptied_is_found_with_the_key(signed: Desk) -> None:
    with closing(sqlite3.connect(signed.path / "aftercall.db")) as db, db:
        db.executescript("DELETE FROM audit; DELETE FROM audit_tile; DELETE FROM audit_checkpoint;")
    done = signed.run("audit", "verify", "--key", key_of(signed))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Nothing in it is signed, not by the key that was given either." in done.stderr


def test_two_checkpoints_are_proved_to_be_of_one_log(signed: Desk) -> None:
    signed.write("old", signed.run("audit", "checkpoint").stdout)
    signed.run("audit", "hold", "add", "--contact", "p1", "--reason", "case 7")
    signed.write("new", signed.run("audit", "checkpoint").stdout)
    done = signed.run("audit", "consistency", "old", "new")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["consistent"] is True
    text = (signed.path / "old").read_text("utf-8")
    signed.write("forged", text.replace("\n7\n", "\n6\n"))
    refused = signed.run("audit", "consistency", "forged", "new")
    assert refused.returncode == 1
    assert "cannot be trusted" in refused.stderr
    everything = signed.run("audit", "checkpoint", "--all").stdout
    assert text in everything


def test_a_row_is_proved_in_less_than_two_kibibytes(signed: Desk) -> None:
    done = signed.run("audit", "prove", "1")
    assert done.returncode == 0
    assert len(done.stdout.encode()) < 2048
    assert PRIVATE not in done.stdout
    disclosed = json.loads(signed.run("audit", "prove", "1", "--disclose").stdout)
    (proof,) = disclosed["proofs"]
    assert proof["openings"]["notes"]["value"] == f"{PRIVATE} 0"
    unknown = signed.run("audit", "prove", "99")
    assert unknown.returncode == 1
    assert "no audit entry about row 99" in unknown.stderr


def test_a_bundle_is_checked_with_the_public_key_alone(signed: Desk, tmp_path: Path) -> None:
    key = key_of(signed)
    done = signed.run(
        "audit", "export", "--format", "bundle", "--contact", "p1", "--out", "b.jsonl"
    )
    assert done.returncode == 0
    assert done.stderr == "b.jsonl: 1 of the log's 7 sealed entries, and what proves them\n"
    bundle = tmp_path / "elsewhere.jsonl"
    bundle.write_bytes((signed.path / "b.jsonl").read_bytes())
    bare = Desk(tmp_path / "bare")
    bare.path.mkdir()
    checked = bare.run("audit", "verify-bundle", str(bundle), "--key", key)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "1 of the log's 7 entries" in checked.stdout
    raw = bundle.read_bytes()
    bundle.write_bytes(raw.replace(b"applied", b"unapply"))
    refused = bare.run("audit", "verify-bundle", str(bundle), "--key", key)
    assert refused.returncode == 1
    assert "does not hold" in refused.stderr
    assert bare.run("audit", "verify-bundle", str(bundle)).returncode == 2
    assert bare.run("audit", "verify-bundle", str(bundle), "--key", "nonsense").returncode == 78
    whole = signed.run("audit", "export", "--format", "bundle").stdout
    bundle.write_text(whole, "utf-8")
    checked = bare.run("audit", "verify-bundle", str(bundle), "--key", key)
    assert "nothing is left out" in checked.stdout


def test_erasing_a_person_leaves_no_byte_and_every_proof(signed: Desk) -> None:
    words = PRIVATE.encode()
    assert len(files_with(signed.path, words)) == 2  # the journal and the success file
    bundle = signed.run("audit", "export", "--format", "bundle").stdout
    shown = signed.run("audit", "erase", "--contact", "p1", "--reason", "ticket 12", "--dry-run")
    assert shown.returncode == 0
    assert "calls.csv, line 3" in shown.stderr
    assert "Nothing was changed" in shown.stderr
    unsure = signed.run("audit", "erase", "--contact", "p1", "--reason", "ticket 12")
    assert unsure.returncode == 1
    assert "--yes" in unsure.stderr
    assert len(files_with(signed.path, words + b" 1")) == 2
    for number in range(4):
        done = signed.run(
            "audit", "erase", "--contact", f"p{number}", "--reason", "ticket 12", "--yes"
        )
        assert done.returncode == 0, done.stderr
    assert files_with(signed.path, words) == set()
    assert files_with(signed.path, b"Zo\\u00eb") == set()
    found = signed.json("audit", "verify")
    assert (found["ok"], found["erased"], found["opened"]) == (True, 4, 0)
    signed.write("before.jsonl", bundle)
    checked = signed.run("audit", "verify-bundle", "before.jsonl", "--key", key_of(signed))
    assert checked.returncode == 0
    entries = json.loads(signed.run("audit", "export").stdout)
    erased = [entry for entry in entries if entry["kind"] == "erased"]
    assert [entry["contact_id"] for entry in erased] == ["p0", "p1", "p2", "p3"]
    assert {entry["message"] for entry in erased} == {"ticket 12"}
    nobody = signed.run("audit", "erase", "--contact", "px", "--reason", "x", "--yes")
    assert nobody.returncode == 1
    assert "no row of contact px" in nobody.stderr


def test_what_an_erasure_that_was_broken_off_has_left_goes_with_the_next_one(signed: Desk) -> None:
    erase = ("audit", "erase", "--contact", "p1", "--reason", "ticket 12", "--yes")
    (file,) = signed.path.glob("*-success.csv")
    part = file.with_name(f"{file.name}.part")
    part.mkdir()
    done = signed.run(*erase)
    assert done.returncode == 1
    assert "make it writable and erase again" in done.stderr
    part.rmdir()
    stray = file.with_name(file.name.replace("success", "unprocessed") + ".part")
    stray.write_bytes(file.read_bytes())  # As left by a process that was killed as it wrote it.
    assert files_with(signed.path, f"{PRIVATE} 1".encode()) == {file.name, stray.name}
    again = signed.run(*erase)
    assert again.returncode == 0
    assert "personal data in 0 rows and 0 CRM events" in again.stderr
    assert "2 result files written anew" in again.stderr
    assert files_with(signed.path, f"{PRIVATE} 1".encode()) == set()


def test_what_a_journal_held_before_is_erased_too(office: Desk) -> None:
    folder = resources.files("aftercall.adapters.journal") / "sql" / "sqlite" / "migrations"
    old = (folder / "0001_start.sql").read_text("utf-8")
    path = office.path / "aftercall.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA secure_delete = OFF")  # Some builds have it on by themselves.
        db.executescript(f"{old}\nPRAGMA journal_mode = WAL; PRAGMA user_version = 1;")
        db.execute("INSERT INTO run (id, started_ms, on_conflict) VALUES ('r', 0, 'newest')")
        db.execute(
            "INSERT INTO source (run, name, options, columns) VALUES (1, 'a.csv', '{}', '[]')"
        )
        for number in range(200):
            db.execute(
                "INSERT INTO row (run, source, line, cells, campaign, contact, outcome, agent,"
                " notes, status, lane) VALUES (1, 1, ?, ?, 'C1', 'p1', 'X', 'A', ?, 'applied', 1)",
                (number, json.dumps([f"{PRIVATE} {number}"]), f"{PRIVATE} {number}" * 400),
            )
        db.execute("UPDATE row SET notes = 'short' WHERE id % 2")
        db.execute("DELETE FROM row WHERE id % 5 = 0")
        db.commit()
    assert PRIVATE.encode() in path.read_bytes()
    done = office.run("audit", "erase", "--contact", "p1", "--reason", "ticket 12", "--yes")
    assert done.returncode == 0, done.stderr
    assert files_with(office.path, PRIVATE.encode()) == set()
    assert files_with(office.path, PRIVATE[5:].encode()) == set()


def test_erasing_finds_rows_that_were_too_broken_to_name_the_person(signed: Desk) -> None:
    signed.write("broken.csv", f"{HEADER}C1,p1,INTERESTED,A1,{PRIVATE},2026-01-02T03:04:05Z,x,y\n")
    assert signed.run("sync", "broken.csv").returncode == 4
    assert len(files_with(signed.path, PRIVATE.encode())) > 1
    (signed.path / "broken.csv").unlink()
    words = ("audit", "erase", "--contact", "p1", "--reason", "ticket 12")
    dry = signed.run(*words, "--dry-run").stderr
    assert "personal data in 2 rows" in dry
    assert "1 of these rows is invalid, without a contact, and only quoted the id" in dry
    assert "  broken.csv, line 2\n" in dry
    signed.run(*words, "--yes")
    left = (signed.path / name for name in files_with(signed.path, PRIVATE.encode()))
    assert not [
        file for file in left if f",p1,INTERESTED,A1,{PRIVATE}".encode() in file.read_bytes()
    ]
    assert signed.run("audit", "verify").returncode == 0


def test_holds_are_listed_and_stop_an_erasure(signed: Desk) -> None:
    placed = signed.run("audit", "hold", "add", "--contact", "p1", "--reason", "case 7")
    number = placed.stdout.strip()
    (hold,) = signed.json("audit", "hold", "list")["holds"]
    assert (str(hold["hold"]), hold["contact"], hold["reason"]) == (number, "p1", "case 7")
    assert "case 7" in signed.run("audit", "hold", "list").stdout
    words = ("audit", "erase", "--contact", "p1", "--reason", "x")
    assert f"Hold {number} covers it" in signed.run(*words, "--dry-run").stderr
    refused = signed.run(*words)
    assert refused.returncode == 1
    assert (
        f"error: Hold {number} covers contact p1: it may not be erased (case 7)." in refused.stderr
    )
    assert PRIVATE.encode() in (signed.path / "aftercall.db").read_bytes()
    released = signed.run("audit", "hold", "release", number, "--reason", "settled")
    assert released.returncode == 0
    assert signed.json("audit", "hold", "list")["holds"] == []
    assert signed.run("audit", "hold", "release", number, "--reason", "x").returncode == 1
    assert signed.run("audit", "hold", "add", "--reason", "x").returncode == 2
    assert signed.run("audit", "erase", "--contact", "p1", "--reason", "x", "--yes").returncode == 0
    assert signed.run("audit", "verify").returncode == 0


def test_old_entries_expire_and_the_trail_still_fits(signed: Desk) -> None:
    assert signed.run("audit", "expire").stderr.startswith("0 entries older than 1,856 days")
    aged(signed.path / "aftercall.db")
    # Entries that were made two days ago do not fit the checkpoints of today; expiry takes both.
    bundle = signed.run("audit", "export", "--format", "bundle")
    assert bundle.returncode == 0
    signed.environment["AFTERCALL__AUDIT__RETAIN_DAYS"] = "1"
    dry = signed.run("audit", "expire", "--dry-run")
    assert dry.stderr == "6 entries older than 1 day would be taken out.\n"
    done = signed.run("audit", "expire")
    assert done.stderr == "6 entries older than 1 day taken out.\n"
    assert PRIVATE.encode() not in (signed.path / "aftercall.db").read_bytes()
    found = signed.json("audit", "verify")
    assert found["ok"], found
    assert (found["expired"], found["entries"]) == (6, 2)
    assert "6 more expired" in signed.run("audit", "verify").stdout
    whole = signed.run("audit", "export", "--format", "bundle").stdout
    signed.write("after.jsonl", whole)
    checked = signed.run("audit", "verify-bundle", "after.jsonl", "--key", key_of(signed))
    assert "2 of the log's 8 entries" in checked.stdout
    with closing(sqlite3.connect(signed.path / "aftercall.db")) as db, db:
        db.execute("DELETE FROM audit WHERE number = (SELECT min(number) FROM audit)")
    gone = signed.run("audit", "verify")
    assert gone.returncode == 1
    assert "no entry says that it expired" in gone.stderr


def aged(path: Path) -> None:
    """Let the columns say that the entries about rows are two days old."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE audit SET at_ms = at_ms - 172800000 WHERE run <> 0")


def test_a_key_is_replaced_and_both_lead_to_each_other(signed: Desk) -> None:
    old = key_of(signed)
    done = signed.run("audit", "keygen", "--rotate")
    assert done.returncode == 0
    new = key_of(signed)
    assert done.stdout.strip() == new != old
    assert not (signed.path / "aftercall-audit.key.new").exists()
    signed.run("audit", "export", "--format", "bundle", "--out", "b.jsonl")
    for key in (old, new):
        assert signed.run("audit", "verify", "--key", key).returncode == 0
        checked = signed.run("audit", "verify-bundle", "b.jsonl", "--key", key)
        assert checked.returncode == 0
        other = "+".join(({old, new} - {key}).pop().split("+")[:2])
        assert f"{other} has signed, too, as it says; not checked: give its --key" in checked.stdout
        both = signed.run("audit", "verify-bundle", "b.jsonl", "--key", old, "--key", new)
        assert (both.returncode, "not checked" in both.stdout) == (0, False)
    signed.write("more.csv", HEADER + "C1,p7,INTERESTED,A1,,2026-01-02T03:04:05Z\n")
    assert signed.run("sync", "more.csv").returncode == 0
    found = signed.json("audit", "verify")
    assert found["keys"] == [old, new]


def test_a_replacement_that_was_broken_off_is_finished(signed: Desk) -> None:
    path = signed.path / "aftercall-audit.key"
    before = path.read_bytes()
    signed.run("audit", "keygen", "--rotate")
    new = key_of(signed)
    path.rename(path.with_name("aftercall-audit.key.new"))
    path.touch(0o600)
    path.write_bytes(before)  # The process ended before the new key took the old one's place.
    stopped = signed.run("sync", "calls.csv")
    assert stopped.returncode == 78
    assert "--rotate" in stopped.stderr
    assert signed.run("audit", "keygen", "--rotate").returncode == 0
    assert key_of(signed) == new
    path.with_name("aftercall-audit.key.new").touch(0o600)  # As if the disk had been full.
    assert signed.run("audit", "keygen", "--rotate").returncode == 0
    assert key_of(signed) != new
    assert signed.run("audit", "verify").returncode == 0


def test_what_a_dead_process_left_is_sealed(signed: Desk) -> None:
    with closing(sqlite3.connect(signed.path / "aftercall.db")) as db, db:
        db.execute("DELETE FROM audit_tile")
        db.execute("DELETE FROM audit_checkpoint")
    done = signed.run("audit", "verify")
    assert "7 entries not sealed yet" in done.stderr
    assert "7 entries sealed" in signed.run("audit", "seal").stderr
    assert signed.json("audit", "verify")["unsealed"] == 0


def test_a_trail_is_verified_while_somebody_else_has_it_open(signed: Desk) -> None:
    journal = SqliteJournal(signed.path / "aftercall.db")
    try:
        assert signed.run("audit", "verify").returncode == 0
        assert signed.run("audit", "hold", "list").returncode == 0
        busy = signed.run("audit", "erase", "--contact", "p1", "--reason", "x", "--yes")
        assert busy.returncode == 75
    finally:
        journal.close()
