"""Tables: reading CSV and parquet files, and turning their columns into the numbers a network learns from.

The encoding is learnt from the training rows and applied, unchanged, to every later table:

- numbers and booleans stay as they are; a missing one becomes the training median, and if the training rows had missing
  values, one more column of 0 and 1 says where;
- every level of a category gets a column of 0 and 1; "missing" is a level of its own if the training rows had it;
- a level that the training rows never had gets 0 in all of these columns, and a note says so.

Columns of dates, free text or row numbers are refused, or dropped on request. Nothing is printed: notes are returned.
"""

from bidual.tables.encoding import Column, Encoded, TableEncoding
from bidual.tables.fingerprints import find_rows, fingerprints
from bidual.tables.kinds import MAX_LEVELS, numbers
from bidual.tables.reading import listed, read_table
from bidual.tables.targets import Label, Task, classes_of, infer_task, labels

__all__ = [
    "MAX_LEVELS",
    "Column",
    "Encoded",
    "Label",
    "TableEncoding",
    "Task",
    "classes_of",
    "find_rows",
    "fingerprints",
    "infer_task",
    "labels",
    "listed",
    "numbers",
    "read_table",
]
