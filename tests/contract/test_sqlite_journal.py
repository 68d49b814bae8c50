from collections.abc import Iterator
from pathlib import Path

import pytest

import aftercall
from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.domain.acts import Act, Deed, Scope
from aftercall.domain.delivery import EventState
from aftercall.ports import DeliveryResult, EventFilter, WaitingRows

from .journal_contract import JournalContract
from .rig import BROKEN, NOON, NOW, RUN, WRITTEN, Rig, Store, broken, candidate
from .sqlite_store import SqliteStore


class TestSqliteJournal(JournalContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return SqliteStore(tmp_path / "journal.db")


class TestSqliteArchive:
    """What the archive of a SQLite journal tells beyond its port."""

    @pytest.fixture
    def journal(self, tmp_path: Path) -> Iterator[SqliteJournal]:
        journal = SqliteJournal(tmp_path / "journal.db")
        yield journal
        journal.close()

    async def test_open_rows_are_counted_by_campaign(self, journal: SqliteJournal) -> None:
        rig = Rig(journal)
        await rig.bring(WRITTEN, "P0")
        await rig.bring(BROKEN, "P1")
        await rig.admit(candidate("P2"), candidate("P3", campaign="C2"), broken(), run="run-2")
        await rig.turn("C2")
        assert journal.archive.open_rows() == {"C1": 2, "C2": 1}

    async def test_it_tells_what_turns_would_make_of_a_run(self, journal: SqliteJournal) -> None:
        rig = Rig(journal)
        await rig.admit(
            candidate(timestamp=NOON),
            candidate(timestamp=NOON.replace(hour=13)),
            candidate("P2", outcome="DO_NOT_CALL"),
            candidate("P3", campaign="C2"),
            broken(),
        )
        await rig.admit(candidate("P4"), run="run-2")
        assert journal.archive.waiting(RUN) == [
            WaitingRows("C1", superseded=1, to_write=2, opt_outs=1),
            WaitingRows("C2", superseded=0, to_write=1, opt_outs=0),
        ]
        assert len((await rig.turn()).settled) == 1


class TestErasure:
    """What an erasure does to the CRM's events of a contact."""

    @pytest.fixture
    def journal(self, tmp_path: Path) -> Iterator[SqliteJournal]:
        journal = SqliteJournal(tmp_path / "journal.db")
        yield journal
        journal.close()

    async def test_the_crm_still_hears_of_an_erased_contact_and_its_answers_are_forgotten(
        self, journal: SqliteJournal
    ) -> None:
        rig = Rig(journal)
        for contact, code in (("P1", "ONE"), ("P1", "TWO"), ("P2", "ONE")):
            await rig.bring(WRITTEN, contact, outcome=code, event_id=f"{contact} {code}")
        event, other = await rig.due()
        quoted = DeliveryResult(
            number=event.number,
            state=EventState.DELIVERED,
            due_ms=None,
            words="status 200",
            at_ms=NOW,
            answer="Thank you for P1",
        )
        await journal.outbox.record(quoted)
        await journal.keeping.erase(Deed(Act.ERASED, Scope("P1"), "asked for", "carol"), NOW)

        assert {one.event_id for one in await rig.due()} >= {other.event_id}
        found = journal.archive.crm.find(EventFilter(), 10)
        states = [(one.contact, one.state) for one in found]
        assert states == [("P2", "waiting"), ("P1", "waiting"), ("P1", "delivered")]
        history = journal.archive.crm.history(event.event_id)
        assert history is not None
        assert (history.body, history.attempts[0].answer) == (event.body, "")


async def test_a_journal_of_the_first_schema_keeps_its_events_and_their_order(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "journal.db")
    store.path.touch()
    with store.beside() as db:
        db.executescript(FIRST_SCHEMA.read_text() + FOUR_EVENTS)
    journal = store.open()
    due = await Rig(journal).due(NOW)
    assert [event.event_id for event in due] == ["e2", "e4"]
    assert [event.attempt for event in due] == [3, 1]
    listed = journal.archive.crm.find(EventFilter(), 10)
    assert [(one.event_id, one.endpoint, one.contact, one.state) for one in listed] == [
        ("e4", "crm", "P2", "waiting"),
        ("e3", "crm", "P1", "waiting"),
        ("e2", "crm", "P1", "waiting"),
        ("e1", "crm", "P1", "delivered"),
    ]
    journal.close()


FIRST_SCHEMA = (
    Path(aftercall.__file__).parent / "adapters/journal/sql/sqlite/migrations/0001_start.sql"
)

FOUR_EVENTS = """
PRAGMA user_version = 1;
INSERT INTO run (id, on_conflict, started_ms) VALUES ('run-1', 'newest', 0);
INSERT INTO source (run, name, options, columns) VALUES (1, 'a.csv', '{}', '[]');
INSERT INTO row (run, source, line, cells, campaign, contact, outcome, agent, status, lane)
VALUES (1, 1, 2, '[]', 'C1', 'P1', 'ONE', 'A1', 'applied', 2),
    (1, 1, 3, '[]', 'C1', 'P1', 'TWO', 'A1', 'applied', 2),
    (1, 1, 4, '[]', 'C1', 'P1', 'THREE', 'A1', 'applied', 2),
    (1, 1, 5, '[]', 'C1', 'P2', 'ONE', 'A1', 'applied', 2);
INSERT INTO outbox (event_id, run, row, body, state, attempts, due_ms, created_ms)
VALUES ('e1', 1, 1, '{}', 'delivered', 1, NULL, 1), ('e2', 1, 2, '{}', 'waiting', 2, 7, 1),
    ('e3', 1, 3, '{}', 'waiting', 0, 5, 1), ('e4', 1, 4, '{}', 'waiting', 0, 9, 1);
"""
