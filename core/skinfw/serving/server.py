"""Runs the application on a socket."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from types import TracebackType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from skinfw.components.trust import connections
from skinfw.errors import UserError, write_error_text
from skinfw.serving.app import make_app
from skinfw.serving.guard import LOCAL_HOSTS, Guard
from skinfw.serving.limits import Limits
from skinfw.serving.models import ServedModel

_CLOSING_SECONDS = 5


class Server:
    """A server for one set of models; use it as a context.

    Args:
        models: the models; the first is the default.
        host: the address to listen on.
        port: the port; 0 takes a free one.
        token: what clients must send; needed on any address but those of this machine.
        limits: what a request may cost.

    Raises:
        UserError: the host needs a token, or the port cannot be used.
    """

    def __init__(
        self,
        models: Sequence[ServedModel],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        limits = limits or Limits()
        local = is_local(host)
        if not local and not token:
            raise UserError(f"{host} can be reached from other machines; choose a --token for them")
        self._trusted = all(model.inpainter.trusted for model in models)
        self._socket = _listening(host, port)
        self.port: int = self._socket.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http://{shown}:{self.port}/"
        hosts = [f"{name}:{self.port}" for name in (*LOCAL_HOSTS, shown)] if local and not token else []
        protocol = type("Protocol", (TimedProtocol,), {"seconds": limits.header_seconds})
        self._server = uvicorn.Server(
            uvicorn.Config(
                Guard(make_app(models, limits), limits, hosts, token),
                http=protocol,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=limits.connections,
                timeout_graceful_shutdown=_CLOSING_SECONDS,
            )
        )

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def serve_forever(self) -> None:
        """Answer requests until Ctrl-C or `stop`."""
        # for all workers at once: each job would undo what another has forbidden
        with connections(self._trusted):
            self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """End `serve_forever`, which may run in another thread."""
        self._server.should_exit = True


class TimedProtocol(H11Protocol):
    """HTTP/1.1 on a connection that must send the headers of a request in time.

    Attributes:
        seconds: that time.
    """

    seconds: float = 10
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Start the clock with the first part of a request, and stop it when its headers are there."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.seconds, self.transport.abort)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def is_local(host: str) -> bool:
    """Return whether only this machine can reach an address.

    Example:
        >>> is_local("localhost"), is_local("127.0.0.1"), is_local("0.0.0.0")
        (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        UserError: the address or port cannot be used.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, UnicodeError) as error:
        text = write_error_text(error) if isinstance(error, OSError) else str(error)
        raise UserError(f"{host}:{port}: cannot listen: {text}; choose another --host or --port") from error
