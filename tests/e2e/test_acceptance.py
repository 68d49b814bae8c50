"""The whole job as it is promised, by the installed command, against the tenant's own books."""

import random
import time
from pathlib import Path

from tests.e2e.acceptance_rig import (
    FAULTS,
    Tenant,
    aftercall,
    killed_after,
    prepare,
    scene,
    tenant,
)

ROWS = 5000
KILLED_ROWS = 1500
KILLS = 20


def books_balance(one: Tenant, applied: int) -> None:
    """Check the tenant's own books: one effective change per applied row, none over a call."""
    changes = one.effective()
    stats = one.stats()
    assert len(changes) == applied
    assert set(changes.values()) <= {1}
    assert stats["live_call_writes"] == 0
    assert stats["crm"]["bad_signatures"] == 0
    assert all(campaign["throttled"] == 0 for campaign in stats["campaigns"].values())


def test_five_thousand_rows_with_every_kind_of_trouble(tmp_path: Path) -> None:
    made = scene(ROWS, seed=1)
    with tenant(tmp_path, made.world, FAULTS) as one:
        path = prepare(tmp_path, one, made.rows)
        first = aftercall(tmp_path, "sync", str(path))

        assert first.report["statuses"] == dict(made.expected)
        assert first.report["read"] == len(made.rows) == sum(first.report["statuses"].values())
        assert first.code == 4
        books_balance(one, made.expected["applied"])
        heard = {event["data"]["contact_id"] for event in map(_body, one.lines("/_sim/crm"))}
        waiting = first.report["crm"].get("waiting", 0)
        assert len(heard) >= made.expected["applied"] - waiting

        before = one.effective()
        again = aftercall(tmp_path, "sync", str(path))
        assert one.effective() == before
        assert again.report["statuses"].get("applied", 0) == 0

        failed = aftercall(tmp_path, "sync", first.report["files"]["failed"])
        refused = ("missing", "rejected", "invalid")
        assert {name: failed.report["statuses"][name] for name in refused} == {
            name: made.expected[name] for name in refused
        }
        assert one.effective() == before


def test_twenty_deaths_end_like_none(tmp_path: Path) -> None:
    made = scene(KILLED_ROWS, seed=2)
    chance = random.Random(3)
    quiet, deadly = tmp_path / "quiet", tmp_path / "deadly"
    quiet.mkdir()
    deadly.mkdir()
    with tenant(quiet, made.world, FAULTS) as one:
        undisturbed = aftercall(quiet, "sync", str(prepare(quiet, one, made.rows)))
        wanted = one.effective()

    deaths_at_work = 0
    with tenant(deadly, made.world, FAULTS) as one:
        path = prepare(deadly, one, made.rows)
        for _ in range(KILLS):
            # Killed before the run was in the journal, there is nothing to resume.
            began = time.monotonic()
            begun = aftercall(deadly, "runs").report.get("runs")
            # How long a command takes to start on this machine now.
            start = time.monotonic() - began
            again = ("resume",) if begun else ("sync", str(path))
            killed_after(deadly, start + chance.uniform(0.0, 1.0), *again)
            deaths_at_work += begun is not None and begun != []
        last = aftercall(deadly, "resume")
        assert deaths_at_work >= KILLS // 2
        assert one.effective() == wanted
        books_balance(one, made.expected["applied"])

    assert last.report["statuses"] == undisturbed.report["statuses"] == dict(made.expected)


def _body(event: dict[str, object]) -> dict[str, dict[str, str]]:
    body = event["body"]
    assert isinstance(body, dict)
    return body
