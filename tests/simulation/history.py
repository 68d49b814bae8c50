"""A history as plain data: what is fed, what goes wrong and when. Made from a seed, or by hand."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

OUTCOMES = ("INTERESTED", "NOT_INTERESTED", "CALL_BACK", "DO_NOT_CALL", "NO_ANSWER")

GET_FAULTS = (
    "refused", "reset", "timeout", "error", "throttle", "throttle_seconds", "throttle_date",
    "throttle_nonsense", "unauthorized", "garbage", "truncated", "redirect", "login_page", "slow",
    "forbidden", "stale",
)  # fmt: skip
PATCH_FAULTS = (
    "refused", "reset", "reset_after", "timeout", "timeout_after", "error", "error_after",
    "throttle", "throttle_seconds", "unauthorized", "conflict", "garbage", "garbage_after",
    "truncated_after", "redirect", "says_failure", "says_failure_after", "slow", "late",
)  # fmt: skip
LIST_FAULTS = ("gaps", "short", "order", "twice", "strangers", "blanks")
"""What can be wrong with a list of contacts; besides, all that can be wrong with a read."""

GOOD_FOR_SECONDS = 2.0

TOKEN_FAULTS = ("refused", "reset", "error", "garbage", "slow", "timeout")
CRM_FAULTS = ("refused", "reset", "reset_after", "error", "throttle_seconds", "timeout_after")
BREAKING = ("forgets", "twice_later", "late_without_etag")
"""Faults of a tenant that does not keep what docs/reliability.md asks of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an input; `minute` places its timestamp, None leaves it out."""

    campaign: str
    contact: str
    outcome: str
    agent: str = "a1"
    minute: int | None = 0
    event: str | None = None
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What the tenant holds of a contact at the start."""

    campaign: str
    contact: str
    outcome: str | None = None
    minute: int | None = None
    missing: bool = False
    refuses: int | None = None
    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of the `nth` request of `method` for `contact` ("" for tokens and events).

    For a list (`BULK`) it is the campaign.
    """

    method: str
    contact: str
    nth: int
    kind: str
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Call:
    """A contact is on a call for some seconds from `start` on."""

    contact: str
    start: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Touch:
    """Somebody else writes an outcome onto a contact."""

    contact: str
    at: float
    outcome: str
    minute: int


@dataclass(frozen=True, slots=True)
class Outage:
    """Nobody answers at the tenant for a while: `refused`, `error` or `timeout`."""

    start: float
    seconds: float
    kind: str


@dataclass(frozen=True, slots=True)
class Jump:
    """The machine's clock is set."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class End:
    """How one process comes to its end before its work is done.

    Attributes:
        process: which one, from 0.
        kind: ``step`` (killed before step `count`), ``statement`` (killed before SQL statement
            `count`), ``committed`` (killed when commit `count` is on disk, before anybody is
            told), ``full`` or ``locked`` (commit `count` fails so), ``stop`` (asked to, after
            `count` tenths of a second).
    """

    process: int
    kind: str
    count: int


@dataclass(frozen=True)
class History:
    """Everything that is not the product."""

    seed: int = 0
    surface: str = "outbound-v1"
    rate: float = 10.0
    tenant_rate: float | None = None
    concurrency: int = 50
    batch: int = 50
    rows_at_once: int = 500
    attempts: int = 6
    defer_seconds: float = 60.0
    etags: bool = True
    crm: bool = True
    on_conflict: str = "newest"
    latency: float = 0.05
    token_seconds: float = 3600.0
    breaks: bool = False
    good_for: float = GOOD_FOR_SECONDS
    inputs: tuple[tuple[Row, ...], ...] = ()
    held: tuple[Held, ...] = ()
    faults: tuple[Fault, ...] = ()
    calls: tuple[Call, ...] = ()
    touches: tuple[Touch, ...] = ()
    outages: tuple[Outage, ...] = ()
    jumps: tuple[Jump, ...] = ()
    ends: tuple[End, ...] = ()

    def told(self) -> str:
        """Return the history as Python text, without what has its usual value."""
        usual = History()
        given = [
            f"    {one.name}={getattr(self, one.name)!r},"
            for one in fields(self)
            if getattr(self, one.name) != getattr(usual, one.name)
        ]
        return "\n".join(["History(", *given, ")"])

    @property
    def size(self) -> int:
        """How much there is to it: rows, faults and all that happens."""
        listed = (self.held, self.faults, self.calls, self.touches, self.outages)
        rows = sum(map(len, self.inputs))
        return rows + sum(map(len, listed)) + len(self.jumps) + len(self.ends)


