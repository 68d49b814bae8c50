"""What `outcomes pull` does."""

import asyncio
import os
import tomllib
from collections.abc import Mapping, Sequence, Sized

from aftercall.adapters.config_file import add_keys
from aftercall.errors import ConfigInvalid
from aftercall.interfaces.cli.figures import count
from aftercall.interfaces.cli.options import Place
from aftercall.interfaces.cli.tables import table
from aftercall.interfaces.cli.terminal import plain, print_pieces, say
from aftercall.settings import Settings, load_settings
from aftercall.wire.catalogue import Configured, Outcome
from aftercall.wiring.catalogue import fetch_outcomes
from aftercall.wiring.values import target_of

STAND_IN = {"outcomes.STAND_IN": "negative"}
"""A configuration without outcomes is no valid one, and here they are only about to come."""


def pull(place: Place, *, dry_run: bool) -> int:
    """Show the tenant's dispositions as outcomes and add the new ones to the configuration."""
    with place.kept_in_errors():
        settings = load_settings(place.config, os.environ, {**place.overrides(), **STAND_IN})
        written = _tables(place)
        fetched = asyncio.run(fetch_outcomes(settings, os.environ, _configured(settings, written)))
        usable = [one for one in fetched if one.code and one.category is not None]
        rows = [
            (one.code, one.category or "", one.id, plain(one.name), plain(one.group))
            for one in usable
        ]
        if rows:
            print_pieces(
                [table(("outcome", "category", "id", "name at the tenant", "group"), rows)]
            )
        added = new_keys(usable, written)
        if not dry_run:
            add_keys(place.config, added)
    say("", _told(place, (fetched, rows), added, dry_run=dry_run))
    _say_unused(fetched, written, has_rules=bool(target_of(settings).profile.codes.categories))
    waiting = dry_run and added["outcome_ids"]
    say(f"next: {place.command('outcomes', 'pull') if waiting else place.command('check')}")
    return 0


def new_keys(
    outcomes: Sequence[Outcome], written: Mapping[str, Mapping[str, object]]
) -> dict[str, dict[str, str]]:
    """Return what is to be added to the tables of a configuration."""
    categories, ids = written["outcomes"], written["outcome_ids"]
    return {
        "outcomes": {
            one.code: str(one.category)
            for one in outcomes
            if one.code not in categories and one.category is not None
        },
        "outcome_ids": {one.code: one.id for one in outcomes if one.code not in ids},
    }


def _tables(place: Place) -> dict[str, dict[str, object]]:
    """Return the two tables as they stand in the file.

    Raises:
        ConfigInvalid: one of them is none.
    """
    document = tomllib.loads(place.config.read_text(encoding="utf-8-sig"))
    tables = {name: document.get(name, {}) for name in ("outcomes", "outcome_ids")}
    for name, found in tables.items():
        if not isinstance(found, dict):
            raise ConfigInvalid(f"{name} is no table.", fix=f"Write it as [{name}].")
    return tables


def _configured(settings: Settings, written: Mapping[str, Mapping[str, object]]) -> Configured:
    """Return the outcomes that are configured, without the one that only stands in for them."""
    codes = settings.outcomes.items()
    categories = {code: category for code, category in codes if code in written["outcomes"]}
    return Configured(categories, settings.outcome_ids)


def _told(
    place: Place,
    seen: tuple[Sequence[Outcome], Sized],
    added: Mapping[str, Mapping[str, str]],
    *,
    dry_run: bool,
) -> str:
    """Return what was added, given the tenant's dispositions and those that became an outcome."""
    fetched, rows = seen
    number = len(added["outcome_ids"])
    if not fetched:
        return f"The tenant lists no dispositions; {place.config} stays as it is."
    if not rows:
        return f"None of the tenant's dispositions became an outcome of {place.config}."
    if dry_run:
        return f"{count(number, 'outcome')} would be added to {place.config}; nothing was changed."
    if not number:
        all_there = all(one.code and one.category is not None for one in fetched)
        which = "all of them" if all_there else "all that can be added"
        return f"{place.config} has {which} already."
    return f"{place.config}: {count(number, 'outcome')} added. Look at the categories."


def _say_unused(
    fetched: Sequence[Outcome],
    written: Mapping[str, Mapping[str, object]],
    *,
    has_rules: bool,
) -> None:
    """Say which dispositions got no code, and which codes the tenant does not have."""
    for one in fetched:
        if not one.code or one.category is None:
            why = _why_unused(one) if has_rules else "the profile has no [[codes.categories]]"
            say(f"note: {plain(one.name)} ({one.id}) was not added: {why}.")
    there = {one.code for one in fetched}
    lost = [code for code in written["outcomes"] if code not in there]
    if lost:
        say(
            f"note: not at the tenant: {', '.join(lost)}; rows with them are refused. Take them out"
            " of [outcomes], or say under [outcome_ids] what the tenant calls them."
        )


def _why_unused(one: Outcome) -> str:
    if one.category is not None:
        return "no code can be made of its name; choose one, with this id, under [outcome_ids]"
    if one.group:
        return f"no rule of [[codes.categories]] says what {plain(one.group)!r} means"
    return "it has no classification, or none that a rule of [[codes.categories]] knows"
