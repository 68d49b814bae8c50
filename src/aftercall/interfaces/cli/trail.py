"""The commands about the audit trail: audit export, verify, prove, keygen, erase and the others."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs: --help stays quick.

from pathlib import Path
from typing import Annotated, Literal

import typer

from aftercall.interfaces.cli.options import Caution, Entries, Place, grouped

Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", hidden=True)]
Old = Annotated[Path, typer.Argument(metavar="OLD", hidden=True)]
New = Annotated[Path, typer.Argument(metavar="NEW", hidden=True)]
Row = Annotated[int, typer.Argument(metavar="ROW", hidden=True)]
Number = Annotated[int, typer.Argument(metavar="HOLD", hidden=True)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Reason = Annotated[
    str, typer.Option(metavar="TEXT", help="Why. It is recorded for good: no personal data.")
]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key", metavar="KEY", help="A public key to trust, as audit key prints it. Repeatable."
    ),
]
OneContact = Annotated[str, typer.Option(metavar="ID", help="The contact.")]
Contact = Annotated[str, typer.Option(metavar="ID", help="Of this contact only.")]
Campaign = Annotated[str, typer.Option(metavar="ID", help="In this campaign only.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    audit = typer.Typer(help="Prove, check and keep the audit trail.", no_args_is_help=True)
    for name, command in {
        "export": audit_export,
        "gaps": gaps,
        "verify": verify,
        "verify-bundle": verify_bundle,
        "prove": prove,
        "checkpoint": checkpoint,
        "consistency": consistency,
        "keygen": keygen,
        "key": key,
        "seal": seal,
        "erase": erase,
        "expire": expire,
    }.items():
        audit.command(name)(command)
    hold = typer.Typer(help="Legal holds: what is held is not erased.", no_args_is_help=True)
    for name, command in {"add": hold_add, "release": hold_release, "list": hold_list}.items():
        hold.command(name)(command)
    audit.add_typer(hold, name="hold")
    app.add_typer(audit, name="audit")


@grouped
def audit_export(
    place: Place,
    entries: Entries,
    format: Annotated[  # noqa: A002 - the option is called so
        Literal["json", "jsonl", "csv", "bundle"],
        typer.Option(help="How it is written; a bundle proves itself."),
    ] = "json",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; standard output otherwise.")
    ] = None,
) -> int:
    """Write audit entries, as they were stored.

    A bundle holds sealed entries, the hashes of all others and a signed checkpoint: with the
    public key alone, audit verify-bundle and docs/verify_audit.py can check it.
    """
    from aftercall.interfaces.cli import audit

    return audit.export(place, entries, format, out)


@grouped
def gaps(
    place: Place,
    entries: Entries,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Calls listed at most.")] = 20,
    *,
    json: Json = False,
) -> int:
    """Say which call records lack fields that US law asks for.

    Exit code 4 says that one does.
    """
    from aftercall.interfaces.cli import gaps as listing

    return listing.show(place, entries, limit, json=json)


@grouped
def verify(
    place: Place,
    key: Keys = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A checkpoint that was kept elsewhere. Repeatable."),
    ] = None,
    *,
    json: Json = False,
) -> int:
    """Check every entry, the tree, every checkpoint and signature.

    It says the first thing that does not fit. A checkpoint that was kept elsewhere shows, too,
    that nothing was cut off or written anew since then.
    """
    from aftercall.interfaces.cli import checking

    return checking.verify(place, key or [], checkpoint or [], json=json)


def verify_bundle(bundle: Bundle, key: Keys = None, *, json: Json = False) -> int:
    """Check a bundle with nothing but the public key.

    BUNDLE is a file that audit export --format bundle has written.
    """
    from aftercall.interfaces.cli import checking

    return checking.verify_bundle(bundle, key or [], json=json)


@grouped
def prove(
    row: Row,
    place: Place,
    *,
    disclose: Annotated[
        bool,
        typer.Option("--disclose", help="Add the entries, and the personal data behind them."),
    ] = False,
) -> int:
    """Print the proof that the entries about a row are in the log.

    ROW is the row_id of the entries. The proof is that of RFC 6962, against the newest checkpoint.
    """
    from aftercall.interfaces.cli import checking

    return checking.prove(place, row, disclose=disclose)


@grouped
def checkpoint(
    place: Place,
    *,
    all: Annotated[  # noqa: A002 - the option is called so
        bool, typer.Option("--all", help="All of them, the oldest first.")
    ] = False,
) -> int:
    """Print the newest checkpoint.

    Keep it elsewhere, to check the log against it later.
    """
    from aftercall.interfaces.cli import checking

    return checking.checkpoint(place, every=all)


@grouped
def consistency(old: Old, new: New, place: Place) -> int:
    """Prove that one checkpoint's log is the beginning of another's.

    OLD and NEW are files with checkpoints.
    """
    from aftercall.interfaces.cli import checking

    return checking.consistency(place, old, new)


@grouped
def keygen(
    place: Place,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="The log's name in checkpoints; else a random one.")
    ] = "",
    *,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Replace the key; the old one signs that.")
    ] = False,
) -> int:
    """Make the key that signs the trail, and print its public half.

    It is written to audit.key_file, for its owner alone to read, and never over another key.
    """
    from aftercall.interfaces.cli import keys

    return keys.rotate(place) if rotate else keys.keygen(place, name)


@grouped
def key(place: Place) -> int:
    """Print the public key, for whoever is to check the trail."""
    from aftercall.interfaces.cli import keys

    return keys.key(place)


@grouped
def seal(place: Place) -> int:
    """Seal what is not sealed yet. Every run does that by itself."""
    from aftercall.interfaces.cli import keeping

    return keeping.seal(place)


@grouped
def erase(
    contact: OneContact,
    reason: Reason,
    place: Place,
    caution: Caution,
    campaign: Campaign = "",
) -> int:
    """Erase a person's data; every proof stays valid.

    Notes, custom fields and original cells go from the rows, the CRM events and the result files;
    the entries stay, with the contact's id. The erasure becomes an entry.
    """
    from aftercall.interfaces.cli import keeping

    return keeping.erase(place, keeping.Erasure(contact, campaign, reason), caution)


@grouped
def expire(
    place: Place,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many that would be.")
    ] = False,
) -> int:
    """Take out entries older than audit.retain_days; their hashes stay.

    So does what is held. That entries have expired becomes an entry.
    """
    from aftercall.interfaces.cli import keeping

    return keeping.expire(place, dry_run=dry_run)


@grouped
def hold_add(reason: Reason, place: Place, contact: Contact = "", campaign: Campaign = "") -> int:
    """Place a legal hold on a contact, a campaign, or both."""
    from aftercall.interfaces.cli import keeping

    return keeping.hold_add(place, contact, campaign, reason)


@grouped
def hold_release(hold: Number, reason: Reason, place: Place) -> int:
    """Release a legal hold.

    HOLD is its number.
    """
    from aftercall.interfaces.cli import keeping

    return keeping.hold_release(place, hold, reason)


@grouped
def hold_list(place: Place, *, json: Json = False) -> int:
    """List the legal holds in force."""
    from aftercall.interfaces.cli import keeping

    return keeping.hold_list(place, json=json)
