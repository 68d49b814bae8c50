"""How a row of a result file is known to be as broken as it was when it was written."""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

from aftercall.adapters.sources.formula import unguard_cell
from aftercall.adapters.sources.rows import RowProblem

CHECK_COLUMN: Final = "aftercall_check"

_AS_IT_WAS: Final = "The row is as it was when it was found wrong: "
_SHOWN: Final = 300
_CODE: Final = re.compile(r"[a-z][a-z_]{0,39}")
_LINE_END: Final = re.compile(r"\r\n?")


def check_of(cells: Iterable[str]) -> str:
    """Return a short digest of a row's original cells as they stand in a result file.

    Line ends count alike: an editor that changes them has corrected nothing.
    """
    digest = sha256()
    for cell in cells:
        data = _LINE_END.sub("\n", cell).encode("utf-8", "backslashreplace")
        digest.update(b"%d:%b" % (len(data), data))
    return digest.hexdigest()[:16]


def still_broken(ours: Mapping[str, str], cells: Iterable[str]) -> RowProblem | None:
    """Say what is wrong with a fed back row whose `cells` nobody has corrected.

    Args:
        ours: the columns that aftercall has added, as they stand in the file.
        cells: the original cells, as they stand in the file.
    """
    check = ours.get(CHECK_COLUMN, "").strip()
    if not check or check != check_of(cells):
        return None
    code = ours.get("aftercall_reason", "")
    message = _shown(ours.get("aftercall_message", "")).removeprefix(_AS_IT_WAS)
    hint = _shown(ours.get("aftercall_hint", ""))
    return RowProblem(
        code if _CODE.fullmatch(code) else "not_corrected",
        f"{_AS_IT_WAS}{message}",
        hint or "correct its cells",
    )


def _shown(cell: str) -> str:
    text = "".join(letter for letter in unguard_cell(cell) if letter.isprintable())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
