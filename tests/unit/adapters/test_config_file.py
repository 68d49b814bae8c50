"""Adding keys to a configuration file changes nothing else in it."""

import resource
import tomllib
from pathlib import Path

import pytest

from aftercall.adapters.config_file import CannotEdit, add_keys
from aftercall.errors import AftercallError

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


def test_line_ends_and_the_mark_of_an_editor_stay(tmp_path: Path) -> None:
    path = tmp_path / "aftercall.toml"
    before = b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()
    path.write_bytes(before)
    add_keys(path, {"outcomes": {"LATER": "callback"}, "new": {"a": "b"}})
    added = before.replace(b"money\r\n", b'money\r\nLATER = "callback"\r\n')
    assert path.read_bytes() == added + b'\r\n[new]\r\na = "b"\r\n'


def test_a_comment_may_hold_what_ends_lines_elsewhere(tmp_path: Path) -> None:
    text = "# a\u2028b\x85c\n[outcomes]"
    assert edited(tmp_path, text, outcomes={"A_B": "x"}) == f'{text}\nA_B = "x"\n'


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "aftercall.toml"
    real.write_text(TEXT)
    link.symlink_to(real)
    add_keys(link, {"outcomes": {"LATER": "callback"}})
    assert link.is_symlink()
    assert "LATER" in real.read_text()


def test_a_file_that_is_read_only_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "aftercall.toml"
    path.write_text(TEXT)
    path.chmod(0o440)
    add_keys(path, {"outcomes": {}})
    with pytest.raises(AftercallError) as caught:
        add_keys(path, {"outcomes": {"LATER": "callback"}})
    assert "read-only" in caught.value.message
    assert path.read_text() == TEXT


def test_a_full_disk_leaves_the_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "aftercall.toml"
    path.write_text(TEXT)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(TEXT) - 1, hard))
    try:
        with pytest.raises(AftercallError) as caught:
            add_keys(path, {"outcomes": {"LATER": "callback"}})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "cannot be changed: File too large" in caught.value.message
    assert path.read_text() == TEXT
    assert list(tmp_path.iterdir()) == [path]


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
