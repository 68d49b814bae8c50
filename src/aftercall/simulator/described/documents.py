"""JSON documents by the paths that a profile's file gives: names with dots between them."""

from __future__ import annotations

from typing import Any


def at(document: Any, path: str) -> Any:
    """Return what stands at a path; None if nothing does."""
    for name in path.split(".") if path else ():
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a path, with the objects on the way to it."""
    *way, last = path.split(".")
    for name in way:
        document = document.setdefault(name, {})
    document[last] = value


def wrapped(path: str, value: Any) -> Any:
    """Return a document that holds a value at a path; ``0`` is the first place of a list."""
    for name in reversed(path.split(".") if path else []):
        value = [value] if name == "0" else {name: value}
    return value
