"""Corrections become examples: written into the experts' own files, reviewed, recorded."""

from harness.improve.atlas import Atlas, atlas_of
from harness.improve.changing import Edit, append_example, change_example
from harness.improve.records import ReviewLog, ReviewRecord
from harness.improve.saving import locked, read_current, write_over
from harness.improve.tables_in import Import, ImportRow, read_import, written_table

__all__ = [
    "Atlas",
    "Edit",
    "Import",
    "ImportRow",
    "ReviewLog",
    "ReviewRecord",
    "append_example",
    "atlas_of",
    "change_example",
    "locked",
    "read_current",
    "read_import",
    "write_over",
    "written_table",
]
