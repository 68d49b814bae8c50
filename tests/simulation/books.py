"""The books at the end of a history: input, journal, audit, outbox, tenant and CRM must agree."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from aftercall.adapters.journal.sqlite.audit_log import SqliteAuditArchive
from aftercall.adapters.signing import verify
from aftercall.engine.checkpoints import Misfit, Trust
from aftercall.engine.verifying import verify_log
from aftercall.errors import JournalError

from .disk import PATH, Disk
from .history import History
from .referee import Referee
from .tenant import CRM_KEY, SECRET, Crm, Tenant, moment

OPEN = {"pending", "writing", "deferred", "doubtful"}
HOLDING = OPEN | {"applied", "unchanged", "superseded"}
COUNTING = OPEN | {"applied", "unchanged", "missing", "rejected", "failed"}
REFUSED = {"missing", "rejected", "failed"}
SECRETS = ("canary-token", SECRET, CRM_KEY.decode())
"""What may be stored nowhere."""

NOTE = "canary-note"
NOTES_AT_HOME = {("row", "cells"), ("row", "notes")}
"""Where the notes of a row are kept, and nowhere else."""

TEXTS = """
SELECT t.name, c.name FROM main.sqlite_schema t JOIN pragma_table_info(t.name) c
WHERE t.type = 'table' AND c.type = 'TEXT' ORDER BY t.name, c.name
"""

Identity = tuple[str, str, str, str]


class Books:
    """Looks at everything that is stored, from outside."""

    def __init__(
        self, history: History, disk: Disk, tenant: Tenant, crm: Crm, referee: Referee
    ) -> None:
        self._history = history
        self._disk = disk
        self._tenant = tenant
        self._crm = crm
        self._referee = referee
        self._rows = [dict(row) for row in disk.ask("SELECT * FROM row ORDER BY id")]
        self._entries = [
            dict(row) | {"told": json.loads(row["entry"])}
            for row in disk.ask("SELECT * FROM audit ORDER BY number")
        ]

    def balance(self) -> None:
        """Compare all that was written down, and note what does not agree."""
        self._referee.read_ledger()
        self._balance_rows()
        self._balance_entries()
        self._check_log()
        self._balance_ledger()
        self._balance_winners()
        if self._history.crm:
            self._balance_events()
        self._look_for_canaries()

    def _note(self, name: str, words: str) -> None:
        self._referee.broken(name, words)

    def _live(self, row: Mapping[str, Any]) -> bool:
        return row["contact"] not in self._referee.waived

    def _check_log(self) -> None:
        """Have the audit trail checked as a third party would.

        That a clock was set back, and forward again, is known to nobody if the process that saw
        it died before it sealed anything: it is what back-dating looks like.
        """
        try:
            found = verify_log(SqliteAuditArchive(self._disk, PATH), Trust([], [], verify))
        except (Misfit, JournalError) as trouble:
            ways = "".join(
                "<>"[jump.seconds > 0] for jump in sorted(self._history.jumps, key=lambda j: j.at)
            )
            if "<>" in ways and self._history.ends and "nothing says so" in str(trouble):
                return
            self._note("G7 log", str(trouble))
            return
        sealed = found.entries - found.unsealed
        if sealed != len(self._entries):
            self._note("G7 sealed", f"{sealed} of {len(self._entries)} entries are sealed")

    def _balance_rows(self) -> None:
        read = sum(row["rows_read"] for row in self._disk.ask("SELECT rows_read FROM run"))
        fed = sum(map(len, self._history.inputs))
        if not read == fed == len(self._rows):
            self._note("G1 reconciles", f"{fed} fed, {read} read, {len(self._rows)} stored")
        forbidden = {one.contact for one in self._history.held if one.forbidden}
        holders: Counter[bytes] = Counter()
        for row in self._rows:
            if row["status"] in HOLDING:
                holders[row["key"]] += 1
            stands = (row["status"] in HOLDING, row["status"] in COUNTING)
            if (row["holds"], row["counts"]) != stands:
                words = f"row {row['id']} is {row['status']}, but does not stand so"
                self._note("G3 standing", words)
            if row["status"] in OPEN and row["contact"] not in forbidden:
                words = f"row {row['id']} ({row['contact']}) is {row['status']}: {row['reason']}"
                self._note("liveness", f"{words}, due {row['due_ms']}")
            if row["status"] == "failed" and not self._may_fail(row):
                self._note("G1 failed", f"row {row['id']} failed by {row['reason']} for no reason")
        if holders and max(holders.values()) > 1:
            self._note("G3 one holder", "two rows hold the same disposition")

    def _may_fail(self, row: Mapping[str, Any]) -> bool:
        """Say whether so much went wrong with a contact that its row may use its attempts up."""
        history = self._history
        # A call that begins or ends between read and write costs an attempt (412), as does
        # somebody else's write.
        hits = sum(one.contact == row["contact"] for one in history.faults + history.touches)
        hits += 2 * sum(one.contact == row["contact"] for one in history.calls)
        if history.outages or history.ends:
            return True
        # A clock set forward uses up the time within which a row may be tried again.
        if any(one.seconds > 0 for one in history.jumps):
            return True
        return bool(hits >= history.attempts)

    def _balance_entries(self) -> None:
        settled = Counter(
            one["told"]["row_id"] for one in self._entries if one["told"]["kind"] == "settled"
        )
        for row in self._rows:
            wanted = 0 if row["status"] in OPEN else 1
            if settled[row["id"]] != wanted:
                words = f"row {row['id']} is {row['status']}"
                self._note("G7 entries", f"{words} with {settled[row['id']]} settled entries")
        latest = {one["told"]["row_id"]: one["told"] for one in self._entries}
        for row in self._rows:
            told = latest.get(row["id"], {"status": None})["status"]
            if row["status"] not in OPEN and told != row["status"]:
                self._note("G7 entries", f"row {row['id']} and its entry disagree")

    def _identity(self, row: Mapping[str, Any]) -> Identity:
        entry = next(one["told"] for one in self._entries if one["told"]["row_id"] == row["id"])
        at = moment(entry["disposition_timestamp"]).isoformat()
        return (row["contact"], row["outcome"], row["agent"], at)

    def _landing(self, row: Mapping[str, Any]) -> Identity:
        """Return what the landing of a row is known by."""
        identity = self._identity(row)
        return identity if self._history.surface != "acd" else (*identity[:2], "", "")

    def _balance_ledger(self) -> None:
        applied: Counter[Identity] = Counter()
        for row in self._rows:
            if row["status"] == "applied" and self._live(row):
                applied[self._landing(row)] += 1
        landed = Counter({name: count for name, count in self._referee.landed.items() if count})
        for name in (landed - applied).keys() & landed.keys():
            if not self._overtaken(name):
                self._note("G3 ledger", f"{name} landed, but no row says so")
        for name, excess in (applied - landed).items():
            if not (landed[name] and self._echoes(name) >= excess):
                self._note("G1 ledger", f"{name} is applied, but has not landed")
        for row in self._rows:
            self._judge_refusal(row)

    def _echoes(self, name: Identity) -> int:
        """Count rows in doubt that were read back from a tenant that tells no time.

        An equal outcome of an earlier row, which did land, cannot be told from theirs there.
        """
        if self._history.surface != "acd":
            return 0
        return sum(
            row["reason"] == "read_back" and self._landing(row) == name for row in self._rows
        )

    def _overtaken(self, name: Identity) -> bool:
        """Say whether a write in doubt was written over before it was read back.

        Then nobody can tell that it ever landed; the row's reason, or the audit, says that it was
        in doubt. The same holds while the tenant refuses the read back: the row stays in doubt for
        a retry.
        """
        if any(
            row["reason"].endswith("_in_doubt") and self._identity(row) == name
            for row in self._rows
        ):
            return True
        if any(
            row["doubt"] and row["status"] in REFUSED and row["contact"] == name[0]
            for row in self._rows
        ):
            return True
        doubted = {
            (one["contact"], one["told"]["outcome_code"])
            for one in self._entries
            if one["told"]["kind"] == "in_doubt"
        }
        touched = any(one.contact == name[0] for one in self._history.touches)
        return touched and name[:2] in doubted

    def _judge_refusal(self, row: Mapping[str, Any]) -> None:
        told = self._tenant.told.get(row["contact"])
        missing = told is not None and told.missing
        elsewhere = row["contact"] in self._tenant.contacts and (
            self._tenant.contacts[row["contact"]].campaign != row["campaign"]
        )
        if row["status"] == "missing" and not (missing or elsewhere):
            self._note("G1 missing", f"{row['contact']} is there, but row {row['id']} misses it")
        if row["status"] == "rejected" and not self._stored_later(row):
            faulty = any(
                one.contact == row["contact"] and one.kind == "forbidden"
                for one in self._history.faults
            )
            if not (told is not None and (told.refuses or told.forbidden)) and not faulty:
                self._note("G1 rejected", f"nobody refused row {row['id']} ({row['reason']})")

    def _stored_later(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row is refused because the tenant stored what it holds after its time."""
        held = self._tenant.contacts.get(row["contact"])
        if self._history.surface != "acd" or row["reason"] != "stored_later_in_tenant":
            return False
        return held is not None and held.outcome is not None

    def _balance_winners(self) -> None:
        """Check that the newest disposition of each contact was not passed over."""
        if self._history.on_conflict != "newest":
            return
        newest: dict[str, dict[str, Any]] = {}
        for row in self._rows:
            if row["status"] in {"invalid", "duplicate"} or not self._live(row):
                continue
            known = newest.get(row["contact"])
            if known is None or (row["timestamp_ms"], row["id"]) > (
                known["timestamp_ms"],
                known["id"],
            ):
                newest[row["contact"]] = row
        for row in newest.values():
            in_tenant = row["reason"].startswith("newer_in_tenant")
            if row["status"] == "superseded" and not in_tenant:
                self._note("G4 newest", f"row {row['id']} is the newest, but is superseded")
            if row["status"] == "superseded" and not self._tenant_had_newer(row):
                self._note("G4 newest", f"row {row['id']}: the tenant never held a newer one")

    def _tenant_had_newer(self, row: Mapping[str, Any]) -> bool:
        held = [one.minute for one in self._history.held if one.contact == row["contact"]]
        touched = [one.minute for one in self._history.touches if one.contact == row["contact"]]
        # With clocks set back, a timestamp that we filled in can be older than it was before.
        return any(minute is not None for minute in held + touched) or bool(self._history.jumps)

    def _balance_events(self) -> None:
        events: dict[int, list[dict[str, Any]]] = {}
        for event in self._disk.ask("SELECT * FROM outbox"):
            events.setdefault(event["row"], []).append(dict(event))
        for row in self._rows:
            known = events.pop(row["id"], [])
            wanted = 1 if row["status"] == "applied" else 0
            if len(known) != wanted:
                self._note("G6 outbox", f"row {row['id']}: {len(known)} events, not {wanted}")
            elif known and known[0]["state"] != "delivered":
                self._note("G6 delivered", f"the event of row {row['id']} is {known[0]['state']}")
            elif known and not self._crm.knows(self._identity(row)):
                self._note("G6 heard", f"the CRM never heard of row {row['id']}")

    def _look_for_canaries(self) -> None:
        """Look for secrets, and for notes where none belong, in every text of the journal."""
        for table, column in map(tuple, self._disk.ask(TEXTS)):
            told = self._disk.ask(f'SELECT "{column}" FROM main."{table}"')  # noqa: S608 - its own
            text = "\n".join(str(row[0]) for row in told)
            found = [canary for canary in SECRETS if canary in text]
            if NOTE in text and (table, column) not in NOTES_AT_HOME:
                found.append(NOTE)
            for canary in found:
                self._note("G8 secrets", f"{canary} is in column {column} of table {table}")
