"""The profiles that come with the package."""

import tomllib
from importlib import resources

from aftercall.errors import ConfigInvalid
from aftercall.wire.profile import Profile, profile_from


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


def load_profile(name: str) -> Profile:
    """Return the profile called `name`.

    Raises:
        ConfigInvalid: there is none of that name.
    """
    if name not in built_in_names():
        message = f"tenant.profile: there is no profile {name!r}."
        fix = f"Choose one of: {', '.join(built_in_names())}."
        raise ConfigInvalid(message, fix=fix)
    folder = resources.files("aftercall.wire") / "profiles"
    text = (folder / f"{name}.toml").read_text(encoding="utf-8")
    return profile_from(tomllib.loads(text))
