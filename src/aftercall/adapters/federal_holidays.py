"""The legal public holidays of the United States (5 U.S.C. 6103), as the government observes them.

A holiday on a Saturday is observed on the Friday before, one on a Sunday on the Monday after.
"""

from datetime import date


class FederalHolidays:
    """The holidays as a set of days. The library is imported when the first day is looked up."""

    def __init__(self) -> None:
        self._years: dict[int, frozenset[date]] = {}

    def __contains__(self, day: object) -> bool:
        """Say whether `day` is observed as a holiday."""
        return isinstance(day, date) and day in self._of(day.year)

    def _of(self, year: int) -> frozenset[date]:
        if year not in self._years:
            from holidays.countries.united_states import US  # noqa: PLC0415 - costs a tenth second

            # Observance can cross the year: New Year's Day of a Saturday is the Friday before.
            self._years[year] = frozenset(US(years=year, observed=True))  # type: ignore[no-untyped-call]
        return self._years[year]
