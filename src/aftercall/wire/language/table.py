"""What all tables of a profile share: their strictness, and the kinds of text that they hold."""

import re
import warnings
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from aftercall.wire.reach import is_host

_INNERMOST = re.compile(r"\(([^()]*)\)")
_REPETITION = re.compile(r"[*+]|\{[0-9]*,[0-9]*\}")

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


_OURS = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "if-match",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NEVER_ABSENT = frozenset({401, 408, 425, 429})


class Rules(BaseModel):
    """A table: nothing changes later, and no key is ignored."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        populate_by_name=True,
    )


def flaw(words: str) -> PydanticCustomError:
    """Return an error whose words are told as they are."""
    return PydanticCustomError("flaw", "{words}", {"words": words})


def normal_state(name: str) -> str:
    """Return a name as it is compared: ``"Wrap up"`` and ``"WRAP_UP"`` are the same."""
    return re.sub(r"[\W_]+", "_", name.upper()).strip("_")


def _path(path: str) -> str:
    if not all(path.split(".")):
        raise flaw('is no path: names with dots between them, such as "contact.state"')
    return path


def _header(name: str) -> str:
    if not _HEADER.fullmatch(name):
        raise flaw("is no name of a header")
    return name.lower()


def _free(name: str) -> str:
    if name in _OURS:
        raise flaw("is a header that is set already")
    return name


def _header_value(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise flaw("holds a character that no header has")
    return text


def _no_such_thing(statuses: frozenset[int]) -> frozenset[int]:
    told = {one for one in statuses if one != 204 and not 400 <= one < 500} | (
        statuses & _NEVER_ABSENT
    )
    if told:
        listed = ", ".join(map(str, sorted(told)))
        raise flaw(f"holds {listed}, which does not say that there is none; 204 and 4xx can")
    return statuses


def _states(names: frozenset[str]) -> frozenset[str]:
    found = frozenset(map(normal_state, names))
    if "" in found:
        raise flaw("holds a name without a letter or digit, which is like any other such name")
    return found


def _address(template: str) -> str:
    if not template.startswith(("/", "https://")):
        raise flaw('must begin with "/" (below the base address) or with "https://"')
    if not template.isascii() or not template.isprintable() or " " in template or "\\" in template:
        raise flaw("holds a character that no address has")
    if {"{", "}"} & set(PLACEHOLDER.sub("", template)):
        raise flaw("holds a brace that belongs to no placeholder")
    if "#" in template:
        raise flaw("has a fragment (#), which is never sent")
    if not template.startswith("/"):
        _check_host(template)
    return template


def _check_host(template: str) -> None:
    try:
        parts = urlsplit(PLACEHOLDER.sub("x", template))
        port = parts.port
    except ValueError:
        raise flaw("is no address: its host or port is malformed") from None
    if "@" in parts.netloc:
        raise flaw("must not hold a user name or password")
    if not is_host(parts.hostname or "") or port == 0:
        raise flaw("names no host that can be called")


def _pattern(text: str) -> str:
    try:
        with warnings.catch_warnings():
            # What another Python would read otherwise is no pattern to rely on.
            warnings.simplefilter("error", FutureWarning)
            re.compile(text, re.IGNORECASE)
    except (re.error, FutureWarning, OverflowError, RecursionError) as error:
        raise flaw(f"is no regular expression: {error}") from None
    if _repeats_repetitions(text):
        raise flaw("repeats what repeats already: on some words it would never end")
    return text


def _repeats_repetitions(text: str) -> bool:
    """Say whether a repetition is within another, such as ``(a+)*``.

    It takes time exponential in the length of the words, and nothing can interrupt it. Alternatives
    that overlap, such as ``(a|ab)*``, can do the same and are not found here.
    """
    plain = re.sub(r"\[\^?\]?[^\]]*\]", "x", re.sub(r"\\.", "x", text, flags=re.DOTALL))
    while group := _INNERMOST.search(plain):
        repeated = _REPETITION.search(group[1].removeprefix("?"))
        if repeated and _REPETITION.match(plain, group.end()):
            return True
        plain = f"{plain[: group.start()]}{'x*' if repeated else 'x'}{plain[group.end() :]}"
    return False


def shaped(pattern: str) -> WithJsonSchema:
    """Return what an editor is told of a text; what is wrong with it is said in words by us."""
    return WithJsonSchema({"type": "string", "pattern": pattern})


def filled_with(*names: str) -> AfterValidator:
    """Return the check that an address has no placeholders but `names`."""

    def check(template: str) -> str:
        for name in PLACEHOLDER.findall(template):
            if name not in names:
                known = ", ".join(f"{{{one}}}" for one in names)
                raise flaw(f"holds {{{name}}}; only {known} can be filled in")
        return template

    return AfterValidator(check)


Text = Annotated[str, Field(min_length=1)]
JsonPath = Annotated[str, AfterValidator(_path), shaped(r"^[^.]+(\.[^.]+)*$")]
"""Where a value stands in a JSON document: names (or places in a list) with dots between."""

Envelope = Annotated[str, AfterValidator(lambda path: path and _path(path))]
"""Where an object stands; empty for the whole document."""

JsonPaths = Annotated[JsonPath | tuple[JsonPath, ...], Field(union_mode="left_to_right")]
ReadField = Literal["state", "outcome", "agent", "notes", "timestamp", "custom_fields"]
"""What can be read of a contact."""

Header = Annotated[str, AfterValidator(_header), shaped(r"^[^\s:]+$")]
FreeHeader = Annotated[Header, AfterValidator(_free)]
"""One that is not set already."""

HeaderValue = Annotated[Text, AfterValidator(_header_value)]
Address = Annotated[str, AfterValidator(_address), shaped("^(/|https://)")]
ContactAddress = Annotated[Address, filled_with("campaign", "contact", "version", "instance")]
Pattern = Annotated[str, AfterValidator(_pattern)]
StateNames = Annotated[frozenset[str], AfterValidator(_states)]
Status = Annotated[int, Field(strict=True, ge=100, le=599)]
Statuses = frozenset[Status]
SuccessStatuses = frozenset[Annotated[int, Field(strict=True, ge=200, le=299)]]
AbsentStatuses = Annotated[Statuses, AfterValidator(_no_such_thing)]
"""Those that can say that there is no such thing."""

Seconds = Annotated[float, Field(strict=True, ge=0, le=86_400)]
Version = Annotated[str, Field(pattern=r"^[0-9A-Za-z.-]+$")]


def paths_of(paths: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return one path or several as several."""
    if paths is None:
        return ()
    return (paths,) if isinstance(paths, str) else paths
