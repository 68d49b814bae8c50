#!/usr/bin/env python3
"""Write the example data of the demo: ``dispositions.csv`` and ``tenant.json``.

    examples/make_examples.py [DIRECTORY]

What they are made of stands in ``recipe.toml``. Everything is drawn from a fixed seed by a hash,
so that every version of Python writes the same bytes.
"""

import csv
import hashlib
import io
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Json = bool | int | float | str | None | Sequence["Json"] | Mapping[str, "Json"]

SEED = "aftercall examples 1"
RECIPE = Path(__file__).with_name("recipe.toml")
COLUMNS = (
    "campaign_id",
    "contact_id",
    "called_number",
    "outcome_code",
    "agent_id",
    "notes",
    "custom_fields",
    "timestamp",
)
FRIDAY = datetime(2026, 11, 20, tzinfo=UTC)
WORKING_MINUTES = (600, 480, 300)
"""From 9 o'clock on, for Friday and the two days after it."""

LATE = len(WORKING_MINUTES)
"""In place of a day: the last hour of the last one."""

CONFLICTS = (
    ("NO_ANSWER", "INTERESTED"),
    ("INTERESTED", "DO_NOT_CALL"),
    ("CALLBACK_LATER", "APPOINTMENT_SET"),
    ("VOICEMAIL", "NOT_INTERESTED"),
    ("BUSY", "CALLBACK_LATER"),
    ("NOT_INTERESTED", "DO_NOT_CALL"),
    ("INTERESTED", "APPOINTMENT_SET"),
    ("NO_ANSWER", "WRONG_NUMBER"),
)
"""The older and the newer outcome of one contact."""

ON_CALL = ("CALLBACK_LATER", "INTERESTED", "DO_NOT_CALL", "APPOINTMENT_SET", "NOT_INTERESTED")

APPLIED = ("applied", "written")
OUTDATED = ("superseded", "newer_in_journal")


class Dice:
    """Draws the same numbers in every version of Python."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn = 0

    def below(self, end: int) -> int:
        """Draw a whole number from 0 to `end` - 1."""
        self._drawn += 1
        digest = hashlib.sha256(f"{self._seed}:{self._drawn}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % end

    def percent(self, share: int) -> bool:
        """Say yes in `share` of 100 cases."""
        return self.below(100) < share

    def pick(self, options: Sequence[T]) -> T:
        """Draw one of `options`."""
        return options[self.below(len(options))]


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign of the recipe, which says what its numbers mean."""

    name: str
    zone_hours: int
    contact: str
    thing: str
    agents: Sequence[str]
    rows: int
    opt_outs: int
    late_opt_outs: int
    conflicts: int
    duplicates: int
    unchanged: int
    newer: int
    missing: int
    on_call: int
    odd_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Row:
    """One row, and what is meant to become of it.

    Attributes:
        cells: its cells by column.
        at: when the outcome was reached.
        status: the status that it is meant to end in.
        reason: the reason code that goes with it.
        exported: when it got into the file, which is in this order.
        form: how its line is written: whole, cut or unquoted.
        line: where it starts in the file.
    """

    cells: Mapping[str, str]
    at: datetime
    status: str
    reason: str
    exported: datetime
    form: str = "whole"
    line: int = 0

    @property
    def text(self) -> str:
        """The row as CSV, without the line's end."""
        values = [self.cells[name] for name in COLUMNS]
        if self.form == "unquoted":
            return ",".join(values)
        out = io.StringIO()
        kept = values[:4] if self.form == "cut" else values
        csv.writer(out, lineterminator="").writerow(kept)
        return out.getvalue()


