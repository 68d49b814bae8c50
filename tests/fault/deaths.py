"""Many deaths of real processes: `python -m tests.fault.deaths SEED --deaths N --processes P`.

A world is a file of rows, a tenant, a CRM and a journal. Process after process works on it and
dies: at a random named point, at a random SQL statement or change of a file, or at a random
instant. What they do is all that changes something: sync and resume, seal, erase, expire, export,
and bring the journal to a later schema. Then all is brought to its end, and ledger, journal,
outbox and audit trail must be those of an undisturbed run.
"""

# ruff: noqa: T201 - it is a command
import argparse
import asyncio
import json
import multiprocessing
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aftercall.adapters.journal.sqlite.connection import backups_of
from aftercall.adapters.journal.sqlite.journal import open_audit
from aftercall.domain.report import Report
from aftercall.engine.verifying import verify_log
from aftercall.simulator import Faults, World
from aftercall.wiring import trust_of
from tests.surfaces.rig import SurfaceRig, on_surface

from .books import assert_books_balance, outcomes_held, rows_by_status
from .crash_driver import ANY
from .nursery import NURSERY, Life, later_schemas
from .processes import write_calls
from .rig import HALF, SEED, Rig, rigged

DEATHS = 40
"""In one world, before the work is brought to its end."""

ROWS = 200
CAMPAIGNS = 5
POINTS_PER_LIFE = 300
"""The most; half of the lives end within the first 17. A row with which a hundred processes died is
given up, so some must get on."""

LOST = {"reset_before": 0.02, "reset_after": 0.02, "error_after_commit": 0.02, "conflict": 0.02}
CRM_LOST = {"crm_error": 0.02, "crm_reset_after": 0.02}
TABLES = {"retry": {"attempts_max": 50}, "limits": {"batch": 8}}
"""The deaths are many and the losses come on top: no row is to use its attempts up."""

KINDS = ("work",) * 10 + ("step",) * 3 + ("instant",) * 3 + ("seal", "erase", "export", "trail",
                                                           "migrate")  # fmt: skip
STEPS_MOST = {"step": 400, "seal": 22, "erase": 40, "export": 28, "trail": 10, "migrate": 38}
"""About as many as each takes to its end; half of the deaths are near the beginning."""

ERASED = 2
"""How many people are erased at the end; the first of them was tried before."""

AHEAD = {"days_ahead": 3650}
RESUMED = {0, 4, 75}
"""The exit codes of a resume that was not killed: some rows are refused, some are still open."""

NOT_YET = (
    "still open",
    "There is no row of",
    "Nothing in this journal is sealed yet",
    "was written by an earlier aftercall",
)
"""Why somebody cannot be erased, or nothing proved or exported, as long as the work goes on."""


@dataclass
class Tally:
    """What was counted.

    Attributes:
        deaths: by what was done and where it died.
        differences: what did not end as in the undisturbed run.
    """

    worlds: int = 0
    lives: int = 0
    deaths: Counter[tuple[str, str]] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.worlds += other.worlds
        self.lives += other.lives
        self.deaths += other.deaths
        self.differences += other.differences

    def told(self, seconds: float) -> str:
        """Return a summary, fit for a record."""
        died = self.deaths.total()
        what = f"{died} deaths of {self.lives} processes in {self.worlds} worlds"
        each = f"{seconds:.0f} s ({seconds / max(1, died):.2f} s each)"
        lines = [f"{what}, {each}: {len(self.differences)} differences"]
        for kind in sorted({kind for kind, _ in self.deaths}):
            places = Counter({place: n for (one, place), n in self.deaths.items() if one == kind})
            most = ", ".join(f"{place} {n}" for place, n in places.most_common(30))
            lines.append(f"{kind} {places.total()}: {most}")
        return "\n".join(lines)


def the_world(outcome: str = "INTERESTED") -> World:
    """Return contacts that are missing, hold something already, or refuse."""
    gone = {"contact": "none", "campaign": "NONE"}
    held = [
        {"campaign": "C0", "contact": "k0", "outcome": outcome, "agent": "a0"},
        {
            "campaign": "C1",
            "contact": "k1",
            "outcome": "NO_ANSWER",
            "timestamp": "2026-02-01T00:00:00Z",
        },
        {"campaign": "C2", "contact": "k2", "refuse": {"status": 409, "message": "locked"}},
    ]
    return World.from_json({"open": True, "contacts": [gone, *held], "missing_ratio": 0.1})


@dataclass(frozen=True)
class Ending:
    """How a run ended: what the tenant holds, and what became of each row."""

    held: Mapping[tuple[str, str], tuple[str, ...]]
    rows: Counter[tuple[str, str, str, int]]
    statuses: Mapping[str, int]


def ending_of(rig: Rig, report: Report) -> Ending:
    """Return how a run ended, having checked all books against each other."""
    if isinstance(rig, SurfaceRig):
        rig.assert_books_balance(report)
    else:
        assert_books_balance(report, rig.ledger(), rig.crm())
    assert report.state == "finished"
    with open_audit(rig.journal) as log:
        trust = trust_of(rig.directory / KEY_FILE, [], [])
        assert verify_log(log, trust).entries >= len(list(report.audit_trail))
    statuses = {status.value: rows for status, rows in report.statuses.items()}
    return Ending(outcomes_held(rig.ledger()), rows_by_status(report), statuses)


