"""What is wrong with a profile's file, in plain words: one line each, all of them at once."""

import difflib
import re
from collections.abc import Iterator
from typing import get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aftercall.domain.toml_words import BOUNDS, described, dotted, shown

KeyPath = tuple[str, ...]

_BRANCH = re.compile(r".*[\[(].*|str|int|float|bool|WriteField")

_WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_OTHER = {
    "missing": "missing",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
}


def problems_of(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """Yield what `error` found in the tables of `model`, one line for each place."""
    told: dict[KeyPath, ErrorDetails] = {}
    for found in error.errors(include_url=False):
        told.setdefault(_place(found["loc"]), found)
    for path, found in told.items():
        # What is wrong within a list or a table also makes the whole of it wrong.
        inner = any(len(other) > len(path) and other[: len(path)] == path for other in told)
        if not inner:
            yield f"{dotted(path)}: {_words(path, found, model)}"


def _place(location: tuple[int | str, ...]) -> KeyPath:
    """Return the keys that lead to an error, without pydantic's notes on how it got there."""
    keys = [str(part) for part in location if part != "[key]"]
    return tuple(key for place, key in enumerate(keys) if not place or not _BRANCH.fullmatch(key))


def _words(path: KeyPath, found: ErrorDetails, model: type[BaseModel]) -> str:
    kind, value = found["type"], found["input"]
    if kind == "extra_forbidden":
        return f"unknown key{_meant(path, model)}"
    if kind in _WANTED:
        return f"{described(value)}; {_WANTED[kind]} is wanted"
    if kind in BOUNDS:
        size, bound, name = BOUNDS[kind]
        return f"{shown(value)} is too {size}; {bound} {found['ctx'][name]:.10g}"
    if kind == "literal_error":
        return _choice(value, found)
    if kind == "string_pattern_mismatch":
        return f"{shown(value)} is not of the form {found['ctx']['pattern']}"
    return _OTHER.get(kind, found["msg"])


def _choice(value: object, found: ErrorDetails) -> str:
    choices = re.findall(r"'([^']*)'", found["ctx"]["expected"])
    spelled = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(str(value).lower(), spelled, n=1)
    hint = f"; did you mean {shown(spelled[near[0]])}?" if near else ""
    listed = ", ".join(shown(choice) for choice in choices)
    wrong = f"{shown(value)} is unknown" if isinstance(value, str) else described(value)
    return f"{wrong}; one of {listed} is wanted{hint}"


def _meant(path: KeyPath, model: type[BaseModel]) -> str:
    """Return which key was probably meant: of the same table, else of any other."""
    names = _names(_model_at(path[:-1], model))
    close = difflib.get_close_matches(path[-1], names, n=1)
    if close:
        return f'; did you mean "{close[0]}"?'
    elsewhere = [
        f"{table}.{path[-1]}"
        for table in _names(model)
        if path[-1] in _names(_model_at((table,), model))
    ]
    return f'; did you mean "{elsewhere[0]}"?' if elsewhere else ""


def _names(model: type[BaseModel] | None) -> list[str]:
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(path: KeyPath, model: type[BaseModel]) -> type[BaseModel] | None:
    """Return the table that `path` leads to, below any lists and the user's own keys."""
    here: object = model
    for name in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(name)
            here = None if field is None else field.annotation
        elif get_origin(here) in {dict, tuple}:
            here = get_args(here)[1 if get_origin(here) is dict else 0]
        here = _table_in(here)
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _table_in(kind: object) -> object:
    """Return `kind`, or the table among its alternatives."""
    if get_origin(kind) in {dict, tuple}:
        return kind
    tables = [one for one in get_args(kind) if isinstance(one, type) and issubclass(one, BaseModel)]
    return tables[0] if tables else kind
