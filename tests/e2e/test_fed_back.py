"""Failed files that are fed back as they are, and inputs that a new user gets wrong."""

import csv
import json
from typing import Any

import pytest

from .rig import HEADER, Desk, Tenant, plain_rows

TAIL = "2026-01-02T03:04:05Z"


def failed_rows(office: Desk, document: Any) -> list[dict[str, str]]:
    with (office.path / document["files"]["failed"]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_broken_rows_of_a_csv_stay_invalid_until_they_are_corrected(office: Desk, tenant: Tenant):
    broken = (
        f"C1,p1,INTERESTED,a1,caf\xe9,{TAIL}\n"
        "C1,p2,INTERESTED,a1\n"
        f'C1,p3,INTERESTED,a1,"open,{TAIL}\n'
        f"C1,p4,INTERESTED,a1,fine,{TAIL}\n"
    )
    (office.path / "calls.csv").write_bytes((HEADER + broken).encode("latin-1"))
    first = office.json("sync", "calls.csv")
    assert first["statuses"] == {"applied": 1, "invalid": 3}
    again = first
    for _ in range(2):
        again = office.json("sync", again["files"]["failed"])
        assert again["statuses"] == {"invalid": 3}
    rows = failed_rows(office, again)
    codes = ["bad_encoding", "too_few_cells", "quote_not_closed"]
    assert [row["aftercall_reason"] for row in rows] == codes
    messages = [row["aftercall_message"] for row in rows]
    assert all(words.count("The row is as it was") == 1 for words in messages)
    assert len(tenant.ledger) == 1
    path = office.path / again["files"]["failed"]
    path.write_text(path.read_text(encoding="utf-8").replace("caf\\udce9", "caf\xe9"))
    mended = office.json("sync", path.name)
    assert mended["statuses"] == {"applied": 1, "invalid": 2}


def test_broken_rows_of_json_lines_stay_invalid_and_keep_their_text(office: Desk, tenant: Tenant):
    given = {"campaign": "C1", "contact": True, "outcome": "INTERESTED", "agent": "a1"}
    lines = [json.dumps(given), '{"campaign": "C1", oops}', "[1, 2]"]
    (office.path / "calls.jsonl").write_text("\n".join(lines), encoding="utf-8")
    again = office.json("sync", "calls.jsonl")
    assert again["statuses"] == {"invalid": 3}
    rows = failed_rows(office, again)
    assert [row["aftercall_value"] for row in rows] == ["", *lines[1:]]
    assert None not in rows[1]
    assert office.json("sync", again["files"]["failed"])["statuses"] == {"invalid": 3}
    assert tenant.ledger == []


def test_a_failed_file_without_any_object_can_be_read_back(office: Desk):
    (office.path / "calls.jsonl").write_text("7\n{oops\n", encoding="utf-8")
    again = office.json("sync", "calls.jsonl")
    assert office.json("sync", again["files"]["failed"])["statuses"] == {"invalid": 2}


def test_rows_that_the_configuration_mends_are_applied(office: Desk, tenant: Tenant):
    office.rows("calls.csv", f"C1,p1,SALE,a1,,{TAIL}")
    first = office.json("sync", "calls.csv")
    assert first["statuses"] == {"invalid": 1}
    config = office.path / "aftercall.toml"
    text = config.read_text(encoding="utf-8").replace("[outcomes]", '[outcomes]\nSALE = "positive"')
    config.write_text(text, encoding="utf-8")
    assert office.json("sync", first["files"]["failed"])["statuses"] == {"applied": 1}


@pytest.mark.parametrize(
    "line",
    [
        f"C1,p1,INTERESTED,a1,a secret,{TAIL}",
        "C1,p1,INTERESTED,a1,secret,2026-01-02",
        "C1,secret,INTERESTED,17",
        f"C1,p1,INTERESTED,a1,secret{'x' * 40}",
    ],
)
def test_a_first_line_of_data_is_not_shown(office: Desk, line: str):
    (office.path / "calls.csv").write_text(f"{line}\n{line}\n", encoding="utf-8")
    done = office.run("sync", "calls.csv")
    assert done.returncode == 2
    assert "calls.csv: the first line looks like data; is the header line missing?" in done.stderr
    assert "fix: Put the names of the columns in the first line" in done.stderr
    assert "secret" not in done.stderr


def test_long_names_of_columns_are_cut(office: Desk):
    (office.path / "calls.csv").write_text(f"campaign,contact,outcome,{'x' * 41}\nC1,p,I,a\n")
    told = office.run("sync", "calls.csv").stderr
    assert "calls.csv has no column for: agent. Its columns are: campaign," in told
    assert f"outcome, {'x' * 40}...." in told


def test_a_column_that_was_named_and_is_missing_is_named(office: Desk):
    office.rows("good.csv", *plain_rows(1))
    told = office.run("sync", "good.csv", "--map", "agent=Nope").stderr
    assert 'good.csv has no column "Nope" (for agent). Its columns are: campaign, ' in told
    (office.path / "bad.csv").write_text("campaign,contact,agent\nC1,p1,a1\n", encoding="utf-8")
    told = office.run("sync", "bad.csv", "--map", "agent=Nope").stderr
    assert 'bad.csv has no column "Nope" (for agent) and no column for: outcome. Its' in told


def test_a_hint_that_asks_ends_with_its_question_mark(office: Desk):
    (office.path / "calls.csv").write_text(HEADER + "C1,p1\n", encoding="utf-8")
    (row,) = failed_rows(office, office.json("sync", "calls.csv"))
    assert row["aftercall_hint"] == "Is a delimiter missing, or a line cut?"
