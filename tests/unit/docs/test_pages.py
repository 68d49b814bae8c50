"""What the documentation says is true: generated parts are current, code runs, links lead on."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urldefrag

import pytest
from tests.simulation.guards import GUARDS

from aftercall.simulator import Simulator, SimulatorConfig, World

ROOT = Path(__file__).parents[3]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
PYTHON_PAGES = ["docs/python.md", "docs/replace-your-script.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
TEST = re.compile(r"`([\w/]+)::(\w+)`")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")

CALLS = """\
campaign,contact,outcome,agent,timestamp
SPRING-2026,c-1,INTERESTED,a-17,2026-11-20T10:00:00Z
SPRING-2026,c-2,NO_ANSWER,a-17,2026-11-20T10:05:00Z
"""

CONFIG = """\
[tenant]
base_url = "{url}"

[outcomes]
INTERESTED = "positive"
DO_NOT_CALL = "opt_out"
NO_ANSWER = "unreachable"

[limits]
requests_per_second = 1000
"""


def test_generated_parts_are_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    lost = [link for link in links if not (page.parent / urldefrag(link).url).exists()]
    assert lost == []


def test_every_test_that_is_named_exists() -> None:
    """What the page on reliability names as shown must be shown by somebody."""
    named = TEST.findall((ROOT / "docs" / "reliability.md").read_text("utf-8"))
    lost = [
        f"{file}::{name}"
        for file, name in named
        if not (path := ROOT / "tests" / f"{file}.py").is_file()
        or not re.search(rf"^ *(async )?def test_{name}\(", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert len(named) > 80
    assert lost == []


def test_every_guard_that_is_taken_out_is_told_with_what_it_breaks() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text("utf-8").replace("`", "")
    told = re.findall(r"^\| (G\d) \| (.+?) \| .+ \| \d+ \|$", page, re.MULTILINE)

    assert sorted(name for _, name in told) == sorted(guard.name for guard in GUARDS)


@pytest.mark.parametrize("page", PYTHON_PAGES)
async def test_code_runs(page: str, tmp_path: Path) -> None:
    blocks = BLOCK.findall((ROOT / page).read_text())
    async with Simulator(SimulatorConfig(world=World(open=True))) as simulator:
        (tmp_path / "calls.csv").write_text(CALLS)
        (tmp_path / "aftercall.toml").write_text(CONFIG.format(url=simulator.url))
        (tmp_path / "page.py").write_text(
            "\n".join([f"TENANT_URL = {simulator.url!r}", *blocks, "print('reached the end')"])
        )
        environment = {**os.environ, "CXONE_CLIENT_ID": "id", "CXONE_CLIENT_SECRET": "not-a-secret"}
        done = await run([sys.executable, "page.py"], tmp_path, environment)
    assert done.endswith("reached the end\n")


async def run(command: list[str], directory: Path, environment: dict[str, str]) -> str:
    """Run a command beside the simulator, which lives in this process; return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return out.decode()
