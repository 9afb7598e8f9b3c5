"""Matplotlib inside the sandbox: what is shown, or drawn and left, becomes a PNG file.

Handed into the sandbox as its backend `harness_figures`; never imported by the harness.
"""

from __future__ import annotations

import os
from typing import Any

from matplotlib import pyplot
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

kept: set[int] = set()
"""Figures that are in a file already, by `id`."""


class FigureCanvas(FigureCanvasAgg):
    """Remembers which figures were saved."""

    def print_figure(self, *given: Any, **named: Any) -> Any:
        """Save a figure. See matplotlib."""
        kept.add(id(self.figure))
        return super().print_figure(*given, **named)


class FigureManager(FigureManagerBase):
    """Shows a figure by writing it down."""

    def show(self) -> None:
        """Write the figure to a file of its own."""
        keep(self.canvas.figure)

    @classmethod
    def pyplot_show(cls, **_: Any) -> None:
        """Write all figures down, as a window would show them all."""
        keep_all()
        pyplot.close("all")


FigureCanvas.manager_class = FigureManager  # type: ignore[assignment] # a class property upstream


def keep(figure: Any) -> None:
    """Write a figure to the next free `figure-N.png`, unless it is in a file."""
    if id(figure) in kept:
        return
    number = 1
    while os.path.exists(f"figure-{number}.png"):  # noqa: PTH110 - as light as it can be
        number += 1
    figure.savefig(f"figure-{number}.png", dpi=150, bbox_inches="tight")
    print(f"[figure-{number}.png]")  # noqa: T201 - the model reads it


def keep_all() -> None:
    """Write down every figure that is not in a file."""
    for number in pyplot.get_fignums():
        keep(pyplot.figure(number))
