"""A server for this machine alone that shows a contact sheet and writes the names that are struck out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from skinfw.data.struck_out import STRUCK_OUT_FILE, struck_among, struck_out, write_struck_out
from skinfw.errors import SkinfwError, UserError

HOST = "127.0.0.1"

HEADER = "X-Skinfw"
"""A request that changes something must have this header: other sites' pages cannot send it unasked."""

_MOST_BYTES = 64 * 2**20


class SheetServer(ThreadingHTTPServer):
    """Serves a contact sheet on 127.0.0.1.

    Args:
        output: the folder of the sheet.
        base: the folder of the samples, where the names are written to.
        names: all samples.
        port: the port; 0 takes a free one.

    Raises:
        UserError: the port is taken or not allowed.
    """

    daemon_threads = True

    def __init__(self, output: Path, base: Path, names: Iterable[str], port: int = 0) -> None:
        self.output = output
        self.base = base
        self.names = frozenset(names)
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise UserError(f"port {port} cannot be used: {error}; name another with --port") from error

    @property
    def address(self) -> str:
        """The address to open."""
        return f"http://{HOST}:{self.server_port}/"


class _Handler(SimpleHTTPRequestHandler):
    server: SheetServer

    def __init__(self, request: Any, client_address: Any, server: SheetServer) -> None:
        super().__init__(request, client_address, server, directory=str(server.output))

    def do_GET(self) -> None:
        """Give a file of the sheet, or the names that are struck out."""
        if not self._from_here():
            return
        if urlsplit(self.path).path == f"/{STRUCK_OUT_FILE}":
            gone = struck_among(self.server.names, struck_out(self.server.base))
            self._answer(HTTPStatus.OK, sorted(gone))
        else:
            super().do_GET()

    def do_HEAD(self) -> None:
        """Tell about a file of the sheet."""
        if self._from_here():
            super().do_HEAD()

    def do_POST(self) -> None:
        """Write the names that are struck out: a JSON list."""
        if not self._from_here():
            return
        if urlsplit(self.path).path != f"/{STRUCK_OUT_FILE}" or HEADER not in self.headers:
            self._answer(
                HTTPStatus.FORBIDDEN, f"only /{STRUCK_OUT_FILE} is written, with the header {HEADER}"
            )
            return
        try:
            names = self._names()
            # names of samples that are not here, for instance of a part that is prepared anew, stay
            gone = struck_out(self.server.base)
            elsewhere = gone - struck_among(gone, self.server.names)
            write_struck_out(self.server.base, {*names, *elsewhere})
        except ValueError as error:
            self._answer(HTTPStatus.BAD_REQUEST, str(error))
        except SkinfwError as error:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        else:
            self._answer(HTTPStatus.OK, len(names))

    def _names(self) -> set[str]:
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 < length <= _MOST_BYTES:
            raise ValueError("send a JSON list of names")
        names = json.loads(self.rfile.read(length))
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("send a JSON list of names")
        unknown = sorted(set(names) - self.server.names)
        if unknown:
            raise ValueError(f"no sample is called {unknown[0]!r}")
        return set(names)

    def _from_here(self) -> bool:
        """Refuse requests under another host name: a foreign page may have bound its name to this address."""
        port = self.server.server_port
        if self.headers.get("Host") in (f"{HOST}:{port}", f"localhost:{port}"):
            return True
        self._answer(HTTPStatus.FORBIDDEN, f"open {self.server.address}")
        return False

    def _answer(self, status: HTTPStatus, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a line for each picture would drown what matters."""
