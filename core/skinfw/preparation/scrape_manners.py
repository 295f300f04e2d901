"""Manners of fetching: who asks, what robots.txt allows, and how often a host is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import requests
from urllib3.exceptions import HTTPError

AGENT = "skinfw"
"""The name that robots.txt calls this scraper by."""

ROBOTS_BYTES = 500 * 1024
"""Part of a robots.txt that counts, in bytes (RFC 9309 asks for at least that much)."""


def user_agent() -> str:
    """Return what is sent as User-Agent."""
    return f"{AGENT}/{version('skinfw')} (fetches photos from a list; obeys robots.txt)"


def host_of(url: str) -> str:
    """Return scheme, host and port of a URL, to which one robots.txt belongs."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class NotAllowedError(Exception):
    """The host does not want this URL to be fetched."""


@dataclass
class _Host:
    robots: RobotFileParser | None = None
    fault: str = ""
    next_turn: float = 0.0
    lock: threading.RLock = field(default_factory=threading.RLock)


class Manners:
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

    def wait(self, url: str, session: requests.Session) -> None:
        """Wait until a URL may be asked for.

        Raises:
            NotAllowedError: robots.txt forbids it, or nobody can tell.
        """
        with self._lock:
            host = self._hosts.setdefault(host_of(url), _Host())
        with host.lock:
            if host.robots is None:
                host.robots, host.fault = self._read_robots(host_of(url), session)
                host.next_turn = self._now() + self._pause_of(host.robots)
            if not host.robots.can_fetch(AGENT, url):
                raise NotAllowedError(host.fault or f"{host_of(url)}/robots.txt does not allow it")
            pause = host.next_turn - self._now()
            if pause > 0:
                self._sleep(pause)
            host.next_turn = self._now() + self._pause_of(host.robots)

    def _pause_of(self, robots: RobotFileParser) -> float:
        """Return the seconds from one request to the next."""
        delay = float(robots.crawl_delay(AGENT) or 0)
        asked = robots.request_rate(AGENT)
        each = asked.seconds / asked.requests if asked and asked.requests else 0.0
        return max(self._pause, delay, each)

    def _read_robots(self, host: str, session: requests.Session) -> tuple[RobotFileParser, str]:
        """Return the rules of a host, and why there are none.

        As RFC 9309 asks, everything is allowed where there is no robots.txt, and nothing where the host
        fails; a file that asks for a password forbids everything too.
        """
        robots, url = RobotFileParser(), f"{host}/robots.txt"
        try:
            answer = session.get(url, timeout=self._timeout, stream=True)
            with answer:
                status = answer.status_code
                text = answer.raw.read(ROBOTS_BYTES, decode_content=True) if answer.ok else b""
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _closed(robots), f"{url} cannot be read: {error}"
        if status in (401, 403) or status >= 500:
            return _closed(robots), f"{url} cannot be read: status {status}"
        robots.parse(text.decode("utf-8-sig", "replace").splitlines())
        return robots, ""


def _closed(robots: RobotFileParser) -> RobotFileParser:
    robots.parse(["User-agent: *", "Disallow: /"])
    return robots
