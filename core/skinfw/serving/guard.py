"""Checks every request before the application sees it, and adds security headers to every response."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skinfw.serving.limits import Limits

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Names of this machine that browsers use."""

OPEN_PATHS = ("/", "/page.css", "/page.js", "/view.js", "/health")
"""Paths that need no token: they tell nothing about photos or models."""

RETRY_SECONDS = 5
"""What Retry-After says when there is too much to do."""

SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Refuses requests before the application sees them.

    A page of another site may send requests to this machine, and its name may lead here: a request must name
    this server in ``Host``, and this page or none in ``Origin``. With a token, only those that know it may
    ask, so any name of the server will do.

    Args:
        app: the application.
        limits: sizes and times.
        hosts: the values of ``Host`` that are accepted; empty accepts all.
        token: what ``Authorization: Bearer`` must say; None for nothing.
    """

    def __init__(
        self, app: ASGIApp, limits: Limits, hosts: Sequence[str] = (), token: str | None = None
    ) -> None:
        self.app, self.limits, self.token = app, limits, token
        self.hosts = frozenset(hosts)
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        guarded = _Guarded(receive, send, self.limits)
        refused = self._refusal(scope)
        if refused is not None:
            await _respond(guarded.send, *refused)
            return
        self._active += 1
        try:
            await self.app(scope, guarded.receive, guarded.send)
        finally:
            self._active -= 1

    def _refusal(self, scope: Scope) -> tuple[HTTPStatus, str] | None:
        headers = Headers(scope=scope)
        host = headers.getlist("host")
        if len(host) != 1 or (self.hosts and host[0].lower() not in self.hosts):
            return HTTPStatus.FORBIDDEN, "the server has another name; open the address that it printed"
        origins = headers.getlist("origin")
        if any(origin.partition("://")[2].lower() != host[0].lower() for origin in origins):
            return HTTPStatus.FORBIDDEN, "pages of other sites may not use this server"
        link = (
            scope["method"] == "GET" and scope["path"] == "/" and headers.get("sec-fetch-mode") == "navigate"
        )
        if not link and not {"same-origin", "none"}.issuperset(headers.getlist("sec-fetch-site")):
            return HTTPStatus.FORBIDDEN, "pages of other sites may not use this server"
        if self.token is not None and scope["path"] not in OPEN_PATHS:
            given = headers.get("authorization", "").encode()
            if not secrets.compare_digest(given, f"Bearer {self.token}".encode()):
                return HTTPStatus.UNAUTHORIZED, "send the server's token: Authorization: Bearer TOKEN"
        if self._active >= self.limits.requests:
            return HTTPStatus.SERVICE_UNAVAILABLE, "too many requests at once; try again in some seconds"
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self.limits.max_bytes:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(self.limits)
        return None


class _Guarded:
    """The two ends of a request: its body is counted and timed, and its response gets headers."""

    def __init__(self, receive: Receive, send: Send, limits: Limits) -> None:
        self._receive, self._send, self._limits = receive, send, limits
        self._read, self._whole = 0, False
        self._until = asyncio.get_running_loop().time() + limits.body_seconds

    async def receive(self) -> Message:
        """Receive a message.

        Raises:
            HTTPException: the body is too large, or comes too slowly.
        """
        if self._whole:  # what comes now is the end of the connection, and takes as long as it takes
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "the request took too long to arrive") from None
        self._read += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._read > self._limits.max_bytes:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(self._limits))
        return message

    async def send(self, message: Message) -> None:
        """Send a message, the first one with the security headers."""
        if message["type"] == "http.response.start":
            own = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
            if not self._whole and message["status"] >= HTTPStatus.BAD_REQUEST:
                own.append((b"Connection", b"close"))  # the rest of the request is not read
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        await self._send(message)


def _too_large(limits: Limits) -> str:
    return f"the request has more than {limits.megabytes:g} MB; make the images smaller"


async def _respond(send: Send, status: HTTPStatus, error: str) -> None:
    body = json.dumps({"error": error}).encode()
    headers = [(b"Content-Type", b"application/json"), (b"Content-Length", str(len(body)).encode())]
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"WWW-Authenticate", b"Bearer"))
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"Retry-After", str(RETRY_SECONDS).encode()))
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
