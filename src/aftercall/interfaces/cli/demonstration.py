"""What `demo` does: the whole job against a simulator of its own, and the tenant's proof."""

import asyncio
import base64
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from rich.text import Text

from aftercall.engine.verifying import verify_log
from aftercall.errors import AftercallError
from aftercall.interfaces.cli import failures
from aftercall.interfaces.cli.audit import replaced, write_entries
from aftercall.interfaces.cli.figures import count
from aftercall.interfaces.cli.options import Place
from aftercall.interfaces.cli.performing import Performance, Performed
from aftercall.interfaces.cli.program import typed
from aftercall.interfaces.cli.proof import Proof, Witness, proof_view
from aftercall.interfaces.cli.rehearsal import LATENCY_MS, Rehearsal, rehearsing
from aftercall.interfaces.cli.report_text import Closing, Step, steps_view
from aftercall.interfaces.cli.runs import print_report
from aftercall.interfaces.cli.starter import starter_text
from aftercall.interfaces.cli.terminal import print_pieces, say
from aftercall.ports import AuditFilter
from aftercall.settings import load_settings
from aftercall.wiring import (
    Job,
    Session,
    SourceOptions,
    make_key,
    open_archive,
    open_audit,
    trust_of,
    write_results,
)

ROWS = "dispositions.csv"
WORLD = "tenant.json"
MARKER = ".aftercall-demo"
OURS = (
    MARKER,
    "dispositions.*",
    WORLD,
    "aftercall.toml",
    "aftercall.db*",
    "aftercall-audit.key*",
    "audit.json",
    "simulator.log",
    "????????-??????-????-*.csv",
)
"""What a demo leaves in its directory, and all that the next one removes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of the command.

    Attributes:
        rows: the user's own rows; None for the sample.
        directory: where everything is left.
        seed: the seed of what is random.
    """

    rows: Path | None
    directory: Path
    seed: int


def demo(wanted: Wanted) -> int:
    """Run the demo and return 0 if everything was as it should be.

    Raises:
        AftercallError: it could not be set up, or was stopped.
    """
    directory = wanted.directory
    given = wanted.rows or example(ROWS)
    if given.resolve().is_relative_to(directory.resolve()):
        message = f"{given} lies in {directory}, which a demo clears first."
        raise AftercallError(message, fix="Copy it elsewhere, or give another --keep.")
    check_readable(given)
    prepare_directory(directory)
    rows = copied(given, directory / f"dispositions{given.suffix}")
    world = copied(example(WORLD), directory / WORLD)
    environment = {
        "CXONE_CLIENT_ID": f"demo-{secrets.token_hex(4)}",
        "CXONE_CLIENT_SECRET": secrets.token_urlsafe(24),
        "AFTERCALL_CRM_SECRET": "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode(),
    }
    options = ["--world", str(world), "--seed", str(wanted.seed), *LATENCY_MS]
    options += ["--open"] * (wanted.rows is not None)
    rehearsal = Rehearsal(options, directory / "simulator.log")
    with rehearsing(rehearsal, environment) as simulator:
        say(f"A simulated tenant and CRM listen at {simulator.url}.")
        config = directory / "aftercall.toml"
        config.write_text(configuration(simulator.url, simulator.crm_url, world), encoding="utf-8")
        asyncio.run(make_key(load_settings(config, environment), "aftercall/demo"))
        performed = _perform(config, rows, environment)
        witness = simulator.witness()
    return _tell(performed, witness, Place(config=config))


def prepare_directory(directory: Path) -> None:
    """Make the directory, or take away what an earlier demo left there.

    Raises:
        AftercallError: it holds something else, or cannot be made.
    """
    marker = directory / MARKER
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not marker.is_file() and any(directory.iterdir()):
            message = f"{directory} is not empty, and no demo made it."
            raise AftercallError(message, fix="Give another directory with --keep.")
        for pattern in OURS:
            for file in directory.glob(pattern):
                file.unlink()
        marker.touch()
    except OSError as trouble:
        message = f"{directory} cannot be used: {trouble.strerror}."
        raise AftercallError(message, fix="Give another directory with --keep.") from None


