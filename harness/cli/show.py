"""What commands print for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.values import Answer, ItemReport, Problem, in_dollars
from harness.values_packed import Packed

if TYPE_CHECKING:
    from harness.sdk import Estimate, Indexed
    from harness.sdk.config import SettingLine
    from harness.sdk.doctor import Finding

__all__ = [
    "answer_notes",
    "context",
    "estimate",
    "findings",
    "indexed",
    "problems",
    "settings",
]

MOST_OF_A_CODE = 5
"""Warnings of one kind that are shown one by one."""
MOST_DROPPED = 12


def problems(found: tuple[Problem, ...], domain: str) -> str:
    """Return the problems a line each, then a sentence that counts them."""
    errors = [one for one in found if one.severity == "error"]
    warnings = [one for one in found if one.severity == "warning"]
    lines = [str(one) for one in errors]
    seen: Counter[str] = Counter()
    for one in warnings:
        seen[one.code] += 1
        if seen[one.code] <= MOST_OF_A_CODE:
            lines.append(str(one))
    lines += [
        f"… and {count - MOST_OF_A_CODE:,} more warnings `{code}` (--json has all)"
        for code, count in seen.items()
        if count > MOST_OF_A_CODE
    ]
    counted = f"{_count(len(errors), 'error')}, {_count(len(warnings), 'warning')}"
    verdict = "is not ready" if errors else "is ready"
    return "\n".join([*lines, f"{domain} {verdict}: {counted}."])


def indexed(done: Indexed) -> str:
    """Return what indexing did, in a sentence."""
    items = done.items
    return (
        f"{done.domain} (version {done.version}) is indexed: "
        f"{_count(items['examples'], 'example')}, "
        f"{_count(items['evals'], 'eval case')}, {_count(items['passages'], 'passage')}. "
        f"Embedded {done.embedded:,}, reused {done.reused:,}, in {done.seconds:.1f} s."
    )


def context(packed: Packed, *, text: bool) -> str:
    """Return a packed context as a table: what is in it, what was left out, and why."""
    lines = [
        f"{packed.domain} (version {packed.version}): "
        f"{packed.tokens:,} of {packed.budget:,} tokens",
        *([_ratio_told(packed)] if packed.ratio != 1 else []),
        "",
        *_sections(packed),
        "",
        f"The first {packed.core_tokens:,} tokens are the same for every question "
        f"(sha256 {packed.prefix_sha256[:12]}).",
        "",
    ]
    shown = [item for item in packed.items if item.kept and item.section in TAIL]
    left_out = sorted(
        (item for item in packed.items if not item.kept),
        key=lambda item: (item.section not in TAIL, -(item.similarity or 0.0)),
    )
    lines += [_row(item) for item in shown]
    if left_out:
        lines += ["", f"Left out ({len(left_out):,} considered):"]
        lines += [_row(item) for item in left_out[:MOST_DROPPED]]
        if len(left_out) > MOST_DROPPED:
            lines.append(f"… and {len(left_out) - MOST_DROPPED:,} more (--json has all)")
    if text:
        for message in packed.messages:
            lines += ["", f"--- {message.role} ---", message.text.rstrip("\n")]
    return "\n".join(lines)


def _ratio_told(packed: Packed) -> str:
    return (
        f"The model was seen to count up to {packed.ratio:g} tokens for each of these, so the "
        "budget, which is in its tokens, holds fewer."
    )


TAIL = ("passages", "demonstrations")


def _sections(packed: Packed) -> list[str]:
    counts: Counter[str] = Counter(item.section for item in packed.items if item.kept)
    lines = []
    for name, tokens in packed.by_section.items():
        share = round(40 * tokens / packed.budget)
        many = f"{counts[name]:,}" if counts[name] else ""
        lines.append(f"  {name:<15}{tokens:>8,} tokens {many:>6}  {'█' * share}".rstrip())
    free = packed.budget - packed.tokens
    lines.append(f"  {'free':<15}{free:>8,} tokens")
    return lines


def _row(item: ItemReport) -> str:
    similarity = f"{item.similarity:.3f}" if item.similarity is not None else "  -  "
    return (
        f"  {item.section:<15}{similarity:>6} {item.tokens:>6} tokens  {item.id:<24}  {item.reason}"
    )


def findings(found: Sequence[Finding]) -> str:
    """Return what `doctor` found, a line each, the mend below."""
    lines = []
    for one in found:
        lines.append(f"{one.verdict:<8}{one.what:<17}{one.detail}")
        if one.mend:
            lines.append(f"{'':<25}{one.mend}")
    return "\n".join(lines)


def settings(lines: Sequence[SettingLine]) -> str:
    """Return every setting with its value and origin, what it means below."""
    shown = []
    for line in lines:
        value = "-" if line.value is None else f"{line.value} {line.unit}".rstrip()
        where = f" ({line.where})" if line.where else ""
        shown.append(f"{line.name:<16}{value:<28}  {line.origin}{where}")
        shown.append(f"{'':<16}{line.about} Variable: {line.variable}")
    return "\n".join(shown)


def answer_notes(answer: Answer) -> str:
    """Return what stands below an answer: by whom, from what, at what cost."""
    usage = answer.usage
    cached = f" ({usage.cached_input_tokens:,} cached)" if usage.cached_input_tokens else ""
    lines = [f"! {warning}" for warning in answer.warnings]
    if answer.abstained:
        lines.append("! The model says that it can't tell.")
    lines += [
        f"{answer.model} · {_count(len(answer.demonstrations), 'demonstration')}, "
        f"{_count(len(answer.passages), 'passage')} · {usage.input_tokens:,} tokens in{cached}, "
        f"{usage.output_tokens:,} out · {in_dollars(usage.cost_usd)} · {answer.seconds:.1f} s",
    ]
    return "\n".join(lines)


def estimate(what: Estimate) -> str:
    """Return what asking would send, to whom, at what price."""
    packed = what.packed
    if not what.destination:
        return (
            f"Nothing would leave this machine: {what.model} runs here, "
            f"on {packed.tokens:,} tokens of context, at no cost."
        )
    return (
        f"{packed.tokens:,} tokens would go to {what.destination} for {what.model}: "
        f"{_count(len(packed.shown('example', 'eval')), 'demonstration')}, "
        f"{_count(len(packed.shown('passage')), 'passage')}, the instructions and the question.\n"
        f"Input: {in_dollars(what.input_cost_usd)}; the answer comes on top. Nothing was sent."
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