KEY_FILE = "audit.key"


def as_toml(tables: Mapping[str, Mapping[str, object]]) -> str:
    """Return tables of plain values as a configuration file."""
    lines: list[str] = []
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join([*lines, ""])


class Deaths:
    """The processes of one world, one after another."""

    def __init__(self, rig: Rig, path: Path, dice: random.Random) -> None:
        self.tally = Tally(worlds=1)
        self.schemas = 0
        self._rig = rig
        self._path = path
        self._dice = dice
        self._config = rig.config(**TABLES, audit={"key_file": str(rig.directory / KEY_FILE)})
        (rig.directory / "aftercall.toml").write_text(as_toml(self._config), encoding="utf-8")
        known = [number for number in range(0, ROWS, 11) if number % 17 != 5]
        self._secrets = [value for name, value in rig.environment.items() if "SECRET" in name]
        self._people = [f"k{number}" for number in dice.sample(known, ERASED)]

    async def die(self, most: int) -> None:
        """Have one process after another die, until they were so many."""
        for _ in range(3 * most):
            if self.tally.deaths.total() >= most:
                return
            if not self._run():
                await self._work()
                continue
            kind = self._dice.choice(KINDS)
            if kind == "work":
                await self._work()
            elif kind == "step":
                await self._work(step=self._step(kind), point="")
            elif kind == "instant":
                await self._typed(kind, "resume", seconds=self._dice.uniform(0.01, 0.5))
            else:
                await self._keep(kind)

    async def end(self) -> Report:
        """Bring the work to its end and return the report."""
        life = await self._work(point="")
        told = json.loads(life.out)
        assert "report" in told, told
        with later_schemas(self.schemas):
            async with self._rig.session() as session:
                return session.report(told["report"]["run"])

    async def erase_and_expire(self) -> None:
        """Erase some people, then let all entries grow old: both die before they are done."""
        for person in self._people:
            for _ in range(2):
                await self._keep("erase", person)
            done = await self._typed("erase", *self._words("erase", person))
            assert done.code == 0, done.err
            self._assert_gone(person)
        for _ in range(3):
            await self._typed("expire", "audit", "expire", step=self._step("step"), **AHEAD)
        assert (await self._typed("expire", "audit", "expire", **AHEAD)).code == 0
        with later_schemas(self.schemas), open_audit(self._rig.journal) as log:
            found = verify_log(log, trust_of(self._rig.directory / KEY_FILE, [], []))
            assert found.expired >= ROWS, "expiry has left entries"
        with closing(sqlite3.connect(self._rig.journal)) as db:
            (kept,) = db.execute("SELECT count(*) FROM row WHERE erased_ms IS NULL").fetchone()
        assert kept == 0, f"{kept} rows have kept their notes"

    def _run(self) -> str:
        """Return the newest run that has begun to read; empty if there is none."""
        if not self._rig.journal.exists():
            return ""
        with closing(sqlite3.connect(self._rig.journal)) as db:
            if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'source'").fetchone():
                return ""
            found = db.execute("SELECT id FROM run ORDER BY number DESC LIMIT 1").fetchone()
        return str(found[0]) if found else ""

    def _step(self, kind: str) -> int:
        """Return a step to die at: near the beginning as often as anywhere."""
        most = STEPS_MOST[kind]
        early = self._dice.random() < HALF
        return int(most ** self._dice.random()) if early else self._dice.randint(1, most)

    async def _work(self, **task: object) -> Life:
        """Sync or resume, in the driver."""
        passage = int(POINTS_PER_LIFE ** self._dice.random())
        given = {"point": ANY, "passage": passage} | task
        life = await self._live({"config": self._config, "files": [str(self._path)], **given})
        self._count("point" if given["point"] else "step", life)
        assert life.killed or life.code == 0, life.err[-3000:]
        return life

    async def _keep(self, kind: str, person: str = "") -> None:
        """Do something else than rows, up to a step."""
        if kind == "migrate":
            self.schemas += 1
        words = self._words(kind, person or self._people[0])
        life = await self._typed(kind, *words, step=self._step(kind))
        if kind == "migrate" and life.killed:
            self._check_copies()

    def _words(self, kind: str, person: str) -> tuple[str, ...]:
        run = self._run()
        return {
            "seal": ("audit", "seal"),
            "migrate": ("audit", "seal"),
            "erase": ("audit", "erase", "--contact", person, "--reason", "asked", "--yes"),
            "export": ("export", run),
            "trail": ("audit", "export", "--format", "bundle", "--out", "bundle.jsonl"),
        }[kind]

    async def _typed(self, kind: str, *words: str, **task: object) -> Life:
        life = await self._live({"words": list(words), **task})
        self._count(kind, life)
        allowed = RESUMED if kind == "instant" else {0}
        if kind in {"erase", "trail", "export"} and any(why in life.err for why in NOT_YET):
            allowed = {1}
        assert life.killed or life.code in allowed, f"{words}: {life.code} {life.err[-3000:]}"
        return life

    async def _live(self, task: dict[str, Any]) -> Life:
        rig = self._rig
        common = {"directory": str(rig.directory), "environment": dict(rig.environment)}
        life = await NURSERY.live({**common, "later_schemas": self.schemas, **task})
        told = life.out + life.err
        assert "Traceback" not in told, told[-3000:]
        assert not any(secret in told for secret in self._secrets), "a secret was printed"
        return life

    def _count(self, kind: str, life: Life) -> None:
        self.tally.lives += 1
        if life.killed:
            self.tally.deaths[kind, life.place or "some instant"] += 1

    def _check_copies(self) -> None:
        """Check that what a migration has copied, if it is under its name, is whole."""
        for copy in backups_of(self._rig.journal):
            if copy.suffix != ".part":
                with closing(sqlite3.connect(copy)) as db:
                    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
                    db.execute("SELECT count(*) FROM row")

    def assert_no_secrets(self) -> None:
        """Look for credentials in everything that was written."""
        for file in self._path.parent.rglob("*"):
            content = file.read_bytes() if file.is_file() else b""
            found = [secret for secret in self._secrets if secret.encode() in content]
            assert not found, f"{file.name} holds a secret"

    def _assert_gone(self, person: str) -> None:
        """Look for the notes of a person in every file but the input."""
        lines = self._path.read_text().splitlines()
        notes = {line.rpartition(",")[2] for line in lines if f",{person}," in line}
        assert notes
        for file in self._path.parent.iterdir():
            if file.is_file() and file != self._path:
                held = file.read_bytes()
                found = [note for note in notes if note.encode() in held]
                assert not found, f"{file.name} still holds {found} of {person}"


