"""From the body of a write to what it changes, as a profile's file describes the fields."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aftercall.simulator.clock import iso_time
from aftercall.simulator.described.documents import at
from aftercall.simulator.disposition import InvalidChangeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aftercall.simulator.described.surface import Field, Surface

_NAMES = {"outcome": "outcomeCode", "agent": "agentId", "notes": "notes"}


def change_of(surface: Surface, raw_path: str, body: bytes) -> dict[str, Any]:
    """Return the change that a write asks for, by the field names of the outbound API.

    Raises:
        InvalidChangeError: If the tenant would answer 400.
    """
    rules = surface.table("write")
    document = _document(rules, raw_path, body)
    known = {field.path.partition(".")[0] for field in surface.fields}
    if rules.get("body", "json") != "query" and document.keys() - known:
        raise InvalidChangeError(f"unknown fields: {', '.join(sorted(document.keys() - known))}")
    change: dict[str, Any] = {"customFields": {}}
    for field in surface.fields:
        value = at(document, field.path)
        if value is None:
            continue
        check_field(field, value, typed=rules.get("body", "json") == "json")
        kind, _, name = field.carries.partition(".")
        if kind in _NAMES:
            change[_NAMES[kind]] = value if kind == "notes" else str(value)
        elif kind == "timestamp":
            change["dispositionTimestamp"] = _moment(field, value)
        elif name:
            change["customFields"][name] = value
        elif kind == "custom_fields":
            change["customFields"] |= json.loads(value) if isinstance(value, str) else value
    if "outcomeCode" not in change:
        raise InvalidChangeError("there is no outcome")
    return change


def _document(rules: Mapping[str, Any], raw_path: str, body: bytes) -> dict[str, Any]:
    try:
        if rules.get("body", "json") == "json":
            document = at(json.loads(body), rules.get("wrapper", ""))
        else:
            text = body.decode() if rules["body"] == "form" else raw_path.partition("?")[2]
            document = dict(parse_qsl(text, keep_blank_values=True))
    except (ValueError, RecursionError) as error:
        raise InvalidChangeError("the body cannot be read") from error
    if not isinstance(document, dict):
        raise InvalidChangeError("the body must be an object")
    return document


def check_field(field: Field, value: Any, *, typed: bool) -> None:
    """Check that a field holds what the file says.

    Raises:
        InvalidChangeError: If it does not.
    """
    if field.value is not None and str(value) != str(field.value):
        raise InvalidChangeError(f"{field.path} must be {field.value}")
    wanted = {"integer": int, "text": str}.get(field.kind)
    if typed and wanted is not None and not isinstance(value, wanted):
        raise InvalidChangeError(f"{field.path} must be of type {field.kind}")
    if typed and field.form.startswith("epoch") and not isinstance(value, int):
        raise InvalidChangeError(f"{field.path} must be a number since 1970")


def _moment(field: Field, value: Any) -> str:
    try:
        if field.form.startswith("epoch"):
            divisor = 1000 if field.form == "epoch_milliseconds" else 1
            return iso_time(int(value) / divisor)
        moment = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError) as error:
        raise InvalidChangeError(f"{field.path} is no time") from error
    return iso_time((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
