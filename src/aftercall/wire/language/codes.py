"""How outcome codes become the tenant's ids, and where lists of ids are fetched."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aftercall.wire.language.table import (
    Address,
    JsonPath,
    Pattern,
    Rules,
    Seconds,
    Text,
    Version,
    filled_with,
    flaw,
    shaped,
)

CategoryName = Literal["positive", "negative", "callback", "opt_out", "unreachable"]


_KEY = re.compile(r"(?:custom_fields|told)\..+|campaign|contact|agent")


def _key(name: str) -> str:
    if not _KEY.fullmatch(name):
        raise flaw("is no key: told.NAME, custom_fields.NAME, campaign, contact or agent")
    return name


KeySource = Annotated[str, AfterValidator(_key), shaped(f"^({_KEY.pattern})$")]


class Page(Rules):
    """How a long list is fetched part by part."""

    skip: Text = Field(default="skip", description="The parameter that says how many to skip.")
    top: Text = Field(default="top", description="The parameter that says how many to give.")
    size: int = Field(default=100, strict=True, ge=1, le=10_000, description="How many at once.")
    total: JsonPath | None = Field(
        default=None, description="Where the answer says how many there are."
    )


class Lookup(Rules):
    """A list of ids and names that the tenant is asked for, once in a while."""

    url: Annotated[Address, filled_with("key", "version")] = Field(
        description="Where; `{key}` is what `key` finds."
    )
    version: Version | None = Field(
        default=None, description="The version of this operation, if it is not the profile's."
    )
    key: tuple[KeySource, ...] = Field(
        default=(),
        description=(
            "What it is a list of, if the tenant has several: `told.NAME`, `campaign`,"
            " `custom_fields.NAME`, `contact`, `agent`; the first that there is."
        ),
    )
    items: JsonPath = Field(description="The path of the list in the answer.")
    id: JsonPath = Field(description="An item's id.")
    name: JsonPath = Field(description="An item's name.")
    active: JsonPath | None = Field(
        default=None, description="An item's flag; an item where it is `false` is left out."
    )
    group: JsonPath | None = Field(
        default=None, description="The id of what an item belongs to, such as a classification."
    )
    page: Page | None = Field(default=None, description="How a long list is fetched.")
    cache_seconds: Seconds = Field(
        default=900.0, description="How long it is good for before it is fetched again."
    )


class CategoryRule(Rules):
    """What a disposition of the tenant means: the first rule that fits counts."""

    category: CategoryName = Field(description="The category.")
    groups: tuple[Text, ...] = Field(default=(), description="Ids of groups that mean it.")
    text: Pattern | None = Field(
        default=None,
        description=(
            "A regular expression on the group's name or, without `codes.groups`, on the item's."
        ),
    )


class Codes(Rules):
    """How an outcome code becomes what the tenant calls it."""

    source: Literal["identity", "static", "lookup"] = Field(
        default="identity",
        description="The code itself, an id listed in `static`, or one found in a look-up.",
    )
    static: dict[Text, Text] = Field(default={}, description="Outcome code = id.")
    lookup: Text | None = Field(default=None, description="The look-up that has the ids.")
    catalogue: Text | None = Field(
        default=None,
        description="The look-up with all there are (no `key`), for `aftercall outcomes pull`.",
    )
    groups: Text | None = Field(
        default=None, description="The look-up that names the catalogue's groups."
    )
    categories: tuple[CategoryRule, ...] = Field(
        default=(), description="What the catalogue's items mean."
    )
