"""Profiles: those that come with the package, and files of the user's own."""

import difflib
import shlex
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from aftercall.errors import ConfigInvalid
from aftercall.wire.profile import Profile, ProfileInvalid, profile_from


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """A profile as it is written: where, and its text."""

    place: str
    text: str


def built_in_names() -> tuple[str, ...]:
    """Return the names of the profiles that come with the package."""
    folder = resources.files("aftercall.wire") / "profiles"
    return tuple(
        sorted(
            file.name.removesuffix(".toml")
            for file in folder.iterdir()
            if file.name.endswith(".toml")
        )
    )


def read_profile(name: str) -> ProfileFile:
    """Return the text of the profile called `name`, or of the file at that path.

    Raises:
        ConfigInvalid: there is none, or it cannot be read.
    """
    if name in built_in_names():
        folder = resources.files("aftercall.wire") / "profiles"
        return ProfileFile(name, (folder / f"{name}.toml").read_text(encoding="utf-8"))
    if not name.endswith(".toml") and "/" not in name:
        near = difflib.get_close_matches(name, built_in_names(), n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        known = ", ".join(built_in_names())
        fix = f"Choose one of: {known}; or give the path of a file of your own, ./NAME.toml."
        raise ConfigInvalid(f"tenant.profile: there is no profile {name!r}.{meant}", fix=fix)
    try:
        return ProfileFile(name, Path(name).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        message = f"There is no profile {name}."
        fix = "Give the path of a file that is there, or write one to start from."
        raise ConfigInvalid(
            message, fix=fix, next_command=f"aftercall profile new {shlex.quote(name)}"
        ) from None
    except OSError as trouble:
        message = f"{name} cannot be read: {trouble.strerror}."
        raise ConfigInvalid(message, fix="Name a file that can be read.") from None
    except UnicodeDecodeError:
        raise ConfigInvalid(f"{name} is not UTF-8 text.", fix="Save it as UTF-8.") from None
    except ValueError:
        message = "The name of the profile's file holds a NUL character."
        raise ConfigInvalid(message, fix="Name a file that can be read.") from None


def parse_profile(file: ProfileFile) -> Profile:
    """Return the profile that a file describes.

    Raises:
        ConfigInvalid: it is no TOML, or no profile; lists all that is wrong.
    """
    try:
        tables = tomllib.loads(file.text)
    except (ValueError, RecursionError) as error:
        message = f"{file.place} is not valid TOML: {error}."
        raise ConfigInvalid(message, fix="Correct that line; texts need quotes.") from None
    try:
        return profile_from(tables)
    except ProfileInvalid as error:
        count = "1 problem" if len(error.problems) == 1 else f"{len(error.problems)} problems"
        lines = "".join(f"\n  {problem}" for problem in error.problems)
        message = f"The profile {file.place} has {count}:{lines}"
        fix = "Correct what is listed; docs/profiles.md describes every key."
        raise ConfigInvalid(message, fix=fix) from None


def load_profile(name: str) -> Profile:
    """Return the profile called `name`, or the one in the file at that path.

    Raises:
        ConfigInvalid: there is none, or it is wrong.
    """
    return parse_profile(read_profile(name))
