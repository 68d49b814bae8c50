"""The questions that `init` asks on a terminal: which tenant one has."""

import sys

import typer

from aftercall.adapters.profiles import built_in_names, load_profile
from aftercall.interfaces.cli.starter import Answers
from aftercall.interfaces.cli.terminal import plain, say

OWN = "a file of your own"


def asked(given: Answers) -> Answers:
    """Return what the options say, else what a person at the terminal answers."""
    if given != Answers() or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return given
    names = built_in_names()
    say("Which tenant do you have?", "")
    for number, name in enumerate(names, 1):
        say(f"  {number}  {name}: {plain(load_profile(name).about)}")
    say(f"  {len(names) + 1}  {OWN}: a gateway, or another API", "")
    chosen = typer.prompt("Number", default=names.index("outbound-v1") + 1, type=int, err=True)
    if chosen == len(names) + 1:
        profile = typer.prompt("Its path, such as ./gateway.toml", err=True)
    else:
        profile = names[min(max(chosen, 1), len(names)) - 1]
    where = typer.prompt(
        "Where is it: the instance or area (na1), or the full address (https://...)", err=True
    )
    if "://" in where:
        return Answers(profile, base_url=where)
    return Answers(profile, instance=where)
