"""A rehearsal: what a simulator must know of a configuration, and the configuration turned to it.

The simulator shares no code with us: what it is told are options, a world file and secrets in its
environment. What is turned to it has no way out: every address is the simulator's own, and the
journal, the audit key and the result files lie in a directory that is thrown away.
"""

import base64
import math
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from aftercall.adapters.journal.sqlite import copy_journal
from aftercall.adapters.profiles import built_in_names, load_profile
from aftercall.domain.disposition import Disposition, Json
from aftercall.domain.outcomes import Category
from aftercall.domain.pacing import SECOND_US, Pace, seconds_at_least
from aftercall.domain.report import CampaignPace
from aftercall.domain.retry import RetryPolicy
from aftercall.domain.webhook import SECRET_PREFIX, secret_bytes
from aftercall.errors import AftercallError, ConfigInvalid
from aftercall.settings import SIGNING_VARIABLE, Crm, Settings, load_crm_secrets
from aftercall.settings.addresses import JOURNAL_PREFIX
from aftercall.wire.codes import static_book
from aftercall.wire.language.sign_in import VARIABLES
from aftercall.wire.profile import Profile
from aftercall.wire.requests import Basis, sent_of
from aftercall.wiring.session import Job
from aftercall.wiring.values import identity_of, pace_of, target_of

UNPACED = Pace(1_000_000.0, headroom=0.0)
"""Faster than a simulator on the same machine answers."""

WAIT_SECONDS_MAX = 2.0
"""The longest wait between two attempts of a rehearsal."""

READ_SECONDS_MAX = 3.0
"""How long an answer is waited for; a simulator that is not told to be slow needs no longer."""

MADE_UP_IDS = 70_001
"""The first id of outcomes whose id is not known: they are configured by name, or not at all."""

CLASSIFICATIONS = {
    Category.POSITIVE: 2,
    Category.NEGATIVE: 5,
    Category.CALLBACK: 8,
    Category.OPT_OUT: 4,
    Category.UNREACHABLE: 9,
}
"""A classification (system disposition value) of each category."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a simulator is told so that it is like the tenant and the CRM of a configuration.

    Attributes:
        profile: the profile; a file of it if the simulator does not speak it by itself.
        profile_file: that file.
        ids: what the tenant calls each outcome code.
        dispositions: the tenant's list of outcomes, if it has one.
        rate: requests per second to a campaign.
        rates: the same of campaigns that differ.
        tenant_rate: requests per second to the whole tenant; 0 for no limit.
        scope: the scopes that are granted; empty for all.
    """

    profile: Profile
    profile_file: str | None
    ids: Mapping[str, str]
    dispositions: Sequence[Json]
    rate: int
    rates: Mapping[str, int]
    tenant_rate: int
    scope: str

    @property
    def names_campaigns(self) -> bool:
        """Whether every address of a contact says of which campaign it is."""
        places = (self.profile.read, self.profile.write, self.profile.readback)
        return all("{campaign}" in one.url for one in places if one is not None)

    def world(self, *, paced: bool) -> dict[str, Json]:
        """Return the content of a world file: every contact exists and is free."""
        rates: dict[str, Json] = {name: {"rate": rate} for name, rate in self.rates.items()}
        campaigns: dict[str, Json] = rates if paced else {}
        dispositions = list(self.dispositions)
        return {"open": True, "campaigns": campaigns, "dispositions": dispositions}

    def options(self, world_file: Path, *, paced: bool) -> list[str]:
        """Return the simulator's options, with the limits of the configuration or without any."""
        rates = (self.rate, self.tenant_rate) if paced else (0, 0)
        given = ["--world", str(world_file), "--rate", str(rates[0])]
        given += ["--tenant-rate", str(rates[1]), "--likeness"]
        given += ["--scope", self.scope] if self.scope else []
        given += [] if self.profile.write.if_match else ["--no-etags"]
        given += ["--profile", self.profile_file] if self.profile_file is not None else []
        if self.profile.codes.source != "lookup":
            given += [word for told in self.ids.values() for word in ("--known-code", told)]
        return given


