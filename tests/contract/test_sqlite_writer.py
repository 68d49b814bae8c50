"""Group commit: in order, durable before it is told; a failure spoils no more than it must."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from aftercall.adapters.journal.sqlite.statements import execute_for_all, statements
from aftercall.adapters.journal.sqlite.writer import GROUP_MAX, Operation, Writer
from aftercall.errors import JournalError

from .sqlite_store import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    store = SqliteStore(tmp_path / "journal.db")
    with store.beside() as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE thing (number INTEGER PRIMARY KEY)")
        db.execute(
            "CREATE TABLE part (of_thing INTEGER REFERENCES thing DEFERRABLE INITIALLY DEFERRED)"
        )
    return store


@pytest.fixture
def writer(store: SqliteStore) -> Iterator[Writer]:
    writer = open_writer(store)
    yield writer
    writer.close()


def open_writer(store: SqliteStore) -> Writer:
    db = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA foreign_keys = ON")
    return Writer(db, store.path)


def things(store: SqliteStore) -> list[int]:
    with store.beside() as db:
        return [row[0] for row in db.execute("SELECT number FROM thing ORDER BY number")]


def add(number: int) -> Operation[int]:
    return lambda db: db.execute("INSERT INTO thing VALUES (?)", (number,)).rowcount


async def held(writer: Writer, operations: list[Operation[int]]) -> list[object]:
    """Run operations in one commit: the thread is held up until all of them wait."""
    go = threading.Event()
    waiting = [asyncio.create_task(writer.run(lambda _: int(go.wait(10))))]
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(writer.run(operation)) for operation in operations]
    await asyncio.sleep(0)
    go.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    return list(results[1:])


async def test_what_was_awaited_can_be_seen_by_others(writer: Writer, store: SqliteStore) -> None:
    assert await writer.run(add(1)) == 1
    assert things(store) == [1]
    assert await writer.run(add(2), patient=True) == 1
    assert things(store) == [1, 2]


async def test_operations_are_done_in_order(writer: Writer) -> None:
    seen: list[int] = []

    def note(each: int) -> Operation[None]:
        return lambda _: seen.append(each)

    await asyncio.gather(*(writer.run(note(each)) for each in range(3 * GROUP_MAX)))
    assert seen == list(range(3 * GROUP_MAX))


async def test_an_operation_that_fails_undoes_itself_alone(
    writer: Writer, store: SqliteStore
) -> None:
    def half(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO thing VALUES (7)")
        message = "changed its mind"
        raise LookupError(message)

    first, twice, mine, last = await held(writer, [add(1), add(1), half, add(2)])
    assert (first, last) == (1, 1)
    assert isinstance(twice, JournalError)
    assert isinstance(mine, LookupError)
    assert things(store) == [1, 2]


async def test_a_commit_that_fails_fails_all_of_its_group_and_no_other(
    writer: Writer, store: SqliteStore
) -> None:
    def orphan(db: sqlite3.Connection) -> int:
        return db.execute("INSERT INTO part VALUES (99)").rowcount

    results = await held(writer, [add(1), orphan, add(2)])
    assert [type(result) for result in results] == [JournalError] * 3
    assert things(store) == []
    assert await writer.run(add(3)) == 1
    assert things(store) == [3]


async def test_a_transaction_that_the_database_gives_up_fails_as_a_whole(
    writer: Writer, store: SqliteStore
) -> None:
    with store.beside() as db:
        db.execute(
            "CREATE TRIGGER give_up BEFORE INSERT ON thing WHEN new.number = 13 "
            "BEGIN SELECT raise(ROLLBACK, 'disk I/O error'); END"
        )
    results = await held(writer, [add(1), add(13), add(2)])
    assert [type(result) for result in results] == [JournalError] * 3
    assert "Make room" in str(getattr(results[0], "fix", ""))
    assert things(store) == []
    assert await writer.run(add(3)) == 1


async def test_closing_finishes_what_was_handed_over(store: SqliteStore) -> None:
    writer = open_writer(store)
    waiting = [asyncio.create_task(writer.run(add(each), patient=True)) for each in range(50)]
    await asyncio.sleep(0)
    writer.close()
    assert things(store) == list(range(50))
    assert await asyncio.gather(*waiting) == [1] * 50


def test_what_is_on_its_way_when_the_loop_ends_is_still_stored(store: SqliteStore) -> None:
    writer = open_writer(store)
    go = threading.Event()

    async def hand_over() -> None:
        tasks = [
            asyncio.ensure_future(writer.run(lambda _: int(go.wait(10)))),
            asyncio.ensure_future(writer.run(add(1))),
        ]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()

    asyncio.run(hand_over())
    go.set()
    writer.close()
    assert things(store) == [1]


async def test_nobody_is_told_who_no_longer_waits(writer: Writer, store: SqliteStore) -> None:
    go = threading.Event()
    blocked = asyncio.create_task(writer.run(lambda _: int(go.wait(10))))
    await asyncio.sleep(0)
    task = asyncio.create_task(writer.run(add(1)))
    await asyncio.sleep(0)
    task.cancel()
    go.set()
    assert await blocked == 1
    assert await writer.run(add(2)) == 1
    assert task.cancelled()
    assert things(store) == [1, 2]


def add_all(db: sqlite3.Connection, numbers: Sequence[int]) -> Sequence[tuple[int, int]]:
    """Add things; tell of each that it was added, and how many came with it."""
    execute_for_all(db, "add_things", [(number,) for number in numbers])
    return [(number, len(numbers)) for number in numbers]


@pytest.fixture
def thing_statements() -> Iterator[None]:
    statements()["add_things"] = "INSERT OR FAIL INTO thing (number) VALUES (?)"
    yield
    del statements()["add_things"]


async def held_items(writer: Writer, numbers: Sequence[int]) -> list[object]:
    """Hand items over for one commit: the thread is held up until all of them wait."""
    go = threading.Event()
    waiting: list[asyncio.Task[object]] = [
        asyncio.create_task(writer.run(lambda _: int(go.wait(10))))
    ]
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(writer.join(add_all, number)) for number in numbers]
    await asyncio.sleep(0)
    go.set()
    return (await asyncio.gather(*waiting, return_exceptions=True))[1:]


@pytest.mark.usefixtures("thing_statements")
@pytest.mark.parametrize("many", [1, 2, 3, 63, 64, 65, 200])
async def test_what_is_done_jointly_is_done_at_once_and_each_is_told_its_own(
    writer: Writer, store: SqliteStore, many: int
) -> None:
    assert await held_items(writer, range(many)) == [(number, many) for number in range(many)]
    assert things(store) == list(range(many))


@pytest.mark.usefixtures("thing_statements")
async def test_of_what_is_done_jointly_only_what_fails_is_undone(
    writer: Writer, store: SqliteStore
) -> None:
    first, again, other = await held_items(writer, [1, 1, 2])
    assert (first, other) == ((1, 1), (2, 1))
    assert isinstance(again, JournalError)
    assert things(store) == [1, 2]
