"""The installed command in a directory of its own, and a simulator to talk to."""

import fcntl
import json
import os
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

COMMAND = Path(sys.executable).with_name("aftercall")
SECONDS_MAX = 60

CANARY = "canary7391"
SECRETS = {
    "CXONE_CLIENT_ID": "e2e-client",
    "CXONE_CLIENT_SECRET": f"{CANARY}-client-secret",
    "AFTERCALL_CRM_SECRET": "whsec_Y2FuYXJ5NzM5MS1jcm0tc2VjcmV0",
}
HEADER = "campaign,contact,outcome,agent,notes,timestamp\n"

CONFIG = """\
[tenant]
base_url = "{url}"

[outcomes]
INTERESTED = "positive"
NOT_INTERESTED = "negative"
DO_NOT_CALL = "opt_out"

[limits]
requests_per_second = {rate}

[retry]
attempts_max = 3
wait_seconds_initial = 0.05
wait_seconds_max = 0.1

[crm]
url = "{url}/crm"
"""


@dataclass(frozen=True)
class Tenant:
    """A simulator in a process of its own."""

    url: str

    def asked(self, what: str, document: Mapping[str, object] | None = None) -> bytes:
        """Ask the simulator, or tell it something."""
        address = urlsplit(self.url)
        assert address.hostname is not None
        connection = HTTPConnection(address.hostname, address.port, timeout=10)
        try:
            if document is None:
                connection.request("GET", f"/_sim/{what}")
            else:
                connection.request("POST", f"/_sim/{what}", json.dumps(document))
            answer = connection.getresponse()
            assert answer.status < 300
            return answer.read()
        finally:
            connection.close()

    @property
    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.asked("stats"))
        return found

    @property
    def ledger(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.asked("ledger").splitlines()]


@contextmanager
def simulated(*options: str) -> Iterator[Tenant]:
    """Run a simulator that knows every contact."""
    command = [sys.executable, "-m", "aftercall.simulator", "--exit-with-stdin", "--open", *options]
    environment = {**os.environ, **SECRETS}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield Tenant(json.loads(process.stdout.readline())["url"])
        process.stdin.close()
        process.wait(10)


@dataclass
class Desk:
    """A directory with a configuration, in which commands are typed."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)

    def configure(self, url: str, rate: float = 1000, extra: str = "") -> None:
        """Write the configuration."""
        text = CONFIG.format(url=url, rate=float(rate)) + extra
        (self.path / "aftercall.toml").write_text(text, encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.path / name).write_text(text, encoding="utf-8")

    def rows(self, name: str, *lines: str) -> Path:
        """Write a file of rows."""
        file = self.path / name
        file.write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        return file

    def variables(self, **changes: str) -> dict[str, str]:
        """Return the environment of a command: what Python needs, the secrets, the changes."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        kept["PATH"] = f"{COMMAND.parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
        return {**kept, "TZ": "UTC", **SECRETS, **self.environment, **changes}

    def run(
        self, *words: str, given: bytes | None = None, **changes: str
    ) -> "subprocess.CompletedProcess[str]":
        """Type a command and wait for its end."""
        done = subprocess.run(
            [COMMAND, *words],
            cwd=self.path,
            env=self.variables(**changes),
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in out + err
        assert CANARY not in out + err
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        """Type a command and do not wait."""
        return subprocess.Popen(
            [COMMAND, *words],
            cwd=self.path,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def json(self, *words: str) -> Any:
        """Type a command and return the document that it prints."""
        return json.loads(self.run(*words, "--json").stdout)


def plain_rows(number: int, campaign: str = "C1") -> Sequence[str]:
    """Return rows that are applied."""
    return [
        f"{campaign},p{place},INTERESTED,a1,{CANARY} note,2026-01-02T03:04:05Z"
        for place in range(number)
    ]


def until(holds: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something holds."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come to hold in time"
        time.sleep(0.02)


def unread(pipe: int) -> int:
    """Return how many bytes lie in a pipe."""
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0])
