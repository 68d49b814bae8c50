"""The command line before it does anything: help, version, speed, words mistyped."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from aftercall.interfaces.cli.main import app

from .rig import COMMAND, Desk, plain_rows, simulated

HEAVY = {"aiohttp", "asyncio", "pydantic", "sqlite3", "rich", "structlog", "ssl"}
OURS_AT_START = {
    "aftercall",
    "aftercall.domain",
    "aftercall.domain.delivery",
    "aftercall.domain.status",
    "aftercall.errors",
    "aftercall.first_use",
    "aftercall.interfaces",
    "aftercall.interfaces.cli",
    "aftercall.interfaces.cli.crm",
    "aftercall.interfaces.cli.failures",
    "aftercall.interfaces.cli.followups",
    "aftercall.interfaces.cli.history",
    "aftercall.interfaces.cli.main",
    "aftercall.interfaces.cli.options",
    "aftercall.interfaces.cli.optouts",
    "aftercall.interfaces.cli.outcomes",
    "aftercall.interfaces.cli.profiles",
    "aftercall.interfaces.cli.program",
    "aftercall.interfaces.cli.setup",
    "aftercall.interfaces.cli.trail",
    "aftercall.interfaces.cli.trial",
    "aftercall.interfaces.cli.work",
}


def imported(*words: str, directory: Path | None = None) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "aftercall", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


@pytest.mark.parametrize("words", [("--help",), ("sync", "--help"), ("audit", "--help")])
def test_help_imports_only_what_it_shows(words):
    names = imported(*words)
    assert not HEAVY & names
    assert {name for name in names if name.split(".")[0] == "aftercall"} - {
        "aftercall.__main__"
    } <= OURS_AT_START


def test_commands_that_only_look_import_nothing_that_sends(desk: Desk):
    desk.rows("calls.csv", *plain_rows(1))
    with simulated("--rate", "0") as tenant:
        desk.configure(tenant.url)
        assert desk.run("sync", "calls.csv").returncode == 0
    for words in (("runs",), ("show",), ("audit", "export"), ("crm", "list"), ("optouts",)):
        names = imported(*words, directory=desk.path)
        assert "aftercall.adapters.journal.sqlite.archive" in names, words
        assert "aiohttp" not in names, words


def test_help_is_quick():
    def cpu_seconds():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([COMMAND, "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # Of the processor, which is what it waits for: other tests take their share of the clock.
    assert min(cpu_seconds() for _ in range(5)) < 0.25


def commands():
    def below(command, path):
        inner = getattr(command, "commands", None)
        if inner is None or command.invoke_without_command:
            yield path, command
        if inner is None:
            return
        for name, one in inner.items():
            yield from below(one, (*path, name))

    return list(below(typer.main.get_command(app), ()))


@pytest.mark.parametrize("path", [path for path, _ in commands()])
def test_every_command_has_help(path, desk: Desk):
    done = desk.run(*path, "--help")
    assert done.returncode == 0
    assert "sage: aftercall " + " ".join(path) in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(("path", "command"), commands())
def test_every_option_has_help(path, command):
    options = [one for one in command.params if one.param_type_name == "option"]
    assert all(one.help for one in options)
    # The first sentence fits the list of commands at 80 columns.
    assert len(command.get_short_help_str(200)) <= 66


def test_version(desk: Desk):
    done = desk.run("--version")
    assert done.stdout.startswith("aftercall ")
    assert done.returncode == 0


def test_a_mistyped_command_is_suggested(desk: Desk):
    done = desk.run("snyc")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Did you mean 'sync'" in done.stderr
    assert done.stderr.endswith("next: aftercall --help\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sync"], "FILE"),
        (["sync", "a.csv", "--map", "foo=bar"], "campaign, contact, outcome"),
        (["sync", "a.csv", "--map", "contact"], "FIELD=VALUE"),
        (["sync", "a.csv", "./a.csv"], "given twice"),
        (["sync", "-", "-"], "standard input (-) is given twice"),
        (["sync", "a.csv", "--format", "xls"], "'xls' is not one of"),
        (["retry", "r", "--status", "applied"], "'applied' is not one of"),
        (["audit", "export", "--from", "yesterday"], "2026-11-23"),
        (["check", "--contact", "C1"], "CAMPAIGN/CONTACT"),
        (["runs", "--limit", "0"], "--limit"),
    ],
)
def test_usage_errors_say_what_is_wrong(desk: Desk, words, told):
    done = desk.run(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
    assert f"next: aftercall {words[0]}" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["sync", "a.csv"],
        ["plan", "a.csv"],
        ["resume"],
        ["runs"],
        ["show"],
        ["export"],
        ["audit", "export"],
        ["crm", "list"],
        ["crm", "deliver"],
        ["crm", "replay"],
        ["crm", "test"],
        ["crm", "enable", "crm"],
        ["crm", "rotate-secret"],
        ["check"],
    ],
)
def test_without_a_configuration_the_first_step_is_named(desk: Desk, words):
    done = desk.run(*words)
    assert done.returncode == 78
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == "error: There is no configuration file aftercall.toml."
    assert done.stderr.endswith("next: aftercall init\n")


def test_the_place_of_the_configuration_is_kept_in_what_to_type_next(desk: Desk):
    done = desk.run("runs", "--config", "conf dir/a.toml")
    assert done.stderr.endswith("next: aftercall init 'conf dir/a.toml'\n")


def test_a_journal_that_is_named_needs_no_configuration(desk: Desk):
    done = desk.run("runs", "--journal", "none.db")
    assert done.returncode == 1
    assert "There is no journal at none.db" in done.stderr
    assert done.stderr.endswith("next: aftercall sync calls.csv --journal none.db\n")


def test_init_writes_once(desk: Desk):
    first = desk.run("init")
    assert first.returncode == 0
    assert first.stdout == "aftercall.toml\n"
    assert "CXONE_CLIENT_ID" in first.stderr
    assert first.stderr.endswith("next: aftercall check\n")
    written = (desk.path / "aftercall.toml").read_text()
    (desk.path / "aftercall.toml").write_text("# mine\n")
    again = desk.run("init")
    assert again.returncode == 1
    assert "error: aftercall.toml exists already." in again.stderr
    assert (desk.path / "aftercall.toml").read_text() == "# mine\n"
    assert desk.run("init", "--force").returncode == 0
    assert (desk.path / "aftercall.toml").read_text() == written
    assert desk.run("init", "none/a.toml").returncode == 1


def test_check_after_init_says_what_to_fill_in(desk: Desk):
    desk.run("init")
    done = desk.run("check")
    assert done.returncode == 78
    assert 'give the address of the tenant: instance = "na1", or base_url' in done.stderr


def test_what_to_type_next_can_be_typed_where_the_command_is_not_on_the_path(desk: Desk):
    (desk.path / "bin").mkdir()
    (desk.path / "bin" / "aftercall").write_bytes(COMMAND.read_bytes())
    (desk.path / "bin" / "aftercall").chmod(0o755)
    here = [["./bin/aftercall"], ["bin/aftercall"]], "bin/aftercall"
    elsewhere = [[str(COMMAND)]], str(COMMAND)
    module = [[sys.executable, "-m", "aftercall"]], f"{sys.executable} -m aftercall"
    for commands, name in (here, elsewhere, module):
        for command in commands:
            told = {
                ("init", "--force"): f"next: {name} check\n",
                ("runs", "--journal", "no.db"): f"next: {name} sync calls.csv --journal no.db\n",
                ("runs", "--nonsense"): f"next: {name} runs --help\n",
                ("crm", "list", "--since"): f"next: {name} crm list --help\n",
            }
            for words, ending in told.items():
                done = subprocess.run(
                    [*command, *words],
                    cwd=desk.path,
                    env=desk.variables() | {"PATH": "/usr/bin:/bin"},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.stderr.endswith(ending)


def test_simulate_reads_its_own_options(desk: Desk):
    done = desk.run("simulate", "--help")
    assert done.returncode == 0
    assert "usage: aftercall simulate" in done.stdout
    assert "--world" in done.stdout
    assert "--from-config" in done.stdout.partition("server:")[0]
    assert "(default: None)" not in done.stdout
    assert "(default: True)" not in done.stdout
    assert (
        "--rate RATE           requests/s of a campaign; 0: no limit (default: 10)" in done.stdout
    )
    for words in (["--from-conf"], ["--deny", "everything"]):
        assert desk.run("simulate", *words).returncode == 2
    wrong = desk.run("simulate", "--port", "x")
    assert wrong.returncode == 2
