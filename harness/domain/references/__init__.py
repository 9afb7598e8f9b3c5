"""References: an expert's documents in, passages with page, heading, sheet or slide out.

One document's journey: `files` finds it and reads its bytes, `formats` parses them into
`structure` (sections of blocks), `passages` cuts the sections, `cache` keeps the outcome.
"""

from harness.domain.references.reader import read_references

__all__ = ["read_references"]
