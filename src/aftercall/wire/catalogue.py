"""From a tenant's own dispositions to outcome codes with a category each."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

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
    """

    code: str
    category: Category | None
    id: str
    name: str
    group: str


@dataclass(frozen=True, slots=True)
class Configured:
    """What the configuration says of outcomes already.

    Attributes:
        categories: what each code means.
        ids: the tenant's id or name of codes.
    """

    categories: Mapping[str, Category] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)

    def by_name(self) -> dict[str, str]:
        """Return the codes by what the tenant calls them, which may be their own names."""
        told = {code: code for code in self.categories} | dict(self.ids)
        return {normal_state(name): code for code, name in told.items() if normal_state(name)}


def outcomes_of(
    items: Sequence[Item],
    groups: Mapping[str, str] | None,
    rules: Sequence[CategoryRule],
    configured: Configured,
) -> list[Outcome]:
    """Return what a tenant's dispositions are as outcomes.

    Args:
        items: the dispositions.
        groups: the names of their groups, by id; None if they are in none: then their own names
            count.
        rules: what they mean.
        configured: the codes that there are, which keep their names.
    """
    ids_named = {told: code for code, told in configured.ids.items()}
    named = configured.by_name()
    taken = {*configured.ids, *named.values()}
    often = Counter(normal_state(item.name) for item in items)
    found = []
    for item in items:
        group = (groups or {}).get(item.group or "", "")
        category = _category(item, item.name if groups is None else group, rules)
        # An id is compared as it is: -1 is another than 1. A name that several have is nobody's.
        name = normal_state(item.name)
        code = ids_named.get(item.id) or (named.get(name) if often[name] == 1 else None) or ""
        category = category or configured.categories.get(code)
        if not code and category is not None:
            code = _new_code(item.name, taken)
        taken.add(code)
        found.append(Outcome(code, category, item.id, item.name, group))
    return found


def _category(item: Item, words: str, rules: Sequence[CategoryRule]) -> Category | None:
    """Return what a disposition means: by words, its own or its group's, else by the group's id."""
    for rule in rules:
        if rule.text is not None and words and re.search(rule.text, words, re.IGNORECASE):
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
