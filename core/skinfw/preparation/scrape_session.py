"""The scraper's connections: allowed addresses and deadlines."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from skinfw.errors import shortened

_KEPT = 16
"""Number of recent connections that a deadline can close."""


class NotAllowedError(Exception):
    """A URL must not be downloaded."""


class DeadlineError(Exception):
    """A request took too long in total."""


def is_private(address: str) -> bool:
    """Return whether an IP address is not public: loopback, local network or link-local.

    Args:
        address: an IPv4 or IPv6 address; an embedded IPv4 address counts instead.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_private(str(inner))
        if found not in _ASSIGNED:
            return True
    return not found.is_global or found.is_multicast


_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""Translated IPv4 addresses (RFC 6052)."""

_ASSIGNED = ipaddress.ip_network("2000::/3")
"""The public range of IPv6 (RFC 4291); Python considers some others public."""


def names_private_address(url: str) -> bool:
    """Return whether a URL literally names this machine or a local network."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost":
        return True
    try:
        return is_private(host)
    except ValueError:
        return False


class ScrapeSession(requests.Session):
    """A session that connects to public addresses only, unless the list itself names a private one.

    The address is checked on connection, so that a name cannot change its address in between.

    Args:
        private: whether private addresses may be connected to.
    """

    def __init__(self, *, private: bool) -> None:
        super().__init__()
        self._sockets: deque[socket.socket] = deque()
        self._expired = False
        adapter = _Adapter(self, private)
        self.mount("http://", adapter)
        self.mount("https://", adapter)
        # else passwords in the user's .netrc would go to a redirect's host
        self.auth = lambda request: request

    def opened(self, connection: socket.socket) -> None:
        """Register a connection, so that a deadline can close it."""
        # TLS takes over the socket; a second handle remains
        self._sockets.append(socket.socket(fileno=os.dup(connection.fileno())))
        if len(self._sockets) > _KEPT:
            self._sockets.popleft().close()
        if self._expired:
            self._expire()

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Abort requests in this context after some seconds, whatever the host does.

        Raises:
            DeadlineError: the time is over.
        """
        self._expired = False
        timer = threading.Timer(max(0.0, seconds), self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception as error:
            if self._expired:
                raise DeadlineError from error
            raise
        finally:
            timer.cancel()
        if self._expired:
            raise DeadlineError

    def _expire(self) -> None:
        self._expired = True
        for each in list(self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close all connections."""
        super().close()
        while self._sockets:
            self._sockets.popleft().close()


class _Adapter(HTTPAdapter):
    """Creates connections that the session allows."""

    def __init__(self, session: ScrapeSession, private: bool) -> None:
        self._session, self._private = session, private
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Create the pools."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools(self._private)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Create the pools of a proxy, which is set by the user and may be private."""
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = self._pools(True)
        return manager

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Send a request; private addresses are not requested from a proxy."""
        url = request.url or ""
        if not self._private and select_proxy(url, options.get("proxies")):
            _reject_private(urlsplit(url).hostname or "")
        return super().send(request, *arguments, **options)

    def _pools(self, private: bool) -> dict[str, type[HTTPConnectionPool]]:
        session = self._session

        class Plain(_Checked, HTTPConnection):
            owner, allows_private = session, private

        class Secure(_Checked, HTTPSConnection):
            owner, allows_private = session, private

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        return {"http": PlainPool, "https": SecurePool}


def _reject_private(host: str) -> None:
    """Reject a host that has only private addresses.

    The proxy resolves names that this machine cannot.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return
    addresses = [str(each[4][0]) for each in found]
    if all(map(is_private, addresses)):
        raise _private_error(host, addresses[0])


def _private_error(host: str, address: str) -> NotAllowedError:
    return NotAllowedError(
        f"{shortened(host, 200)} is at {address}, an address of this machine or a local network; nothing is "
        "downloaded from there unless the list itself contains that address"
    )


class _Checked:
    """Connects to the allowed addresses of a name."""

    owner: ScrapeSession
    allows_private: bool

    def _new_conn(self: Any) -> socket.socket:
        host = self._dns_host.strip("[]")
        try:
            found = socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(self.host, self, socket.gaierror(str(error))) from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        allowed = [each for each in addresses if self.allows_private or not is_private(each)]
        if not allowed:
            raise _private_error(host, addresses[0])
        failure: OSError = OSError("no address")
        for address in allowed:
            try:
                connected = create_connection(
                    (address, self.port),
                    self.timeout,
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except TimeoutError as error:
                raise ConnectTimeoutError(self, f"{host} does not respond") from error
            except OSError as error:
                failure = error
            else:
                self.owner.opened(connected)
                return connected
        raise NewConnectionError(self, f"Failed to establish a new connection: {failure}") from failure
