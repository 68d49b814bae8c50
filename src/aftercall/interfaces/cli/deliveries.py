"""What `crm deliver` and `crm test` do."""

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from rich.text import Text

from aftercall.domain.delivery import EventState
from aftercall.engine.delivery import Endpoint
from aftercall.errors import AftercallError, ConfigInvalid, Interrupted
from aftercall.interfaces.cli import failures
from aftercall.interfaces.cli.events import say_disabled
from aftercall.interfaces.cli.figures import count, one_place
from aftercall.interfaces.cli.options import Place
from aftercall.interfaces.cli.runs import print_json, settings_for
from aftercall.interfaces.cli.stopping import Stopper
from aftercall.interfaces.cli.terminal import err, plain, print_pieces, say
from aftercall.ports import DisabledEndpoint, EventFilter
from aftercall.settings import Settings
from aftercall.wiring import Round, Trial, endpoints_of, open_archive, send_tests

TOLD_SECONDS = 30.0
"""How often a long delivery says how far it is."""

DIED = 4
GO_ON = 75
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that say nothing about the next try (RFC 9110, section 15; RFC 8470; RFC 6585)."""

CERTIFICATE = "If its authority is a private one, name its certificate in ca_file."
NO_CRM = "No CRM is configured."

Standing = Mapping[str, Mapping[str, int]]
"""Events by endpoint and state."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a round of deliveries came to.

    Attributes:
        configured: the endpoints that the configuration has.
        taken: events that each endpoint took in it.
        before: how all events stood when it began.
        after: how they stand now.
        disabled: the endpoints that are not called.
        trouble: why it ended early, if it did.
    """

    configured: Collection[str]
    taken: Mapping[str, int]
    before: Standing
    after: Standing
    disabled: Sequence[DisabledEndpoint]
    trouble: AftercallError | None

    def of(self, name: str, state: EventState) -> int:
        """Return how many events of an endpoint are in a state."""
        return self.after.get(name, {}).get(state, 0)

    @property
    def others(self) -> Sequence[str]:
        """The endpoints that this was not about and that events wait for."""
        names = sorted(set(self.after) - set(self.taken))
        return [name for name in names if self.of(name, EventState.WAITING)]

    @property
    def forsaken(self) -> Sequence[str]:
        """Those of them that the configuration does not have: nobody delivers their events."""
        return [name for name in self.others if name not in self.configured]

    @property
    def code(self) -> int:
        """The exit code: whether something died, or is left to do."""
        if self.trouble is not None:
            return self.trouble.exit_code
        if any(self.of(name, EventState.WAITING) for name in self.taken):
            return GO_ON
        died = any(
            self.of(name, EventState.DEAD) > self.before.get(name, {}).get(EventState.DEAD, 0)
            for name in self.taken
        )
        return DIED if died else 0

    def as_json(self) -> dict[str, object]:
        """Return it as JSON."""
        states = (EventState.WAITING, EventState.DEAD)
        return {
            "endpoints": {
                name: {"taken": taken} | {state.value: self.of(name, state) for state in states}
                for name, taken in self.taken.items()
            },
            "disabled": [one.name for one in self.disabled],
            "not_configured": {name: self.of(name, EventState.WAITING) for name in self.forsaken},
            "exit_code": self.code,
        }


def deliver(place: Place, names: Sequence[str], *, wait: bool, json: bool) -> int:
    """Deliver what is due and say how things stand."""
    with place.kept_in_errors():
        settings = settings_for(place)
        endpoints = chosen_endpoints(settings, names)
        with open_archive(settings.journal.path):
            pass  # Without a journal there is nothing to deliver, and none is to be made.
        done = deliver_round(settings, endpoints, wait=wait)
    if json:
        print_json(done.as_json())
    else:
        print_round(done, place)
    if done.trouble is not None:
        done.trouble.next_command = place.command("crm", "deliver")
        failures.tell(done.trouble)
    return done.code


def chosen_endpoints(settings: Settings, names: Sequence[str]) -> tuple[Endpoint, ...]:
    """Return endpoints with their secrets.

    Raises:
        ConfigInvalid: there is none, or none of that name, or a secret is missing.
    """
    endpoints = endpoints_of(settings, os.environ, names)
    if not endpoints:
        raise ConfigInvalid(NO_CRM, fix="Give the address of its webhook as crm.url.")
    return endpoints


def deliver_round(settings: Settings, endpoints: Sequence[Endpoint], *, wait: bool) -> Delivered:
    """Deliver what is due, until that is done or a signal comes."""
    one = Round(settings, endpoints, wait)

    async def whole() -> None:
        stopper = Stopper(err())
        with stopper.listening():
            stopped = Interrupted("Stopped; what was not delivered waits.")
            stopper.by(lambda: one.halt.throw(stopped))
            telling = asyncio.create_task(_tell_regularly(one))
            try:
                await one.deliver()
            finally:
                telling.cancel()

    before, _ = _standing(settings)
    asyncio.run(whole())
    after, disabled = _standing(settings)
    known = settings.crm.all_endpoints()
    return Delivered(known.keys(), one.taken, before, after, disabled, one.halt.reason)


async def _tell_regularly(one: Round) -> None:
    while True:
        await asyncio.sleep(TOLD_SECONDS)
        say(f"{count(sum(one.taken.values()), 'event')} delivered so far; Ctrl-C stops.")


def _standing(settings: Settings) -> tuple[Standing, Sequence[DisabledEndpoint]]:
    found: dict[str, dict[str, int]] = {}
    with open_archive(settings.journal.path) as archive:
        for one in archive.crm.tally(EventFilter()):
            found.setdefault(one.endpoint, {})[one.state] = one.events
        return found, archive.crm.disabled()


def print_round(done: Delivered, place: Place) -> None:
    """Print what a round of deliveries came to, a line for each endpoint."""
    width = max(map(len, done.taken))
    for name, taken in done.taken.items():
        line = Text(f"{plain(name):<{width}}  ", style="bold")
        under_way, dead = done.of(name, EventState.WAITING), done.of(name, EventState.DEAD)
        words = f"delivered {taken:,} now, under way {under_way:,}, dead {dead:,}"
        print_pieces([line.append(words, style="not bold")])
    for name in done.others:
        told = f"{count(done.of(name, EventState.WAITING), 'event')} for the endpoint {plain(name)}"
        if name in done.configured:
            say(f"{told} not delivered yet, too; this was not about it.")
        else:
            say(f"warning: {told} not delivered: the configuration has no such endpoint.")
    if done.forsaken:
        say("fix: Give it back its table, under the same name; the address may be another.")
    disabled = [one for one in done.disabled if one.name in done.configured]
    say_disabled(disabled, place)
    if done.code == GO_ON and not disabled:
        say(f"next: {place.command('crm', 'deliver', '--wait')}")
    if done.code in {0, DIED} and any(done.of(name, EventState.DEAD) for name in done.taken):
        say(f"next: {place.command('crm', 'list', '--status', 'dead')}")


def test(place: Place, names: Sequence[str], *, json: bool) -> int:
    """Send test events and say what was answered."""
    with place.kept_in_errors():
        settings = settings_for(place)
        endpoints = chosen_endpoints(settings, names)
        trials = asyncio.run(_trials(settings, endpoints))
    code = max((_code_of(trial) for trial in trials), default=0)
    if json:
        print_json({"tests": [_trial_json(trial) for trial in trials], "exit_code": code})
        return code
    for trial in trials:
        print_pieces([trial_view(trial)])
    return code


def _code_of(trial: Trial) -> int:
    """Return 75 for what may be gone at the next try, 4 for an endpoint that says no."""
    if trial.taken:
        return 0
    return GO_ON if trial.status is None or trial.status in PASSING else DIED


async def _trials(settings: Settings, endpoints: Sequence[Endpoint]) -> list[Trial]:
    return [trial async for trial in send_tests(settings, endpoints)]


def _trial_json(trial: Trial) -> dict[str, object]:
    return {
        "endpoint": trial.endpoint.name,
        "taken": trial.taken,
        "status": trial.status,
        "latency_ms": trial.latency_ms,
        "event_id": trial.event_id,
        "answer": trial.words,
    }


def trial_view(trial: Trial) -> Text:
    """Return what an endpoint made of its test event."""
    label, style = ("ok", "green") if trial.taken else ("FAIL", "bold red")
    line = Text(f"{label:<4}", style=style)
    where = urlsplit(trial.endpoint.url).netloc
    line.append(f"  {plain(trial.endpoint.name)} ({plain(where)}): ", style="not bold default")
    if trial.status is None:
        line.append(f"{plain(trial.words)}", style="not bold default")
    else:
        line.append(f"{trial.status} in {one_place(trial.latency_ms)} ms", style="default not bold")
    secrets = count(len(trial.endpoint.secrets), "secret")
    line.append(f"\n      signed with {secrets}, {trial.event_id}", style="not bold default")
    if trial.status is not None and trial.words:
        line.append(f"\n      answer: {plain(trial.words)}", style="not bold default")
    if not trial.taken:
        fix = CERTIFICATE if "certificate" in trial.words else _fix(trial.status)
        line.append(f"\n      fix: {fix}", style="not bold default")
    return line


def _fix(status: int | None) -> str:
    match status:
        case None:
            return "Check its url and the network; nothing of this was stored."
        case 401 | 403:
            return "Is the secret here one that the CRM knows? It verifies webhook-signature."
        case 404 | 405:
            return "Is the path in its url right? Events come by POST."
        case 410:
            return "The CRM has closed this address: ask for the new one."
        case code if 300 <= code < 400:
            return "Redirects are not followed: give the address that it leads to."
        case _:
            return "See the CRM's own log for the webhook-id above."
