"""The switch that stops a run: what is given up leaves nothing behind."""

import asyncio
from typing import Any

import pytest

from aftercall.engine.halt import Halt, Stopped
from aftercall.errors import Interrupted, TenantUnreachable


def _troubles() -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    return told


async def _fails() -> None:
    raise TenantUnreachable("no connection", fix="none", next_command="none")


async def _fails_when_given_up() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await _fails()


def test_work_given_up_by_the_switch_prints_no_traceback_of_its_failure() -> None:
    async def main() -> list[dict[str, Any]]:
        told, halt = _troubles(), Halt()
        asyncio.get_running_loop().call_soon(halt.throw, Interrupted("stopped"))
        with pytest.raises(Stopped):
            await halt.unless_thrown(_fails_when_given_up())
        return told

    assert asyncio.run(main()) == []


def test_work_that_fails_in_the_turn_in_which_its_caller_is_given_up_prints_no_traceback() -> None:
    async def main() -> list[dict[str, Any]]:
        told, halt, ended = _troubles(), Halt(), asyncio.Event()

        async def work() -> None:
            await ended.wait()
            await _fails()

        caller = asyncio.ensure_future(halt.unless_thrown(work()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        ended.set()
        await asyncio.sleep(0)  # The work ends in the next turn, and so does its caller.
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        del caller
        return told

    assert asyncio.run(main()) == []
