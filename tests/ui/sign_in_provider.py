"""An OpenID Connect provider on loopback: discovery, a page to choose who one is, tokens, keys."""

from __future__ import annotations

import html
import json
import secrets
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

__all__ = ["SignInProvider"]


class SignInProvider:
    """Signs in whoever one chooses to be, by the authorization code flow.

    Attributes:
        address: Where it is.
        people: E-mail addresses to choose from.
    """

    client, secret = "harness-test", "not a secret"

    def __init__(self, people: Sequence[str]) -> None:
        self.people = people
        self.codes: dict[str, dict[str, str]] = {}
        self.key = RSAKey.generate_key(2048, {"use": "sig", "kid": "one", "alg": "RS256"})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> SignInProvider:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def discovery(self) -> dict[str, Any]:
        """Return what `.well-known/openid-configuration` says."""
        ways = {"authorization": "authorize", "token": "token", "end_session": "leave"}
        return {
            "issuer": self.address,
            "jwks_uri": f"{self.address}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            **{f"{name}_endpoint": f"{self.address}/{path}" for name, path in ways.items()},
        }

    def choice(self, asked: dict[str, str]) -> str:
        """Return the page on which people say who they are."""
        links = []
        for who in self.people:
            code = secrets.token_hex(8)
            self.codes[code] = {"email": who, **asked}
            back = urlencode({"code": code, "state": asked["state"]})
            address = html.escape(f"{asked['redirect_uri']}?{back}")
            links.append(f'<p><a href="{address}">{html.escape(who)}</a></p>')
        return "<!doctype html><title>Who are you?</title>" + "".join(links)

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        """Return the tokens for a code, which is good once."""
        asked = self.codes.pop(form["code"])
        assert form["redirect_uri"] == asked["redirect_uri"]
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": self.client,
            "sub": asked["email"].split("@")[0],
            "email": asked["email"],
            "iat": now,
            "exp": now + 600,
        }
        if "nonce" in asked:
            claims["nonce"] = asked["nonce"]
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        return {
            "access_token": secrets.token_hex(8),
            "token_type": "Bearer",
            "expires_in": 600,
            "id_token": signed,
        }


def _handler(provider: SignInProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
            if parts.path == "/.well-known/openid-configuration":
                self._send(provider.discovery())
            elif parts.path == "/keys":
                self._send({"keys": [provider.key.as_dict(private=False)]})
            elif parts.path == "/authorize":
                self._send(provider.choice(asked))
            elif parts.path == "/leave":
                self.send_response(302)
                self.send_header("Location", asked["post_logout_redirect_uri"])
                self.end_headers()
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._send(provider.token({key: one[0] for key, one in parse_qs(body).items()}))

        def _send(self, what: Any) -> None:
            page = isinstance(what, str)
            data = (what if page else json.dumps(what)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if page else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
