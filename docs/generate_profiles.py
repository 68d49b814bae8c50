"""Writes the reference of the profile language, and its JSON Schema, from its own tables."""

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from aftercall.wire.language.sign_in import CREDENTIALS, VARIABLES
from aftercall.wire.profile import Profile, profile_schema

HEAD = """\
# The profile language

<!-- Written by docs/generate.py; do not edit. -->

A profile is a TOML file that says how one tenant's API is spoken. Two come with aftercall:
[outbound-v1](profile-outbound-v1.md) and [acd](profile-acd.md), the API that NICE documents. Any
other is a file of your own: [teach it your gateway](teach-it-your-gateway.md). `[tenant] profile`
of the configuration names one, or a file.

```console
$ aftercall profile new gateway.toml       # a commented file to start from
$ aftercall profile check ./gateway.toml   # all that is wrong at once, and the requests of a row
```

An editor that knows JSON Schema for TOML (Taplo, Even Better TOML for VS Code, PyCharm) names keys
and marks mistakes while you type. Give it the schema, which is also
[profile.schema.json](profile.schema.json) here, and name that in the profile's first line:

```console
$ aftercall profile schema > profile.schema.json
$ head -1 gateway.toml
#:schema ./profile.schema.json
```

*Paths* lead to a value in a JSON document: names, or places in a list, with dots between
(`contact.state`). *Addresses* begin with `/` (below the tenant's address) or with `https://`;
`tenant.base_url` of the configuration takes the place of every host. *States* and names of
dispositions are compared without regard to case, blanks and punctuation.

Secrets are never part of a profile. What each way of signing in reads from the environment:

| style | variables |
|---|---|
"""


def profiles_page() -> str:
    """Return the text of the page."""
    lines = [HEAD + "\n".join(credentials()), ""]
    for place, model in tables(Profile, ""):
        lines += ["", f"## {place or 'The file'}", "", " ".join((model.__doc__ or "").split()), ""]
        lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
        lines += [row(name, field) for name, field in model.model_fields.items()]
    return "\n".join([*lines, ""])


def credentials() -> Iterator[str]:
    """Yield the line of each way of signing in."""
    for style, names in CREDENTIALS.items():
        told = ", ".join(f"`{VARIABLES[name]}`" for name in names)
        yield f"| `{style}` | {told or 'none'} |"


def schema_file() -> str:
    """Return the JSON Schema of a profile."""
    return json.dumps(profile_schema(), indent=2) + "\n"


def tables(model: type[BaseModel], place: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield each table with its header, in the order of the file; of several alike the first."""
    yield place, model
    bare = place.strip("`[]")
    seen: set[type[BaseModel]] = set()
    for name, field in model.model_fields.items():
        inner, below = table_of(field.annotation), f"{bare}.{name}" if bare else name
        if inner is None or inner in seen:
            continue
        seen.add(inner)
        kind = holder(field.annotation)
        header = {tuple: f"`[[{below}]]`", dict: f"`[{below}.NAME]`"}.get(kind, f"`[{below}]`")
        yield from tables(inner, header)


def holder(annotation: Any) -> Any:
    """Return what holds the table: a list, a table of tables, or nothing."""
    origin = get_origin(annotation)
    return origin if origin in {tuple, dict} else None


def table_of(annotation: Any) -> type[BaseModel] | None:
    """Return the table that is wanted at a key, if it is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is Literal:
        return None
    found = (table_of(part) for part in get_args(annotation))
    return next(filter(None, found), None)


def row(name: str, field: FieldInfo) -> str:
    """Return the line of one key."""
    cells = (
        f"`{field.alias or name}`",
        kind(field.annotation) + bounds(field),
        default(field),
        field.description or "",
    )
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def kind(annotation: Any) -> str:
    """Return the type of a key in words."""
    if table_of(annotation) is not None:
        words = {tuple: "list of tables", dict: "table of tables"}
        return words.get(holder(annotation), "table")
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{json.dumps(choice)}`" for choice in parts)
    if origin in {tuple, frozenset}:
        return f"list of {kind(parts[0])}"
    if origin is dict:
        return f"table of {kind(parts[1])}"
    if isinstance(annotation, type):
        names = {int: "whole number", float: "number", str: "text", bool: "true or false"}
        return names[annotation]
    told = dict.fromkeys(kind(part) for part in real(annotation))
    return " or ".join(told)


def real(annotation: Any) -> Iterator[Any]:
    """Yield the alternatives of a type, without its absence and without notes about it."""
    parts = get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        parts = parts[:1]
    yield from (part for part in parts if part is not type(None))


def bounds(field: FieldInfo) -> str:
    """Return the bounds of a number in words."""
    words = {Gt: ("gt", "more than"), Ge: ("ge", "at least"), Le: ("le", "at most")}
    found = [
        f"{text} {getattr(part, name):.10g}"
        for part in field.metadata
        for mark, (name, text) in words.items()
        if isinstance(part, mark)
    ]
    return f", {', '.join(found)}" if found else ""


def default(field: FieldInfo) -> str:
    """Return the default of a key as TOML."""
    match field.default:
        case value if value is PydanticUndefined:
            return "must be given"
        case None | "":
            return "none"
        case BaseModel() | dict() | ():
            return "empty" if table_of(field.annotation) is None else "as below"
        case frozenset() as values:
            return f"`{sorted(values)}`" if values else "empty"
        case tuple() as values:
            return f"`{json.dumps(values)}`"
        case value:
            return f"`{json.dumps(value)}`"
