"""The proof of a demo and a rehearsal: it holds only if both books say the same."""

from collections import Counter
from dataclasses import replace

import pytest

from aftercall.interfaces.cli.proof import Proof, Witness, proof_view

ONE, OTHER = ("C1", "p1", "INTERESTED"), ("C1", "p2", "INTERESTED")
SEEN = Witness(Counter([ONE, OTHER]), 0, 0, 0, heard=2, badly_signed=0)
RIGHT = Proof(Counter([ONE, OTHER]), SEEN, events=2)


def test_equal_books_prove_it() -> None:
    assert RIGHT.sound
    assert RIGHT.holds


@pytest.mark.parametrize(
    "seen",
    [
        replace(SEEN, changes=Counter([ONE])),
        replace(SEEN, changes=Counter([ONE, ONE, OTHER])),
        replace(SEEN, changes=Counter([ONE, ("C1", "p2", "DO_NOT_CALL")])),
        replace(SEEN, repeats=1),
        replace(SEEN, live_calls=1),
        replace(SEEN, heard=1),
        replace(SEEN, badly_signed=1),
    ],
)
def test_whatever_differs_disproves_it(seen: Witness) -> None:
    assert not replace(RIGHT, witness=seen).sound
    assert not replace(RIGHT, witness=seen).holds


def test_a_429_says_that_the_pace_was_not_kept_and_nothing_else() -> None:
    throttled = replace(RIGHT, witness=replace(SEEN, throttled=3))
    assert throttled.sound
    assert not throttled.holds


def test_a_tenant_that_knows_no_campaigns_is_compared_without_them() -> None:
    seen = replace(SEEN, changes=Counter([("(acd)", "p1", "7"), ("(acd)", "p2", "7")]))
    applied = Counter([("", "p1", "7"), ("", "p2", "7")])
    assert Proof(applied, seen.without_campaigns(), 2).sound


def test_without_a_crm_nothing_is_said_of_it() -> None:
    silent = Proof(Counter([ONE]), replace(SEEN, changes=Counter([ONE]), heard=0))
    assert not any("crm" in line.plain for line in proof_view(silent))


FOLLOWED = replace(SEEN, followed={"callback": 3, "tags": 4})
DONE = replace(RIGHT, witness=FOLLOWED, done={"callback": 3, "tags": 4})


@pytest.mark.parametrize(
    ("done", "unsure", "sound"),
    [
        ({"callback": 3, "tags": 4}, {}, True),
        ({"callback": 3, "tags": 5}, {}, True),  # two rows asked for the same tag
        ({"callback": 2, "tags": 4}, {"callback": 1}, True),  # its answer was lost
        ({"callback": 2, "tags": 4}, {}, False),
        ({"callback": 4, "tags": 4}, {}, False),
        ({"callback": 3, "tags": 3}, {}, False),
        ({"tags": 4}, {}, False),
    ],
)
def test_the_tenant_took_the_follow_ups_that_were_done(
    done: dict[str, int], unsure: dict[str, int], *, sound: bool
) -> None:
    proof = replace(DONE, done=done, unsure=unsure)
    assert proof.sound is sound
    told = "\n".join(line.plain for line in proof_view(proof))
    assert ("NOT AS WE SAY" in told) is not sound


def test_a_callback_that_is_there_twice_disproves_it() -> None:
    book = [
        {"kind": "callback", "repeat": False},
        {"kind": "callback", "repeat": True},
        {"kind": "dnc", "repeat": True},
        {"kind": "dnc", "repeat": False},
    ]
    counts = {"repeats": 0, "live_call_writes": 0, "requests": {}}
    counts["crm"] = {"distinct": 0, "bad_signatures": 0}
    seen = Witness.of(counts, [], book)
    assert seen.followed == {"callback": 1, "dnc_group": 1}
    proof = Proof(Counter(), seen, done={"callback": 1, "dnc_group": 2})
    assert not proof.sound
    assert replace(proof, witness=replace(seen, called_twice=0)).sound
