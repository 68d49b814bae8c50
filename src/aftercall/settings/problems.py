"""What is wrong with a configuration, in plain words: one line each, all of them at once."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, time

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from aftercall.domain.outcomes import Category
from aftercall.domain.toml_words import BOUNDS, described, dotted, shown
from aftercall.settings.places import KeyPath, Nowhere, nearest
from aftercall.settings.tables import OF_TABLE

PREFIX = "AFTERCALL__"
"""What the name of an environment variable that stands for a key begins with."""

_SECRET = re.compile(
    r"secret|passw|passphrase|token|credential|bearer|client_?id|(api|access|private)[_-]?key",
    re.IGNORECASE,
)

_WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "path_type": "text",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
}
_OTHER = {
    "missing": "missing",
    "string_too_short": "must not be empty",
    "string_too_long": "is too long",
}


def problems_of(error: ValidationError, origins: Mapping[KeyPath, str]) -> Iterator[str]:
    """Yield what `error` found, in words.

    Args:
        error: what checking the merged configuration raised.
        origins: the environment variables that keys came from.
    """
    for found in error.errors(include_url=False):
        # For a key rather than its value, pydantic appends a marker that is no key itself.
        path = tuple(str(part) for part in found["loc"] if part != "[key]")
        if found["type"] == OF_TABLE:
            path = path[:-1]
        secrets = list(_secrets(path, found))
        for secret in secrets:
            yield f"{_label(secret, origins)}: {_secret_words(secret)}"
        if path not in secrets:
            yield f"{_label(path, origins)}: {_words(path, found)}"


def problem_of_key(key: Nowhere, label: str, *, variable: bool) -> str:
    """Say that a key does not exist, which was given as `label`: a variable or a dotted key."""
    path = (*key.parents, key.name)
    if _SECRET.search(key.name):
        return f"{label}: {_secret_words(path)}"
    near = nearest(key.name, key.parents)
    if variable and near is not None:
        return f"{label}: unknown variable; did you mean {PREFIX}{'__'.join(near).upper()}?"
    return f"{label}: unknown {'variable' if variable else 'key'}{_meant(near, key.parents)}"


def _label(path: KeyPath, origins: Mapping[KeyPath, str]) -> str:
    for end in range(len(path), 0, -1):
        if path[:end] in origins:
            return ".".join((origins[path[:end]], *path[end:]))
    return dotted(path)


def _secrets(path: KeyPath, found: ErrorDetails) -> Iterator[KeyPath]:
    """Yield the keys at and below a wrong key that look like secrets."""
    if any(_SECRET.search(part) for part in path):
        yield path
    elif found["type"] != "missing":  # what was found there is the table in which it is missing
        yield from _secret_keys(path, found["input"])


def _secret_keys(path: KeyPath, value: object) -> Iterator[KeyPath]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            below = (*path, str(name))
            if _SECRET.search(below[-1]):
                yield below
            else:
                yield from _secret_keys(below, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _secret_keys(path, inner)


def _secret_words(path: KeyPath) -> str:
    if any("crm" in part.lower() or "webhook" in part.lower() for part in path):
        names = "AFTERCALL_CRM_SECRET (or AFTERCALL_CRM_SECRET_FILE)"
    else:
        names = "CXONE_CLIENT_ID and CXONE_CLIENT_SECRET (or ..._FILE)"
    return f"secrets do not belong here; they come only from the environment: {names}"


def _words(path: KeyPath, found: ErrorDetails) -> str:
    kind, value = found["type"], found["input"]
    if kind in {"extra_forbidden", "unknown_field"}:
        return f"unknown key{_meant(nearest(path[-1], path[:-1]), path[:-1])}"
    if path == ("outcomes",) and kind in {"missing", "too_short"}:
        return 'missing; list the outcome codes, such as INTERESTED = "positive"'
    if kind in _WANTED:
        return f"{_described(value)}; {_WANTED[kind]} is wanted"
    if kind in BOUNDS:
        size, bound, name = BOUNDS[kind]
        return f"{shown(value)} is too {size}; {bound} {found['ctx'][name]:.10g}"
    if kind in {"literal_error", "enum"}:
        return _choice_words(value, found)
    if kind == "path_not_file":
        return f"there is no file {json.dumps(str(value), ensure_ascii=False)}"
    if kind == "path_unreadable":
        return f"cannot be read: {found['msg']}"
    return _OTHER.get(kind, found["msg"])


def _choice_words(value: object, found: ErrorDetails) -> str:
    if found["type"] == "enum":
        choices = [category.value for category in Category]
    else:
        choices = re.findall(r"'([^']*)'", found["ctx"]["expected"])
    near = difflib.get_close_matches(str(value).lower(), choices, n=1)
    hint = f"; did you mean {shown(near[0])}?" if near else ""
    listed = ", ".join(shown(choice) for choice in choices)
    wrong = f"{shown(value)} is unknown" if isinstance(value, str) else _described(value)
    return f"{wrong}; {'one of ' if len(choices) > 1 else ''}{listed} is wanted{hint}"


def _meant(near: KeyPath | None, parents: KeyPath) -> str:
    if near is None:
        return ""
    return f'; did you mean "{near[-1] if near[:-1] == parents else dotted(near)}"?'


def _described(value: object) -> str:
    """Return what stands there instead of what is wanted."""
    if isinstance(value, date | time):
        return f"{value.isoformat()} is a date or time"
    return described(value)