def likeness_of(settings: Settings) -> Likeness:
    """Return what a simulator of a configuration is told.

    Raises:
        ConfigInvalid: the profile cannot be used.
    """
    target = target_of(settings)
    profile, limits = target.profile, settings.limits
    own = all(not _alike(profile, load_profile(name)) for name in built_in_names())
    ids = _sent_ids(profile, static_book(profile, target.ids).ids)
    dispositions: list[Json] = []
    if profile.codes.source == "lookup":
        dispositions = _dispositions(settings, target.ids)
        ids = dict(zip(settings.outcomes, (str(_id_in(one)) for one in dispositions), strict=True))
    if profile.codes.source == "identity":
        ids = {code: code for code in settings.outcomes}
    return Likeness(
        profile=profile,
        profile_file=settings.tenant.profile if own else None,
        ids={code: told for code, told in ids.items() if code in settings.outcomes},
        dispositions=dispositions,
        rate=_whole(pace_of(settings, profile, "")),
        rates={name: _whole(pace_of(settings, profile, name)) for name in limits.campaigns},
        tenant_rate=math.ceil(limits.requests_per_second_total or 0),
        scope=next((auth.scope for auth in profile.auth if auth.scope), ""),
    )


def _sent_ids(profile: Profile, ids: Mapping[str, str]) -> dict[str, str]:
    """Return what the tenant is sent of outcome codes: "017" may go as the number 17."""
    if profile.codes.source != "static":
        return {}
    sent: dict[str, str] = {}
    for code, told in ids.items():
        row = Disposition(campaign="C", contact="P", outcome=code, agent="A")
        sent[code] = sent_of(profile, "outcome", row, Basis(outcome=told)) or told
    return sent


