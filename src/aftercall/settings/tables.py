"""The tables of the configuration: every key with its type, bounds, default and meaning."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from aftercall.domain.disposition import CANONICAL
from aftercall.domain.outcomes import CODE, Category, nearest_code
from aftercall.domain.pacing import Pace
from aftercall.domain.retry import DeferPolicy, RetryPolicy
from aftercall.settings.addresses import (
    JOURNAL_PREFIX,
    is_profile_file,
    journal_address,
    proxy_address,
    tenant_address,
)
from aftercall.settings.audit import Audit, nameable
from aftercall.settings.crm import CA_FILE, CampaignId, Crm
from aftercall.settings.follow_ups import FollowUps
from aftercall.settings.opt_outs import OptOuts
from aftercall.settings.table import ExistingFile, Table

OF_TABLE = "of_table"
"""The kind of an error that is about the table around the key at which it is found."""

_PROFILE = re.compile(r"[a-z0-9][a-z0-9.-]*")
_INSTANCE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def _instance(name: str) -> str:
    if not _INSTANCE.fullmatch(name):
        words = 'must be an instance name such as "na1": lower-case letters, digits and hyphens'
        raise PydanticCustomError("instance", words)
    return name


def _profile(name: str) -> str:
    if not is_profile_file(name) and not _PROFILE.fullmatch(name):
        words = 'must be the name of a profile, or the path of a file such as "./gateway.toml"'
        raise PydanticCustomError("profile", words)
    return name


def _code(code: str) -> str:
    if not CODE.fullmatch(code):
        words = "is not an outcome code: 3 to 20 capital letters or underscores"
        raise PydanticCustomError("code", words)
    return code


def _canonical(name: str) -> str:
    if name not in CANONICAL:
        # The words are made where the error is told, like those of any unknown key.
        raise PydanticCustomError("unknown_field", "unknown key")
    return name


def _proxy(url: SecretStr) -> SecretStr:
    proxy_address(url.get_secret_value())
    return url


def _cell(value: object) -> object:
    """Return as text what people write bare: ids that are numbers, and times."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


CanonicalName = Annotated[str, AfterValidator(_canonical)]
Cell = Annotated[str, BeforeValidator(_cell)]
Code = Annotated[str, AfterValidator(_code)]
PerSecond = Annotated[float, Field(strict=True, ge=0.001, le=1_000_000)]


class Tenant(Table):
    """Where the contact centre's API is and how it is reached."""

    profile: Annotated[str, AfterValidator(_profile)] = Field(
        default="outbound-v1",
        description=(
            "How the tenant's API is spoken: the name of a profile (`aftercall profile list`), or"
            " the path of a file of your own, such as `./gateway.toml`."
        ),
    )
    instance: Annotated[str, AfterValidator(_instance)] | None = Field(
        default=None,
        description="The name before the provider's domain. Give it or `base_url`, not both.",
    )
    base_url: Annotated[str, AfterValidator(tenant_address)] | None = Field(
        default=None,
        validate_default=True,
        description=(
            "The full https address of a tenant behind a gateway; http only on this machine."
        ),
    )
    ca_file: ExistingFile | None = Field(default=None, description=CA_FILE)
    client_cert_file: ExistingFile | None = Field(
        default=None, description="A file with our own certificate (PEM), for mutual TLS."
    )
    client_key_file: ExistingFile | None = Field(
        default=None,
        description="A file with its key, unless the certificate's file holds it too.",
    )
    proxy: Annotated[SecretStr, AfterValidator(_proxy)] | None = Field(
        default=None,
        description=(
            "The http or https address of a proxy. One with a password is given in the"
            " environment only."
        ),
    )
    connect_seconds: float = Field(
        default=10.0, strict=True, ge=0.1, le=300, description="Seconds to wait for a connection."
    )
    read_seconds: float = Field(
        default=30.0,
        strict=True,
        ge=0.1,
        le=600,
        description="Seconds to wait for the next part of an answer.",
    )
    total_seconds: float = Field(
        default=60.0, strict=True, ge=0.1, le=3600, description="Seconds a request may take in all."
    )
    response_bytes_max: int = Field(
        default=1_048_576,
        strict=True,
        ge=1024,
        le=1_073_741_824,
        description="Bytes of an answer that are read; a longer one is an error.",
    )

    # Checks that need two keys stand at the later one, not behind the whole table: there they
    # would only run once everything else is right, and the problems would come out in two parts.
    @field_validator("base_url")
    @classmethod
    def _one_address(cls, base_url: str | None, info: ValidationInfo) -> str | None:
        if "instance" not in info.data:
            return base_url
        if base_url is None and info.data["instance"] is None:
            words = 'give the address of the tenant: instance = "na1", or base_url'
            raise PydanticCustomError(OF_TABLE, words)
        if base_url is not None and info.data["instance"] is not None:
            raise PydanticCustomError(OF_TABLE, "give instance or base_url, not both")
        return base_url

    @field_validator("client_key_file")
    @classmethod
    def _key_of_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        if key is not None and info.data.get("client_cert_file", key) is None:
            raise PydanticCustomError("lone_key", "needs client_cert_file beside it")
        return key


