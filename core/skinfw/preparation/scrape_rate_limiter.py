"""Polite fetching: who asks, what robots.txt allows, and how often a host is asked."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import requests
from urllib3.exceptions import HTTPError

from skinfw.preparation.scrape_session import DeadlineError, NotAllowedError, ScrapeSession

AGENT = "skinfw"
"""The name that robots.txt calls this scraper by."""

ROBOTS_BYTES = 500 * 1024
"""Part of a robots.txt that counts, in bytes (RFC 9309 asks for at least that much)."""


MAX_PATIENCE = 120.0
"""Longest time in seconds that is waited because a host asks for it; one that asks for more is left alone."""

logger = logging.getLogger("skinfw")


ROBOTS_TIMES_LONGER = 3
"""A robots.txt may take so many times the time that a host may be silent."""


def user_agent() -> str:
    """Return what is sent as User-Agent."""
    return f"{AGENT}/{version('skinfw')} (fetches photos from a list; obeys robots.txt)"


def host_of(url: str) -> str:
    """Return scheme, host and port of a URL, to which one robots.txt belongs.

    However it is written: without a password, a default port, capitals, and a dot at the end.
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    usual = parts.port is None or parts.port == {"http": 80, "https": 443}.get(scheme)
    return f"{scheme}://{host}" if usual else f"{scheme}://{host}:{parts.port}"


@dataclass
class _Host:
    robots: RobotFileParser | None = None
    fault: str = ""
    pause: float = 0.0
    next_turn: float = 0.0
    lock: threading.RLock = field(default_factory=threading.RLock)


class RateLimiter:
    """Keeps to robots.txt, and to a number of requests a second for each host; threads may share it.

    Args:
        rate: most requests a second to one host.
        timeout: seconds that a host may stay silent when robots.txt is asked for.
        now: gives seconds.
        sleep: waits for some.
    """

    def __init__(
        self,
        rate: float,
        timeout: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._pause = 1 / rate
        self._timeout = timeout
        self._now, self._sleep = now, sleep
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def wait(self, url: str, session: ScrapeSession) -> None:
        """Wait until a URL may be asked for.

        Raises:
            NotAllowedError: robots.txt forbids it, asks for longer pauses than anyone waits, or cannot be
                read; or the host is at a private address.
        """
        with self._lock:
            host = self._hosts.setdefault(host_of(url), _Host())
        with host.lock:
            if host.robots is None:
                host.robots, host.fault = self._read_robots(host_of(url), session)
                host.pause = self._pause_of(host.robots)
                host.next_turn = self._now() + host.pause
                if self._pause < host.pause <= MAX_PATIENCE:
                    logger.info(
                        "%s asks for %g s between requests; each of its photos takes that long",
                        host_of(url),
                        host.pause,
                    )
            if host.pause > MAX_PATIENCE:
                raise NotAllowedError(
                    f"{host_of(url)}/robots.txt asks for {host.pause:,.0f} s between requests; "
                    f"{MAX_PATIENCE:g} s are waited at most"
                )
            if not host.robots.can_fetch(AGENT, url):
                raise NotAllowedError(host.fault or f"{host_of(url)}/robots.txt does not allow it")
            pause = host.next_turn - self._now()
            if pause > 0:
                self._sleep(pause)
            host.next_turn = self._now() + host.pause

    def _pause_of(self, robots: RobotFileParser) -> float:
        """Return the seconds from one request to the next."""
        try:
            delay = float(robots.crawl_delay(AGENT) or 0)
            asked = robots.request_rate(AGENT)
            each = asked.seconds / asked.requests if asked and asked.requests else 0.0
        except OverflowError:  # numbers of hundreds of digits
            return math.inf
        return max(self._pause, delay, each)

    def _read_robots(self, host: str, session: ScrapeSession) -> tuple[RobotFileParser, str]:
        """Return the rules of a host, and why there are none.

        As RFC 9309 asks, everything is allowed where there is no robots.txt, and nothing where the host
        fails; a file that asks for a password forbids everything too.
        """
        robots, url = RobotFileParser(), f"{host}/robots.txt"
        try:
            with (
                session.deadline(ROBOTS_TIMES_LONGER * self._timeout),
                session.get(url, timeout=self._timeout, stream=True) as answer,
            ):
                status = answer.status_code
                if answer.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
                    raise ValueError("it was sent packed, which was not asked for")
                text = answer.raw.read(ROBOTS_BYTES) if answer.ok else b""
        except NotAllowedError as error:
            return _closed(robots), str(error)
        except DeadlineError:
            return _closed(robots), f"{url} cannot be read: it took too long"
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _closed(robots), f"{url} cannot be read: {error}"
        if status in (401, 403) or status >= 500:
            return _closed(robots), f"{url} cannot be read: status {status}"
        try:
            robots.parse(text.decode("utf-8-sig", "replace").splitlines())
        except ValueError as error:  # numbers that Python does not read
            return _closed(RobotFileParser()), f"{url} cannot be read: {error}"
        return robots, ""


def _closed(robots: RobotFileParser) -> RobotFileParser:
    robots.parse(["User-agent: *", "Disallow: /"])
    return robots
