"""How an answer says, under a status of success too, that something was not done."""

from collections.abc import Iterator

from aftercall.domain.disposition import Json
from aftercall.wire.json_paths import number_of, says_no, text_of, value_at
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
    items = document if signs.items is None else value_at(document, signs.items)
    yield from items if isinstance(items, list) else ()


def _failed(signs: Failure, part: Json) -> bool:
    def at(path: str | None) -> Json:
        return None if path is None else value_at(part, path)

    return says_no(at(signs.flag)) or bool(at(signs.error)) or number_of(at(signs.count)) > 0
