"""How many contacts are read with one request."""

from typing import Annotated, Literal

from pydantic import Field

from aftercall.wire.language.table import (
    Address,
    Envelope,
    JsonPath,
    JsonPaths,
    ReadField,
    Rules,
    Version,
    filled_with,
)


class Bulk(Rules):
    """How many contacts of a campaign are read with one request. Off without this table.

    A contact that the answer leaves out, tells twice or tells without a state is read by itself.
    """

    url: Annotated[Address, filled_with("campaign", "version", "instance")] = Field(
        description="Where; `{campaign}` and `{version}` are filled in."
    )
    version: Version | None = Field(
        default=None, description="The version of this operation, if it is not the profile's."
    )
    method: Literal["GET", "POST"] = Field(default="GET", description="How.")
    ids_in: Literal["query", "query_each", "json"] = Field(
        default="query",
        description=(
            "Where the ids of the contacts go: one parameter with all of them, a parameter for"
            " each, or a list in a JSON body."
        ),
    )
    ids: JsonPath = Field(description="The parameter, or the path of the list in the body.")
    separator: Annotated[str, Field(min_length=1, max_length=3)] = Field(
        default=",",
        description="`query`: what stands between two ids; an id that holds it is read by itself.",
    )
    ids_type: Literal["text", "integer"] = Field(
        default="text",
        description="`json`: as what ids are sent; one that is no whole number is read by itself.",
    )
    campaign: JsonPath | None = Field(
        default=None,
        description="The parameter or path that carries the campaign, if the address does not.",
    )
    constants: dict[JsonPath, str | bool | int | float] = Field(
        default={}, description="Further parameters or fields, the same in each request."
    )
    max: int = Field(
        default=50,
        strict=True,
        ge=2,
        le=1000,
        description=(
            "How many contacts one request may name. Fewer are asked for where the pace does not"
            " let so many be written while what was read is fresh."
        ),
    )
    items: Envelope = Field(
        description="The path of the list in the answer; empty if it is the answer itself."
    )
    id: JsonPath = Field(description="The path of the contact's id in an item.")
    envelope: Envelope = Field(
        default="", description="The path of the contact in an item; empty if it is the item."
    )
    fields: dict[ReadField, JsonPaths] = Field(
        default={}, description="What stands elsewhere than `read.fields` says, and where."
    )
    etag: JsonPath | None = Field(
        default=None,
        description=(
            "The path of the ETag in the contact, unless it is that of `read.etag`. A contact"
            " without one is read by itself, where writes depend on it."
        ),
    )
