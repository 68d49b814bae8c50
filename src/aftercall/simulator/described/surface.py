"""What a profile's file says, as far as the side that answers needs it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aftercall.simulator.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SERVER = re.compile(r"https://[^/]*")


class Address:
    """A method and the addresses that a template makes."""

    def __init__(self, method: str, template: str, version: str) -> None:
        self._method = method
        pattern, seen = "", set[str]()
        for place, part in enumerate(_PLACEHOLDER.split(_SERVER.sub("", template))):
            if place % 2 == 0:
                pattern += re.escape(part)
            elif part == "version":
                pattern += re.escape(version)
            else:
                pattern += "[^/?&#]+" if part in seen else f"(?P<{part}>[^/?&#]+)"
                seen.add(part)
        self._pattern = re.compile(f"{pattern}(?:[?&].*)?")

    def names(self, placeholder: str) -> bool:
        """Say whether a placeholder is in the template."""
        return placeholder in self._pattern.groupindex

    def values(self, method: str, raw_path: str) -> dict[str, str] | None:
        """Return what stands in the places of a request's address; None for another address.

        Raises:
            UnicodeDecodeError: If an identifier is not UTF-8.
        """
        found = self._pattern.fullmatch(raw_path) if method == self._method else None
        if found is None:
            return None
        return {name: unquote(told, errors="strict") for name, told in found.groupdict().items()}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a write: where it stands, what it carries, and as what.

    Attributes:
        path: Names with dots between them.
        carries: Of a row: "outcome", "agent", "notes", "timestamp", "custom_fields" or
            "custom_fields.NAME"; empty for anything else, which is not kept.
        value: The one value that it must have; None for any.
        kind: "as_is", "text" or "integer".
        form: How a time is written.
    """

    path: str
    carries: str
    value: Any
    kind: str
    form: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How a contact, or its disposition alone, is shown.

    Attributes:
        address: Where.
        envelope: The path of the object.
        fields: What is shown, with the path of each.
        rules: The table itself.
    """

    address: Address
    envelope: str
    fields: Mapping[str, str]
    rules: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What can be asked for beyond a disposition.

    Attributes:
        kind: "tags", "dnc_group" or "callback".
        address: Where.
        fields: What each item carries.
        needed: The paths of those without which it is refused.
        rules: The table itself.
    """

    kind: str
    address: Address
    fields: Sequence[Field]
    needed: frozenset[str]
    rules: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surface:
    """An API as its profile describes it.

    Attributes:
        tables: The file.
        read: How a contact is shown.
        readback: How its disposition is shown, if that has an address of its own.
        write: Where a disposition is written.
        fields: What a write carries.
        lists: Lists by name, with their addresses.
        words: The path of the words of a refusal.
        states: State names by what they mean.
        follow_ups: What can be asked for beyond dispositions.
        bulk: Where several contacts are shown at once, if they are.
    """

    tables: Mapping[str, Any]
    read: Reading
    readback: Reading | None
    write: Address
    fields: Sequence[Field]
    lists: Mapping[str, Address]
    words: str = "message"
    states: Mapping[str, Sequence[str]] = field(default_factory=dict)
    follow_ups: Sequence[FollowUp] = ()
    bulk: Address | None = None

    def table(self, *names: str) -> Mapping[str, Any]:
        """Return a table within tables; an empty one where there is none."""
        found: Any = self.tables
        for name in names:
            found = found.get(name, {})
        return found  # type: ignore[no-any-return]

    def state_names(self) -> list[str]:
        """Return all states that the file names."""
        return [name for names in self.states.values() for name in names]

    def shown_state(self, state: str) -> str:
        """Return what the contact's state is called here; worlds use the outbound API's names."""
        named = {_plain(name): name for name in self.state_names()}
        if _plain(state) in named:
            return named[_plain(state)]
        stands_for = {"READY": "allowed", "COMPLETED": "closed", "ENDED": "closed"}
        stands_for |= dict.fromkeys(("DIALING", "RINGING", "CONNECTED", "WRAP_UP"), "wait")
        names = self.states.get(stands_for.get(state, ""), ())
        return names[0] if names else state


def load_surface(path: Path) -> Surface:
    """Read a profile's file.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no TOML or describes no contacts.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    try:
        return _surface(tables)
    except (KeyError, AttributeError, TypeError) as error:
        raise InvalidInputError(f"{path} describes no API that can be served: {error!r}") from None


def _surface(tables: Mapping[str, Any]) -> Surface:
    common = str(tables.get("version", ""))

    def reading(rules: Mapping[str, Any]) -> Reading:
        version = str(rules.get("version", common))
        return Reading(
            address=Address(rules.get("method", "GET"), rules["url"], version),
            envelope=(rules.get("envelope") or [""])[0],
            fields={name: _first(paths) for name, paths in rules["fields"].items()},
            rules=rules,
        )

    write, states = tables["write"], tables["states"]
    for name in ("read", "readback"):
        other = tables.get(name, {})
        if (other.get("method", "GET"), other.get("url")) == (write["method"], write["url"]):
            raise InvalidInputError(f"{name} and write have the same method and address")
    bulk = tables["read"].get("bulk")
    if bulk is not None and bulk["url"] == tables["read"]["url"]:
        raise InvalidInputError("read and read.bulk have the same address")
    lists = {
        name: Address("GET", rules["url"], str(rules.get("version", common)))
        for name, rules in tables.get("lookup", {}).items()
    }
    follow_ups = [
        _follow_up(kind, tables["follow_ups"][kind], common)
        for kind in ("tags", "dnc_group", "callback")
        if kind in tables.get("follow_ups", {})
    ]
    words = tables.get("errors", {}).get("words") or ["message"]
    return Surface(
        tables=tables,
        read=reading(tables["read"]),
        readback=reading(tables["readback"]) if "readback" in tables else None,
        write=Address(write["method"], write["url"], str(write.get("version", common))),
        fields=tuple(_field(path, given) for path, given in write["fields"].items()),
        lists=lists,
        words=words[0],
        states={name: states.get(name, []) for name in ("allowed", "wait", "closed")},
        follow_ups=follow_ups,
        bulk=None
        if bulk is None
        else Address(bulk.get("method", "GET"), bulk["url"], str(bulk.get("version", common))),
    )


def _follow_up(kind: str, rules: Mapping[str, Any], common: str) -> FollowUp:
    version = str(rules.get("version", common))
    needed = (
        path
        for path, given in rules["fields"].items()
        if isinstance(given, dict) and given.get("when_absent") == "refuse"
    )
    return FollowUp(
        kind=kind,
        address=Address(rules.get("method", "POST"), rules["url"], version),
        fields=tuple(_field(path, given) for path, given in rules["fields"].items()),
        needed=frozenset(needed),
        rules=rules,
    )


def _field(path: str, given: Any) -> Field:
    rules = {"from": given} if isinstance(given, str) else given
    source = _first(rules.get("from", ""))
    kept = source.partition(".")[0] in {"outcome", "agent", "notes", "timestamp", "custom_fields"}
    return Field(
        path=path,
        carries=source if kept else "",
        value=rules.get("value"),
        kind=rules.get("type", "as_is"),
        form=rules.get("format", "iso"),
    )


def _first(paths: str | Sequence[str]) -> str:
    return paths if isinstance(paths, str) else paths[0]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.upper()).strip("_")
