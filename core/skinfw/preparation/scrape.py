"""Downloading photos from URLs, politely and only once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

from skinfw.components.trust import reject_connection
from skinfw.errors import message
from skinfw.preparation.config import FetchConfig
from skinfw.preparation.scrape_index import Fetched, FetchIndex
from skinfw.preparation.scrape_rate_limiter import MAX_PATIENCE, RateLimiter, host_of, user_agent
from skinfw.preparation.scrape_session import (
    DeadlineError,
    NotAllowedError,
    ScrapeSession,
    names_private_address,
)

logger = logging.getLogger("skinfw")

HOSTS_AT_ONCE = 8
"""Number of hosts contacted in parallel; each is asked for one photo at a time."""

MAX_REDIRECTS = 5

TIMES_LONGER = 10
"""Maximum time of a request with redirects and body, as a multiple of the timeout."""

SECONDS_BETWEEN_MESSAGES = 10.0

_AGAIN = (429, 500, 502, 503, 504)
_BINARY = ("application/octet-stream", "binary/octet-stream", "")
_CHUNK = 2**16
_MAX_DIGITS = 18  # of a length in bytes; Python does not parse thousands of digits


class _FailedError(Exception):
    """A URL could not be downloaded.

    Attributes:
        status: the host's HTTP status.
        wait: seconds to wait before the next try; None: do not retry.
    """

    def __init__(self, reason: str, status: int = 0, wait: float | None = None) -> None:
        super().__init__(reason)
        self.status, self.wait = status, wait


def fetch_all(urls: Sequence[str], folder: Path, config: FetchConfig) -> dict[str, Fetched]:
    """Download files; those of an earlier run are not downloaded again.

    Args:
        urls: http or https URLs.
        folder: where the files go, named by the SHA-256 of their content, with ``index.jsonl``, which records
            the result for every URL.
        config: rate, timeout, retries and maximum size.

    Returns:
        the result for each URL.

    Raises:
        RunError: the disk is full, or the folder cannot be written.
    """
    index = FetchIndex(folder)
    found = {url: known for url in urls if (known := index.finished(url)) is not None}
    hosts: dict[str, list[str]] = {}
    for url in urls:
        if url not in found:
            hosts.setdefault(host_of(url), []).append(url)
    if hosts:
        reject_connection(f"{next(iter(hosts.values()))[0]}")
    scraper = _Scraper(index, config, sum(map(len, hosts.values())))
    with ThreadPoolExecutor(HOSTS_AT_ONCE) as pool:
        futures = [pool.submit(scraper.fetch_host, each) for each in hosts.values()]
        try:
            for future in as_completed(futures):
                found.update(future.result())
        except BaseException:  # a full disk, Ctrl-C
            scraper.stopped.set()
            pool.shutdown(cancel_futures=True)
            raise
    return found


class _Scraper:
    """Downloads in several threads, one host at a time in each."""

    def __init__(self, index: FetchIndex, config: FetchConfig, total: int) -> None:
        self._index, self._config = index, config
        # waiting threads are woken when everything stops
        self.stopped = threading.Event()
        self._rate_limiter = RateLimiter(config.rate, config.timeout, sleep=self.stopped.wait)
        self._done, self._total, self._told = 0, total, time.monotonic()

    def fetch_host(self, urls: Sequence[str]) -> dict[str, Fetched]:
        """Download the URLs of one host."""
        found = {}
        # a list may name a host in the user's own network, which may redirect within it
        with ScrapeSession(private=all(map(names_private_address, urls))) as session:
            # the length of compressed bodies differs from the header
            session.headers.update({"User-Agent": user_agent(), "Accept-Encoding": "identity"})
            for url in urls:
                if self.stopped.is_set():
                    break
                found[url] = self._index.add(self._fetch(url, session))
                self._tell()
        return found

    def _tell(self) -> None:
        self._done += 1
        if time.monotonic() - self._told >= SECONDS_BETWEEN_MESSAGES:
            self._told = time.monotonic()
            logger.info("downloaded %d of %d photos", self._done, self._total)

    def _fetch(self, url: str, session: ScrapeSession) -> Fetched:
        """Try a URL until it succeeds or retrying is pointless."""
        retry = Retry(self._config.retries, backoff_factor=1.0, backoff_max=MAX_PATIENCE)
        while True:
            try:
                return self._try(url, session)
            except NotAllowedError as rejected:
                return Fetched(url, reason=message(str(rejected)))
            except _FailedError as failed:
                if failed.wait is None or not retry.total or self.stopped.is_set():
                    return Fetched(url, status=failed.status, reason=message(str(failed)))
                # as in urllib3, the first retry follows immediately
                retry = retry.increment("GET", url, error=HTTPError(str(failed)))
                self.stopped.wait(max(failed.wait, retry.get_backoff_time()))

    def _try(self, url: str, session: ScrapeSession) -> Fetched:
        place, left = url, TIMES_LONGER * self._config.timeout
        for _ in range(MAX_REDIRECTS + 1):
            try:
                # as it will be requested: robots.txt must not check a path containing dots
                place = requests.Request("GET", place).prepare().url or place
                self._rate_limiter.wait(place, session)
            except ValueError as error:  # requests' errors for invalid URLs are also ValueErrors
                raise _FailedError(f"not a URL: {error}") from error
            began = time.monotonic()
            try:
                with (
                    session.deadline(left),
                    session.get(
                        place, timeout=self._config.timeout, stream=True, allow_redirects=False
                    ) as answer,
                ):
                    if not answer.is_redirect:
                        return Fetched(url, self._save(answer), answer.status_code)
                    place = urljoin(place, session.get_redirect_target(answer) or "")
                    known = urlsplit(place).scheme in ("http", "https")
            except DeadlineError as error:
                whole = TIMES_LONGER * self._config.timeout
                raise _FailedError(f"incomplete after {whole:g} s", wait=0.0) from error
            except ValueError as error:
                raise _FailedError(f"not a URL: {error}") from error
            except (requests.RequestException, HTTPError) as error:
                # a broken connection, a timeout, an incomplete body
                raise _FailedError(f"{type(error).__name__}: {error}", wait=0.0) from error
            left -= time.monotonic() - began
            if not known:
                raise _FailedError(f"redirected to {place}, which is neither http nor https")
        raise _FailedError(f"redirected more than {MAX_REDIRECTS} times")

    def _save(self, answer: requests.Response) -> str:
        """Write the body, and return its SHA-256."""
        status = answer.status_code
        if status != 200:
            wait = _patience(answer) if status in _AGAIN else None
            raise _FailedError(f"status {status} {answer.reason or ''}".rstrip(), status, wait)
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if not kind.startswith("image/") and kind not in _BINARY:
            raise _FailedError(f"not an image: its type is {kind}", status)
        packed = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if packed not in ("", "identity"):  # may decompress to any size
            raise _FailedError(f"compressed as {packed}, which was not requested", status)
        most = self._config.max_bytes
        too_large = _FailedError(f"larger than {most:,} bytes", status)
        length = answer.headers.get("Content-Length", "")
        if length.isdecimal() and (len(length) > _MAX_DIGITS or int(length) > most):
            raise too_large
        size = 0
        with self._index.new_file() as file:
            for part in answer.iter_content(_CHUNK):
                size += len(part)
                if size > most:
                    raise too_large
                file.write(part)
            if not size:
                raise _FailedError("empty", status)
            return file.finish()


def _patience(answer: requests.Response) -> float | None:
    """Return the seconds that the host asks to wait; None if that is too long."""
    try:
        wait = Retry().parse_retry_after(answer.headers.get("Retry-After", "0"))
    except InvalidHeader:
        return 0.0
    except (ValueError, OverflowError):  # seconds or a year with more digits than Python parses
        return None
    return wait if wait <= MAX_PATIENCE else None
