"""Whatever is changed in a sealed trail is found, be it a single bit."""

import itertools
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from aftercall.adapters.signing import Ed25519Signer
from aftercall.domain import instant
from aftercall.domain.bundle import BundleBroken, check_bundle
from aftercall.domain.merkle import leaf_hash
from aftercall.domain.tiles import grown
from aftercall.engine.proving import bundle_of
from aftercall.ports import AuditFilter

from .rig import NAME, Copy, Desk, desk, flips, trust

COLUMNS = [
    *(("audit", column) for column in ("number", "at_ms", "run", "row", "campaign", "contact")),
    *(("audit_checkpoint", column) for column in ("number", "size", "at_ms", "note")),
    *(("audit_tile", column) for column in ("level", "place", "hashes")),
    *(("row", column) for column in ("salt", "notes", "custom_fields")),
]


def stored(copy: Copy, table: str, column: str, rowid: int) -> object:
    (found,) = copy.rows(f"SELECT {column} AS it FROM {table} WHERE rowid = ?", rowid)
    return found["it"]


@contextmanager
def harmed(copy: Copy, table: str, column: str, rowid: int) -> Iterator[Callable[[object], bool]]:
    """Give what stores another value, which is undone at the end.

    It returns False where SQLite refuses, because the number is taken.
    """
    text = isinstance(stored(copy, table, column, rowid), str)
    holder = "CAST(? AS TEXT)" if text else "?"

    def harm(value: object) -> bool:
        try:
            copy.do(f"UPDATE {table} SET {column} = {holder} WHERE rowid = ?", value, rowid)
        except sqlite3.IntegrityError:
            return False
        return True

    copy.do("SAVEPOINT harm")
    try:
        yield harm
    finally:
        copy.do("ROLLBACK TO harm")
        copy.do("RELEASE harm")


def harm_bits(copy: Copy, table: str, column: str, rowid: int) -> int:
    """Flip each bit of a stored value, one at a time; return how many were flipped."""
    value = stored(copy, table, column, rowid)
    tried = 0
    for changed in [] if value is None else flips(value):
        with harmed(copy, table, column, rowid) as harm:
            if harm(changed):
                tried += 1
                assert copy.misfit() is not None, (table, column, rowid, tried)
    return tried


def rowids(copy: Copy, table: str) -> list[int]:
    return [row[0] for row in copy.rows(f"SELECT rowid FROM {table} ORDER BY rowid")]


def test_an_unharmed_trail_fits(small: Copy) -> None:
    found = small.verified()
    assert (found.entries, found.checkpoints, found.signed) == (6, 5, 5)
    assert (found.opened, found.unsealed, found.erased) == (3, 0, 0)


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_every_flipped_bit_of_a_column_is_found(small: Copy, table: str, column: str) -> None:
    which = rowids(small, table)
    if table == "row":  # The salt of a row without personal data opens nothing.
        which = [row[0] for row in small.rows("SELECT rowid FROM row WHERE notes IS NOT NULL")]
    tried = sum(harm_bits(small, table, column, rowid) for rowid in which)
    assert tried
    assert small.misfit() is None


@pytest.mark.parametrize("number", range(1, 7))
def test_every_flipped_bit_of_an_entry_is_found(small: Copy, number: int) -> None:
    assert harm_bits(small, "audit", "entry", number) > 2000
    assert small.misfit() is None


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE audit SET entry = CAST(entry AS BLOB) WHERE number = 3",
        "UPDATE audit SET at_ms = at_ms + 0.5 WHERE number = 3",
        "UPDATE audit SET at_ms = 'x' WHERE number = 3",
        "UPDATE audit_tile SET hashes = hashes || '0'",
        "UPDATE audit_checkpoint SET note = CAST(note AS BLOB) WHERE number = 3",
        "UPDATE audit_checkpoint SET size = CAST(size AS BLOB) WHERE number = 5",
        "UPDATE audit_checkpoint SET at_ms = x'00' WHERE number = 3",
        "UPDATE row SET salt = 1.5 WHERE notes IS NOT NULL",
        "UPDATE row SET notes = CAST(notes AS BLOB)",
        "UPDATE row SET custom_fields = CAST('{' AS BLOB) WHERE custom_fields IS NOT NULL",
    ],
)
def test_a_value_of_another_type_is_found(small: Copy, harm: str) -> None:
    small.do(harm)  # SQLite stores what it is given, whatever the type of the column.
    assert small.misfit() is not None