def surface_of(seed: int, directory: Path, faults: Faults) -> AbstractAsyncContextManager[Rig]:
    """Serve a tenant; of four one speaks the documented API, one a gateway's own language."""
    if seed % 4 == 2:
        return on_surface("gateway", directory, world=the_world(), faults=faults)
    if seed % 4 == 3:
        # It does not tell who wrote what it holds: the same outcome would be taken for ours.
        world = the_world("NOT_INTERESTED")
        return on_surface("acd", directory, world=world, faults=faults)
    return rigged(directory, world=the_world(), faults=faults)


async def die_often(directory: Path, seed: int, deaths: int) -> Tally:
    """Let a world see many deaths and compare it with an undisturbed one.

    Raises:
        AssertionError: they are not the same.
    """
    dice = random.Random(f"{SEED} {seed}")
    path = write_calls(directory / "calls.csv", ROWS, CAMPAIGNS)
    faults = Faults.from_json(LOST | CRM_LOST | {"seed": seed})
    async with surface_of(seed, directory, faults) as rig:
        world = Deaths(rig, path, dice)
        if dice.random() < 0.5:
            await world._typed("keygen", "audit", "keygen", "--name", "example.com/deaths")
        await world.die(deaths)
        report = await world.end()
        assert report.open == 0
        with later_schemas(world.schemas):
            told = ending_of(rig, report)
        world.assert_no_secrets()
        await world.erase_and_expire()
    calm = directory / "calm"
    calm.mkdir()
    async with surface_of(seed, calm, Faults()) as other:
        assert told == ending_of(other, await other.sync_file(path))
    return world.tally


def world_of_deaths(given: tuple[int, int]) -> Tally:
    """Let a world be, in a directory of its own, and tell what was found."""
    seed, deaths = given
    with tempfile.TemporaryDirectory() as directory:
        try:
            return asyncio.run(die_often(Path(directory), seed, deaths))
        except Exception as found:  # noqa: BLE001 - whatever it is, it is a difference
            return Tally(worlds=1, differences=[f"seed {seed}: {type(found).__name__}: {found}"])


def tallies(worlds: list[tuple[int, int]], processes: int) -> Iterator[Tally]:
    """Let worlds be, some at a time."""
    if processes == 1:
        yield from map(world_of_deaths, worlds)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(world_of_deaths, worlds)


def main() -> int:
    """Let many die, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault.deaths", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", default=0, help="the (first) world")
    parser.add_argument("--deaths", type=int, default=DEATHS, help="how many, at the least")
    parser.add_argument("--processes", type=int, default=1, help="how many worlds at a time")
    given = parser.parse_args()
    begun = time.monotonic()
    whole = Tally()
    first = given.seed
    while whole.deaths.total() < given.deaths and not whole.differences:
        left = given.deaths - whole.deaths.total()
        count = max(1, -(-left // (DEATHS + 5)))
        worlds = [(seed, DEATHS) for seed in range(first, first + count)]
        first += count
        for tally in tallies(worlds, given.processes):
            whole.add(tally)
            for found in tally.differences:
                print(found, flush=True)
    print(whole.told(time.monotonic() - begun))
    return 1 if whole.differences else 0


if __name__ == "__main__":
    sys.exit(main())
