"""Writes what the documentation says of the code: states, configuration, commands, profiles.

Run it to write; with --check it only says whether something is out of date and exits 1.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from generate_commands import commands_page
from generate_configuration import configuration_page
from generate_performance import figures_section, recorded, stages_section
from generate_profiles import profiles_page, schema_file
from generate_states import states_section

DOCS = Path(__file__).parent


def section(page: str, name: str, text: str) -> str:
    """Return the text of a page with `text` between the markers called `name`."""
    begin, end = f"<!-- begin generated: {name} -->", f"<!-- end generated: {name} -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}\n{end}{after}"


def concepts_page() -> str:
    """Return the page about how it works with the states of a row."""
    page = (DOCS / "concepts.md").read_text(encoding="utf-8")
    return section(page, "states", states_section())


def performance_page() -> str:
    """Return the page about performance with the tables of what was recorded."""
    found, page = recorded(DOCS / "performance.json"), DOCS / "performance.md"
    text = section(page.read_text(encoding="utf-8"), "figures", figures_section(found))
    return section(text, "stages", stages_section(found))


PAGES: dict[Path, Callable[[], str]] = {
    DOCS / "concepts.md": concepts_page,
    DOCS / "performance.md": performance_page,
    DOCS / "configuration.md": configuration_page,
    DOCS / "cli.md": commands_page,
    DOCS / "profiles.md": profiles_page,
    DOCS / "profile.schema.json": schema_file,
}


def main(arguments: list[str]) -> int:
    """Write or check all pages."""
    stale = []
    for page, text in PAGES.items():
        wanted = text()
        if page.exists() and page.read_text(encoding="utf-8") == wanted:
            continue
        stale.append(page.name)
        if "--check" not in arguments:
            page.write_text(wanted, encoding="utf-8")
    if stale and "--check" in arguments:
        print(f"out of date: {', '.join(stale)}; run: make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
