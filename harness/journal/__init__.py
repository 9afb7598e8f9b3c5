"""The journal: the append-only record of a run, as events; how it is proved, masked and shown.

Pure: storage is behind the seam `Journal`, see `harness.adapters.journal_sql`.
"""
