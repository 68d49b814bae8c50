from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from aftercall.simulator import Caller, FaultKind, main
from aftercall.simulator.options import build_parser, config_from

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 20


@contextmanager
def running(*options: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "aftercall.simulator", *options]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    variables = {**os.environ, **environment}
    with subprocess.Popen(command, text=True, env=variables, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def announced(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


def token_status(url: str, secret: str) -> int:
    form = {"grant_type": "client_credentials", "client_id": "id", "client_secret": secret}
    try:
        with urllib.request.urlopen(
            f"{url}/api/v1/oauth2/token", urlencode(form).encode(), timeout=PATIENCE
        ) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal_comes(tmp_path: Path, number: signal.Signals) -> None:
    port_file = tmp_path / "port"
    with running("--port-file", str(port_file), "--open") as process:
        line = announced(process)
        assert set(line) == {"url", "crm_url", "pid"}
        assert line["pid"] == process.pid
        assert line["url"] == f"http://127.0.0.1:{port_file.read_text()}"
        assert line["crm_url"] == line["url"] + "/crm"
        assert token_status(line["url"], "any") == 200
        process.send_signal(number)
        output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output, errors) == (0, "", "")


def test_ends_with_standard_input() -> None:
    with running("--exit-with-stdin") as process:
        announced(process)
        assert process.poll() is None
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "")


def test_signal_and_hanging_up_at_once() -> None:
    with running("--exit-with-stdin") as process:
        announced(process)
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "")


def test_credentials_come_from_the_environment() -> None:
    with running(CXONE_CLIENT_ID="id", CXONE_CLIENT_SECRET="right") as process:
        url = announced(process)["url"]
        statuses = [token_status(url, secret) for secret in ("right", "wrong")]
    assert statuses == [200, 401]


def test_aborted_connections_leave_standard_error_empty() -> None:
    with running("--open", "--fault", "reset_before=1", "--fault-limit", "0") as process:
        url = announced(process)["url"]
        form = urlencode({"grant_type": "client_credentials", "client_id": "i", "client_secret": 1})
        with urllib.request.urlopen(
            f"{url}/api/v1/oauth2/token", form.encode(), timeout=PATIENCE
        ) as reply:
            token = json.load(reply)["access_token"]
        contact = f"{url}/api/v1/outbound/campaigns/c/contacts/p"
        request = urllib.request.Request(contact, headers={"Authorization": f"Bearer {token}"})
        for _ in range(3):
            with pytest.raises(ConnectionError):
                urllib.request.urlopen(request, timeout=PATIENCE)
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--host", "0.0.0.0"], "loopback"),  # noqa: S104 - refused, which is the point
        (["--world", "/no/such/file"], "No such file"),
        (["--missing-ratio", "2"], "ratio"),
        (["--rate", "-1"], "negative"),
        (["--crm-secret", "whsec_?"], "base64"),
    ],
)
def test_settings_that_cannot_work(
    options: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert word in printed.err


def test_taken_port(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])], Caller(prog="aftercall simulate")) == 2
    assert capsys.readouterr().err.startswith("aftercall simulate: ")


@pytest.mark.parametrize("option", ["nonsense=1", "slow", "slow=often"])
def test_malformed_fault(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--fault", option])
    assert "KIND=PROBABILITY" in capsys.readouterr().err


def test_every_setting_has_its_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERCALL_CRM_SECRET", "from the environment")
    world = tmp_path / "world.json"
    world.write_text('{"contacts":[{"campaign":"c","contact":"p"}],"missing_ratio":0.5}')
    text = (
        f"--host localhost --port 7 --seed 3 --world {world} --open --active-ratio 0.25 "
        "--rate 5 --limiter bucket --burst 4 --tenant-rate 9 --retry-after date "
        "--latency-ms 1.5 --jitter-ms 2 --no-etags --patch-status 200 --refuse-code A_CODE "
        "--refuse-code B_CODE --client-id i --client-secret s --scope one --token-seconds 60 "
        "--crm-latency-ms 3 --ledger l.jsonl --crm-log e.jsonl --fault slow=0.5 --fault huge=1 "
        "--fault-limit 7 --slow-seconds 0.5 --huge-bytes 9 --crm-down-seconds 4"
    )
    config = config_from(build_parser().parse_args(text.split()))
    assert (config.host, config.port, config.seed) == ("localhost", 7, 3)
    assert list(config.world.contacts) == [("c", "p")]
    world_settings = (config.world.open, config.world.missing_ratio, config.world.active_ratio)
    assert world_settings == (True, 0.5, 0.25)
    limits = config.limits
    assert (limits.kind, limits.rate, limits.burst, limits.tenant_rate) == ("bucket", 5, 4, 9)
    assert (config.latency_ms, config.jitter_ms, config.crm_latency_ms) == (1.5, 2, 3)
    assert (config.retry_after, config.etags, config.patch_status) == ("date", False, 200)
    assert config.refused_codes == {"A_CODE", "B_CODE"}
    assert (config.client_id, config.client_secret) == ("i", "s")
    assert (config.scope, config.token_seconds) == ("one", 60)
    assert config.crm_secret == "from the environment"
    assert (str(config.ledger_file), str(config.crm_file)) == ("l.jsonl", "e.jsonl")
    faults = config.faults
    assert faults.probabilities == {FaultKind.SLOW: 0.5, FaultKind.HUGE: 1}
    assert (faults.fault_limit, faults.slow_seconds, faults.huge_bytes) == (7, 0.5, 9)
    assert faults.crm_down_seconds == 4
