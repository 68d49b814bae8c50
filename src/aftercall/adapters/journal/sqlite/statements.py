"""The named statements of the ``.sql`` files.

A part that several statements share stands once, below ``-- part: NAME``, and is put wherever a
line of a statement of the same file is ``:NAME:``.
"""

import re
from functools import cache
from importlib import resources

_HEAD = re.compile(r"^-- (name|part): (\w+)$", re.MULTILINE)
_REMARK = re.compile(r"^--.*\n", re.MULTILINE)


@cache
def statements() -> dict[str, str]:
    """Return every statement by its name."""
    folder = resources.files("aftercall.adapters.journal") / "sql" / "sqlite"
    found: dict[str, str] = {}
    for file in folder.iterdir():
        if file.name.endswith(".sql"):
            found |= _statements_in(file.read_text(encoding="utf-8"))
    return found


def _statements_in(text: str) -> dict[str, str]:
    pieces = _HEAD.split(text)[1:]
    told = list(zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True))
    parts = {name: _REMARK.sub("", body).strip() for kind, name, body in told if kind == "part"}

    def filled(body: str) -> str:
        return re.sub(r"^:(\w+):$", lambda found: parts[found[1]], body.strip(), flags=re.MULTILINE)

    return {name: filled(body) for kind, name, body in told if kind == "name"}


def statement(name: str) -> str:
    """Return one statement; a `KeyError` if there is none of that name."""
    return statements()[name]