def test_a_removed_entry_is_found(small: Copy) -> None:
    for number in rowids(small, "audit"):
        small.do("SAVEPOINT harm")
        small.do("DELETE FROM audit WHERE number = ?", number)
        assert f"Entry {number - 1} is missing" in str(small.misfit())
        small.do("ROLLBACK TO harm")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("entry = replace(entry, 'applied', 'missing')", "is not what was sealed"),
        ("entry = 'x'", "cannot be read"),
        ("run = 0", "is stored under another run_id than it says"),
    ],
)
def test_whose_entry_it_is_that_does_not_fit_is_told(small: Copy, change: str, what: str) -> None:
    small.do(f"UPDATE audit SET {change} WHERE number = 2")
    assert str(small.misfit()).startswith(f"Entry 1 (row 1, contact P1, campaign C1) {what}")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("notes = 'Called another back.'", "has committed to other notes or custom fields"),
        ("salt = NULL", "has lost its personal data, and no entry says that it was erased"),
    ],
)
def test_whose_personal_data_does_not_fit_is_told(small: Copy, change: str, what: str) -> None:
    small.do(f"UPDATE row SET {change} WHERE id = 1")
    assert str(small.misfit()).startswith(f"Entry 1 (row 1, contact P1, campaign C1) {what}")


def test_an_act_has_no_row_to_be_told(small: Copy) -> None:
    small.do("UPDATE audit SET entry = 'x' WHERE number = 1")
    assert small.misfit() == "Entry 0 cannot be read: it was changed."


def test_a_removed_checkpoint_or_tile_is_found(small: Copy) -> None:
    for table in ("audit_checkpoint", "audit_tile"):
        for rowid in rowids(small, table):
            small.do("SAVEPOINT harm")
            small.do(f"DELETE FROM {table} WHERE rowid = ?", rowid)
            assert small.misfit() is not None
            small.do("ROLLBACK TO harm")


def test_an_entry_that_was_put_in_is_found(small: Copy) -> None:
    for number in rowids(small, "audit")[:-1]:
        small.do("SAVEPOINT harm")
        small.do("UPDATE audit SET number = -number WHERE number >= ?", number)
        small.do("UPDATE audit SET number = 1 - number WHERE number < 0")
        small.do(
            "INSERT INTO audit SELECT ?, at_ms, run, row, campaign, contact, entry"
            " FROM audit WHERE number = ?",
            number,
            number + 1,
        )
        assert "is not what was sealed" in str(small.misfit())
        small.do("ROLLBACK TO harm")


def test_an_entry_that_was_put_in_at_the_end_is_not_sealed(small: Copy) -> None:
    small.do(
        "INSERT INTO audit SELECT 7, at_ms, run, row, campaign, contact, entry"
        " FROM audit WHERE number = 6"
    )
    assert small.verified().unsealed == 1
    small.do("UPDATE audit SET number = 8 WHERE number = 7")
    assert small.misfit() is not None


def test_entries_that_change_places_are_found(small: Copy) -> None:
    numbers = rowids(small, "audit")
    for one, other in itertools.combinations(numbers, 2):
        small.do("SAVEPOINT harm")
        small.do("UPDATE audit SET number = -1 WHERE number = ?", one)
        small.do("UPDATE audit SET number = ? WHERE number = ?", one, other)
        small.do("UPDATE audit SET number = ? WHERE number = -1", other)
        assert small.misfit() is not None
        small.do("ROLLBACK TO harm")


def test_an_entry_whose_time_was_changed_everywhere_is_found(small: Copy) -> None:
    for row in small.rows("SELECT number, at_ms, entry FROM audit"):
        small.do("SAVEPOINT harm")
        earlier = row["at_ms"] - 86_400_000
        entry = row["entry"].replace(instant.text(row["at_ms"]), instant.text(earlier))
        assert entry != row["entry"]
        small.do(
            "UPDATE audit SET at_ms = ?, entry = ? WHERE number = ?",
            earlier,
            entry,
            row["number"],
        )
        assert small.misfit() is not None
        small.do("ROLLBACK TO harm")


