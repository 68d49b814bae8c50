"""The command: serve until a signal comes or standard input is closed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aftercall.simulator.options import Outer, build_parser, config_from
from aftercall.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from aftercall.simulator.config import SimulatorConfig

USAGE_ERROR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How the command announces itself and ends.

    Attributes:
        port_file: File that receives the port number once the simulator listens.
        exit_with_stdin: Whether the end of standard input ends the command.
        listening: Called with the addresses of the tenant and the CRM once it listens.
    """

    port_file: Path | None = None
    exit_with_stdin: bool = False
    listening: Callable[[str, str], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The command line that this one is a part of.

    Attributes:
        prog: Name of the command in its help.
        outer: Options that it has taken out already, for the help.
        environment: Where secrets are read from.
        listening: Called with the addresses of the tenant and the CRM once it listens.
    """

    prog: str = "python -m aftercall.simulator"
    outer: Outer = ()
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    listening: Callable[[str, str], None] | None = None


ALONE = Caller()


def main(argv: Sequence[str] | None = None, caller: Caller = ALONE) -> int:
    """Run the command with command line options.

    Another command line can hand its remaining arguments over unchanged; ``--help`` and
    malformed options end in ``SystemExit``, as ever with argparse.

    Args:
        argv: The options; None takes those of the process.
        caller: The command line that this one is a part of.

    Returns:
        The exit code: 0 after a regular end, 2 for settings that cannot work.
    """
    options = build_parser(caller.prog, caller.outer).parse_args(argv)
    launch = Launch(
        port_file=options.port_file,
        exit_with_stdin=options.exit_with_stdin,
        listening=caller.listening,
    )
    try:
        return serve(config_from(options, caller.environment), launch)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{caller.prog}: {error}\n")
        return USAGE_ERROR


def serve(config: SimulatorConfig, launch: Launch | None = None) -> int:
    """Serve until SIGINT or SIGTERM, and print one JSON line when listening.

    Args:
        config: Settings of the simulator.
        launch: How to announce and end; the default is neither port file nor standard input.

    Returns:
        The exit code 0.

    Raises:
        OSError: If the port is taken or a file cannot be opened.
        ValueError: If the CRM secret is malformed.
    """
    asyncio.run(_serve(config, launch or Launch()))
    return 0


async def _serve(config: SimulatorConfig, launch: Launch) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with Simulator(config) as simulator:
        # What was imported and loaded stays; looking through it all, again and again, would hold
        # requests up for longer than a strict limiter forgives its clients.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 1000)
        if launch.exit_with_stdin:
            # A thread, because standard input may be a file, which event loops cannot watch.
            threading.Thread(target=_await_end, args=(loop, stop), daemon=True).start()
        _announce(simulator, launch)
        await stop.wait()


def _announce(simulator: Simulator, launch: Launch) -> None:
    if launch.port_file is not None:
        # Renamed into place, so that nobody who waits for the file reads half a number.
        draft = launch.port_file.with_name(launch.port_file.name + ".part")
        draft.write_text(simulator.url.rpartition(":")[2], encoding="ascii")
        draft.replace(launch.port_file)
    line = {"url": simulator.url, "crm_url": simulator.crm_url, "pid": os.getpid()}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    if launch.listening is not None:
        launch.listening(simulator.url, simulator.crm_url)


def _await_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(sys.stdin.fileno(), 65536):
        pass
    # A caller that sends a signal and hangs up at once may find the loop closed already.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop.set)
