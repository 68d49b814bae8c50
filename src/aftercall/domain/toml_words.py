"""Keys and values of a TOML file in plain words, for whoever has to mend them."""

import json
import re
from collections.abc import Mapping, Sequence

SHOWN_CHARACTERS_MAX = 40

BOUNDS = {
    "greater_than": ("small", "more than", "gt"),
    "greater_than_equal": ("small", "at least", "ge"),
    "less_than_equal": ("large", "at most", "le"),
}
"""Of each of pydantic's errors about a bound: what the value is too much of, the bound in words,
and the name under which the error tells it."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def dotted(path: Sequence[str]) -> str:
    """Return the key at `path` as it is written in TOML."""
    return ".".join(part if _BARE_KEY.fullmatch(part) else json.dumps(part) for part in path)


def described(value: object) -> str:
    """Return what stands there instead of what is wanted."""
    match value:
        case str():
            return f"{shown(value)} is text"
        case bool():
            return f"{shown(value)} is a truth value"
        case int():
            return f"{shown(value)} is a whole number"
        case float():
            return f"{shown(value)} is a number"
        case Mapping():
            return "this is a table"
        case list() | tuple():
            return "this is a list"
        case _:
            return f"this is a {type(value).__name__}"


def shown(value: object) -> str:
    """Return a value as it is written in TOML, a long text cut."""
    match value:
        case str() if len(value) > SHOWN_CHARACTERS_MAX:
            return json.dumps(value[:SHOWN_CHARACTERS_MAX] + "...")
        case str():
            return json.dumps(value, ensure_ascii=not value.isprintable())
        case bool():
            return str(value).lower()
        case _:
            return str(value)