def example(name: str) -> Path:
    """Return where an example file lies: in the package, or at the root of a checkout.

    Raises:
        AftercallError: there is none.
    """
    package = Path(str(resources.files("aftercall")))
    for place in (package / "examples", package.parents[1] / "examples"):
        if (place / name).is_file():
            return place / name
    message = f"The example file {name} was not installed."
    raise AftercallError(message, fix="Install aftercall again, or run the demo in a checkout.")


def copied(source: Path, target: Path) -> Path:
    """Copy a file into the demo's directory.

    Raises:
        AftercallError: it cannot be read.
    """
    try:
        shutil.copyfile(source, target)
    except OSError as trouble:
        message = f"{source} cannot be copied: {trouble.strerror}."
        raise AftercallError(message, fix="Give a file that can be read with --rows.") from None
    return target


def check_readable(rows: Path) -> None:
    """See that rows can be read, before anything of an earlier demo is taken away.

    Raises:
        AftercallError: they cannot.
    """
    try:
        rows.open("rb").close()
    except OSError as trouble:
        message = f"{rows} cannot be read: {trouble.strerror}."
        raise AftercallError(message, fix="Give a file that can be read with --rows.") from None


def configuration(url: str, crm_url: str, world: Path) -> str:
    """Return the starter configuration, filled in for the simulator."""
    port = url.rpartition(":")[2]
    head = (
        "# Written by aftercall demo. Its simulator has ended; start it again to go on:\n"
        f"#   {typed(f'aftercall simulate --world {world} --port {port}')}\n"
        "# with any CXONE_CLIENT_ID and CXONE_CLIENT_SECRET, and an AFTERCALL_CRM_SECRET that\n"
        "# both sides know (whsec_ and base64).\n\n"
    )
    text = starter_text()
    for old, new in (
        ('# instance = "na1"                        # example', f'base_url = "{url}"'),
        ('# url = "https://crm.example.com/hooks"   # example: who is told; nobody by default',
         f'url = "{crm_url}"'),
    ):  # fmt: skip
        text = text.replace(old, new)
    return head + text


def _perform(config: Path, rows: Path, environment: Mapping[str, str]) -> Performed:
    settings = load_settings(config, environment)

    def prepare(session: Session) -> Job:
        return session.files([str(rows)], SourceOptions())

    performed = Performance(settings, prepare, environment=environment).run()
    if performed.trouble is not None:
        performed.trouble.next_command = "aftercall demo"
    return performed


def _tell(performed: Performed, witness: Witness, place: Place) -> int:
    """Print the report, the tenant's proof and what to look at; return the exit code."""
    report = performed.report
    settings = load_settings(place.config, {})
    files = write_results(settings, report.run)
    target = place.config.parent / "audit.json"
    with open_archive(settings.journal.path) as archive, replaced(target) as file:
        write_entries(archive.entries(AuditFilter(run=report.run)), "json", file)
    files["audit"] = str(target)
    print_report(report, Closing(files))
    proof = Proof.of(report, witness)
    trust = trust_of(settings.audit.key_file, [], [])
    with open_audit(settings.journal.path) as log:
        found = verify_log(log, trust)
    sealed = not found.unsealed and found.latest is not None
    words = count(found.entries, "entry", "entries")
    held = "each sealed, signed and verified" if sealed else "NOT ALL SEALED"
    audit = Text(f"  audit   {words}, {held} with {trust.keys[0].text}")
    print_pieces([*proof_view(proof), audit, Text(), *steps_view(next_steps(place))])
    if performed.trouble is not None:
        return failures.tell(performed.trouble)
    return 0 if proof.holds and sealed and report.reconciles else failures.FAILURE


def next_steps(place: Place) -> list[Step]:
    """Return what can be looked at without the simulator, and how the real thing begins."""
    return [
        Step("see what was wrong with rows", place.command("show", "--status", "invalid")),
        Step("check the audit trail yourself", place.command("audit", "verify")),
        Step("see what the CRM was told", place.command("crm", "list", "--limit", "3")),
        Step("begin with your own tenant", Place().command("init")),
    ]
