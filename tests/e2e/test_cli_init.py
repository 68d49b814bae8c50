"""What `init` asks, what it does not take, and what it says is still to be done."""

import os
import pty
import subprocess
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest

from .rig import COMMAND, SECRETS, Desk

KEYS = ("CXONE_ACCESS_KEY_ID", "CXONE_ACCESS_KEY_SECRET")


def bare(desk: Desk) -> dict[str, str]:
    """Return an environment without secrets."""
    return {name: value for name, value in desk.variables().items() if name not in SECRETS}


def on_a_terminal(desk: Desk, *lines: str, words: tuple[str, ...] = ()) -> tuple[int, str]:
    """Type answers; return the exit code and all that was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "init", *words],
        cwd=desk.path,
        env=bare(desk),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, "".join(f"{line}\n" for line in lines).encode())
    told = b""
    with suppress(OSError):  # the terminal ends with the process
        while part := os.read(ours, 65536):
            told += part
    os.close(ours)
    return process.wait(30), told.decode().replace("\r\n", "\n")


def tenant_of(desk: Desk) -> object:
    return tomllib.loads((desk.path / "aftercall.toml").read_text())["tenant"]


@pytest.mark.parametrize("chosen", ["1", "acd"])
def test_a_tenant_is_chosen_by_number_or_by_name(desk: Desk, chosen: str) -> None:
    code, told = on_a_terminal(desk, chosen, "na1")
    assert code == 0
    assert "Which tenant do you have?" in told
    assert tenant_of(desk) == {"profile": "acd", "instance": "na1"}


def test_what_is_no_answer_is_asked_again(desk: Desk) -> None:
    code, told = on_a_terminal(desk, "7", "0", "axd", "2", "na 1", "ftp://x", "https://gw.example")
    assert code == 0
    assert told.count("Error: Give a number from 1 to 3.") == 3
    assert 'Error: It must be an instance name such as "na1"' in told.replace("\n", "")
    assert "Error: It must be a full address" in told
    assert tenant_of(desk) == {"profile": "outbound-v1", "base_url": "https://gw.example"}


def test_the_menu_breaks_no_word(desk: Desk) -> None:
    _, told = on_a_terminal(desk, "acd", "na1")
    menu, _, _ = told.partition("your own file")
    assert max(map(len, menu.splitlines())) <= 80
    assert "access key, set-disposition while" in menu
    assert "  the contact is active" in menu


def test_a_file_that_is_there_is_told_before_anything_is_asked(desk: Desk) -> None:
    desk.write("aftercall.toml", "# mine\n")
    code, told = on_a_terminal(desk)
    assert code == 1
    assert told.startswith("error: aftercall.toml exists already.")


def test_a_profile_of_ones_own_is_written_if_there_is_none(desk: Desk) -> None:
    code, told = on_a_terminal(desk, "3", "gateway", "./gateway.toml", "y", "https://gw.example")
    assert code == 0
    assert "Error: It must end with .toml." in told
    assert "1. Describe your API in that file" in told
    assert "aftercall profile check ./gateway.toml\n" in told
    assert tenant_of(desk) == {"profile": "./gateway.toml", "base_url": "https://gw.example"}
    assert tomllib.loads((desk.path / "gateway.toml").read_text())["name"] == "gateway"
    # With secrets, too, a file that nobody has filled in is no tenant to be checked.
    words = ("--force", "--profile", "./gateway.toml", "--base-url", "https://gw.example")
    again = desk.run("init", *words)
    assert again.returncode == 0
    assert "1. Describe your API in that file" in again.stderr


def test_one_who_wants_none_written_is_told_how(desk: Desk) -> None:
    code, told = on_a_terminal(desk, "3", "./gateway.toml", "n", "https://gw.example")
    assert code == 78
    assert "There is no profile ./gateway.toml." in told
    assert "next: aftercall profile new ./gateway.toml\n" in told
    assert not list(desk.path.iterdir())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--instance", "na_1"), "--instance: must be an instance name"),
        (("--base-url", "gw.example"), "--base-url: must be a full address"),
        (("--instance", "na1", "--base-url", "https://x.example"), "not both"),
    ],
)
def test_an_address_that_cannot_be_is_written_nowhere(
    desk: Desk, words: tuple[str, ...], told: str
) -> None:
    done = desk.run("init", *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert not list(desk.path.iterdir())


def test_without_secrets_those_of_the_profile_are_named(desk: Desk) -> None:
    done = subprocess.run(
        [COMMAND, "init", "--profile", "acd", "--instance", "na1"],
        cwd=desk.path,
        env=bare(desk),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == "aftercall.toml\n"
    assert "1. Fill in what is marked >>>: the outcome codes," in done.stderr
    two = ", ".join(KEYS)
    four = f"CXONE_CLIENT_ID, CXONE_CLIENT_SECRET\n   {two}"
    assert f"   {two}\n   or\n   {four}\n   and AFTERCALL_CRM_SECRET" in done.stderr
    assert "   aftercall outcomes pull\n" in done.stderr
    assert done.stderr.endswith("next: aftercall check\n")
    config = Path(desk.path / "aftercall.toml").read_text()
    assert "# The name before" in config, "what is filled in is not to be filled in"
    assert max(map(len, done.stderr.splitlines())) <= 80
