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
from skinfw.serving.worker import Worker

_CLOSING_SECONDS = 5
_HTTP_PORT = 80  # browsers leave it out of Host


class Server:
    """A server for one set of models; use it as a context.

    Args:
        models: the models; the first is the default.
        host: the address to listen on.
        port: the port; 0 takes a free one.
        token: what clients must send; needed on any address but those of this machine.
        limits: what a request may cost.

    Raises:
        UserError: the host needs a token, the token has other characters, or the port cannot be used.
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
        token = token or None
        if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
            raise UserError("the token must consist of printable ASCII characters without spaces")
        local = is_local(host)
        if not local and not token:
            raise UserError(f"{host} can be reached from other machines; choose a --token for them")
        self._trusted = all(model.inpainter.trusted for model in models)
        self._socket = _listening(host, port)
        self.port: int = self._socket.getsockname()[1]
        self.address = f"http://{_shown(host)}:{self.port}/"
        names = [] if token else [*LOCAL_HOSTS, _shown(host)]
        hosts = [f"{name}:{self.port}" for name in names] + (names if self.port == _HTTP_PORT else [])
        reader = Worker("photos", limits.waiting)
        self._workers = [reader, *(model.worker for model in models)]
        config = uvicorn.Config(
            Guard(make_app(models, reader, limits), limits, hosts, token),
            http=timed_protocol(limits),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_CLOSING_SECONDS,
        )
        self._server = _StoppingServer(config, self._workers)

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        for worker in self._workers:
            worker.close()

    def serve_forever(self) -> None:
        """Answer requests until Ctrl-C or `stop`."""
        # for all workers at once: each job would undo what another has forbidden
        with connections(self._trusted):
            self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """End `serve_forever`, which may run in another thread."""
        self._server.should_exit = True


class _StoppingServer(uvicorn.Server):
    """A server whose jobs end when it stops, so that their clients get a response."""

    def __init__(self, config: uvicorn.Config, workers: Sequence[Worker]) -> None:
        super().__init__(config)
        self._workers = workers

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop the workers, then all else."""
        for worker in self._workers:
            worker.stop()
        await super().shutdown(sockets)


def timed_protocol(limits: Limits) -> type[H11Protocol]:
    """Return HTTP/1.1 on connections that must send headers, and read responses, in time.

    Args:
        limits: the times, and how many connections may be open.
    """

    class Timed(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._headers, self._reading = _Alarm(transport), _Alarm(transport)
            if len(self.connections) > 2 * limits.requests:
                transport.abort()
            else:
                self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            self._headers.stop()
            self._reading.stop()
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            # the response is in the transport's buffer, until the client has read it
            super().pause_writing()
            size = self.transport.get_write_buffer_size()
            self._reading.start(limits.header_seconds + size / limits.min_bytes_per_second)

        def resume_writing(self) -> None:
            self._reading.stop()
            super().resume_writing()

        def _watch(self) -> None:
            """Run the clock while the headers of a request are not there."""
            if self.cycle is not None and not self.cycle.response_complete:
                self._headers.stop()
            else:
                self._headers.start(limits.header_seconds)

    return Timed


class _Alarm:
    """Closes a connection unless it is stopped in time."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None

    def start(self, seconds: float) -> None:
        """Start the clock, unless it runs."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def stop(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _shown(host: str) -> str:
    """Return a host for an address: for all addresses of this machine, its name."""
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


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
