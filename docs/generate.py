"""Writes what the documentation says of the code: states, configuration, commands, profiles.

Run it to write; with --check it only says whether something is out of date and exits 1.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from generate_commands import commands_page
from generate_configuration import configuration_page
from generate_profiles import profile_schema, profiles_page
from generate_states import states_section

DOCS = Path(__file__).parent


def section(page: Path, name: str, text: str) -> str:
    """Return the page's text with `text` between the markers called `name`."""
    begin, end = f"<!-- begin generated: {name} -->", f"<!-- end generated: {name} -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}\n{end}{after}"


PAGES: dict[Path, Callable[[], str]] = {
    DOCS / "concepts.md": lambda: section(DOCS / "concepts.md", "states", states_section()),
    DOCS / "configuration.md": configuration_page,
    DOCS / "cli.md": commands_page,
    DOCS / "profiles.md": profiles_page,
    DOCS / "profile.schema.json": profile_schema,
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