class Limits(Table):
    """How fast and how much at once."""

    requests_per_second: PerSecond = Field(
        default=10.0, description="Requests per second to each campaign, reads and writes."
    )
    requests_per_second_total: PerSecond | None = Field(
        default=None, description="Requests per second to the tenant, all campaigns together."
    )
    concurrency: int = Field(
        default=50,
        strict=True,
        ge=1,
        le=1000,
        description="Requests in flight at once; fewer if few files may be open (`ulimit -n`).",
    )
    batch: int = Field(
        default=50, strict=True, ge=1, le=1000, description="Rows of a campaign's turn at most."
    )
    headroom: float = Field(
        default=0.05,
        strict=True,
        ge=0,
        le=0.5,
        description="The share of the pace that is left unused, so that jitter cannot exceed it.",
    )
    turn_seconds: float = Field(
        default=1.0,
        strict=True,
        ge=0.5,
        le=60,
        description="Seconds after which the next campaign has its turn.",
    )
    campaigns: dict[CampaignId, PerSecond] = Field(
        default={}, description="Requests per second by campaign id, where it is another."
    )


class Retry(Table):
    """How failures that may pass are tried again."""

    attempts_max: int = Field(
        default=6, strict=True, ge=1, le=100, description="Attempts until a row is failed."
    )
    wait_seconds_initial: float = Field(
        default=1.0,
        strict=True,
        ge=0.01,
        le=3600,
        description="Seconds to wait at most after the first attempt; doubled after each.",
    )
    wait_seconds_max: float = Field(
        default=60.0,
        strict=True,
        ge=0.01,
        le=86_400,
        validate_default=True,
        description="Seconds to wait at most after any attempt.",
    )
    elapsed_minutes_max: float = Field(
        default=60.0,
        strict=True,
        gt=0,
        le=43_200,
        description="Minutes after its first attempt until a row is failed.",
    )

    @field_validator("wait_seconds_max")
    @classmethod
    def _not_below_initial(cls, longest: float, info: ValidationInfo) -> float:
        if longest < info.data.get("wait_seconds_initial", 0.0):
            words = "is smaller than wait_seconds_initial"
            raise PydanticCustomError("below_initial", words)
        return longest


class Rows(Table):
    """How rows of the input are understood. Fields: see `columns`."""

    columns: dict[CanonicalName, Annotated[str, Field(min_length=1)]] = Field(
        default={},
        description=f"Field = its column in the file. Fields: {', '.join(CANONICAL)}.",
    )
    constants: dict[CanonicalName, Cell] = Field(
        default={}, description="Field = its value in every row; wins over the file."
    )
    defaults: dict[CanonicalName, Cell] = Field(
        default={}, description="Field = its value where the file's cell is empty."
    )
    on_conflict: Literal["newest", "first", "error"] = Field(
        default="newest", description="Which of several outcomes of a contact in one run wins."
    )
    unchanged_when: Literal["same_outcome", "same_everything"] = Field(
        default="same_outcome",
        description=(
            "When a contact counts as up to date: with the same outcome, or only with the same"
            " agent, notes and custom fields too."
        ),
    )
    defer_minutes: float = Field(
        default=15.0,
        strict=True,
        ge=0,
        le=1440,
        description="Minutes to wait for a contact that is on a call.",
    )
    clock_skew_seconds: float = Field(
        default=120.0,
        strict=True,
        ge=0,
        le=86_400,
        description="Seconds that a timestamp may lie in the future.",
    )


