"""Erasure is killed, and so was an export before it: what is erased in the end is gone for good."""

from pathlib import Path

from .deaths import as_toml
from .nursery import NURSERY, Life
from .rig import Rig, names, row

NOTES = "Zoë asked for a call at 0555-1234"


def files_with_notes(directory: Path) -> set[str]:
    files = (file for file in directory.rglob("*") if file.is_file())
    return {file.name for file in files if NOTES.encode() in file.read_bytes()}


async def test_what_was_half_erased_is_erased_by_the_next_try(rig: Rig) -> None:
    report = await rig.sync([row(name, notes=NOTES) for name in names(3)])
    (rig.directory / "aftercall.toml").write_text(as_toml(rig.config()))

    async def typed(*words: str, **task: object) -> Life:
        place = {"directory": str(rig.directory), "environment": dict(rig.environment)}
        return await NURSERY.live({"words": list(words), **place, **task})

    async def erased(person: str, **task: object) -> Life:
        words = ("audit", "erase", "--contact", person, "--reason", "asked", "--yes")
        return await typed(*words, **task)

    success = f"{report.run}-success.csv"
    assert (await typed("export", report.run)).code == 0
    half = await typed("export", report.run, "--results", "other", step="os.rename")
    assert half.place == "os.rename"
    assert {success, f"{success}.part"} <= files_with_notes(rig.directory)

    assert (await erased("p0")).code == 0
    assert files_with_notes(rig.directory) >= {success}
    assert not list(rig.directory.rglob("*.part"))
    assert (await erased("p1", step="os.rename")).place == "os.rename"
    assert success in files_with_notes(rig.directory)
    again = await erased("p1")
    assert (again.code, "1 result file written anew" in again.err) == (0, True)
    assert (await erased("p2")).code == 0
    assert files_with_notes(rig.directory) == set()
