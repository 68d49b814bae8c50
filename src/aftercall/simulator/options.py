"""The command line options, one for each setting."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from aftercall.simulator.config import SimulatorConfig
from aftercall.simulator.faults import FaultKind, Faults
from aftercall.simulator.limiter import LimiterKind, LimitRules, RetryAfterStyle
from aftercall.simulator.tokens import ALL_SCOPES
from aftercall.simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping


DENIABLE = (
    "contacts",
    "contact-state-descriptions",
    "dispositions",
    "classifications",
    "disposition",
    "set-disposition",
    "tags",
    "dnc-groups",
    "scheduled-callbacks",
)
"""What the ACD API can refuse for want of a permission."""

Outer = Sequence[tuple[tuple[str, ...], str | None, str]]
"""Options that another command line takes out before this one sees them: their names, what they
are given (None for nothing) and what they do."""


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults that are worth a word."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if isinstance(action.default, bool) or action.default in (None, []):
            return action.help
        return super()._get_help_string(action)


def build_parser(
    prog: str = "python -m aftercall.simulator", outer: Outer = ()
) -> argparse.ArgumentParser:
    """Return the parser of all options, with those of an outer command line in its help."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serve a simulated tenant and CRM on loopback until told to stop.",
        formatter_class=_Help,
        # The beginning of an outer option's name would be taken and do nothing.
        allow_abbrev=False,
    )
    if outer:
        group = parser.add_argument_group("configuration")
        for names, given, words in outer:
            if given is None:
                group.add_argument(*names, action="store_true", help=words)
            else:
                group.add_argument(*names, metavar=given, help=words)
    _add_server(parser.add_argument_group("server"))
    _add_world(parser.add_argument_group("world"))
    _add_tenant(parser.add_argument_group("tenant"))
    _add_access(parser.add_argument_group("access"))
    _add_faults(parser.add_argument_group("faults"))
    return parser


def config_from(
    options: argparse.Namespace, environment: Mapping[str, str] = os.environ
) -> SimulatorConfig:
    """Turn parsed options into settings.

    Args:
        options: What the parser of ``build_parser`` returned.
        environment: Where secrets are read from that are no options.

    Raises:
        OSError: If the world file cannot be read.
        ValueError: If a setting is out of range, or the world file does not describe a world.
    """
    return SimulatorConfig(
        host=options.host,
        port=options.port,
        seed=options.seed,
        world=_world(options),
        faults=Faults(
            probabilities=dict(options.fault),
            fault_limit=options.fault_limit,
            slow_seconds=options.slow_seconds,
            huge_bytes=options.huge_bytes,
            crm_down_seconds=options.crm_down_seconds,
        ),
        limits=LimitRules(
            kind=options.limiter,
            rate=options.rate,
            burst=options.burst,
            tenant_rate=options.tenant_rate,
        ),
        retry_after=options.retry_after,
        latency_ms=options.latency_ms,
        jitter_ms=options.jitter_ms,
        etags=options.etags,
        patch_status=options.patch_status,
        refused_codes=frozenset(options.refuse_code),
        known_codes=frozenset(options.known_code),
        client_id=options.client_id or environment.get("CXONE_CLIENT_ID") or None,
        client_secret=options.client_secret or environment.get("CXONE_CLIENT_SECRET") or None,
        key_id=options.key_id or environment.get("CXONE_ACCESS_KEY_ID") or None,
        key_secret=options.key_secret or environment.get("CXONE_ACCESS_KEY_SECRET") or None,
        denied=frozenset(options.deny),
        bearer=environment.get("CXONE_TOKEN") or None,
        likeness=options.likeness,
        profile=options.profile,
        scope=options.scope,
        token_seconds=options.token_seconds,
        crm_secret=options.crm_secret or environment.get("AFTERCALL_CRM_SECRET") or None,
        crm_latency_ms=options.crm_latency_ms,
        ledger_file=options.ledger,
        crm_file=options.crm_log,
    )


