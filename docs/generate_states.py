"""Draws the life of a row from the table that it is checked against."""

from aftercall.domain.status import ADMITTED, SETTLED, TRANSITIONS, Status


def states_section() -> str:
    """Return the state diagram in Mermaid, for the concepts page."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {status}" for status in Status if status in ADMITTED]
    arrows: dict[tuple[Status, Status], list[str]] = {}
    for (before, event), after in TRANSITIONS.items():
        arrows.setdefault((before, after), []).append(event)
    lines += [
        f"    {before} --> {after} : {', '.join(events)}"
        for (before, after), events in arrows.items()
    ]
    lines += [f"    {status} --> [*]" for status in Status if status in SETTLED]
    return "\n".join([*lines, "```"])