def test_an_entry_that_was_changed_with_all_of_the_tree_is_found(small: Copy) -> None:
    """Whoever can write to the journal can plant the tree anew, but sign nothing."""
    for number in rowids(small, "audit"):
        small.do("SAVEPOINT harm")
        small.do(
            "UPDATE audit SET entry = replace(entry, '\"schema\":1', '\"schema\":2')"
            " WHERE number = ?",
            number,
        )
        texts = [row[0] for row in small.rows("SELECT entry FROM audit ORDER BY number")]
        hashes = [leaf_hash(text.encode()) for text in texts]
        for (level, place), tile in grown(0, hashes, lambda *_: b"").items():
            small.do(
                "UPDATE audit_tile SET hashes = ? WHERE level = ? AND place = ?", tile, level, place
            )
        assert "have another root" in str(small.misfit())
        small.do("ROLLBACK TO harm")


def test_personal_data_that_is_gone_without_an_erasure_is_found(small: Copy) -> None:
    small.do("UPDATE row SET salt = NULL, notes = NULL, custom_fields = NULL WHERE contact = 'P1'")
    assert "no entry says that it was erased" in str(small.misfit())


async def test_an_entry_that_was_back_dated_before_it_was_sealed_is_found(
    bench: Desk, signer: Ed25519Signer
) -> None:
    await bench.small()
    bench.clock.now_ms -= 3_600_000
    await bench.settle("P9")
    bench.clock.now_ms += 3_605_000
    assert "its time was changed" in str(Copy(bench.path, trust(signer.key)).misfit())
    await bench.sealer.seal()
    assert "its time was changed" in str(Copy(bench.path, trust(signer.key)).misfit())


async def test_an_entry_that_was_dated_into_the_future_before_it_was_sealed_is_found(
    bench: Desk, signer: Ed25519Signer
) -> None:
    await bench.settle("P9")
    then = bench.clock.now_ms + 3_600_000
    with closing(sqlite3.connect(bench.path)) as db, db:
        db.execute(
            "UPDATE audit SET at_ms = ?, entry = json_set(entry, '$.timestamp', ?)",
            (then, instant.text(then)),
        )
    await bench.sealer.seal()
    assert "was sealed at" in str(Copy(bench.path, trust(signer.key)).misfit())


async def rewritten(bench: Desk, small: Copy, signer: Ed25519Signer | None) -> Copy:
    """Return a trail that was changed and then sealed anew from its beginning."""
    forged = Copy(bench.path, small.trust)
    forged.do("DELETE FROM audit WHERE number = 6")
    forged.do("DELETE FROM audit WHERE number = 1")
    forged.do("UPDATE audit SET number = number - 1")
    forged.do("DELETE FROM audit_tile")
    forged.do("DELETE FROM audit_checkpoint")
    path = bench.path.with_name("forged.db")
    forged.do("VACUUM INTO ?", str(path))
    with desk(path, signer) as fresh:
        fresh.clock.now_ms = bench.clock.now_ms
        await fresh.sealer.seal()
    return Copy(path, small.trust)


@pytest.mark.parametrize("signed", [False, True])
async def test_a_trail_that_was_written_anew_is_found_by_its_key(
    bench: Desk, small: Copy, *, signed: bool
) -> None:
    stranger = Ed25519Signer.generate(NAME) if signed else None
    forged = await rewritten(bench, small, stranger)
    assert forged.misfit() is not None


async def test_whoever_has_the_key_can_write_anew_but_a_kept_checkpoint_finds_it(
    bench: Desk, small: Copy, signer: Ed25519Signer
) -> None:
    checkpoints = [one.note for one in small.archive.checkpoints()]
    forged = await rewritten(bench, small, signer)
    assert forged.misfit() is None  # This is what a signature alone cannot show.
    for number, kept in enumerate(checkpoints):
        forged.trust = trust(signer.key, pinned=[kept])
        assert forged.misfit() is not None, number
        small.trust = trust(signer.key, pinned=[kept])
        assert small.verified().pinned == 1


