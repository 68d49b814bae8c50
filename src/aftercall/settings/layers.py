"""The layers of the configuration: file, environment and flags, each over the one before."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel, ValidationError

from aftercall.errors import ConfigInvalid
from aftercall.settings import places
from aftercall.settings.addresses import file_in, holds_credentials, journal_in, profile_in
from aftercall.settings.audit import Audit
from aftercall.settings.places import KeyPath, Nowhere, Place
from aftercall.settings.problems import PREFIX, problem_of_key, problems_of
from aftercall.settings.tables import Journal, Results, Settings

DEFAULT_FILE = Path("aftercall.toml")
"""The configuration file that is read when none is named."""

_NO_FILE = "no file"

_NO_OVERRIDES: Mapping[str, object] = MappingProxyType({})

_ONE_OF_TWO: Mapping[KeyPath, str] = {
    ("tenant", "instance"): "base_url",
    ("tenant", "base_url"): "instance",
}
"""Keys that are one choice: a layer that makes it drops the other key of the layers below."""

_FILES: tuple[tuple[str, str, str | None, Callable[[str, Path], str]], ...] = (
    ("tenant", "profile", None, profile_in),
    ("tenant", "ca_file", None, file_in),
    ("crm", "ca_file", None, file_in),
    ("tenant", "client_cert_file", None, file_in),
    ("tenant", "client_key_file", None, file_in),
    ("results", "directory", str(Results().directory), file_in),
    ("audit", "key_file", str(Audit().key_file), file_in),
    ("journal", "url", Journal().url, journal_in),
)
"""Keys that name a file, each with its default and how it is placed in a directory."""


def load_settings(
    path: Path | None,
    environment: Mapping[str, str],
    overrides: Mapping[str, object] = _NO_OVERRIDES,
) -> Settings:
    """Read the configuration.

    Relative paths in the file start from the file's directory, those in the environment and in
    `overrides` from the working directory.

    Args:
        path: the configuration file; None for none.
        environment: the environment's variables; those that begin with ``AFTERCALL__`` are read.
        overrides: what flags say, by dotted key, as values of the right type. None is no value.

    Raises:
        ConfigInvalid: the file is absent or no TOML, or anything in any layer is wrong; all of
            it is listed.
    """
    if path is None:
        return _settings(_Draft({}), environment, overrides, _NO_FILE)
    draft = _Draft(_read(path))
    draft.refuse_proxy_password()
    draft.place_files(path.parent)
    return _settings(draft, environment, overrides, str(path))


def settings_from(
    config: Settings | Mapping[str, object] | str | Path | None, environment: Mapping[str, str]
) -> Settings:
    """Return the configuration that a user of the library named in any of the usual ways.

    Args:
        config: settings, which are taken as they are; or their tables, which stand in for the
            file; or the file's path; or None for ``aftercall.toml`` if it exists here.
        environment: the environment's variables, which win over tables and files.

    Raises:
        ConfigInvalid: anything is wrong; all of it is listed.
    """
    match config:
        case Settings():
            return config
        case Mapping():
            return _settings(_Draft(config), environment, _NO_OVERRIDES, "")
        case None:
            return load_settings(DEFAULT_FILE if DEFAULT_FILE.exists() else None, environment)
        case _:
            return load_settings(Path(config), environment)


class _Draft:
    """The layers so far, merged but unchecked."""

    def __init__(self, tables: Mapping[str, object]) -> None:
        self._tables = {name: _copied(value) for name, value in tables.items()}
        self._origins: dict[KeyPath, str] = {}
        self._problems: list[str] = []

    def place_files(self, directory: Path) -> None:
        """Let relative paths start from `directory`."""
        for table, key, default, placed in _FILES:
            keys = self._tables.setdefault(table, {})
            if not isinstance(keys, dict):
                continue
            named = keys.get(key, default)
            if isinstance(named, str):
                keys[key] = placed(named, directory)
        crm = self._tables["crm"]
        endpoints = crm.get("endpoints") if isinstance(crm, dict) else None
        for one in endpoints.values() if isinstance(endpoints, dict) else ():
            if isinstance(one, dict) and isinstance(named := one.get("ca_file"), str):
                one["ca_file"] = file_in(named, directory)

    def refuse_proxy_password(self) -> None:
        """Note a password in the proxy's address, which may come from the environment only."""
        tenant = self._tables.get("tenant")
        proxy = tenant.get("proxy") if isinstance(tenant, dict) else None
        if isinstance(proxy, str):
            self._note_proxy_password(proxy)

    def add_environment(self, environment: Mapping[str, str]) -> None:
        """Lay the variables over what is there."""
        found = {
            name: places.find(name.removeprefix(PREFIX).split("__"), "__")
            for name in sorted(environment)
            if name.startswith(PREFIX)
        }
        chosen: set[KeyPath] = set()
        # A whole table first, so that a variable for one of its keys is laid over it.
        for name, place in sorted(found.items(), key=_depth):
            if isinstance(place, Nowhere):
                self._problems.append(problem_of_key(place, name, variable=True))
                continue
            self._set(place.path, _value(environment[name], place), chosen)
            self._origins[place.path] = name

    def add_overrides(self, overrides: Mapping[str, object]) -> None:
        """Lay the flags over what is there."""
        chosen: set[KeyPath] = set()
        for key, value in overrides.items():
            place = places.find(key.split("."), ".")
            if isinstance(place, Nowhere):
                self._problems.append(problem_of_key(place, key, variable=False))
            elif value is not None:
                if place.path == ("tenant", "proxy"):
                    self._note_proxy_password(str(value))
                self._origins = {
                    path: name
                    for path, name in self._origins.items()
                    if path[: len(place.path)] != place.path
                }
                self._set(place.path, value, chosen)

    def check(self) -> tuple[Settings | None, list[str]]:
        """Return the settings, and everything that is wrong in any layer."""
        # Without its table the tenant would only be called missing, not told what it needs.
        self._tables.setdefault("tenant", {})
        try:
            return Settings.model_validate(self._tables), self._problems
        except ValidationError as error:
            found = problems_of(error, self._origins)
            return None, list(dict.fromkeys((*self._problems, *found)))

    def _set(self, path: KeyPath, value: object, chosen: set[KeyPath]) -> None:
        """Put `value` at `path`; `chosen` are the paths that this layer has set already."""
        table = self._tables
        for name in path[:-1]:
            inner = table.setdefault(name, {})
            if not isinstance(inner, dict):
                return  # a value stands where a table belongs, which the check will find
            table = inner
        table[path[-1]] = value
        chosen.add(path)
        other = _ONE_OF_TWO.get(path)
        if other is not None and (*path[:-1], other) not in chosen:
            table.pop(other, None)

    def _note_proxy_password(self, proxy: str) -> None:
        if holds_credentials(proxy):
            self._problems.append(
                "tenant.proxy: holds a user name or password; give such a proxy in"
                f" the environment only: {PREFIX}TENANT__PROXY"
            )


