"""The running state that the endpoints share."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from aftercall.simulator.contacts import Contacts
from aftercall.simulator.counters import Counters
from aftercall.simulator.faults import FaultDice, Faults
from aftercall.simulator.ledger import Journal, Ledger
from aftercall.simulator.limiter import Gate, RetryAfter
from aftercall.simulator.tokens import Credentials, Tokens

if TYPE_CHECKING:
    from aftercall.simulator.config import SimulatorConfig


ACD_CAMPAIGN = "(acd)"
"""Where requests to the ACD API are counted: their addresses name no campaign."""


class State:
    """Everything that changes while the simulator runs, and the settings it runs with."""

    contacts: Contacts
    counters: Counters
    gate: Gate
    dice: FaultDice
    faults_since: float
    dnc: dict[str, set[str]]
    tags: dict[str, set[int]]

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.clock = config.clock
        self.credentials = Credentials(config.client_id, config.client_secret)
        self.access_key = Credentials(config.key_id, config.key_secret)
        self.tokens = Tokens()
        self.retry_after = RetryAfter(config.retry_after)
        self.ledger = Ledger(config.ledger_file)
        self.events = Journal(config.crm_file)
        self.follow_ups = Journal()
        self.world = config.world
        self._random = random.Random(config.seed)
        self._begin(config.faults)

    def reset(self) -> None:
        """Start again: empty ledger and counters, contacts as described, faults from the first."""
        self.ledger.clear()
        self.events.clear()
        self.follow_ups.clear()
        self._begin(self.dice.faults)

    def set_faults(self, faults: Faults) -> None:
        """Replace the faults; the counting of requests starts again."""
        counts = self.dice.counts
        self.dice = FaultDice(faults, self.config.seed)
        self.dice.counts.update(counts)
        self.faults_since = self.clock.monotonic()

    def extend_world(self, data: object) -> None:
        """Add or replace contacts.

        Args:
            data: An object in the form of a world file.

        Raises:
            ValueError: If the data does not describe a world.
        """
        self.world = self.world.extended_by(data)
        self.contacts.extend(self.world)

    def stats(self) -> dict[str, Any]:
        """Return all counts."""
        counters = self.counters
        return {
            "requests": counters.requests(),
            "campaigns": self.gate.stats(),
            "in_flight_peak": counters.tenant.peak,
            "changes": self.ledger.changes,
            "repeats": self.ledger.repeats,
            "live_call_writes": self.ledger.live_call_writes,
            "faults": {kind.value: count for kind, count in self.dice.counts.items()},
            "tokens_issued": counters.tokens_issued,
            "crm": counters.crm_stats(),
        }

    async def pause(self) -> None:
        """Take the time a tenant request takes."""
        seconds = self.config.latency_ms / 1000
        if self.config.jitter_ms > 0:
            seconds += self._random.random() * self.config.jitter_ms / 1000
        if seconds > 0:
            await asyncio.sleep(seconds)

    async def slow_down(self) -> None:
        """Take the time of a slow answer."""
        await asyncio.sleep(self.dice.faults.slow_seconds)

    def close(self) -> None:
        """Close the files."""
        self.ledger.close()
        self.events.close()

    def _begin(self, faults: Faults) -> None:
        self.contacts = Contacts(self.world, self.config.seed, self.clock)
        self.counters = Counters()
        self.dnc = {}
        self.tags = {}
        # The ACD API knows no campaigns: only the limit of the whole tenant holds there.
        rates = {ACD_CAMPAIGN: 0, **self.world.campaign_rates}
        self.gate = Gate(self.config.limits, rates)
        self.dice = FaultDice(faults, self.config.seed)
        self.faults_since = self.clock.monotonic()
