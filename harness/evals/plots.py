"""Plots of scores as SVG, in the page itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from harness.evals.statistics import Score

__all__ = ["bars", "curve", "forest"]

WIDTH, LEFT, RIGHT = 720, 260, 70
INK, LINE, SOFT = "#1b4f8f", "#1b1f24", "#c9ced6"


def forest(scores: Sequence[tuple[str, Score]]) -> str:
    """Return a plot of means with their intervals, one a line."""
    rows = [
        (name, score.mean, score.low, score.high)
        for name, score in scores
        if score.mean is not None and score.low is not None and score.high is not None
    ]
    return bars(rows) if rows else '<p class="note">No score.</p>'


def bars(rows: Sequence[tuple[str, float, float, float]]) -> str:
    """Return a plot of (name, mean, low, high), all from 0 to 1; a name may have a second line."""
    height = 34 * len(rows) + 40
    parts = [_axis(height)]
    for index, (name, mean, low, high) in enumerate(rows):
        y = 24 + 34 * index
        parts += _label(y, name)
        parts.append(
            f'<line x1="{_x(low):.1f}" x2="{_x(high):.1f}" y1="{y}" y2="{y}" stroke="{INK}"'
            ' stroke-width="3" stroke-linecap="round"/>'
            f'<circle cx="{_x(mean):.1f}" cy="{y}" r="5" fill="{INK}"/>'
        )
        parts.append(_text(WIDTH - RIGHT + 10, y + 4, f"{100 * mean:.1f} %"))
    said = "; ".join(
        f"{' '.join(name.split())}: {100 * mean:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
        for name, mean, low, high in rows
    )
    return _svg(height, parts, said)


def curve(points: Sequence[tuple[float, float]], *, across: str, up: str) -> str:
    """Return a curve through points, both axes from 0 to 1 (the upper cut to what is there)."""
    height, top, base = 300, 20, 250
    most = min(1.0, max(0.05, *(y for _, y in points)) * 1.1)

    def at(x: float, y: float) -> str:
        return f"{_x(x):.1f},{base - (base - top) * y / most:.1f}"

    path = " ".join(at(x, y) for x, y in points)
    parts = [
        f'<polyline points="{path}" fill="none" stroke="{INK}" stroke-width="2.5"/>',
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}" stroke="{LINE}"/>',
        f'<line x1="{LEFT}" x2="{LEFT}" y1="{top}" y2="{base}" stroke="{LINE}"/>',
        _text(LEFT - 8, top + 8, f"{100 * most:.0f} %", anchor="end"),
        _text(LEFT - 8, base, "0 %", anchor="end"),
        _text(LEFT - 8, (top + base) / 2, up, anchor="end"),
        _text((LEFT + WIDTH - RIGHT) / 2, base + 38, across, anchor="middle"),
    ]
    parts += [
        _text(_x(share), base + 18, f"{100 * share:.0f} %", anchor="middle")
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    x, y = points[-1]
    return _svg(height, parts, f"{up} {100 * y:.1f} % with {100 * x:.0f} % answered")


def _axis(height: int) -> str:
    lines = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _x(share)
        lines.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="8" y2="{height - 24}" stroke="{SOFT}"/>'
            + _text(x, height - 8, f"{100 * share:.0f} %", anchor="middle")
        )
    return "".join(lines)


def _x(share: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * share


def _label(y: float, name: str) -> list[str]:
    first, _, second = name.partition("\n")
    if not second:
        return [_text(LEFT - 12, y + 4, _cut(first, 36), anchor="end")]
    return [
        _text(LEFT - 12, y, _cut(first, 36), anchor="end"),
        _text(LEFT - 12, y + 12, _cut(second, 44), anchor="end", size=10),
    ]


def _cut(words: str, most: int) -> str:
    """Return so many characters at most; of a longer name both ends, as they tell it apart."""
    return words if len(words) <= most else f"{words[: most // 2]}…{words[1 - most // 2 :]}"


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 13) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
        f' fill="{LINE}">{escape(words)}</text>'
    )


def _svg(height: int, parts: Sequence[str], said: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img"'
        f' aria-label="{escape(said, quote=True)}">{"".join(parts)}</svg>'
    )