HUGE_AND_SMALL = History(
    inputs=(
        (
            *(Row("C0", f"k{number}", "INTERESTED") for number in range(200)),
            Row("C1", "k999", "INTERESTED"),
        ),
    ),
    faults=(Fault("CRM", "k999", 1, "refused"),),
)
"""A campaign of one row, fed behind one of two hundred."""


@dataclass
class _Maker:
    dice: random.Random
    campaigns: Sequence[str] = ()
    contacts: list[tuple[str, str]] = field(default_factory=list)

    def some(self, most: int, chance: float) -> range:
        return range(self.dice.randint(1, most) if self.dice.random() < chance else 0)

    def contact(self) -> str:
        return self.dice.choice(self.contacts)[1]

    def row(self, rows: Sequence[Row]) -> Row:
        dice = self.dice
        if rows and dice.random() < 0.15:
            return dice.choice(rows)
        campaign, contact = dice.choice(self.contacts)
        row = Row(
            campaign,
            contact,
            dice.choice(OUTCOMES),
            dice.choice(("a1", "a2")),
            None if dice.random() < 0.1 else dice.randrange(6),
            dice.choice((None,) * 9 + ("e1",)),
            dice.random() < 0.04,
        )
        # One that says the same under another key could not be told from it at the tenant.
        return row if row.event is None else replace(row, agent="a3")

    def inputs(self) -> tuple[tuple[Row, ...], ...]:
        made = []
        fed: list[Row] = []
        for _ in range(self.dice.choice((1, 1, 1, 2, 3))):
            rows: list[Row] = []
            for _ in range(self.dice.choice((1, 3, 6, 10, 16))):
                rows.append(self.row(fed))
                fed.append(rows[-1])
            made.append(tuple(rows))
        return tuple(made)

    def held(self) -> tuple[Held, ...]:
        dice, made = self.dice, []
        for campaign, contact in self.contacts:
            one = Held(campaign, contact)
            match dice.randrange(12):
                case 0:
                    one = replace(one, missing=True)
                case 1:
                    one = replace(one, refuses=dice.choice((400, 409, 422)))
                case 2 | 3 | 4:
                    minute = dice.choice((None, *range(6)))
                    one = replace(one, outcome=dice.choice(OUTCOMES), minute=minute)
                case 5:
                    one = replace(one, forbidden=dice.random() < 0.3)
                case _:
                    continue
            made.append(one)
        return tuple(made)

    def fault(self) -> Fault:
        dice = self.dice
        seconds = dice.choice((0.2, 1.0, 3.0, 40.0))
        match dice.randrange(10):
            case 0:
                return Fault("POST", "", dice.randint(1, 3), dice.choice(TOKEN_FAULTS), seconds)
            case 1 | 2:
                contact, nth = self.contact(), dice.randint(1, 2)
                return Fault("CRM", contact, nth, dice.choice(CRM_FAULTS), seconds)
            case 3 | 4 | 5:
                contact, nth = self.contact(), dice.randint(1, 3)
                return Fault("GET", contact, nth, dice.choice(GET_FAULTS), seconds)
            case _:
                contact, nth = self.contact(), dice.randint(1, 3)
                return Fault("PATCH", contact, nth, dice.choice(PATCH_FAULTS), seconds)

    def end(self, process: int) -> End:
        dice = self.dice
        kind = dice.choice(
            (
                "step",
                "step",
                "step",
                "statement",
                "statement",
                "committed",
                "full",
                "locked",
                "stop",
            )
        )
        most = {"step": 1500, "statement": 500, "stop": 60}.get(kind, 40)
        return End(process, kind, int(most ** dice.random()) + 1)


def history_of(seed: int) -> History:
    """Return the history of a seed: the same one for ever, as long as this module is the same.

    Every tenth speaks the documented CXone API, and every tenth reads contacts in lists.
    """
    history = _made(seed)
    if seed % 10 == 3:
        return _in_lists(history)
    return _in_acd(history) if seed % 10 == 6 else history


