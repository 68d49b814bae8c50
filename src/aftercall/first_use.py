"""Names that a package imports when they are first used (PEP 562)."""

from collections.abc import Callable, Mapping
from importlib import import_module


def imported_from(
    package: str, homes: Mapping[str, str], names: dict[str, object]
) -> Callable[[str], object]:
    """Return a `__getattr__` for a package: the command line starts without what it does not need.

    Args:
        package: its name.
        homes: of each public name, the module that it comes from.
        names: the package's globals, which keep what was imported.
    """

    def first_use(name: str) -> object:
        if name not in homes:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message)
        value: object = getattr(import_module(homes[name]), name)
        names[name] = value
        return value

    return first_use
