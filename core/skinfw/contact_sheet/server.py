"""A local server that shows a contact sheet and writes the names of excluded samples."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket
from typing import Any
from urllib.parse import urlsplit

from skinfw.data.excluded import EXCLUDED_FILE, excluded, excluded_among, write_excluded
from skinfw.errors import SkinfwError, UserError, shortened
from skinfw.reporting.pages import content_policy
from skinfw.system.paths_below import leads_out
from skinfw.system.regular_file import read_regular

HOST = "127.0.0.1"

PAGE_FILE = "index.html"
"""The page of a contact sheet."""

HEADER = "X-Skinfw"
"""Header required for requests that change something: other sites' pages cannot send it unasked."""

_MAX_BYTES = 64 * 2**20

MAX_CONNECTIONS = 32
"""Maximum number of connections; a further one closes the oldest, so that idle ones never block a browser."""

SILENCE = 10.0
"""Seconds that a connection may be idle."""

LONGEST = 60.0
"""Maximum total seconds of a connection."""

_FORM = "send a JSON object of names, each with true or false"

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""Sent with every response: other sites' pages cannot include, read or frame it."""


class SheetServer(ThreadingHTTPServer):
    """Serves a contact sheet on 127.0.0.1.

    Args:
        output: the folder of the sheet.
        base: the folder of the samples, where the names are written.
        names: all samples.
        port: the port; 0 for a free one.

    Raises:
        UserError: the port is in use or not allowed.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, output: Path, base: Path, names: Iterable[str], port: int = 0) -> None:
        self.output = output
        self.base = base
        self.names = frozenset(names)
        self._open: dict[socket, float] = {}
        self._lock, self._writing = threading.Lock(), threading.Lock()
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise UserError(f"port {port} cannot be used: {error}; choose another with --port") from error

    @property
    def address(self) -> str:
        """The URL to open."""
        return f"http://{HOST}:{self.server_port}/"

    def excluded(self) -> list[str]:
        """Return which samples of the sheet are excluded, sorted."""
        return sorted(excluded_among(self.names, excluded(self.base)))

    def change(self, changes: Mapping[str, bool]) -> list[str]:
        """Exclude or include samples; return which samples of the sheet are now excluded, sorted.

        All others stay as they are: another page or command may have changed them since.

        Args:
            changes: by name, whether a sample is excluded.
        """
        with self._writing:
            before = excluded(self.base)
            write_excluded(
                self.base, {*(before - excluded_among(before, changes)), *(n for n in changes if changes[n])}
            )
            return self.excluded()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle a request in a thread; close connections that are too old or too many."""
        with self._lock:
            for old in [*self._open][: max(0, len(self._open) + 1 - MAX_CONNECTIONS)]:
                _end(old)
                del self._open[old]
            self._open[request] = time.monotonic()
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Close connections that have lasted too long; called twice per second."""
        with self._lock:
            for old in [each for each, since in self._open.items() if time.monotonic() - since > LONGEST]:
                _end(old)
                del self._open[old]

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore broken connections."""


def _end(connection: socket) -> None:
    """Wake the thread that waits for a connection, which then closes it."""
    with contextlib.suppress(OSError):
        connection.shutdown(SHUT_RDWR)


class _Handler(SimpleHTTPRequestHandler):
    server: SheetServer
    timeout = SILENCE

    def __init__(self, request: Any, client_address: Any, server: SheetServer) -> None:
        super().__init__(request, client_address, server, directory=str(server.output))

    def do_GET(self) -> None:
        """Send a file of the sheet, or the excluded names."""
        if not self._from_here():
            return
        if urlsplit(self.path).path != f"/{EXCLUDED_FILE}":
            self._give()
            return
        try:
            gone = self.server.excluded()
        except SkinfwError as error:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        else:
            self._answer(HTTPStatus.OK, gone)

    def _give(self) -> None:
        """Send a file below the sheet's folder, but not through links that lead outside."""
        path = Path(self.translate_path(self.path))
        try:
            path = path / PAGE_FILE if path.is_dir() else path
            if leads_out(path, self.server.output):
                raise FileNotFoundError
            data = read_regular(path)
        except OSError:  # also a name that is too long
            self._answer(HTTPStatus.NOT_FOUND, "no such file")
            return
        is_page = path.suffix == ".html"
        policy = content_policy(data.decode("utf-8", "replace")) if is_page else "default-src 'none'; sandbox"
        self._send(HTTPStatus.OK, self.guess_type(path), data, f"{policy}; frame-ancestors 'none'")

    def do_HEAD(self) -> None:
        """Send the headers of a file of the sheet."""
        if self._from_here():
            self._give()

    def do_POST(self) -> None:
        """Write changes, a JSON object: by name, whether a sample is excluded. Send the excluded names."""
        if not self._from_here():
            return
        if urlsplit(self.path).path != f"/{EXCLUDED_FILE}" or HEADER not in self.headers:
            self._answer(
                HTTPStatus.FORBIDDEN, f"only /{EXCLUDED_FILE} can be written, with the header {HEADER}"
            )
            return
        try:
            gone = self.server.change(self._changes())
        except ValueError as error:
            self._answer(HTTPStatus.BAD_REQUEST, str(error))
        except SkinfwError as error:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        else:
            self._answer(HTTPStatus.OK, gone)

    def _changes(self) -> dict[str, bool]:
        length = self.headers.get("Content-Length", "0")
        if not (
            length.isascii() and length.isdecimal() and len(length) < 10 and 0 < int(length) <= _MAX_BYTES
        ):
            raise ValueError(_FORM)
        try:
            changes = json.loads(self.rfile.read(int(length)))
        except RecursionError:
            changes = None
        if not isinstance(changes, dict) or not all(isinstance(each, bool) for each in changes.values()):
            raise ValueError(_FORM)
        unknown = sorted(set(changes) - self.server.names)
        if unknown:
            raise ValueError(f"no sample is named {shortened(unknown[0], 200)!r}")
        return changes

    def _from_here(self) -> bool:
        """Reject requests from other sites' pages and under other host names.

        A foreign site may have bound its name to this address. A page on another port of this machine is also
        another site.
        """
        port = self.server.server_port
        hosts = (f"{HOST}:{port}", f"localhost:{port}")
        if (
            self.headers.get_all("Host", []) in [[host] for host in hosts]
            and {"none", "same-origin"}.issuperset(self.headers.get_all("Sec-Fetch-Site", []))
            and {f"http://{host}" for host in hosts}.issuperset(self.headers.get_all("Origin", []))
        ):
            return True
        self._answer(HTTPStatus.FORBIDDEN, f"open {self.server.address}")
        return False

    def _answer(self, status: HTTPStatus, value: object) -> None:
        data = json.dumps(value).encode()
        self._send(status, "application/json", data, "default-src 'none'; frame-ancestors 'none'")

    def _send(self, status: HTTPStatus, kind: str, data: bytes, policy: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def end_headers(self) -> None:
        """Send the headers of every response, including http.server's errors."""
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a line per image would hide what matters."""
