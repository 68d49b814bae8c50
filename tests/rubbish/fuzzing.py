"""Coverage-guided fuzzing: `python -m tests.rubbish.fuzzing TARGET --seconds N`.

What breaks is printed with its traceback and kept in the current directory; once it is mended it
goes into `corpus/TARGET`, which the tests read again every time.
"""

# ruff: noqa: T201 - it is a command
import argparse
import pkgutil
import re
import shlex
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module, resources
from pathlib import Path

try:
    import atheris
except ImportError:  # Reading the corpus again needs no fuzzer, and not every platform has it.
    atheris = None

if __name__ == "__main__" and atheris is not None:
    with atheris.instrument_imports(include=["aftercall"], enable_loader_override=False):
        import aftercall

        # All of it now: what a command imports later would not be watched.
        for module in pkgutil.walk_packages(aftercall.__path__, "aftercall."):
            if "simulator" not in module.name and "__main__" not in module.name:
                import_module(module.name)

from aftercall.wire.http import HttpResponse
from aftercall.wire.profile import Profile, profile_from

from . import oracles

THERE = atheris is not None
"""Whether there is a fuzzer here."""

CORPUS = Path(__file__).parent / "corpus"
EXAMPLES = Path(__file__).parents[2] / "examples"
DOCS = Path(__file__).parents[2] / "docs"
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", "", ".xlsx", ".gz")
STATUSES = (200, 201, 204, 207, 301, 400, 401, 403, 404, 409, 412, 413, 422, 429, 500, 503)


@cache
def built_in() -> tuple[str, ...]:
    """Return the profiles that come with the program, as text."""
    files = resources.files("aftercall.wire.profiles")
    return tuple((files / f"{name}.toml").read_text("utf-8") for name in ("outbound-v1", "acd"))


@cache
def _profiles() -> tuple[Profile, ...]:
    return tuple(profile_from(tomllib.loads(text)) for text in built_in())


@cache
def _place() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="aftercall-fuzzing-")


def source(data: bytes) -> None:
    """A file; its first byte says what it is called."""
    suffix = SUFFIXES[data[0] % len(SUFFIXES)] if data else ""
    path = Path(_place().name) / f"fed{suffix}"
    path.write_bytes(data[1:])
    oracles.read_all(path)


def config(data: bytes) -> None:
    """A configuration file."""
    with suppress(tomllib.TOMLDecodeError, RecursionError):
        oracles.refused(tomllib.loads(data.decode(errors="replace")))


def profile(data: bytes) -> None:
    """A profile file."""
    with suppress(tomllib.TOMLDecodeError, RecursionError):
        oracles.spoken(tomllib.loads(data.decode(errors="replace")))


def answer(data: bytes) -> None:
    """An answer: one byte for the profile, one for the status, a Retry-After, the body."""
    if len(data) < 3:
        return
    after, _, body = data[2:].partition(b"\n")
    headers = {"retry-after": after.decode("latin-1"), "etag": after.decode("latin-1")}
    response = HttpResponse(STATUSES[data[1] % len(STATUSES)], headers, body)
    oracles.heard(_profiles()[data[0] % 2], response)


def command(data: bytes) -> None:
    """A command line, as a shell splits it."""
    text = data.decode(errors="replace").replace("\0", "")
    with suppress(ValueError):  # A quotation that does not end is no command line.
        oracles.commanded(shlex.split(text), Path(_place().name))


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (source, config, profile, answer, command)
}


def seeds(target: str) -> Iterator[bytes]:
    """Yield what fuzzing begins with: good input, and what has once broken something."""
    match target:
        case "source":
            head = b"".join((EXAMPLES / "dispositions.csv").read_bytes().splitlines(True)[:6])
            yield b"\0" + head
            yield b"\x03" + b'{"campaign":"C1","contact":"p1","outcome":"INTERESTED","agent":"a"}\n'
            yield b'\x02[{"campaign":"C1","contact":7,"custom_fields":{"a":[1]}}]'
        case "config":
            yield (
                b'[tenant]\nbase_url = "https://tenant.example"\n[outcomes]\nINTERESTED = '
                b'"positive"\n[limits]\nrequests_per_second = 5.0\n[rows.columns]\ncontact = "who"'
                b'\n[crm]\nurl = "https://crm.example/hook"\nsecret_env = "X"\n'
            )
        case "profile":
            yield from (text.encode() for text in built_in())
        case "answer":
            quoted = oracles.CANARY.encode()
            yield b"\0\0" + b'"e1"\n{"contactId":"P1","state":"IDLE","outcomeCode":"NO_ANSWER"}'
            yield b'\1\0\n{"resultSet":{"contactId":"P1","skillId":"7","state":"Active"}}'
            yield b'\0\x0d30\n{"error":{"message":"' + quoted + b'"}}'
            yield b'\1\0\n{"access_token":"' + quoted + b'","expires_in":"3600","scope":"a b"}'
        case "command":
            for words in ("sync - --set campaign=C1", "plan x.csv --json", "show 1 --limit 2"):
                yield words.encode()
            for words in ("optouts --json", "crm list --status dead", "audit export --format csv"):
                yield words.encode()
    for path in sorted((CORPUS / target).glob("*")):
        yield path.read_bytes()


def words(target: str) -> set[str]:
    """Return words that mean something in a target's input."""
    match target:
        case "config":
            return _of_page("configuration.md", r"`(\w+)`") | {" = ", "]\n[", '"'}
        case "profile":
            return set(re.findall(r"[\w-]+|\{\w+\}", "".join(built_in()))) | {" = ", "[[auth]]\n"}
        case "answer":
            return {
                "message",
                "errors",
                "resultSet",
                "null",
                "1e999",
                "[[[[",
                '":"',
                oracles.CANARY,
            }
        case "command":
            return _of_page("cli.md", r"--[\w-]+|(?<=`aftercall )[a-z -]+") | {" "}
        case _:
            return {"campaign", "outcome", "custom_fields", '""', "\r\n", r"\u0000", "[1]", "]}"}


def _of_page(name: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, (DOCS / name).read_text("utf-8")))


def _dictionary(target: str) -> str:
    """Return the words as libFuzzer reads them."""
    quoted = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words(target))
    return "\n".join(f'"{word}"' for word in quoted if word)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rubbish.fuzzing", description=__doc__)
    parser.add_argument("target", choices=TARGETS, help="what is fuzzed")
    parser.add_argument("--seconds", type=int, default=60, help="for how long")
    parser.add_argument("--seed", type=int, default=1, help="of the fuzzer's chance")
    given = parser.parse_args()
    if not THERE:
        print(
            "No fuzzer here: atheris comes with the dependency group `fuzz`, for Linux on x86-64."
        )
        return 69
    begin = Path(_place().name) / "seeds"
    begin.mkdir()
    for number, seed in enumerate(seeds(given.target)):
        (begin / str(number)).write_bytes(seed)
    known = begin.with_name("words")
    known.write_text(_dictionary(given.target), "ascii")
    options = [
        f"-dict={known}",
        f"-max_total_time={given.seconds}",
        f"-seed={given.seed}",
        "-max_len=20000",
    ]
    options += ["-timeout=20", "-rss_limit_mb=2000", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(begin)], TARGETS[given.target])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
