"""What comes back from a tenant in another form than the row has it is the row's all the same."""

from pathlib import Path

import pytest

from aftercall.domain.status import Status
from aftercall.wiring.rehearsal import likeness_of
from tests.fault.rig import hit_on_write, on_write, row

from .rig import on_surface


@pytest.mark.parametrize("told", ["017", "+17", " 17"])
async def test_an_id_that_is_sent_as_a_number_is_known_again(tmp_path: Path, told: str) -> None:
    (contact,) = hit_on_write("reset_after", 1)
    async with on_surface("gateway", tmp_path, faults=on_write("reset_after")) as rig:
        async with rig.session(outcome_ids={"INTERESTED": told}) as session:
            report = await session.perform(session.objects([row(contact)]))

        assert report.reasons(Status.APPLIED) == {"read_back": 1}
        assert len(rig.ledger()) == 1, "it was written again"
        rig.assert_books_balance(report)
        async with rig.session(outcome_ids={"INTERESTED": told}) as session:
            again = [row(contact, timestamp="2026-01-16T10:00:00Z")]
            report = await session.perform(session.objects(again))
        assert report.statuses == {Status.UNCHANGED: 1}
        likeness = likeness_of(rig.settings(outcome_ids={"INTERESTED": told}))
        assert likeness.ids["INTERESTED"] == "17", "a rehearsal would have it refused"
