"""The same rig on three surfaces: both built-in profiles, and one as a user would write it."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aftercall.domain.report import Report
from aftercall.simulator import LimitRules, Simulator, SimulatorConfig, World
from tests.fault.books import trail
from tests.fault.rig import CLIENT_SECRET, CRM_SECRET, ENVIRONMENT, SEED, Rig

from .gateway import NUMBERS, gateway_to

PAGE = Path(__file__).parents[2] / "docs" / "teach-it-your-gateway.md"
TOML = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)

KEY_SECRET = "key-secret-55c1e0"
KEYS = {
    "CXONE_ACCESS_KEY_ID": "key-77",
    "CXONE_ACCESS_KEY_SECRET": KEY_SECRET,
    "AFTERCALL_CRM_SECRET": CRM_SECRET,
}
ACD_NAMES = {
    "INTERESTED": 1001,
    "NOT_INTERESTED": 1002,
    "CALL_BACK": 1003,
    "DO_NOT_CALL": 1004,
    "NO_ANSWER": 1005,
}

LIST_FAULTS = (
    "list_gaps",
    "list_short",
    "list_order",
    "list_twice",
    "list_strangers",
    "list_blanks",
)
GUARDED: Mapping[str, Any] = {
    "limits": LimitRules(rate=0),
    "client_id": ENVIRONMENT["CXONE_CLIENT_ID"],
    "client_secret": CLIENT_SECRET,
    "key_id": KEYS["CXONE_ACCESS_KEY_ID"],
    "key_secret": KEY_SECRET,
    "crm_secret": CRM_SECRET,
    "seed": SEED,
}
"""A simulator without a limit that lets in who has the secrets of these tests."""

NOT_DELIVERED = ("waiting", "dead")

SURFACES = ("outbound-v1", "acd", "gateway")


@dataclass
class SurfaceRig(Rig):
    """A rig that knows what the tenant calls an outcome."""

    surface: str = ""

    def effective(self) -> Counter[tuple[str, str]]:
        """Count the changes of the tenant: contact and outcome code."""
        return Counter(
            (change["contact"], self.code_of(change["after"]["outcomeCode"]))
            for change in self.ledger()
            if change["effective"]
        )

    def code_of(self, held: str) -> str:
        codes = {str(number): code for code, number in ACD_NAMES.items()}
        return codes[held] if self.surface == "acd" else held

    def assert_books_balance(self, *reports: Report) -> None:
        """Check report, tenant and CRM against each other, as far as every surface can tell."""
        for report in reports:
            assert report.read == sum(report.statuses.values())
            assert report.reconciles
        applied = Counter(
            (entry["contact_id"], entry["outcome_code"])
            for entry in trail(*reports)
            if entry["kind"] == "settled" and entry["status"] == "applied"
        )
        assert self.effective() == applied
        assert all(change["effective"] for change in self.ledger()), "a write was sent again"
        assert not any(change["live_call"] for change in self.ledger())
        heard = {event["id"]: event["body"]["data"] for event in self.crm()}
        told = Counter((data["contact_id"], data["outcome_code"]) for data in heard.values())
        assert told <= applied, "the CRM heard of a row that was not applied"
        late = sum(report.deliveries.get(one, 0) for report in reports for one in NOT_DELIVERED)
        assert (applied - told).total() <= late, "the CRM will not hear of an applied row"


def profile_of_the_page() -> str:
    """Return the profile that the documentation ends with."""
    (text,) = (block for block in TOML.findall(PAGE.read_text("utf-8")) if "[[auth]]" in block)
    return str(text)


def lists_of_the_page() -> str:
    """Return what the documentation adds to it so that several contacts are read at once."""
    (text,) = (block for block in TOML.findall(PAGE.read_text("utf-8")) if "[read.bulk]" in block)
    return str(text)


@asynccontextmanager
async def on_surface(surface: str, directory: Path, **settings: Any) -> AsyncIterator[SurfaceRig]:
    """Serve a tenant and speak to it in one of the three languages."""
    given: dict[str, Any] = {
        "world": World(open=True),
        **GUARDED,
        "etags": surface != "gateway",
    }
    async with AsyncExitStack() as stack:
        config = SimulatorConfig(**(given | settings))
        simulator = await stack.enter_async_context(Simulator(config))
        tables: dict[str, Any] = {"tenant": {"profile": surface}}
        environment: Mapping[str, str] = ENVIRONMENT
        if surface == "acd":
            environment = KEYS
        if surface == "gateway":
            (directory / "blue.toml").write_text(profile_of_the_page(), encoding="utf-8")
            url = await stack.enter_async_context(gateway_to(simulator.url))
            tables = {
                "tenant": {"profile": str(directory / "blue.toml"), "base_url": url},
                "outcome_ids": {code: str(number) for code, number in NUMBERS.items()},
            }
        yield SurfaceRig(simulator, directory, tables, dict(environment), surface)


def world_on(surface: str, *contacts: Mapping[str, object], **settings: object) -> World:
    """Return an open world with some contacts described."""
    del surface
    described = [{"campaign": "C1", **contact} for contact in contacts]
    return World.from_json({"open": True, "contacts": described, **settings})
