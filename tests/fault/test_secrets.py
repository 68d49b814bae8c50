"""Secrets and notes are in no text that we make: errors, reports, files, logs, audit entries."""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

import pytest

from aftercall.errors import AftercallError
from aftercall.simulator import Faults
from aftercall.wiring import write_results

from .books import as_text, trail
from .conftest import Rigged
from .rig import CLIENT_SECRET, CRM_SECRET, Rig, Row, names, record, row, until

NOTES = "She said her number is 4929-0000-1111"
CUSTOM = {"diagnosis": "a-most-private-fact"}
SECRETS = (CLIENT_SECRET, CRM_SECRET, NOTES, CUSTOM["diagnosis"])


def told(error: BaseException) -> str:
    """Return all that an error shows, with what caused it."""
    texts: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        texts += [str(seen), repr(seen), str(getattr(seen, "__notes__", ""))]
        if isinstance(seen, AftercallError):
            texts += [seen.message, seen.fix, seen.next_command]
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\n".join(texts)


def logged(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join([caplog.text, *(repr(record.__dict__) for record in caplog.records)])


def text_of(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def planted(contacts: Iterable[str]) -> list[Row]:
    return [row(name, notes=NOTES, custom_fields=CUSTOM) for name in contacts]


async def test_a_troubled_run_tells_no_secret(
    rig_with: Rigged, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    kinds = ("reset_before", "reset_after", "error_after_commit", "garbage", "truncated")
    more = dict.fromkeys(("redirect", "crm_error", "crm_reset_after", "unauthorized"), 0.02)
    faults = Faults.from_json(dict.fromkeys(kinds, 0.1) | more)
    contacts = [
        {"campaign": "C1", "contact": "p1", "refuse": {"status": 409, "message": f"no: {NOTES}"}},
        {"campaign": "C1", "contact": "p2", "refuse": {"status": 422, "message": "no"}},
    ]
    async with rig_with(faults=faults) as rig:
        rig.simulator.extend_world({"contacts": contacts})
        async with rig.session() as session:
            recorder = record(session)
            rows = [*planted(names(60)), row("", notes=NOTES), row("x", outcome="BAD", notes=NOTES)]
            report = await session.perform(session.objects(rows))
            files = write_results(session.settings, report.run, tmp_path / "results")
            tokens = recorder.secrets()

        assert report.total_processed == 62
        assert {"rejected", "invalid", "applied"} <= {s.value for s in report.statuses}
        assert tokens, "no token was seen on its way"
        text = as_text(report.as_json(), repr(report), trail(report), logged(caplog), rig.crm())
        for secret in (*SECRETS, *tokens):
            assert secret not in text
        # The user's own columns come back in the result files; our columns and keys do not tell.
        for path in files.values():
            content = text_of(path)
            assert all(secret not in content for secret in (CLIENT_SECRET, CRM_SECRET, *tokens))


async def test_errors_tell_no_secret(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    raised: list[BaseException] = []
    rig.simulator.set_client_secret("another")
    for tables in (
        {},
        {"tenant": {"base_url": "http://127.0.0.1:1"}},
        {"limits": {"requests_per_second": "fast"}},
    ):
        with pytest.raises(AftercallError) as caught:
            await rig.sync(planted(["p1"]), **tables)
        raised.append(caught.value)
    rig.environment["AFTERCALL_CRM_SECRET"] = f"whsec_{CRM_SECRET}!"
    with pytest.raises(AftercallError) as caught:
        await rig.sync(planted(["p1"]))
    raised.append(caught.value)

    assert len({type(error) for error in raised}) >= 3
    for error in raised:
        assert all(secret not in told(error) for secret in SECRETS)
    assert all(secret not in logged(caplog) for secret in SECRETS)


async def test_what_is_passed_around_does_not_show_secrets_when_printed(rig: Rig) -> None:
    async with rig.session() as session:
        recorder = record(session)
        job = session.objects(planted(names(5)))
        working = asyncio.create_task(session.perform(job))
        await until(lambda: len(recorder.sent) >= 3)
        texts = [repr(session.settings), repr(job), repr(job.run), repr(session._outside.crm)]
        report = await working

    texts.append(repr(report))
    assert report.successful == 5
    for secret in (*SECRETS, *recorder.secrets()):
        assert all(secret not in text for text in texts)