def _world(options: argparse.Namespace) -> World:
    world = World() if options.world is None else World.load(options.world)
    changes = {
        "open": options.open,
        "missing_ratio": options.missing_ratio,
        "active_ratio": options.active_ratio,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    return replace(world, **given)


def _add_server(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--host", default="127.0.0.1", help="loopback address to serve on")
    add("--port", type=int, default=0, help="port to serve on; 0 takes a free one")
    add("--port-file", type=Path, help="file to write the port number to")
    add("--exit-with-stdin", action="store_true", help="stop when standard input is closed")
    add("--seed", type=int, default=0, help="seed of everything random")
    add("--ledger", type=Path, help="file to append committed changes to")
    add("--crm-log", type=Path, help="file to append received events to")


def _add_world(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--world", type=Path, help="world file (JSON)")
    add("--open", action="store_true", default=None, help="unlisted contacts exist")
    add("--missing-ratio", type=float, help="fraction of unlisted contacts that do not exist")
    add("--active-ratio", type=float, help="fraction of unlisted contacts that are on a call")


def _add_tenant(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    limits = LimitRules()
    add("--rate", type=int, default=limits.rate, help="requests/s of a campaign; 0: no limit")
    add("--limiter", choices=get_args(LimiterKind), default=limits.kind, help="kind of limit")
    add("--burst", type=int, default=limits.burst, help="size of the bucket")
    add("--tenant-rate", type=int, default=limits.tenant_rate, help="requests/s of all campaigns")
    add("--retry-after", choices=get_args(RetryAfterStyle), default="alternate", help="its form")
    add("--latency-ms", type=float, default=0.0, help="time every tenant request takes")
    add("--jitter-ms", type=float, default=0.0, help="most random time on top of it")
    add("--profile", type=Path, help="profile (TOML) whose API is spoken, too")
    add("--likeness", action="store_true", help="say in each answer that much of it is made up")
    add("--no-etags", dest="etags", action="store_false", help="serve no ETag, ignore If-Match")
    add("--patch-status", type=int, choices=(204, 200), default=204, help="200: with the contact")
    add("--refuse-code", action="append", default=[], metavar="CODE", help="unknown outcome code")
    add("--known-code", action="append", default=[], metavar="CODE", help="else any is known")


def _add_access(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--client-id", help="known client, else CXONE_CLIENT_ID, else any")
    add("--client-secret", help="its secret, else CXONE_CLIENT_SECRET, else any")
    add("--key-id", help="known access key (ACD API), else CXONE_ACCESS_KEY_ID, else any")
    add("--key-secret", help="its secret, else CXONE_ACCESS_KEY_SECRET, else any")
    add(
        "--deny",
        action="append",
        default=[],
        choices=DENIABLE,
        metavar="NAME",
        help=f"permission that is lacking (ACD API); names: {', '.join(DENIABLE)}",
    )
    add("--scope", default=ALL_SCOPES, help="scopes that can be granted")
    add("--token-seconds", type=int, default=3600, help="life of a token")
    add("--crm-secret", help="secret of CRM signatures, else AFTERCALL_CRM_SECRET, else none")
    add("--crm-latency-ms", type=float, default=0.0, help="time every CRM request takes")


def _add_faults(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    faults = Faults()
    kinds = ", ".join(kind.value for kind in FaultKind)
    add(
        "--fault",
        action="append",
        default=[],
        type=_fault,
        metavar="KIND=PROBABILITY",
        help=f"a fault and how often it hits (repeatable); kinds: {kinds}",
    )
    add("--fault-limit", type=int, default=faults.fault_limit, help="most per contact; 0: any")
    add("--slow-seconds", type=float, default=faults.slow_seconds, help="delay of slow answers")
    add("--huge-bytes", type=int, default=faults.huge_bytes, help="size of huge answers")
    add("--crm-down-seconds", type=float, default=0.0, help="CRM answers 503 for so long")


def _fault(text: str) -> tuple[FaultKind, float]:
    name, _, probability = text.partition("=")
    try:
        return FaultKind(name), float(probability)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not KIND=PROBABILITY") from None
