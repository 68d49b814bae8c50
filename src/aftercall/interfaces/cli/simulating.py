"""What `simulate --from-config` does: a likeness of the tenant, and how to be turned to it."""

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from aftercall.adapters.passing_directory import passing_directory
from aftercall.interfaces.cli.figures import count
from aftercall.interfaces.cli.options import Place
from aftercall.interfaces.cli.terminal import plain, say
from aftercall.settings import ONLY_ENDPOINT, Settings, load_settings
from aftercall.simulator.command import Caller, main
from aftercall.wiring.rehearsal import (
    Likeness,
    Stage,
    known_secrets,
    likeness_of,
    placeholders,
    turned_to,
)

PROG = "aftercall simulate"
OUTER = (
    (
        ("--from-config",),
        None,
        "be like the tenant of the configuration; options that are given win over it",
    ),
    (("--config", "-c"), "PATH", "the configuration (default: aftercall.toml)"),
)
"""What is read before the simulator reads its own options."""
JOURNAL = "rehearsal.db"


def simulate(options: Sequence[str], config: Path | None) -> int:
    """Serve a simulated tenant and CRM.

    Args:
        options: those of the simulator itself.
        config: the configuration that it is to be like; None for none.

    Raises:
        ConfigInvalid: the configuration cannot be used.
    """
    if config is None:
        return main(options, Caller(prog=PROG, outer=OUTER))
    settings = load_settings(config, os.environ)
    likeness = likeness_of(settings)
    with passing_directory("simulate") as directory:
        world = directory / "world.json"
        world.write_text(json.dumps(likeness.world(paced=True)), encoding="utf-8")
        caller = Caller(
            prog=PROG,
            outer=OUTER,
            environment=known_secrets(settings, os.environ),
            listening=partial(_tell, settings, likeness, config),
        )
        return main([*likeness.options(world, paced=True), *options], caller)


def _tell(settings: Settings, likeness: Likeness, config: Path, url: str, crm_url: str) -> None:
    """Say what is served and what to type to speak to it, on standard error."""
    limits = f"{likeness.rate:,} requests/s to each campaign"
    limits += "".join(f", {rate:,} to {plain(name)}" for name, rate in likeness.rates.items())
    limits += f", {likeness.tenant_rate:,} in all" if likeness.tenant_rate else ""
    say(
        f"A simulator of {plain(str(config))} listens at {url}; Ctrl-C ends it.",
        f"It speaks {likeness.profile.name}, knows {count(len(settings.outcomes), 'outcome')} and"
        f" allows {limits}.",
        "",
        "In another terminal:",
    )
    for name, value in _variables(settings, url, crm_url):
        say(f"  export {name}={shlex.quote(value)}")
    place = Place(config=config)
    say(f"  {place.command('check')}", f"  {place.command('sync', 'calls.csv')}")
    if settings.tenant.proxy is not None:
        say(
            "",
            "note: tenant.proxy is configured, and a proxy does not lead to this machine: leave it"
            " out of a copy of the file, or use sync --rehearse.",
        )
    if not likeness.names_campaigns:
        say("", "note: addresses of this API name no campaign: only the limit in all is enforced.")


def _variables(settings: Settings, url: str, crm_url: str) -> Iterator[tuple[str, str]]:
    """Yield the variables that turn the command line to the simulator, and no secret."""
    yield "AFTERCALL__TENANT__BASE_URL", url
    turned = turned_to(settings, Stage(url, crm_url, Path("/")))
    for name, one in turned.crm.all_endpoints().items():
        table = "" if name == ONLY_ENDPOINT and settings.crm.url else f"ENDPOINTS__{name.upper()}__"
        yield f"AFTERCALL__CRM__{table}URL", one.url
    yield "AFTERCALL__JOURNAL__URL", f"sqlite:///{JOURNAL}"
    yield from placeholders(settings, os.environ).items()
