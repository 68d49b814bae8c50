"""What the commands about profiles do."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from rich.text import Text

from aftercall.adapters.profiles import (
    ProfileFile,
    built_in_names,
    load_profile,
    parse_profile,
    read_profile,
)
from aftercall.domain.pacing import Pace
from aftercall.errors import AftercallError
from aftercall.interfaces.cli.new_file import write_new
from aftercall.interfaces.cli.profile_text import profile_text
from aftercall.interfaces.cli.program import typed
from aftercall.interfaces.cli.sampling import sample_follow_ups, sample_lists, sample_requests
from aftercall.interfaces.cli.tables import table
from aftercall.interfaces.cli.terminal import out, plain, print_pieces, say
from aftercall.settings.addresses import is_profile_file
from aftercall.wire.profile import Profile, profile_schema

ALONE = "A row is read and written like this:"
LISTED = "Rows are read several at a time, or one by itself, and written one by one like this:"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")


def list_all() -> int:
    """Print the built-in profiles."""
    rows = [(name, plain(load_profile(name).about)) for name in built_in_names()]
    print_pieces([table(("profile", "what it speaks"), rows)])
    say(
        "",
        'One of them is chosen by [tenant] profile = "NAME"; a file of your own by its path.',
        f"next: {typed('aftercall profile show ' + built_in_names()[0])}",
    )
    return 0


def show(name: str) -> int:
    """Print a profile's file."""
    file = read_profile(name)
    out().print(Text(file.text.rstrip("\n")), soft_wrap=True)
    return 0


def check(name: str) -> int:
    """Check a profile and print what it says."""
    file = read_profile(name)
    profile = parse_profile(file)
    print_pieces([Text(f"{file.place} is a profile: {profile.name}", style="bold"), Text()])
    print_pieces([table(("", "what it says"), list(said(profile)))])
    print_pieces([Text(), Text(LISTED if profile.read.bulk is not None else ALONE, style="bold")])
    print_pieces(Text(f"  {plain(line)}") for line in sample_requests(profile))
    lists = list(sample_lists(profile))
    if lists:
        print_pieces([Text(), Text("Once in a while a list is fetched:", style="bold")])
        print_pieces(Text(f"  {plain(line)}") for line in lists)
    followed = list(sample_follow_ups(profile))
    if followed:
        print_pieces([Text(), Text("If [follow_ups] asks for it, then:", style="bold")])
        print_pieces(Text(f"  {plain(line)}") for line in followed)
    say("", f'next: set [tenant] profile = "{file.place}", then {typed("aftercall check")}')
    return 0


def new(path: Path, like: str | None, *, force: bool) -> int:
    """Write a profile to start from, and say how to go on.

    Raises:
        AftercallError: there is a file already, or it cannot be written.
    """
    write_profile(path, like, force=force)
    out().print(plain(str(path)), soft_wrap=True)
    say(
        "",
        "1. Change what differs at your tenant; the comments say what each part is.",
        "2. See whether it holds together, and how a row would be sent:",
        "",
        f"next: {typed(f'aftercall profile check {path}')}",
    )
    return 0


def write_profile(path: Path, like: str | None, *, force: bool) -> None:
    """Write a profile to start from: a commented one, or a copy of another.

    Raises:
        AftercallError: there is a file already, or it cannot be written.
    """
    name = path.name.removesuffix(".toml").lower()
    if not path.name.endswith(".toml") or not _NAME.fullmatch(name):
        message = f"{path} is no name for a profile's file."
        fix = "Name it like gateway.toml: two or more letters, digits and hyphens."
        raise AftercallError(message, fix=fix)
    text = profile_text(name) if like is None else renamed(read_profile(like), name)
    write_new(path, text, force=force)


def is_untouched(name: str | None) -> bool:
    """Say whether a profile's file is still as it was written to start from."""
    if name is None or not is_profile_file(name):
        return False
    file = read_profile(name)
    return file.text == profile_text(parse_profile(file).name)


def schema() -> int:
    """Print the JSON Schema of a profile."""
    out().print(Text(json.dumps(profile_schema(), indent=2)), soft_wrap=True)
    return 0


def renamed(file: ProfileFile, name: str) -> str:
    """Return a profile's text under another name."""
    return re.sub(r'(?m)^name = ".*"$', f'name = "{name}"', file.text, count=1)


def said(profile: Profile) -> Iterator[tuple[str, str]]:
    """Yield what a profile says, part by part, in words."""
    for auth in profile.auth:
        where = f" at {auth.url}" if auth.asks else ""
        needs = f"; needs {', '.join(auth.variables)}" if auth.variables else ""
        yield "sign in", f"{auth.style}{where}{needs}"
    if profile.base.discovery is not None:
        yield "address", f"asked for at {profile.base.discovery.url}"
    else:
        yield "address", profile.base.url or "tenant.base_url of the configuration"
    for name in ("wait", "allowed", "closed"):
        states = ", ".join(sorted(getattr(profile.states, name))) or "none"
        yield name, states
    if profile.read.bulk is not None:
        here = profile.reads.list_size(Pace(USUAL_PER_SECOND).spacing_us)
        most = f"up to {profile.read.bulk.max} contacts in one request"
        yield "lists", f"{most}; {here} at {USUAL_PER_SECOND:g} requests a second"
    yield "codes", codes_words(profile)
    some = profile.write.custom_fields_sent
    dropped = [name for name in profile.write.dropped if not (some and name == "custom_fields")]
    if dropped:
        yield "dropped", f"{', '.join(dropped)}: this API does not take them"
    if some:
        yield "custom", f"only {', '.join(dict.fromkeys(some))} of the custom fields are sent"
    conditional = profile.write.if_match and (profile.read.etag or profile.read.etag_header)
    yield "If-Match", "if the tenant gives an ETag" if conditional else NO_CONDITION
    if profile.read.good_for_seconds is not None:
        yield "old reads", OLD_READS.format(profile.read.good_for_seconds)
    for rule in profile.errors.rules:
        statuses = ", ".join(map(str, sorted(rule.status)))
        words = f' "{rule.text}"' if rule.text else ""
        yield "refusal", f"{statuses}{words}: {rule.means}{f', {rule.reason}' * bool(rule.reason)}"


USUAL_PER_SECOND = 10.0

OLD_READS = (
    "written over for {:g} s, not for 2: a call that begins meanwhile is kept safe by the tenant's"
    " ETag alone"
)
NO_CONDITION = "never: a call that starts between read and write is not seen"


def codes_words(profile: Profile) -> str:
    """Return how a profile's outcome codes become what the tenant calls them."""
    match profile.codes.source:
        case "identity":
            return "sent as they are"
        case "static":
            listed = ", ".join(
                f"{code} = {number}" for code, number in profile.codes.static.items()
            )
            return f"ids from the profile and [outcome_ids]: {listed}"
        case "lookup":
            place = profile.lookup[profile.codes.lookup or ""].url
            return f"ids looked up at {place}, by [outcome_ids] or by name"
