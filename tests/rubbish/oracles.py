"""What must hold whatever comes in: no exception but the one meant, and words that help.

The same judges sit over properties, over the corpus and over coverage-guided fuzzing.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aftercall.adapters.sources import SourceOptions, open_source
from aftercall.domain.columns import ColumnMap
from aftercall.domain.disposition import Disposition, Rules
from aftercall.domain.follow_ups import FollowUpKind
from aftercall.domain.instant import from_ms
from aftercall.domain.outcomes import Category
from aftercall.engine.intake import Reader, Reading
from aftercall.errors import ConfigInvalid, SourceUnreadable
from aftercall.interfaces.cli.main import main
from aftercall.settings import settings_from
from aftercall.wire.auth import Token, read_token
from aftercall.wire.codes import read_part
from aftercall.wire.discovery import api_url_in, token_url_in
from aftercall.wire.follow_ups import Hearing
from aftercall.wire.http import HttpResponse
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile, ProfileInvalid, profile_from
from aftercall.wire.refusals import refusal_of, retry_after_seconds
from aftercall.wire.requests import (
    Basis,
    Unwritable,
    read_request,
    readback_request,
    write_request,
)
from aftercall.wire.responses import read_contact, read_held, read_written
from aftercall.wire.target import Target

from .counting import rows_in

RULES = Rules(outcomes={"INTERESTED": Category.POSITIVE}, now=from_ms(1_800_000_000_000))
READER = Reader(Reading(ColumnMap(), RULES))
ROW = Disposition(campaign="C1", contact="P1", outcome="INTERESTED", agent="A1", notes="n")
CANARY = "canary-that-is-told-in-confidence"
"""Stands for a token: a tenant may quote it, and nobody may hear it from us."""

EXITS = {0, 1, 2, 4, 75, 78}
SERVING = {"simulate", "demo", "serve", "worker", "init"}
"""Words that would begin to serve, or to ask questions."""


def read_all(path: Path) -> int:
    """Read a file as a run does; return its rows, none of which may be lost on the way.

    Only one error may come of it.
    """
    accepted = faulty = 0
    try:
        with open_source(str(path), SourceOptions()) as source:
            for row in source.rows():
                candidate = READER.candidate(row)
                candidate.cells.encode()
                json.loads(candidate.cells)
                assert (candidate.disposition is None) == bool(candidate.problems)
                accepted += not candidate.problems
                faulty += bool(candidate.problems)
                for problem in candidate.problems:
                    assert problem.message.isprintable()
                    assert problem.hint
    except SourceUnreadable as trouble:
        assert trouble.message.splitlines() == [trouble.message]  # noqa: PT017 - one of two ends
        return 0
    written = source.format
    fed = rows_in(path.read_bytes(), written.kind, written.encoding, written.delimiter)
    if fed is None:
        assert faulty, "a file that is broken as a whole was taken without a word"
    else:
        assert accepted + faulty == fed, f"{accepted} accepted + {faulty} faulty of {fed} fed"
    return accepted + faulty


def refused(tables: dict[str, Any]) -> str | None:
    """Return in what words a configuration is refused; None if it is taken."""
    try:
        settings_from(tables, {})
    except ConfigInvalid as trouble:
        words = trouble.message
    else:
        return None
    assert words
    assert "\x1b" not in words
    return words


def spoken(tables: dict[str, Any]) -> None:
    """Let a profile be refused in words, or speak it."""
    try:
        profile = profile_from(tables)
    except ProfileInvalid:
        return
    target = Target(profile, "https://tenant.example")
    asked = [read_request(target, ROW, "tok", "r"), readback_request(target, ROW, "tok", "r")]
    with suppress(Unwritable):
        asked.append(write_request(target, ROW, "tok", "r", Basis(told={"skill": "1"})))
    for request in asked:
        assert urlsplit(request.url).scheme == "https"
        assert all("\n" not in value for value in request.headers.values())
    for status in (200, 204, 400, 401, 429, 503):
        heard(profile, HttpResponse(status, {}, b'{"state": "READY", "message": "a"}'))


def heard(profile: Profile, response: HttpResponse) -> None:
    """Read an answer as that to each thing that can be asked; none of it may quote a secret."""
    target = Target(profile, "https://tenant.example")
    mask = Mask((CANARY,), ROW)
    auth = profile.auth[0]
    answers: list[object] = [
        read_contact(profile, response, 0, mask),
        read_written(profile, response, 0, mask),
        retry_after_seconds(response.headers, 0),
    ]
    if profile.readback is not None:
        answers.append(read_held(profile, response, 0, mask))
    for kind in FollowUpKind:
        hearing = Hearing(profile, kind, (CANARY,), 0)
        answers.append(refusal_of(profile, response, hearing.asked(mask)))
    token = read_token(profile, response, 0.0, mask)
    if not isinstance(token, Token):
        answers.append(token)
    for lookup in profile.lookup.values():
        read_part(lookup, response, 0)
    found = [api_url_in(target, response), token_url_in(target, auth, response)]
    for url in found:
        assert not isinstance(url, str) or urlsplit(url).scheme == "https"
    assert not any(CANARY in text for text in _texts(answers))
    for one in answers:
        assert getattr(one, "words", "").isprintable()


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif dataclasses.is_dataclass(value):
        for one in dataclasses.fields(value):
            if one.name != "etag":  # It goes back to whom it came from, and nowhere else.
                yield from _texts(getattr(value, one.name))


def commanded(words: Sequence[str], directory: Path) -> None:
    """Give a command line in a directory of its own; it is done, or refused in words."""
    words = [word for word in words if word not in SERVING]
    here = Path.cwd()
    os.chdir(directory)
    out, err = StringIO(), StringIO()
    kept, sys.stdin = sys.stdin, StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main(words)
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stdin = kept
        os.chdir(here)
    assert "Traceback" not in out.getvalue() + err.getvalue()
    assert "defect of aftercall" not in err.getvalue()
    assert code in EXITS
    assert not code or err.getvalue().strip()
