"""Sources of rows: CSV, JSON Lines and JSON files, standard input and Python objects.

Everything is read as a stream: memory stays flat whatever the size of the input, and a row that
cannot be read is given as a row with a problem, so that the others go on.
"""

from aftercall.adapters.sources.check import CHECK_COLUMN, check_of
from aftercall.adapters.sources.csv_rows import RESULT_PREFIX
from aftercall.adapters.sources.files import Source, open_source
from aftercall.adapters.sources.formula import guard_cell, unguard_cell
from aftercall.adapters.sources.objects import rows_of
from aftercall.adapters.sources.rows import RawRow, RowProblem, SourceFormat, SourceOptions

__all__ = [
    "CHECK_COLUMN",
    "RESULT_PREFIX",
    "RawRow",
    "RowProblem",
    "Source",
    "SourceFormat",
    "SourceOptions",
    "check_of",
    "guard_cell",
    "open_source",
    "rows_of",
    "unguard_cell",
]
