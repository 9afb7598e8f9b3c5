"""Documents: read as text with places, written from Markdown, revised with tracked changes.

Reading: `reading` opens a file as what it is and gives `places.Document`; `search` looks within.
Writing: `markdown` makes `blocks`, and `word`, `pages` and `sheets` draw them.
`export` puts an answer with its citations on paper; `redline` revises a Word file so that each
change can be accepted or refused.
"""
