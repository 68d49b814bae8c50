"""The process is killed around follow-ups: none is lost, and no callback is scheduled twice."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from aftercall.adapters.journal.sqlite import open_archive
from aftercall.domain.status import Status
from aftercall.ports.follow_ups import FollowUpFilter, FollowUpRecord
from tests.surfaces.rig import SurfaceRig, on_surface

from .processes import drive

TABLES: dict[str, Any] = {
    "follow_ups": {
        "dnc_groups": {"opt_out": "301"},
        "tags": {"INTERESTED": "17"},
        "callbacks": ["callback"],
    },
    # One request at a time: what is under way when the process dies is one thing.
    "limits": {"batch": 2, "concurrency": 1},
}
HEADER = "campaign,contact,outcome,agent,timestamp,custom.phone_number,custom.callback_time"
OPT_OUTS, TAGS, CALLBACKS = "DO_NOT_CALL", "INTERESTED", "CALL_BACK"
REST = "C1,{},{},a1,2026-01-02T03:04:05Z,+120255501{:02d},2026-12-01T10:00:00Z"


def written(path: Path, *codes: str) -> Path:
    lines = [REST.format(f"p{place}", code, place) for place, code in enumerate(codes * 2)]
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return path


def found(rig: SurfaceRig) -> list[FollowUpRecord]:
    with open_archive(rig.journal) as archive:
        return list(archive.follow_ups.find(FollowUpFilter(), 100))


def done(rig: SurfaceRig) -> Counter[str]:
    """Count what the tenant did, by contact or number."""
    names = {"tag": "contact", "dnc": "phone", "callback": "phoneNumber"}
    return Counter(str(one[names[one["kind"]]]) for one in rig.simulator.follow_ups())


@pytest.mark.parametrize(
    ("point", "passage", "codes"),
    [
        # The row is settled, its follow-up not sent.
        ("after settle", 2, (OPT_OUTS, TAGS, CALLBACKS)),
        # Claimed and not sent; sent and not settled; settled and not committed.
        ("after take", 1, (CALLBACKS,)),
        ("after follow_up", 1, (CALLBACKS,)),
        ("after follow_up", 1, (OPT_OUTS,)),
        ("inside store", 1, (OPT_OUTS, TAGS, CALLBACKS)),
    ],
)
async def test_a_death_loses_no_follow_up_and_repeats_no_callback(
    tmp_path: Path, point: str, passage: int, codes: tuple[str, ...]
) -> None:
    path = written(tmp_path / "calls.csv", *codes)
    async with on_surface("acd", tmp_path) as rig:
        died = await drive(rig, [path], tables=TABLES, point=point, passage=passage)
        assert died is None
        left = found(rig)
        assert left, "no follow-up was stored with its row"
        report = await rig.resume(**TABLES)

        assert report.state == "finished"
        assert report.count(Status.APPLIED) == 2 * len(codes)
        ended = found(rig)
        assert {one.number for one in left} <= {one.number for one in ended}
        assert len(ended) == 2 * len(codes)
        counted = done(rig)
        for one in ended:
            place = int(one.contact[1:])
            key = {"tags": one.contact, "dnc_group": f"120255501{place:02d}"}.get(
                one.kind, f"+120255501{place:02d}"
            )
            if one.kind == "callback":
                assert counted[key] == (one.state == "done") or one.state == "unknown"
                assert counted[key] <= 1
            else:
                assert one.state == "done"
                assert counted[key] >= 1
        unknown = sum(one.state == "unknown" for one in ended)
        if (point, codes) == ("after settle", (OPT_OUTS, TAGS, CALLBACKS)):
            assert set(counted.values()) == {1}
            assert unknown == 0
        if codes == (CALLBACKS,):
            assert unknown == 1, "what was under way is not known"
            assert counted.total() == (2 if point == "after follow_up" else 1)
