"""Contacts that are read together: a list whose answer does not come holds no other row up."""

import asyncio
import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from aftercall.engine.lists import OVERDUE_SECONDS
from aftercall.engine.run import Run
from aftercall.wire.http import HttpRequest, HttpResponse, MaybeSent
from aftercall.wire.language import Bulk
from aftercall.wire.target import Target

from .rig import PATIENCE_SECONDS, Sent, World, gaps

SEARCH = Bulk(
    url="/api/v1/outbound/campaigns/{campaign}/contacts/search",
    method="POST",
    ids_in="json",
    ids="ids",
    items="leads",
    id="contactId",
)


@dataclass
class ListWorld(World):
    """A tenant that tells of several contacts at once; the answer to one list never comes."""

    lost: int = 0

    def _run(self, writer: Any) -> Run:
        run = super()._run(writer)
        profile = run.outside.target.profile
        read = profile.read.model_copy(update={"bulk": SEARCH})
        profile = profile.model_copy(update={"read": read})
        run.outside = replace(run.outside, target=Target(profile, "https://tenant.example"))
        run.plan = replace(run.plan, turns=replace(run.plan.turns, reads=profile.reads))
        return run

    @property
    def lists(self) -> list[Sent]:
        return [one for one in self.sent if one.method == "POST"]

    async def send(self, request: HttpRequest) -> HttpResponse:
        if not request.url.endswith("/search"):
            return await super().send(request)
        self.loop.requests += 1
        self.sent.append(Sent(self.timeline.now, "POST", "C0", "", self.in_flight))
        if len(self.lists) == self.lost:
            await asyncio.sleep(PATIENCE_SECONDS)
            raise MaybeSent("timeout", "no answer in time")
        await asyncio.sleep(0.05)
        asked = json.loads(request.body or b"")["ids"]
        leads = [{"contactId": one, "state": "READY"} | self._written.get(one, {}) for one in asked]
        document = json.dumps({"leads": leads}).encode()
        return HttpResponse(200, {"content-type": "application/json"}, document)


@pytest.mark.parametrize("lost", [0, 1, 4])
def test_a_list_whose_answer_never_comes_holds_no_other_row_up(lost: int) -> None:
    world = ListWorld({"C0": 300}, lost=lost)
    world.play()

    assert world.statuses() == {"applied": 300}
    assert len(world.lists) >= 15
    longest = OVERDUE_SECONDS + 0.01 if lost else 1.45 * world.pace.spacing_us / 1e6
    until = PATIENCE_SECONDS if lost else world.times()[-1]
    assert max(gaps([at for at in world.times() if at <= until])) <= longest