def _in_lists(history: History) -> History:
    """Let half of what goes wrong with reads go wrong with lists, and spoil some.

    Only what waits for the same campaign is read together: most rows are of one, and more wait.
    """
    dice = random.Random(f"lists {history.seed}")
    crowd = [Row("C0", f"q{n}", dice.choice(OUTCOMES)) for n in range(dice.choice((3, 8, 20)))]
    first, *others = history.inputs
    faults = [
        Fault("BULK", "C0", one.nth, one.kind, one.seconds)
        if one.method == "GET" and dice.random() < 0.5
        else one
        for one in history.faults
    ]
    faults += [
        Fault("BULK", "C0", dice.randint(1, 3), dice.choice(LIST_FAULTS))
        for _ in range(dice.choice((0, 1, 1, 2)))
    ]
    for _ in range(dice.choice((0, 0, 2))):
        one = dice.choice(crowd).contact
        faults.append(Fault("PATCH", one, 1, dice.choice(PATCH_FAULTS[:-1])))
    calls = tuple(
        Call(dice.choice(crowd).contact, dice.uniform(0, 3), dice.choice((0.5, 8.0)))
        for _ in range(dice.choice((0, 0, 3)))
    )
    good_for = dice.choice((GOOD_FOR_SECONDS, GOOD_FOR_SECONDS, 30.0))
    return replace(
        history,
        surface="lists",
        batch=max(5, history.batch),
        inputs=((*first, *crowd), *others),
        calls=(*history.calls, *calls),
        good_for=good_for if history.etags else GOOD_FOR_SECONDS,
        faults=tuple(faults),
    )


def _in_acd(history: History) -> History:
    """Leave out what that API can neither tell nor promise: see docs/reliability.md."""
    lost = {"late", "stale", *BREAKING}
    return replace(
        history,
        surface="acd",
        etags=False,
        breaks=False,
        # An outcome that was there before is not told apart from ours once its answer is lost.
        held=tuple(replace(one, outcome=None, minute=None) for one in history.held),
        touches=(),
        faults=tuple(one for one in history.faults if one.kind not in lost),
    )


def _made(seed: int) -> History:
    dice = random.Random(seed)
    maker = _Maker(dice)
    names = [f"C{number}" for number in range(dice.choice((1, 1, 2, 3, 5)))]
    count = dice.choice((1, 2, 4, 8, 12))
    maker.contacts = [(dice.choice(names), f"k{number}") for number in range(count)]
    eventful = dice.random() < 0.9
    inputs = maker.inputs()
    ended = dice.choice((0, 0, 1, 1, 2, 3)) if eventful else 0
    breaks = eventful and dice.random() < 0.05
    etags = dice.random() < 0.7
    faults = [maker.fault() for _ in maker.some(10, 0.8)] if eventful else []
    if not etags:
        # A write that lands long after its answer was given up asks for ETags.
        faults = [one for one in faults if one.kind not in {"late", "stale"}]
    if breaks:
        kind = dice.choice(BREAKING)
        faults.append(Fault("PATCH", maker.contact(), 1, kind, dice.choice((0.5, 5.0, 30.0))))
    return History(
        seed=seed,
        rate=dice.choice((2.0, 5.0, 10.0, 10.0, 25.0)),
        tenant_rate=dice.choice((None, None, None, 8.0, 20.0)),
        concurrency=dice.choice((1, 3, 50, 50)),
        batch=dice.choice((1, 5, 50, 50)),
        rows_at_once=dice.choice((2, 5, 500)),
        attempts=dice.choice((1, 2, 6, 6)),
        defer_seconds=dice.choice((0.0, 10.0, 60.0)),
        etags=etags,
        crm=dice.random() < 0.85,
        on_conflict=dice.choice(("newest",) * 8 + ("first", "error")),
        latency=dice.choice((0.001, 0.02, 0.2, 1.0)),
        token_seconds=dice.choice((3600.0, 3600.0, 90.0, 5.0)),
        breaks=breaks,
        inputs=inputs,
        held=maker.held(),
        faults=tuple(faults),
        calls=tuple(
            Call(maker.contact(), dice.uniform(0, 10), dice.choice((0.05, 1.0, 8.0, 100.0)))
            for _ in maker.some(4, 0.4)
            if eventful
        ),
        touches=tuple(
            Touch(maker.contact(), dice.uniform(0, 6), dice.choice(OUTCOMES), dice.randrange(7))
            for _ in maker.some(3, 0.3)
            if eventful
        ),
        outages=tuple(
            Outage(
                dice.uniform(0, 8),
                dice.choice((1.0, 20.0, 90.0)),
                dice.choice(("refused", "error", "timeout")),
            )
            for _ in maker.some(2, 0.2)
            if eventful
        ),
        jumps=tuple(
            Jump(dice.uniform(0, 8), dice.choice((-86400.0, -3600.0, -20.0, -2.0, 2.0, 3600.0)))
            for _ in maker.some(2, 0.1)
            if eventful
        ),
        ends=tuple(maker.end(process) for process in range(ended)),
    )