@dataclass(frozen=True, slots=True)
class Example:
    """The rows in the order of the file, and the contacts that the tenant knows."""

    rows: Sequence[Row]
    contacts: Sequence[Mapping[str, Json]]

    def csv_bytes(self) -> bytes:
        """Return the file of dispositions."""
        lines = (",".join(COLUMNS), *(row.text for row in self.rows))
        return "".join(f"{line}\n" for line in lines).encode()

    def world_bytes(self) -> bytes:
        """Return the tenant as a world file of the simulator, one contact to a line."""
        lines = (json.dumps(contact, ensure_ascii=False) for contact in self.contacts)
        contacts = ",\n".join(lines)
        return f'{{"open": false, "contacts": [\n{contacts}\n]}}\n'.encode()


class Agent:
    """Writes what an agent, or the dialer, leaves behind after a call."""

    def __init__(self, recipe: Mapping[str, Any], campaign: Campaign, dice: Dice) -> None:
        self._recipe = recipe
        self._campaign = campaign
        self._dice = dice

    def cells(self, contact: Mapping[str, str], outcome: str, at: datetime) -> dict[str, str]:
        """Return the cells of one row."""
        dialer = outcome in {"NO_ANSWER", "BUSY"} and self._dice.percent(50)
        return {
            **contact,
            "outcome_code": outcome,
            "agent_id": "dialer-01" if dialer else self._dice.pick(self._campaign.agents),
            "notes": "" if dialer else self._notes(outcome, contact["called_number"]),
            "custom_fields": "" if dialer else self._custom_fields(outcome, at),
            "timestamp": stamp(at.astimezone(UTC) if self._dice.percent(35) else at),
        }

    def _notes(self, outcome: str, phone: str) -> str:
        dice, recipe = self._dice, self._recipe
        if not dice.percent(recipe["noted"].get(outcome, 75)):
            return ""
        specials: list[str] = recipe["specials"].get(outcome, [])
        if specials and dice.percent(40):
            return specials.pop(dice.below(len(specials)))
        phrases: Sequence[str] = recipe["phrases"][outcome]
        return dice.pick(phrases).format(
            who=dice.pick(recipe["people"]),
            when=dice.pick(recipe["times"]),
            thing=self._campaign.thing,
            phone=phone.removeprefix("+1 "),
        )

    def _custom_fields(self, outcome: str, at: datetime) -> str:
        dice = self._dice
        if not dice.percent(45):
            return ""
        clock = at.replace(hour=9 + dice.below(9), minute=15 * dice.below(4), second=0)
        then = (clock + timedelta(days=4 + dice.below(12))).isoformat(timespec="seconds")
        fields: Mapping[str, Mapping[str, Json]] = {
            "INTERESTED": {"lead_score": 5 + dice.below(5), "topic": self._campaign.thing},
            "APPOINTMENT_SET": {"appointment_at": then, "on_site": dice.percent(50)},
            "NOT_INTERESTED": {"reason": dice.pick(("price", "timing", "competitor", "goût"))},
            "CALLBACK_LATER": {"callback_at": then, "attempts": 1 + dice.below(4)},
            "VOICEMAIL": {"message_seconds": 8 + dice.below(40)},
            "DO_NOT_CALL": {"consent_revoked": True, "channels": "voice,sms"},
        }
        return json.dumps(fields[outcome], ensure_ascii=False) if outcome in fields else ""


