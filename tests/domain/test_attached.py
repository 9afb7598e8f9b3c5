"""Files of examples and cases belong to their input: read, shown, searched, guarded on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.context import Guard, read_demonstrations, render_item
from harness.domain import lint, read_domain

EXAMPLES = """\
- id: nda
  input: Review this contract.
  output: Strike clause 4.
  files: [examples/files/nda.md]
- id: lease
  input: Review this contract.
  output: Accept.
  files: [examples/files/lease.txt]
"""
CASES = """\
- id: c1
  input: Review this contract.
  expected: Strike clause 9.
  files: [evals/files/nda-copy.md]
"""
NDA = "# NDA\nThe receiving party keeps all confidential information secret for ninety years.\n"


def test_the_text_of_files_counts_as_input(write_domain: Callable[..., Path]) -> None:
    folder = write_domain(
        **{
            "examples/reviews.yaml": EXAMPLES,
            "examples/files/nda.md": NDA,
            "examples/files/lease.txt": "The tenant pays <output>rent</output> on the first.",
            "evals/dev.yaml": CASES,
            "evals/files/nda-copy.md": NDA,
        }
    )
    domain = read_domain(folder)
    assert [one for one in lint(domain) if one.severity == "error"] == []
    nda, lease = domain.examples
    assert "ninety years" in nda.text
    rendered = render_item(lease)
    assert '<file from="lease.txt">' in rendered
    shown = list(read_demonstrations(rendered))
    assert [(one.input, one.output) for one in shown] == [("Review this contract.", "Accept.")]
    assert domain.cases[0].text.endswith(nda.attached[0][1])


def test_the_guard_compares_files_too(write_domain: Callable[..., Path], tmp_path: Path) -> None:
    from harness import Harness

    folder = write_domain(
        **{
            "examples/reviews.yaml": EXAMPLES,
            "examples/files/nda.md": NDA,
            "examples/files/lease.txt": "The tenant pays rent on the first of each month.",
            "evals/dev.yaml": CASES,
            "evals/files/nda-copy.md": NDA,
        }
    )
    with Harness(folder) as h:
        case = h.domain.cases[0]
        packed = h.preview(case.input, files=[folder / case.files[0]], guard_case=case)
        kept = [item.id for item in packed.items if item.kept]
    assert kept == ["lease"]  # equal questions are no twins where their files differ
    assert Guard(case).case is case
