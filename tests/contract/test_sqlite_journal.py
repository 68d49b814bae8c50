from pathlib import Path

import pytest

from .journal_contract import JournalContract
from .rig import Store
from .sqlite_store import SqliteStore


class TestSqliteJournal(JournalContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return SqliteStore(tmp_path / "journal.db")
