"""Cells, ids and dispositions as inputs may hold them, and worse."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from aftercall.domain.disposition import CANONICAL, Disposition
from aftercall.domain.outcomes import Category

MATRIX = {"SALE": Category.POSITIVE, "LOST": Category.NEGATIVE, "DO_NOT_CALL": Category.OPT_OUT}
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

offsets = st.integers(-23 * 60, 23 * 60).map(lambda each: timezone(timedelta(minutes=each)))

instants = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 - the strategy adds the zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001 - the strategy adds the zone
    timezones=offsets,
)

ids = (
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=128)
    .filter(str.isprintable)
    .filter(lambda each: ".." not in each and each != ".")
)

notes = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=300)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

dispositions = st.builds(
    Disposition,
    campaign=ids,
    contact=ids,
    outcome=st.sampled_from(sorted(MATRIX)),
    agent=ids,
    timestamp=st.none() | instants,
    event_id=st.none() | ids,
)

any_text = st.text(st.characters(codec=None, min_codepoint=0, exclude_categories=()))

any_cell = st.one_of(
    any_text,
    st.text("0123456789-:TZ+. ", max_size=40),
    instants.map(datetime.isoformat),
    json_values,
    st.datetimes(timezones=st.none() | offsets),
    st.binary(),
    st.floats(),
    st.integers().map(lambda each: each**101),
    st.sampled_from([10**5000, -(10**5000), {"a": 10**5000}, object(), type, {1: 2}, ...]),
    st.dictionaries(st.text() | st.integers(), any_text | st.floats() | st.binary()),
    st.sets(st.integers()),
)

any_cells = st.dictionaries(st.sampled_from(CANONICAL), any_cell)