class Journal(Table):
    """Where rows, audit entries and CRM events are kept."""

    url: Annotated[str, AfterValidator(journal_address)] = Field(
        default=f"{JOURNAL_PREFIX}aftercall.db",
        description="A SQLite file: `sqlite:///` and its path.",
    )

    @property
    def path(self) -> Path:
        """Where the file is."""
        return Path(self.url.removeprefix(JOURNAL_PREFIX))


class Results(Table):
    """Where the result files of a run go."""

    directory: Annotated[Path, AfterValidator(nameable)] = Field(
        default=Path(), description="The directory."
    )


class Settings(Table):
    """The whole configuration."""

    tenant: Tenant
    outcomes: dict[Code, Category] = Field(
        min_length=1, description="Outcome code (3 to 20 capital letters or `_`) = its category."
    )
    outcome_ids: dict[Code, Annotated[str, BeforeValidator(_cell), Field(min_length=1)]] = Field(
        default={},
        description=(
            "Outcome code = the tenant's id or name of it, for a profile that speaks ids."
            " `aftercall outcomes pull` fills it in."
        ),
    )
    limits: Limits = Limits()
    retry: Retry = Retry()
    rows: Rows = Rows()
    crm: Crm = Crm()
    opt_outs: OptOuts = OptOuts()
    follow_ups: FollowUps = FollowUps()
    journal: Journal = Journal()
    audit: Audit = Audit()
    results: Results = Results()

    @field_validator("rows")
    @classmethod
    def _known_outcomes(cls, rows: Rows, info: ValidationInfo) -> Rows:
        outcomes = info.data.get("outcomes")
        if outcomes is None:
            return rows
        for name, cells in (("constants", rows.constants), ("defaults", rows.defaults)):
            code = cells.get("outcome")
            if code and code.strip() not in outcomes:
                near = nearest_code(code, outcomes)
                hint = f'; did you mean "{near}"?' if near else ""
                words = "{name}.outcome is not a code listed under [outcomes]{hint}"
                raise PydanticCustomError("outcome", words, {"name": name, "hint": hint})
        return rows

    @field_validator("follow_ups")
    @classmethod
    def _known_subjects(cls, follow_ups: FollowUps, info: ValidationInfo) -> FollowUps:
        outcomes = info.data.get("outcomes")
        lost = [] if outcomes is None else follow_ups.subjects - set(outcomes) - set(Category)
        if lost:
            words = "{codes} is not listed under [outcomes]"
            raise PydanticCustomError("outcome", words, {"codes": ", ".join(sorted(lost))})
        return follow_ups

    def retry_policy(self) -> RetryPolicy:
        """Return how failed attempts are tried again."""
        return RetryPolicy(
            attempts_max=self.retry.attempts_max,
            wait_seconds_initial=self.retry.wait_seconds_initial,
            wait_seconds_max=self.retry.wait_seconds_max,
            elapsed_seconds_max=self.retry.elapsed_minutes_max * 60,
        )

    def defer_policy(self) -> DeferPolicy:
        """Return how contacts that are on a call are looked at again."""
        return DeferPolicy(elapsed_seconds_max=self.rows.defer_minutes * 60)

    def pace(self, campaign: str) -> Pace:
        """Return how fast requests to `campaign` may leave."""
        limits = self.limits
        rate = limits.campaigns.get(campaign, limits.requests_per_second)
        return Pace(rate, limits.headroom)

    def pace_total(self) -> Pace | None:
        """Return how fast requests to the tenant as a whole may leave; None if that is open."""
        rate = self.limits.requests_per_second_total
        return None if rate is None else Pace(rate, self.limits.headroom)
