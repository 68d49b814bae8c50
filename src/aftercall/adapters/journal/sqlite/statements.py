"""The named statements of the ``.sql`` files."""

import re
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def statements() -> dict[str, str]:
    """Return every statement by its name."""
    folder = resources.files("aftercall.adapters.journal") / "sql" / "sqlite"
    found: dict[str, str] = {}
    for file in folder.iterdir():
        if file.name.endswith(".sql"):
            parts = _NAME.split(file.read_text(encoding="utf-8"))
            found |= {
                name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)
            }
    return found


def statement(name: str) -> str:
    """Return one statement; a `KeyError` if there is none of that name."""
    return statements()[name]
