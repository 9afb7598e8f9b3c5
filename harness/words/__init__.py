"""Words of a text: when two texts count as the same, and the words of many texts as one table."""

from harness.words.table import WordTable
from harness.words.twins import TWIN_AT, TwinIndex, jaccard, same_source, terms, words

__all__ = ["TWIN_AT", "TwinIndex", "WordTable", "jaccard", "same_source", "terms", "words"]