def _settings(
    draft: _Draft, environment: Mapping[str, str], overrides: Mapping[str, object], file: str
) -> Settings:
    draft.add_environment(environment)
    draft.add_overrides(overrides)
    settings, problems = draft.check()
    if settings is not None and not problems:
        return settings
    name = f"The configuration ({file})" if file else "The configuration"
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = "".join(f"\n  {problem}" for problem in problems)
    raise ConfigInvalid(
        f"{name} has {count}:{lines}",
        fix="Correct what is listed; docs/configuration.md describes every key.",
        next_command="aftercall init" if file == _NO_FILE else "",
    )


def _read(path: Path) -> dict[str, object]:
    try:
        # Editors on Windows put a byte order mark in front, which TOML does not know.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigInvalid(
            f"There is no configuration file {path}.",
            fix="Write one and fill it in, or name another.",
            next_command="aftercall init",
        ) from None
    except UnicodeDecodeError:
        raise ConfigInvalid(f"{path} is not UTF-8 text.", fix="Save it as UTF-8.") from None
    except OSError as error:
        raise ConfigInvalid(
            f"{path} cannot be read: {error.strerror}.", fix="Name a file that can be read."
        ) from None
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        lines = text.split("\n")
        end = f"at line {len(lines)}, column {len(lines[-1]) + 1}"
        words = str(error).replace("at end of document", end)
        raise ConfigInvalid(
            f"{path} is not valid TOML: {words}.", fix="Correct that line; texts need quotes."
        ) from None


def _value(text: str, place: Place) -> object:
    """Return what a variable's `text` means at `place`.

    It is a TOML value if it parses to one, else text. Where no number is wanted, an id such as
    ``4711`` or ``1_000`` stays the text that it is.
    """
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    value = parsed["value"]
    # With a line break in it, more than one key may have been parsed.
    if len(parsed) > 1:
        return text
    return value if place.takes_number or isinstance(value, str | list | dict) else text


def _depth(found: tuple[str, Place | Nowhere]) -> int:
    return len(found[1].path) if isinstance(found[1], Place) else 0


def _copied(value: object) -> object:
    """Return `value` with tables of its own, so that laying over it changes no one else's."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_unset=True)
    if isinstance(value, Mapping):
        return {name: _copied(inner) for name, inner in value.items()}
    return value