def known_secrets(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets that are set, in the variables from which a simulator reads them.

    What is not set is left out: a simulator takes anything in its place.
    """
    found = dict.fromkeys((*VARIABLES.values(), SIGNING_VARIABLE), "")
    with suppress(ConfigInvalid):
        identity = identity_of(target_of(settings).profile, environment)
        found |= {VARIABLES[name]: getattr(identity, name) for name in VARIABLES}
    keys: list[str] = []
    for one in settings.crm.all_endpoints().values():
        with suppress(ConfigInvalid):
            texts = load_crm_secrets(environment, one.signing_env or "")
            keys += [_as_key(text.get_secret_value()) for text in texts]
    return found | {SIGNING_VARIABLE: " ".join(dict.fromkeys(keys))}


def stand_ins(settings: Settings) -> dict[str, str]:
    """Return secrets made up for one rehearsal, in the variables that the configuration reads."""
    auth = target_of(settings).profile.auth[0]
    made = {name: f"rehearsal-{secrets.token_hex(12)}" for name in auth.variables}
    for one in settings.crm.all_endpoints().values():
        made[one.signing_env or ""] = _as_key(secrets.token_hex(16))
    return made


def placeholders(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what can stand for secrets that are not set, where a simulator takes anything."""
    ways = target_of(settings).profile.auth
    lacking = [[name for name in auth.variables if not environment.get(name)] for auth in ways]
    fewest = min(lacking, key=len)
    wanted = dict.fromkeys(fewest, "rehearsal")
    with suppress(ConfigInvalid):
        identity_of(target_of(settings).profile, environment)
        wanted = {}
    for one in settings.crm.all_endpoints().values():
        try:
            load_crm_secrets(environment, one.signing_env or "")
        except ConfigInvalid:
            wanted[one.signing_env or ""] = _as_key("rehearsal")
    return wanted


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a rehearsal takes place.

    Attributes:
        url: the simulated tenant.
        crm_url: the simulated CRM.
        directory: what is thrown away afterwards.
    """

    url: str
    crm_url: str
    directory: Path


def turned_to(settings: Settings, stage: Stage) -> Settings:
    """Return the configuration with nothing outside in it but the simulator.

    Raises:
        AftercallError: an address would lead elsewhere.
    """
    tenant = settings.tenant.model_copy(
        update={
            "base_url": stage.url,
            "instance": None,
            "proxy": None,
            "ca_file": None,
            "client_cert_file": None,
            "client_key_file": None,
            "read_seconds": min(settings.tenant.read_seconds, READ_SECONDS_MAX),
            "total_seconds": min(settings.tenant.total_seconds, READ_SECONDS_MAX),
        }
    )
    journal = f"{JOURNAL_PREFIX}{stage.directory / 'journal.db'}"
    turned = settings.model_copy(
        update={
            "tenant": tenant,
            "crm": _crm_at(settings.crm, stage.crm_url),
            "journal": settings.journal.model_copy(update={"url": journal}),
            "audit": settings.audit.model_copy(
                update={"key_file": stage.directory / "no-audit.key"}
            ),
            "results": settings.results.model_copy(update={"directory": stage.directory}),
        }
    )
    _check_confined(turned, stage)
    return turned


def copy_for(settings: Settings, stage: Stage) -> None:
    """Put a copy of the journal, if there is one, where the rehearsal has its own.

    Rows that were written before are duplicates there, too.

    Raises:
        JournalError: it cannot be read.
    """
    copy_journal(settings.journal.path, turned_to(settings, stage).journal.path)


def hasten(job: Job) -> None:
    """Take the pace out of a job and shorten its waits; what is done and how often stays."""
    plan = job.run.plan
    retry = plan.policy.retry
    short = RetryPolicy(
        attempts_max=retry.attempts_max,
        wait_seconds_initial=min(retry.wait_seconds_initial, WAIT_SECONDS_MAX / 2),
        wait_seconds_max=min(retry.wait_seconds_max, WAIT_SECONDS_MAX),
        elapsed_seconds_max=retry.elapsed_seconds_max,
    )
    job.run.plan = replace(
        plan,
        policy=replace(plan.policy, retry=short),
        pace=lambda _: UNPACED,
        tenant_pace=None,
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """What the requests of a campaign come to at the configured limits, in seconds at the least."""

    campaign: str
    requests: int
    per_second: float
    seconds: float


def costs_of(settings: Settings, sent: Iterable[CampaignPace]) -> list[Cost]:
    """Return what requests that were counted take at the configured limits, the longest first."""
    profile = target_of(settings).profile
    found = []
    for one in sent:
        pace = pace_of(settings, profile, one.campaign)
        seconds = one.requests * pace.spacing_us / SECOND_US
        found.append(Cost(one.campaign, one.requests, pace.per_second, seconds))
    return sorted(found, key=lambda cost: (-cost.seconds, cost.campaign))


def seconds_of(settings: Settings, costs: Iterable[Cost]) -> float:
    """Return how long that takes in all: campaigns side by side, within the tenant's own limit."""
    pace = partial(pace_of, settings, target_of(settings).profile)
    requests = {cost.campaign: cost.requests for cost in costs}
    return seconds_at_least(requests, pace, settings.pace_total())


def places_of(settings: Settings) -> list[str]:
    """Return the hosts that the configuration names, which a rehearsal does not speak to."""
    urls = [target_of(settings).base_url]
    urls += [one.url for one in settings.crm.all_endpoints().values()]
    return list(dict.fromkeys(urlsplit(url).netloc for url in urls))


def _alike(one: Profile, other: Profile) -> bool:
    """Say whether two profiles speak the same, whatever they are called."""
    unnamed = {"name": "same", "about": ""}
    return one.model_copy(update=unnamed) == other.model_copy(update=unnamed)


def _whole(pace: Pace) -> int:
    """Return the whole number of requests per second that a simulator allows for a pace."""
    return math.ceil(pace.per_second)


def _dispositions(settings: Settings, told: Mapping[str, str]) -> list[Json]:
    """Return the tenant's own list of outcomes, as far as the configuration knows it."""
    taken = {int(told[code]) for code in settings.outcomes if told.get(code, "").isdecimal()}
    free = (number for number in range(MADE_UP_IDS, 10**9) if number not in taken)
    listed: list[Json] = []
    for code, category in settings.outcomes.items():
        known = told.get(code, "")
        name = code.replace("_", " ").title() if not known or known.isdecimal() else known
        number = int(known) if known.isdecimal() else next(free)
        listed.append({"id": number, "name": name, "classification": CLASSIFICATIONS[category]})
    return listed


def _id_in(disposition: Json) -> Json:
    return disposition["id"] if isinstance(disposition, dict) else None


def _as_key(secret: str) -> str:
    """Return a secret in the form that can stand beside others."""
    return SECRET_PREFIX + base64.b64encode(secret_bytes(secret)).decode()


def _crm_at(crm: Crm, crm_url: str) -> Crm:
    """Return the CRM's endpoints, each at an address of its own below the simulator's."""
    endpoints = {
        name: one.model_copy(update={"url": f"{crm_url}/{name}", "allow_private": False})
        for name, one in crm.endpoints.items()
    }
    url = None if crm.url is None else crm_url
    return crm.model_copy(update={"url": url, "allow_private": False, "endpoints": endpoints})


def _check_confined(settings: Settings, stage: Stage) -> None:
    """Check that nothing is left that leads out: what is sent must not depend on this file alone.

    Raises:
        AftercallError: something is.
    """
    here = urlsplit(stage.url).netloc
    urls = [target_of(settings).base_url]
    urls += [one.url for one in settings.crm.all_endpoints().values()]
    led = [url for url in urls if urlsplit(url).netloc != here]
    files = (settings.journal.path, settings.audit.key_file, settings.results.directory)
    strayed = [file for file in files if not file.is_relative_to(stage.directory)]
    if led or strayed or settings.tenant.proxy is not None:
        message = "The rehearsal was not begun: something of it would have left this machine."
        raise AftercallError(message, fix="Please report this; nothing was sent.")
