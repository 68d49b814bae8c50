"""Adding keys to a configuration file changes nothing else in it."""

import tomllib
from pathlib import Path

import pytest

from aftercall.adapters.config_file import CannotEdit, add_keys

TEXT = """\
# my tenant
[tenant]
instance = "na1"   # west

[outcomes]
SALE = "positive"  # money

# what it calls them
[outcome_ids]

[limits]
batch = 10
"""


def edited(tmp_path: Path, text: str, **tables: dict[str, str]) -> str:
    path = tmp_path / "aftercall.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o640)
    add_keys(path, tables)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["aftercall.toml"]
    return path.read_text(encoding="utf-8")


def test_keys_come_to_the_end_of_their_table_and_comments_stay(tmp_path: Path) -> None:
    after = edited(tmp_path, TEXT, outcomes={"LATER": "callback"}, outcome_ids={"SALE": "5"})
    assert after == TEXT.replace(
        'SALE = "positive"  # money\n', 'SALE = "positive"  # money\nLATER = "callback"\n'
    ).replace("[outcome_ids]\n", '[outcome_ids]\nSALE = "5"\n')


def test_a_table_that_is_not_there_is_begun(tmp_path: Path) -> None:
    after = edited(tmp_path, '[tenant]\ninstance = "na1"\n', outcomes={"A_B": 'say "hi"'})
    assert after.startswith('[tenant]\ninstance = "na1"\n\n[outcomes]\n')
    assert tomllib.loads(after)["outcomes"] == {"A_B": 'say "hi"'}


def test_nothing_to_add_changes_nothing(tmp_path: Path) -> None:
    assert edited(tmp_path, TEXT, outcomes={}) == TEXT


@pytest.mark.parametrize(
    "text",
    [
        'outcomes = { SALE = "positive" }\n',
        'x = """\n[outcomes]\n"""\n[tenant]\na = 1\n',
        'outcomes.SALE = "positive"\n',
    ],
)
def test_a_file_that_cannot_be_edited_safely_is_left_alone(tmp_path: Path, text: str) -> None:
    with pytest.raises(CannotEdit) as caught:
        edited(tmp_path, text, outcomes={"LATER": "callback"})
    assert 'LATER = "callback"' in caught.value.message
    assert (tmp_path / "aftercall.toml").read_text() == text
