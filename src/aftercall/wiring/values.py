"""From settings to the plain values that the engine and the adapters take."""

from collections.abc import Mapping
from functools import partial

from aftercall.adapters.file_handles import connections_max
from aftercall.adapters.profiles import load_profile
from aftercall.adapters.transport import TransportOptions
from aftercall.domain import instant
from aftercall.domain.columns import ColumnMap
from aftercall.domain.disposition import Rules
from aftercall.domain.follow_ups import Action, FollowUpKind, FollowUpRules
from aftercall.domain.pacing import Pace
from aftercall.domain.settlement import WritePolicy
from aftercall.engine.rounds import TurnLimits
from aftercall.engine.run import Plan
from aftercall.errors import ConfigInvalid
from aftercall.settings import Settings, load_credentials
from aftercall.wire.profile import Profile, follow_ups_of
from aftercall.wire.target import Identity, Target


def target_of(settings: Settings) -> Target:
    """Return the tenant that the settings name.

    Raises:
        ConfigInvalid: its profile cannot be used.
    """
    tenant = settings.tenant
    profile = load_profile(tenant.profile)
    ids = {code: str(told) for code, told in settings.outcome_ids.items()}
    if ids and profile.codes.source == "identity":
        message = f"outcome_ids: the profile {profile.name} sends codes as they stand."
        fix = "Leave the table out, or give a profile whose [codes] have ids."
        raise ConfigInvalid(message, fix=fix, next_command="aftercall profile list")
    if tenant.base_url is not None:
        return Target(profile, tenant.base_url.rstrip("/"), ids=ids)
    if profile.base.url is None:
        message = f"The profile {profile.name} names no address."
        raise ConfigInvalid(message, fix="Give tenant.base_url in place of tenant.instance.")
    instance = tenant.instance or ""
    base_url = profile.base.url.replace("{instance}", instance)
    return Target(profile, base_url.rstrip("/"), instance, ids=ids)


def in_flight_max(settings: Settings) -> int:
    """Return how many requests to the tenant may be in flight: what is configured, if it fits.

    More than there are file handles for would leave none for the journal and the report.
    """
    crm = sum(one.concurrency for one in settings.crm.all_endpoints().values())
    return max(1, min(settings.limits.concurrency, connections_max() - crm))


def transport_options(settings: Settings) -> TransportOptions:
    """Return how the tenant is reached."""
    tenant = settings.tenant
    return TransportOptions(
        connections=in_flight_max(settings),
        connect_seconds=tenant.connect_seconds,
        read_seconds=tenant.read_seconds,
        total_seconds=tenant.total_seconds,
        response_bytes_max=tenant.response_bytes_max,
        ca_file=tenant.ca_file,
        client_cert_file=tenant.client_cert_file,
        client_key_file=tenant.client_key_file,
        proxy=None if tenant.proxy is None else tenant.proxy.get_secret_value(),
    )


def columns_of(settings: Settings) -> ColumnMap:
    """Return which column of an input is which field."""
    rows = settings.rows
    return ColumnMap(rows.columns, rows.constants, rows.defaults)


def rules_of(settings: Settings, started_ms: int) -> Rules:
    """Return what a valid row is for a run that started at `started_ms`."""
    return Rules(
        outcomes=settings.outcomes,
        now=instant.from_ms(started_ms),
        skew_seconds=settings.rows.clock_skew_seconds,
    )


def follow_ups_in(settings: Settings, profile: Profile) -> FollowUpRules:
    """Return which rows are followed up by what.

    Raises:
        ConfigInvalid: the tenant's profile declares no such follow-up.
    """
    asked = settings.follow_ups
    wanted: list[tuple[str, Action]] = []
    for kind, table in (
        (FollowUpKind.DNC_GROUP, asked.dnc_groups),
        (FollowUpKind.TAGS, asked.tags),
    ):
        wanted += [(name, Action(kind, one)) for name, ids in table.items() for one in ids]
    wanted += [(name, Action(FollowUpKind.CALLBACK)) for name in asked.callbacks]
    declared = follow_ups_of(profile)
    for key, kind in KEYS.items():
        if kind not in declared and any(action.kind is kind for _, action in wanted):
            message = f"follow_ups.{key}: the profile {profile.name} declares no such follow-up."
            fix = f"Leave the key out, or add [follow_ups.{kind}] to a profile of your own."
            raise ConfigInvalid(message, fix=fix, next_command="aftercall profile list")
    actions: dict[str, list[Action]] = {}
    for name, action in wanted:
        actions.setdefault(name, []).append(action)
    return FollowUpRules(actions, frozenset(profile.follow_ups.after_rejections))


KEYS = {
    "dnc_groups": FollowUpKind.DNC_GROUP,
    "tags": FollowUpKind.TAGS,
    "callbacks": FollowUpKind.CALLBACK,
}
"""The kind of follow-up that each key of `[follow_ups]` asks for."""


def plan_of(settings: Settings, profile: Profile) -> Plan:
    """Return what a run is to keep to.

    Raises:
        ConfigInvalid: the tenant's profile declares no such follow-up.
    """
    defer = settings.defer_policy()
    return Plan(
        policy=WritePolicy(
            active_states=profile.active_states,
            closed_words=profile.states.closed_words,
            same_everything=settings.rows.unchanged_when == "same_everything",
            dropped=_never_written(profile),
            retry=settings.retry_policy(),
            defer=defer,
        ),
        pace=partial(pace_of, settings, profile),
        tenant_pace=settings.pace_total(),
        concurrency=in_flight_max(settings),
        turns=TurnLimits(
            rows=settings.limits.batch,
            seconds=settings.limits.turn_seconds,
            patience_seconds=max(defer.elapsed_seconds_max, defer.wait_seconds_max),
            reads=profile.reads,
        ),
        drain_seconds=settings.crm.drain_seconds,
        follow_ups=follow_ups_in(settings, profile),
    )


def _never_written(profile: Profile) -> frozenset[str]:
    """Return which fields of a row no part is written of."""
    in_part = {"custom_fields"} if profile.write.custom_fields_sent else set[str]()
    return frozenset(profile.write.dropped) - in_part


def pace_of(settings: Settings, profile: Profile, campaign: str) -> Pace:
    """Return how fast requests to `campaign` may leave: the profile may set a bound."""
    pace = settings.pace(campaign)
    most = profile.pace.requests_per_second_max
    return pace if most is None or pace.per_second <= most else Pace(most, pace.headroom)


def requests_for(profile: Profile, rows: int, pace: Pace) -> int:
    """Return how many requests rows of a campaign take that are written at once.

    Lists of ids that all rows share are not counted, nor what has to be asked for again.
    """
    each = 1 if profile.readback is None else 2
    return rows * each + profile.reads.asked_for(rows, pace.spacing_us)


def identity_of(profile: Profile, environment: Mapping[str, str]) -> Identity:
    """Return who we are to the tenant, by the profile's first way whose secrets are all set.

    Raises:
        ConfigInvalid: a secret that it needs is missing or malformed.
    """
    ways = [auth.credentials for auth in profile.auth]
    found = load_credentials(environment, ways)
    return Identity(**{name: text.get_secret_value() for name, text in found.items()})
