"""From settings to the plain values that the engine and the adapters take."""

from collections.abc import Mapping

from aftercall.adapters.profiles import load_profile
from aftercall.adapters.transport import TransportOptions
from aftercall.domain import instant
from aftercall.domain.columns import ColumnMap
from aftercall.domain.disposition import Rules
from aftercall.domain.settlement import WritePolicy
from aftercall.engine.rounds import TurnLimits
from aftercall.engine.run import Plan
from aftercall.settings import Settings, load_credentials
from aftercall.wire.requests import Identity, Target


def target_of(settings: Settings) -> Target:
    """Return the tenant that the settings name."""
    profile = load_profile(settings.tenant.profile)
    base_url = settings.tenant.base_url
    if base_url is None:
        base_url = profile.base_url.replace("{instance}", settings.tenant.instance or "")
    return Target(profile, base_url.rstrip("/"))


def transport_options(settings: Settings) -> TransportOptions:
    """Return how the tenant is reached."""
    tenant = settings.tenant
    return TransportOptions(
        connections=settings.limits.concurrency,
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


def plan_of(settings: Settings, active_states: frozenset[str]) -> Plan:
    """Return what a run is to keep to."""
    defer = settings.defer_policy()
    return Plan(
        policy=WritePolicy(
            active_states=active_states,
            same_everything=settings.rows.unchanged_when == "same_everything",
            retry=settings.retry_policy(),
            defer=defer,
        ),
        pace=settings.pace,
        tenant_pace=settings.pace_total(),
        concurrency=settings.limits.concurrency,
        turns=TurnLimits(
            rows=settings.limits.batch,
            seconds=settings.limits.turn_seconds,
            patience_seconds=max(defer.elapsed_seconds_max, defer.wait_seconds_max),
        ),
        drain_seconds=settings.crm.drain_seconds,
    )


def identity_of(environment: Mapping[str, str]) -> Identity:
    """Return who we are to the tenant.

    Raises:
        ConfigInvalid: the client id or its secret is missing or malformed.
    """
    credentials = load_credentials(environment)
    return Identity(credentials.client_id, credentials.client_secret.get_secret_value())