def test_an_end_that_was_cut_off_is_found_by_a_kept_checkpoint(
    small: Copy, signer: Ed25519Signer
) -> None:
    *_, before, newest = small.archive.checkpoints()
    small.do("DELETE FROM audit WHERE number > ?", before.size)
    small.do("DELETE FROM audit_checkpoint WHERE number = ?", newest.number)
    small.do("UPDATE audit_tile SET hashes = substr(hashes, 1, ?)", before.size * 32)
    assert small.misfit() is None
    small.trust = trust(signer.key, pinned=[newest.note])
    assert "its end was cut off" in str(small.misfit())


@pytest.mark.parametrize("contact", [None, "P1", "P3", "nobody"])
def test_every_flipped_bit_of_a_bundle_is_found(
    small: Copy, signer: Ed25519Signer, contact: str | None
) -> None:
    lines = list(bundle_of(small.archive, AuditFilter(contact=contact)))
    whole = "".join(f"{line}\n" for line in lines).encode()

    def check(raw: bytes) -> None:
        check_bundle(raw.splitlines(keepends=True), [signer.key], small.trust.verify)

    check(whole)
    for number, changed in enumerate(flips(whole)):
        assert isinstance(changed, bytes)
        try:
            check(changed)
        except BundleBroken:
            continue
        pytest.fail(f"bit {number} was flipped unnoticed")


def test_a_bundle_with_a_line_too_few_too_many_or_out_of_place_is_found(
    small: Copy, signer: Ed25519Signer
) -> None:
    lines = [f"{line}\n".encode() for line in bundle_of(small.archive, AuditFilter())]
    broken = [lines[:at] + lines[at + 1 :] for at in range(len(lines))]
    broken += [lines[: at + 1] + lines[at:] for at in range(len(lines))]
    for one, other in itertools.combinations(range(len(lines)), 2):
        swapped = list(lines)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        broken.append(swapped)
    for changed in broken:
        with pytest.raises(BundleBroken):
            check_bundle(changed, [signer.key], small.trust.verify)


async def test_samples_of_a_large_trail(bench: Desk, small: Copy, signer: Ed25519Signer) -> None:
    copy = await large(bench, small, signer)
    assert copy.verified().entries > 3000
    chance = random.Random(6962)
    columns = [one for one in COLUMNS if one[0] != "row"] + [("audit", "entry")] * 8
    found = 0
    while found < 40:
        table, column = chance.choice(columns)
        rowid = chance.choice(rowids(copy, table))
        changed = chance.choice(list(flips(stored(copy, table, column, rowid))) or [None])
        with harmed(copy, table, column, rowid) as harm:
            if changed is not None and harm(changed):
                assert copy.misfit() is not None, (table, column, rowid)
                found += 1


async def large(bench: Desk, small: Copy, signer: Ed25519Signer) -> Copy:
    """Return a trail of thousands of entries, sealed in some twenty groups."""
    path = bench.path.with_name("large.db")
    small.do("VACUUM INTO ?", str(path))
    (entry,) = small.rows("SELECT * FROM audit WHERE number = 3")
    with desk(path, signer) as fresh:
        fresh.clock.now_ms = bench.clock.now_ms
        for start in range(7, 3200, 160):
            with closing(sqlite3.connect(path)) as db, db:
                db.executemany(
                    "INSERT INTO audit (at_ms, run, row, campaign, contact, entry)"
                    " VALUES (:at_ms, :run, :row, :campaign, :contact, :entry)",
                    [variant(dict(entry), start + at, fresh.clock.now_ms) for at in range(160)],
                )
            await fresh.sealer.seal()
    return Copy(path, trust(signer.key))


def variant(entry: dict[str, Any], row: int, at_ms: int) -> dict[str, Any]:
    """Return another entry like this one, as its columns."""
    said = json.loads(entry["entry"])
    said |= {"row_id": row, "contact_id": f"Q{row}", "timestamp": instant.text(at_ms)}
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return entry | {"row": row, "contact": f"Q{row}", "at_ms": at_ms, "entry": text}
