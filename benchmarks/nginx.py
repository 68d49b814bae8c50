"""nginx as the server that measures are taken against, where the machine has it.

It accepts every contact and every write and remembers nothing, as `benchmarks.fast_server` does, at
a fraction of its cost.
"""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fast_server import CONTACT, TOKEN

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
START_SECONDS_MAX = 10.0

CONFIGURATION = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    default_type application/json;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location ~ /token$ {{ return 200 '{token}'; }}
        location / {{ return 200 '{contact}'; }}
    }}
}}
"""


@contextlib.contextmanager
def serving(program: str) -> Iterator[tuple[str, int]]:
    """Run nginx; give its address and its pid.

    Raises:
        RuntimeError: it did not start.
    """
    with tempfile.TemporaryDirectory(prefix="aftercall-bench-") as name:
        directory, port = Path(name), _free_port()
        file = directory / "nginx.conf"
        values = {"token": TOKEN.decode(), "contact": CONTACT.decode()}
        file.write_text(CONFIGURATION.format(directory=directory, port=port, **values))
        with subprocess.Popen(
            [program, "-p", name, "-e", directory / "error.log", "-c", file]
        ) as process:
            try:
                _await_answer(port, process)
                yield f"http://127.0.0.1:{port}", process.pid
            finally:
                process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def _await_answer(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.01)
    message = "nginx did not start"
    raise RuntimeError(message)
