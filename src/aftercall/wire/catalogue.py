"""From a tenant's own dispositions to outcome codes with a category each."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aftercall.domain.outcomes import CODE, Category
from aftercall.wire.codes import Item
from aftercall.wire.language.codes import CategoryRule
from aftercall.wire.profile import normal_state

CODE_CHARACTERS_MAX = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """A disposition of the tenant as an outcome.

    Attributes:
        code: the outcome code; empty if it gets none.
        category: what it means; None if that cannot be told.
        id: the tenant's id of it.
        name: the tenant's name of it.
        group: the name of its group, such as a classification.
        known: the code was configured before.
    """

    code: str
    category: Category | None
    id: str
    name: str
    group: str
    known: bool = False


def outcomes_of(
    items: Sequence[Item],
    groups: Mapping[str, str],
    rules: Sequence[CategoryRule],
    ids: Mapping[str, str],
) -> list[Outcome]:
    """Return what a tenant's dispositions are as outcomes.

    Args:
        items: the dispositions.
        groups: the names of their groups, by id.
        rules: what they mean.
        ids: the configured id or name of codes, which keep theirs.
    """
    named = {normal_state(told): code for code, told in ids.items()}
    taken = set(ids)
    found = []
    for item in items:
        group = groups.get(item.group or "", "")
        category = _category(item, group, rules)
        known = named.get(normal_state(item.id)) or named.get(normal_state(item.name))
        code = known or ("" if category is None else _new_code(item.name, taken))
        taken.add(code)
        found.append(Outcome(code, category, item.id, item.name, group, known is not None))
    return found


def _category(item: Item, group: str, rules: Sequence[CategoryRule]) -> Category | None:
    """Return what a disposition means: by the words of its group, else by the group's id."""
    if item.group is None:
        return None
    for rule in rules:
        if rule.text is not None and re.search(rule.text, group, re.IGNORECASE):
            return Category(rule.category)
    by_id = (rule for rule in rules if item.group in rule.groups)
    return next((Category(rule.category) for rule in by_id), None)


def _new_code(name: str, taken: set[str]) -> str:
    """Return the code that a name becomes, other than those that are taken; empty if none can."""
    bare = re.sub(r"[^A-Z]+", "_", normal_state(name)).strip("_")
    whole = bare[:CODE_CHARACTERS_MAX].rstrip("_")
    candidates = (whole, *(f"{whole[: CODE_CHARACTERS_MAX - 2]}_{mark}" for mark in _marks()))
    return next((one for one in candidates if CODE.fullmatch(one) and one not in taken), "")


def _marks() -> Iterator[str]:
    return iter("BCDEFGHIJKLMNOPQRSTUVWXYZ")