class Maker:
    """Makes one campaign's rows and contacts."""

    def __init__(self, recipe: Mapping[str, Any], campaign: Campaign) -> None:
        self.rows: list[Row] = []
        self.contacts: list[Mapping[str, Json]] = []
        self._recipe = recipe
        self._campaign = campaign
        self._dice = Dice(f"{SEED}: {campaign.name}")
        self._agent = Agent(recipe, campaign, self._dice)
        self._zone = timezone(timedelta(hours=campaign.zone_hours))
        self._number = 100 + self._dice.below(900)
        weights: Mapping[str, int] = recipe["weights"]
        self._outcomes = [code for code, weight in weights.items() for _ in range(weight)]

    def make(self) -> None:
        """Make them all."""
        self._refused()
        self._broken()
        for turn in range(self._campaign.conflicts):
            self._conflict(turn)
        for turn in range(self._campaign.on_call):
            self._on_call(ON_CALL[(turn + self._campaign.rows) % len(ON_CALL)])
        self._held()
        for _ in range(self._campaign.missing):
            self._row(self._outcome(), ("missing", "no_such_contact"))
        self._plain()

    def _refused(self) -> None:
        for case in self._of_campaign("refusals"):
            status = case["status"]
            reason = "forbidden" if status == 403 else f"refused_{status}"
            row = self._row(case["outcome_code"], ("rejected", reason))
            self.rows[-1] = replace(row, cells=_changed(row.cells, case))
            words = case.get("words")
            self._known(row, **({"refuse": {"status": status, "message": words}} if words else {}))

    def _broken(self) -> None:
        for case in self._of_campaign("broken"):
            row = self._row(self._outcome(), ("invalid", case["reason"]))
            form = case.get("form", "whole")
            self.rows[-1] = replace(row, cells=_changed(row.cells, case), form=form)
            # The contact exists, so that the row can be mended and fed again.
            self._known(row)

    def _conflict(self, turn: int) -> None:
        """Make a contact with an older and a newer outcome, sometimes with one between."""
        older, newer = CONFLICTS[(turn + self._campaign.rows) % len(CONFLICTS)]
        first = self._row(older, OUTDATED, day=0)
        place = len(self.rows) - 1
        last = self._again(first, newer, APPLIED, hours=25)
        if turn == 0 and self._campaign.conflicts > 4:
            self._again(first, "CALLBACK_LATER", OUTDATED, hours=3)
        if turn == 3:  # Two systems, one instant: the row further down is taken for the newer.
            cells = {**last.cells, "timestamp": first.cells["timestamp"]}
            self.rows[place + 1] = replace(last, cells=cells, at=first.at)
        elif turn % 3 == 1:  # The older outcome was exported late and stands further down.
            self.rows[place] = replace(first, exported=last.exported + timedelta(minutes=7))
        self._known(first)

    def _on_call(self, outcome: str) -> None:
        row = self._row(outcome, APPLIED, day=0)
        talk, wrap_up = (20 + self._dice.below(14)) / 10, (20 + self._dice.below(4)) / 10
        timeline: Json = [["CONNECTED", talk], ["WRAP_UP", wrap_up], ["READY", None]]
        self._known(row, timeline=timeline)

    def _held(self) -> None:
        """Make contacts that carry the outcome already, or a newer one."""
        for _ in range(self._campaign.unchanged):
            row = self._row(self._outcome(), ("unchanged", "same_in_tenant"))
            # Mostly the agent's desktop has written it; sometimes it is last week's outcome.
            at = row.at if self._dice.percent(60) else row.at - timedelta(days=7)
            self._known(row, **self._carried(row.cells["outcome_code"], at))
        for _ in range(self._campaign.newer):
            row = self._row(self._outcome(), ("superseded", "newer_in_tenant"), day=0)
            other = "VOICEMAIL" if row.cells["outcome_code"] == "BUSY" else "BUSY"
            self._known(row, **self._carried(other, row.at + timedelta(hours=40)))

    def _plain(self) -> None:
        campaign = self._campaign
        odd = list(campaign.odd_ids)
        opt_outs = campaign.late_opt_outs + campaign.opt_outs
        count = campaign.rows - len(self.rows) - campaign.duplicates
        start = len(self.rows)
        for turn in range(count):
            outcome = "DO_NOT_CALL" if turn < opt_outs else self._outcome()
            day = LATE if turn < campaign.late_opt_outs else None
            name = odd.pop() if odd and turn >= opt_outs else ""
            row = self._row(outcome, APPLIED, day=day, name=name)
            other = "NO_ANSWER" if outcome == "VOICEMAIL" else "VOICEMAIL"
            older = self._carried(other, row.at - timedelta(days=11, hours=2))
            self._known(row, **(older if turn % 16 == 15 else {}))
        for turn in range(campaign.duplicates):
            row = self.rows[start + opt_outs + turn * ((count - opt_outs) // campaign.duplicates)]
            cells = dict(row.cells)
            if turn == 2:  # The same instant in other words is the same disposition.
                cells["timestamp"] = row.at.astimezone(UTC).isoformat()
            later = row.exported + timedelta(minutes=1 + self._dice.below(90))
            twin = replace(row, cells=cells, status="duplicate", reason="same_disposition")
            self.rows.append(replace(twin, exported=later))

    def _row(
        self, outcome: str, end: tuple[str, str], *, day: int | None = None, name: str = ""
    ) -> Row:
        """Add a row of a new contact."""
        at = self._moment(self._dice.below(LATE) if day is None else day)
        self._number += 1 + self._dice.below(60)
        area = self._dice.pick(("202", "312", "415", "617"))
        contact = {
            "campaign_id": self._campaign.name,
            "contact_id": name or self._campaign.contact.format(self._number),
            "called_number": f"+1 {area}-555-01{self._dice.below(100):02d}",
        }
        row = Row(self._agent.cells(contact, outcome, at), at, *end, exported=at)
        self.rows.append(row)
        return row

    def _again(self, row: Row, outcome: str, end: tuple[str, str], *, hours: int) -> Row:
        """Add a later row of the same contact."""
        at = row.at + timedelta(hours=hours)
        contact = {name: row.cells[name] for name in ("campaign_id", "contact_id", "called_number")}
        later = Row(self._agent.cells(contact, outcome, at), at, *end, exported=at)
        self.rows.append(later)
        return later

    def _moment(self, day: int) -> datetime:
        """Draw an instant in the working hours of a day."""
        midnight = FRIDAY.replace(tzinfo=self._zone) + timedelta(days=min(day, LATE - 1))
        if day == LATE:
            start = midnight + timedelta(hours=9, minutes=WORKING_MINUTES[-1] - 60)
            return start + timedelta(seconds=self._dice.below(3600))
        seconds = self._dice.below(60 * WORKING_MINUTES[day])
        parts = self._dice.pick((0, 0, 0, 250, 873))
        return midnight + timedelta(hours=9, seconds=seconds, milliseconds=parts)

    def _outcome(self) -> str:
        return self._dice.pick(self._outcomes)

    def _carried(self, outcome: str, at: datetime) -> dict[str, Json]:
        agent = self._dice.pick(self._campaign.agents)
        return {"outcome": outcome, "agent": agent, "timestamp": stamp(at.astimezone(UTC))}

    def _known(self, row: Row, **more: Json) -> None:
        names = {"campaign": row.cells["campaign_id"], "contact": row.cells["contact_id"]}
        self.contacts.append({**names, **more})

    def _of_campaign(self, table: str) -> list[Mapping[str, Any]]:
        return [case for case in self._recipe[table] if case["campaign"] == self._campaign.name]


def stamp(at: datetime) -> str:
    """Return an instant as text, with milliseconds if it has any."""
    text = at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def build() -> Example:
    """Make the whole example."""
    recipe = tomllib.loads(RECIPE.read_text(encoding="utf-8"))
    rows: list[Row] = []
    contacts: list[Mapping[str, Json]] = []
    for table in recipe["campaigns"]:
        maker = Maker(recipe, Campaign(**table))
        maker.make()
        rows += maker.rows
        contacts += maker.contacts
    rows.sort(key=lambda row: row.exported)
    return Example(tuple(_numbered(rows)), contacts)


def _changed(cells: Mapping[str, str], case: Mapping[str, Any]) -> dict[str, str]:
    return {name: case.get(name, cell) for name, cell in cells.items()}


def _numbered(rows: Sequence[Row]) -> Iterator[Row]:
    line = 2
    for row in rows:
        yield replace(row, line=line)
        line += 1 + row.text.count("\n")


def main() -> None:
    """Write both files."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else RECIPE.parent
    example = build()
    (directory / "dispositions.csv").write_bytes(example.csv_bytes())
    (directory / "tenant.json").write_bytes(example.world_bytes())


if __name__ == "__main__":
    main()
