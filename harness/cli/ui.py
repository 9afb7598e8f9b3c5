"""`harness ui`: the web app, on this machine alone unless told otherwise."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import AsJson, Home, Model, ModelOptions, print_json, read_options
from harness.errors import UsageError

__all__ = ["ui"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
INSTALLED = Path(__file__).parents[1] / "ui"
"""In the wheel. A checkout has it beside the package."""


def ui(
    domain: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DOMAIN", help="Domain folders (default: those found here, and shipped ones)."
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Address to listen on; others reach only 0.0.0.0.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="PORT", help="Port.")] = 8501,
    model: Model = None,
    model_option: ModelOptions = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Open the web app: ask, correct, review, measure in a browser. Ctrl-C stops it."""
    folder = INSTALLED if INSTALLED.is_dir() else INSTALLED.parents[1] / "ui"
    if not (folder / "page.py").is_file():
        raise UsageError("The web app is not installed.", "Install domain-harness anew.")
    _free(host, port)
    sys.path.insert(0, str(folder))
    from harness_ui.server import serve

    address = f"http://{'[::1]' if host == '::1' else host}:{port}"
    if as_json:
        print_json({"address": address})
    else:
        print(f"Harness is at {address} (Ctrl-C stops it)", flush=True)
    if host not in LOOPBACK:
        print(
            "Whoever reaches this address can use it; the People page says how to have them sign"
            " in.",
            file=sys.stderr,
        )
    serve(
        domain or [],
        host=host,
        port=port,
        home=home,
        model=model,
        model_options=read_options(model_option or []),
    )


def _free(host: str, port: int) -> None:
    """See that the port can be had.

    Raises:
        UsageError: It can't.
    """
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"Port {port} of {host} can't be had: {error.strerror}.",
                "Another app may use it: give --port.",
            ) from error
