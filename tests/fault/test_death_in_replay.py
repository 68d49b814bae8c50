"""A replay is killed: what it was told to send is sent in the end, under the ids that it had."""

from aftercall.adapters.journal.sqlite import open_archive
from aftercall.domain.delivery import EventState
from aftercall.ports import EventFilter

from .deaths import as_toml
from .nursery import NURSERY, Life
from .rig import Rig, names, rows_for

EVENTS = 3
PLACES = 12


async def test_a_replay_that_dies_loses_no_event_and_changes_none(rig: Rig) -> None:
    report = await rig.sync(rows_for(names(EVENTS)))
    (rig.directory / "aftercall.toml").write_text(as_toml(rig.config()))

    async def typed(*words: str, **task: object) -> Life:
        place = {"directory": str(rig.directory), "environment": dict(rig.environment)}
        return await NURSERY.live({"words": ["crm", *words], **place, **task})

    async def replayed(step: int) -> Life:
        return await typed("replay", "--status", "delivered", "--run", report.run, step=step)

    def heard() -> dict[str, set[str]]:
        bodies: dict[str, set[str]] = {}
        for event in rig.crm():
            bodies.setdefault(event["id"], set()).add(str(event["body"]))
        return bodies

    before = heard()
    whole = await replayed(0)
    assert (whole.code, len(rig.crm())) == (0, 2 * EVENTS)
    places = set()
    for number in range(1, whole.steps + 1, max(1, whole.steps // PLACES)):
        died = await replayed(number)
        if not died.killed:  # It took fewer steps than the one before.
            break
        places.add(died.place)
        assert (await typed("deliver", "--wait")).code == 0
        with open_archive(rig.journal) as archive:
            events = archive.crm.find(EventFilter(run=report.run), 100)
        assert [one.state for one in events] == [EventState.DELIVERED] * EVENTS
        assert heard() == before
    assert len(places) > PLACES / 2
