"""How an answer says, under a status of success too, that something was not done."""

from collections.abc import Iterator

from aftercall.domain.disposition import Json
from aftercall.wire.json_paths import text_of, value_at
from aftercall.wire.language.write import Failure


def says_failure(signs: Failure, document: Json) -> bool:
    """Say whether an answer, or any of the results in it, is one of failure."""
    return any(_failed(signs, part) for part in _parts(signs, document))


def failure_words(signs: Failure, document: Json) -> str | None:
    """Return the text that stands for the error of the first failure that has one."""
    if signs.error is None:
        return None
    failed = (part for part in _parts(signs, document) if _failed(signs, part))
    told = (text_of(value_at(part, signs.error)) for part in failed)
    return next((words for words in told if words), None)


def _parts(signs: Failure, document: Json) -> Iterator[Json]:
    """Yield the answer itself and each result that it holds."""
    yield document
    items = None if signs.items is None else value_at(document, signs.items)
    yield from items if isinstance(items, list) else ()


def _failed(signs: Failure, part: Json) -> bool:
    def at(path: str | None) -> Json:
        return None if path is None else value_at(part, path)

    count = at(signs.count)
    counted = isinstance(count, int | float) and count > 0
    return at(signs.flag) is False or bool(at(signs.error)) or counted
