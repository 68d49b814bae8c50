"""A profile: how one tenant API surface is spoken, as data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

READ_FIELDS = ("state", "outcome", "agent", "notes", "timestamp", "custom_fields")
WRITE_FIELDS = ("outcome", "agent", "notes", "timestamp", "custom_fields")


@dataclass(frozen=True, slots=True)
class TokenRules:
    """How an access token is had.

    Attributes:
        path: where to ask for it.
        scope: what to ask for, separated by spaces.
        access_token: the name of the answer's field that holds it.
        expires_in: the name of the field that says how many seconds it lives.
        scope_granted: the name of the field that says what was granted.
        expires_in_default_seconds: its life if the answer does not say.
        renew_early_seconds: how long before its end it is renewed.
    """

    path: str
    scope: str
    access_token: str
    expires_in: str
    scope_granted: str
    expires_in_default_seconds: float
    renew_early_seconds: float


@dataclass(frozen=True, slots=True)
class ReadRules:
    """How a contact is read: its path and the answer's field for each of `READ_FIELDS`."""

    path: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WriteRules:
    """How a disposition is written: the request's field for each of `WRITE_FIELDS`."""

    method: str
    path: str
    success: frozenset[int]
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Profile:
    """One tenant API surface.

    Attributes:
        name: what the configuration calls it.
        base_url: the address, with ``{instance}`` where the instance's name goes.
        active_states: dialer states, normalised, of a contact that is on a call.
        allowed_states: the only states, normalised, that may be written over.
        words: the fields of an error's body that may hold words for people, in order.
        words_header: a header, in lower case, that may hold them instead.
    """

    name: str
    base_url: str
    token: TokenRules
    read: ReadRules
    write: WriteRules
    active_states: frozenset[str]
    allowed_states: frozenset[str]
    words: tuple[str, ...]
    words_header: str


def profile_from(tables: Mapping[str, object]) -> Profile:
    """Build a profile from the tables of its file.

    Raises:
        ValueError: a table or a key is missing, unknown or of the wrong type; says which.
    """
    given = _Table("profile", tables)
    token, read, write = (given.table(name) for name in ("token", "read", "write"))
    states, errors = given.table("states"), given.table("errors")
    profile = Profile(
        name=given.text("name"),
        base_url=given.text("base_url"),
        token=TokenRules(
            path=token.text("path"),
            scope=token.text("scope"),
            access_token=token.text("access_token"),
            expires_in=token.text("expires_in"),
            scope_granted=token.text("scope_granted"),
            expires_in_default_seconds=token.number("expires_in_default_seconds"),
            renew_early_seconds=token.number("renew_early_seconds"),
        ),
        read=ReadRules(read.text("path"), read.fields(READ_FIELDS)),
        write=WriteRules(
            write.text("method"),
            write.text("path"),
            frozenset(int(code) for code in write.texts("success", int)),
            write.fields(WRITE_FIELDS),
        ),
        active_states=frozenset(map(normal_state, states.texts("active", str))),
        allowed_states=frozenset(map(normal_state, states.texts("allowed", str))),
        words=tuple(str(name) for name in errors.texts("words", str)),
        words_header=errors.text("words_header"),
    )
    for table in (given, token, read, write, states, errors):
        table.finish()
    return profile


def normal_state(name: str) -> str:
    """Return a dialer state as it is compared: ``"Wrap up"`` and ``"WRAP_UP"`` are the same."""
    return re.sub(r"[\W_]+", "_", name.upper()).strip("_")


class _Table:
    """One table of a profile file, which says what is wrong with it and what was not used."""

    def __init__(self, name: str, values: Mapping[str, object]) -> None:
        self._name = name
        self._values = dict(values)

    def _take(self, key: str, kind: type | tuple[type, ...]) -> object:
        value = self._values.pop(key, None)
        # In Python true and false are integers, too.
        if not isinstance(value, kind) or isinstance(value, bool):
            message = f"{self._name}.{key} is {'missing' if value is None else 'of the wrong type'}"
            raise ValueError(message)  # noqa: TRY004 - one kind of error for the whole file
        return value

    def text(self, key: str) -> str:
        return str(self._take(key, str))

    def number(self, key: str) -> float:
        return float(str(self._take(key, (int, float))))

    def texts(self, key: str, kind: type) -> list[str]:
        values = self._take(key, list)
        if not isinstance(values, list) or not all(type(value) is kind for value in values):
            message = f"{self._name}.{key} is not a list of {kind.__name__}"
            raise ValueError(message)
        return [str(value) for value in values]

    def table(self, key: str) -> "_Table":
        values = self._take(key, dict)
        return _Table(f"{self._name}.{key}", values if isinstance(values, dict) else {})

    def fields(self, names: tuple[str, ...]) -> Mapping[str, str]:
        table = self.table("fields")
        fields = {name: table.text(name) for name in names}
        table.finish()
        return fields

    def finish(self) -> None:
        if self._values:
            message = f"{self._name}.{next(iter(self._values))} is not known"
            raise ValueError(message)
