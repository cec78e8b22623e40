"""A little OpenID Connect provider on loopback, with HTTPS. It makes its tokens by hand, so that it
can also make those that no library would.

`wrong` is how it misbehaves: a function that gets header and claims of the next ID token and
returns the whole token.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.people.directory.certificates import Certificate

CLIENT, SECRET = "panel", "client secret"
Token = Callable[[dict[str, Any], dict[str, Any]], str]


class Provider:
    """`person`: the claims of whoever sits at the browser. `codes`: what was given out, once each."""

    def __init__(self, certificate: Certificate) -> None:
        self.person: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []  # the queries of the authorization endpoint
        self.signed_in_at = time.time() - 8 * 3600  # it knows the person from the morning
        self.asks_again, self.tells_when = True, True
        self.wrong: Token | None = None
        self.metadata: dict[str, Any] = {}
        self.late_s = 0.0
        self.has_a_page = False  # for a browser: somebody presses a button there
        self.rotate()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.issuer = f"https://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def rotate(self) -> None:
        """Another key from now on; the old one is published no more."""
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = secrets.token_hex(4)

    def sign(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        text = f"{part(header)}.{part(claims)}"
        made = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{encoded(made)}"

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes back to: the person agrees at once."""
        self.asked.append(query)
        if query.get("prompt") == "login" and self.asks_again:
            self.signed_in_at = time.time()
        code = secrets.token_urlsafe()
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        told = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".replace(" ", "+").encode()).decode()
        plain = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization not in (f"Basic {basic}", f"Basic {plain}"):
            return 401, {"error": "invalid_client"}
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        if encoded(told) != asked["code_challenge"] or asked["code_challenge_method"] != "S256":
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        id_token = self._id_token(asked["nonce"])
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": id_token}

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "nonce": nonce, "iat": now, "exp": now + 300}
        if self.tells_when:
            claims["auth_time"] = int(self.signed_in_at)
        header = {"alg": "RS256", "kid": self.kid, "typ": "JWT"}
        return (self.wrong or self.sign)(header, {**claims, **self.person})

    def published(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            # Also what nobody should offer: it must not be followed.
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **self.metadata,
        }

    def keys(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        n, e = (
            encoded(value.to_bytes((value.bit_length() + 7) // 8))
            for value in (numbers.n, numbers.e)
        )
        return {"keys": [{"kty": "RSA", "use": "sig", "kid": self.kid, "n": n, "e": e}]}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value: dict[str, Any]) -> str:
    return encoded(json.dumps(value).encode())


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            time.sleep(provider.late_s)
            url = urlsplit(self.path)
            if url.path == "/authorize" and provider.has_a_page:
                self._page(f"/agree?{url.query}")
            elif url.path == "/authorize":
                self._back(url.query)
            elif url.path == "/keys":
                self._answer(200, provider.keys())
            else:
                self._answer(200, provider.published())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.path.startswith("/agree"):
                return self._back(urlsplit(self.path).query)
            form = {name: found[0] for name, found in parse_qs(body).items()}
            return self._answer(*provider.token(form, self.headers.get("Authorization", "")))

        def _back(self, query: str) -> None:
            asked = {name: found[0] for name, found in parse_qs(query).items()}
            self.send_response(302)
            self.send_header("Location", provider.authorize(asked))
            self.end_headers()

        def _page(self, action: str) -> None:
            form = (
                f'<form method="post" action="{html.escape(action)}"><button>Agree</button></form>'
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(form.encode())

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

    return Handler
