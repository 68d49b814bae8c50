"""A simulated tenant and CRM on loopback, for demos, tests and rehearsals.

It shares no code with the rest of the package, so that one misunderstanding of the API cannot
hide behind another.

A world file is a JSON object; all members are optional:

* ``contacts``: a list of ``{"campaign", "contact", "state"?, "outcome"?, "agent"?, "notes"?,
  "timestamp"?, "custom_fields"?, "timeline"?, "refuse"?, "skill"?}``. A timeline is a list of
  ``[state, seconds]`` that runs from the first read; its last state stays. ``refuse`` is
  ``{"status": 400, 401, 403, 409 or 422, "message"}`` and is the answer to every write. ``skill``
  is a number.
* ``dispositions``: a list of ``{"id", "name", "classification"?, "active"?}`` for the ACD API.
* ``inactive_dnc_groups``: numbers of DNC groups that take no record (ACD API).
* ``campaigns``: ``{"name": {"rate": requests per second}}`` for rates that differ.
* ``open``: true makes every contact that is not listed exist, READY and without outcome.
* ``missing_ratio``, ``active_ratio``: seeded fractions of the unlisted contacts that do not exist,
  or are on a call for about a second after their first read.
* ``held``: ``{"ratio", "outcome", "agent", "notes", "timestamp", "custom_fields"}``: a seeded
  fraction of the unlisted contacts that carry an outcome from the start.
"""

from aftercall.simulator.clock import Clock, SystemClock
from aftercall.simulator.command import Caller, Launch, main, serve
from aftercall.simulator.config import SimulatorConfig
from aftercall.simulator.faults import FaultKind, Faults
from aftercall.simulator.limiter import LimitRules
from aftercall.simulator.server import Simulator
from aftercall.simulator.world import ContactSpec, World

__all__ = [
    "Caller",
    "Clock",
    "ContactSpec",
    "FaultKind",
    "Faults",
    "Launch",
    "LimitRules",
    "Simulator",
    "SimulatorConfig",
    "SystemClock",
    "World",
    "main",
    "serve",
]
