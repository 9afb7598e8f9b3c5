"""Starting the server: its address, its looks, and what a page may load: nothing from elsewhere."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import re
import threading
import time
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Policy", "content_policy", "serve", "start"]

SCRIPT = Path(__file__).parents[1] / "page.py"
UPLOAD_MB = 100

LIGHT = {
    "primaryColor": "#1f5c7a",
    "backgroundColor": "#fdfdfb",
    "secondaryBackgroundColor": "#f1f2ee",
    "textColor": "#0f1417",
    "linkColor": "#1a5a80",
    "borderColor": "#d5d8d2",
}
DARK = {
    "primaryColor": "#2f7ba3",
    "backgroundColor": "#15191c",
    "secondaryBackgroundColor": "#1f2529",
    "textColor": "#e6e9ea",
    "linkColor": "#8cc4e0",
    "borderColor": "#384147",
}


def settings(host: str, port: int) -> dict[str, Any]:
    """Return Streamlit's own settings.

    Args:
        host: Address to listen on.
        port: Where; 0 finds a free one.
    """
    looks = {f"theme.light.{key}": value for key, value in LIGHT.items()}
    looks |= {f"theme.dark.{key}": value for key, value in DARK.items()}
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": UPLOAD_MB,
        "server.runOnSave": False,
        # Else all of memory is searched for garbage after each look at work in hand, several
        # times a second and with every page waiting: most of what the server did.
        "runner.postScriptGC": False,
        "browser.gatherUsageStats": False,
        "browser.serverAddress": host,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showSidebarNavigation": True,
        "theme.baseRadius": "small",
        "theme.showWidgetBorder": True,
        "theme.headingFontSizes": ["2rem", "1.35rem", "1.1rem"],
        **looks,
    }


def content_policy(page: str) -> str:
    """Return what a browser may load for this app: from here, and nothing from elsewhere.

    Args:
        page: The HTML that Streamlit serves; its own small script is allowed by its hash.
    """
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", page, re.DOTALL)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    )
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' 'unsafe-eval' {hashes}".strip(),  # charts are compiled by Vega
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' blob:",
            "connect-src 'self' ws: wss:",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


class Policy:
    """Puts the policy on everything that is served.

    Args:
        app: What serves.
        policy: See `content_policy`.
    """

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self.app = app
        self.headers = [
            (b"content-security-policy", policy.encode("ascii")),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                known: MutableMapping[str, Any] = message
                known["headers"] = [*message.get("headers", ()), *self.headers]
            await send(message)

        await self.app(scope, receive, with_headers)


def make_app() -> Any:
    """Return the app, ready to run."""
    import streamlit
    from starlette.middleware import Middleware
    from streamlit import App

    page = Path(streamlit.__file__).parent / "static" / "index.html"
    policy = content_policy(page.read_text("utf-8"))
    return App(
        SCRIPT,
        middleware=[Middleware(Policy, policy=policy)],
        on_script_error=_unforeseen,
    )


def _unforeseen(error: Exception) -> bool:
    from harness_ui.troubles import show_unforeseen

    return show_unforeseen(error)


def serve(
    domains: Sequence[str],
    *,
    host: str,
    port: int,
    home: Path | None,
    model: str | None,
    model_options: Mapping[str, Any] | None = None,
) -> None:
    """Serve the app until it is stopped.

    Args:
        domains: Folders or names of shipped domains; where there are none, those found here.
        host: Address to listen on.
        port: Where.
        home: The state folder.
        model: `provider:model`.
        model_options: For the model's client.
    """
    from harness.sdk import find_domain
    from harness_ui.opening import want

    found = [find_domain(one) for one in domains]
    want(domains=found, home=home, model=model, model_options=model_options or {})
    start(host, port)


def start(host: str, port: int) -> None:
    """Run the server over the desk that is installed."""
    threading.Thread(target=_get_ready, args=(host, port), name="ready", daemon=True).start()
    make_app().run(config=settings(host, port))


def _get_ready(host: str, port: int) -> None:
    """Once the server answers, load what the first page needs: no visitor waits for it."""
    for _ in range(600):
        with contextlib.suppress(OSError, http.client.HTTPException):
            asking = http.client.HTTPConnection(host, port, timeout=5)
            asking.request("GET", "/_stcore/health")
            if asking.getresponse().status == 200:
                break
        time.sleep(0.1)
    import altair  # noqa: F401
    import pandas  # noqa: F401

    from harness_ui import app
    from harness_ui.desk import desk

    del app
    shared = desk()
    with contextlib.suppress(HarnessError):
        for name in list(shared.domains())[:1]:
            shared.warm(shared.harness(name))
            _ = shared.harness(name).runs.journal  # the first page lists what was asked before
