"""Writes the configuration's reference from its own tables."""

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from aftercall.domain.outcomes import Category
from aftercall.settings import Crm, CrmEndpoint, Settings

HEAD = """\
# Configuration

<!-- Written by docs/generate.py; do not edit. -->

`aftercall init` writes a commented `aftercall.toml` to start from; `aftercall check` tries it out.
All problems of a configuration are listed at once, and a key that does not exist is one of them.

## What wins

1. a flag of the command,
2. the environment: `AFTERCALL__` and the key, with two underscores for each dot:
   `AFTERCALL__LIMITS__CONCURRENCY=20`,
3. the file,
4. the defaults below.

A value takes the place of what stands at its key in the layers below; a whole table does too
(`AFTERCALL__OUTCOMES='{ SOLD = "positive" }'`). Variables hold TOML values; text needs no quotes.
Outcome codes, campaign ids and field names keep their case:
`AFTERCALL__OUTCOMES__DO_NOT_CALL=opt_out`. `tenant.instance` and `tenant.base_url` are one
choice: naming one drops the other from the layers below.

Relative paths in the file start from the file's directory; those in flags and in the environment
start from the working directory.

## Secrets

They come only from the environment, or from files that it names; never from the configuration.
The profile says which are needed ([profiles](profiles.md)).

| variable | meaning |
|---|---|
| `CXONE_CLIENT_ID` | the client id at the tenant |
| `CXONE_CLIENT_SECRET` | the client secret at the tenant |
| `CXONE_ACCESS_KEY_ID` | the id of an access key, for a profile that signs in with one |
| `CXONE_ACCESS_KEY_SECRET` | its secret |
| `CXONE_TOKEN` | a token that was had elsewhere, for a profile that takes one |
| `AFTERCALL_CRM_SECRET` | what signs the CRM's events; needed if `crm.url` is set |
| `AFTERCALL_CRM_SECRET_NAME` | the same for the endpoint `name`, unless `signing_env` says other |

Each can be given as a file instead: `CXONE_CLIENT_SECRET_FILE=/run/secrets/cxone`. White space
around a file's content does not count. The CRM's secret is `whsec_` and base64, or any text
without white space; while it is rotated (`aftercall crm rotate-secret`) there may be several, with
white space between them. A proxy with a password is given as `AFTERCALL__TENANT__PROXY`.
"""

HEADINGS = {
    "outcomes": "Which outcome codes the tenant has.",
    "outcome_ids": "What the tenant calls them, where its API takes ids.",
}
BOUNDS = {"gt": "more than", "ge": "at least", "le": "at most"}


TYPES = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    Path: "path",
    str: "text",
    SecretStr: "text",
}


def configuration_page() -> str:
    """Return the text of the page."""
    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            doc = (model.__doc__ or "").strip()
            lines += [*heading(name, doc), *(row(key, f) for key, f in model.model_fields.items())]
            if model is Crm:
                lines += ["", *endpoint_table()]
        else:
            lines += [*heading(name, HEADINGS[name]), row("*CODE*", field)]
        lines.append("")
    return "\n".join(lines)


def endpoint_table() -> Iterator[str]:
    """Yield the table of an endpoint, which stands below the name that the user gives it."""
    yield from heading("crm.endpoints.NAME", (CrmEndpoint.__doc__ or "").strip())
    yield from (row(key, field) for key, field in CrmEndpoint.model_fields.items())


def heading(table: str, words: str) -> Iterator[str]:
    """Yield what stands above the keys of a table."""
    yield from (f"## `[{table}]`", "", words)
    yield from ("", f"In the environment: `AFTERCALL__{table.upper().replace('.', '__')}__...`", "")
    yield from ("| key | type | default | bounds | meaning |", "|---|---|---|---|---|")


def row(key: str, field: FieldInfo) -> str:
    """Return the line of one key."""
    shown = key if key.startswith("*") else f"`{key}`"
    cells = (shown, kind(field.annotation), default(field), bounds(field), field.description or "")
    return f"| {' | '.join(cells)} |"


def kind(annotation: Any) -> str:
    """Return the type of a key in words."""
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{json.dumps(choice)}`" for choice in get_args(annotation))
    if get_origin(annotation) is dict:
        value = get_args(annotation)[1]
        if value is CrmEndpoint:
            return "tables"
        if value is Category:
            return " or ".join(f"`{json.dumps(choice)}`" for choice in Category)
        return f"table of {kind(value)}s"
    if get_origin(annotation) is tuple:
        return f"list of {kind(get_args(annotation)[0])}"
    if annotation is Category:
        return " or ".join(f"`{json.dumps(choice)}`" for choice in Category)
    if isinstance(annotation, type):
        return TYPES.get(annotation, "table")
    return kind(get_args(annotation)[0])


def default(field: FieldInfo) -> str:
    """Return the default of a key as TOML."""
    match field.default:
        case None:
            return "none"
        case dict() | tuple():
            return "empty"
        case Path() | StrEnum():
            return f'`"{field.default}"`'
        case _ if field.is_required():
            return "must be given"
        case value:
            return f"`{json.dumps(value)}`"


def bounds(field: FieldInfo) -> str:
    """Return the bounds of a key in words."""
    found = {
        name: getattr(part, name)
        for part in limits(field)
        for name in BOUNDS
        if getattr(part, name, None) is not None
    }
    return ", ".join(
        f"{words} {found[name]:.10g}" for name, words in BOUNDS.items() if name in found
    )


def limits(field: FieldInfo) -> Iterator[object]:
    """Yield what limits the value of a key, or the values of a table."""
    yield from field.metadata
    for part in get_args(field.annotation):
        for inner in getattr(part, "__metadata__", ()):
            yield from getattr(inner, "metadata", ())
