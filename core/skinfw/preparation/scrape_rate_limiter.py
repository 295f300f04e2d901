"""Polite downloading: the user agent, what robots.txt allows, and the request rate per host."""

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
"""The name of this scraper in robots.txt."""

ROBOTS_BYTES = 500 * 1024
"""Maximum part of a robots.txt that is read, in bytes (RFC 9309 requires at least that much)."""


MAX_PATIENCE = 120.0
"""Maximum wait in seconds that a host may ask for; hosts that ask for more are skipped."""

logger = logging.getLogger("skinfw")


ROBOTS_TIMES_LONGER = 3
"""Maximum time for a robots.txt, as a multiple of the timeout."""


def user_agent() -> str:
    """Return the User-Agent."""
    return f"{AGENT}/{version('skinfw')} (fetches photos from a list; obeys robots.txt)"


def host_of(url: str) -> str:
    """Return scheme, host and port of a URL, which share one robots.txt.

    The result is normalized: without password, default port, capitals and trailing dot.
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    usual = parts.port is None or parts.port == {"http": 80, "https": 443}.get(scheme)
    return f"{scheme}://{host}" if usual else f"{scheme}://{host}:{parts.port}"


@dataclass
class _Host:
    robots: RobotFileParser | None = None
    error: str = ""
    pause: float = 0.0
    next_turn: float = 0.0
    lock: threading.RLock = field(default_factory=threading.RLock)


class RateLimiter:
    """Obeys robots.txt and limits the requests per second to each host; thread-safe.

    Args:
        rate: maximum requests per second to one host.
        timeout: seconds to wait for a host's robots.txt.
        now: returns the time in seconds.
        sleep: waits for some seconds.
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
        """Wait until a URL may be requested.

        Raises:
            NotAllowedError: robots.txt forbids it, asks for too long pauses, or cannot be read; or the host
                has a private address.
        """
        with self._lock:
            host = self._hosts.setdefault(host_of(url), _Host())
        with host.lock:
            if host.robots is None:
                host.robots, host.error = self._read_robots(host_of(url), session)
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
                    f"{host_of(url)}/robots.txt asks for {host.pause:,.0f} s between requests; the limit is "
                    f"{MAX_PATIENCE:g} s"
                )
            if not host.robots.can_fetch(AGENT, url):
                raise NotAllowedError(host.error or f"{host_of(url)}/robots.txt does not allow it")
            pause = host.next_turn - self._now()
            if pause > 0:
                self._sleep(pause)
            host.next_turn = self._now() + host.pause

    def _pause_of(self, robots: RobotFileParser) -> float:
        """Return the seconds between requests."""
        try:
            delay = float(robots.crawl_delay(AGENT) or 0)
            asked = robots.request_rate(AGENT)
            each = asked.seconds / asked.requests if asked and asked.requests else 0.0
        except OverflowError:  # numbers of hundreds of digits
            return math.inf
        return max(self._pause, delay, each)

    def _read_robots(self, host: str, session: ScrapeSession) -> tuple[RobotFileParser, str]:
        """Return the rules of a host, or why it has none.

        As in RFC 9309, everything is allowed if a host has no robots.txt, and nothing if the host fails; a
        file that requires a password also forbids everything.
        """
        robots, url = RobotFileParser(), f"{host}/robots.txt"
        try:
            with (
                session.deadline(ROBOTS_TIMES_LONGER * self._timeout),
                session.get(url, timeout=self._timeout, stream=True) as answer,
            ):
                status = answer.status_code
                if answer.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
                    raise ValueError("it was sent compressed, which was not requested")
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
        except ValueError as error:  # numbers that Python does not parse
            return _closed(RobotFileParser()), f"{url} cannot be read: {error}"
        return robots, ""


def _closed(robots: RobotFileParser) -> RobotFileParser:
    robots.parse(["User-agent: *", "Disallow: /"])
    return robots
