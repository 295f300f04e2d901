"""Send many requests at once to ``skinfw serve``: are all replies right, and does its memory stay flat?

Starts a server of MODEL, paints each photo alone as the reference, then lets several clients paint them in
turn, as fast as they get replies. Whoever gets the status 503 waits as long as Retry-After says.

    python benchmarks/serve_load.py MODEL PHOTOS [--requests 200] [--clients 8] [OPTIONS OF SERVE]

PHOTOS is a folder; the first photos in it are used, each with a mask of its middle. For instance:

    python benchmarks/serve_load.py runs/quickstart photos --segmenter skin_color --pose-encoder bodypix
"""

from __future__ import annotations

import argparse
import io
import itertools
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import requests
from PIL import Image

TIMEOUT = 600
"""Seconds that a reply may take."""

EARLY = 50
"""Replies after which the memory is measured first: by then all that is loaded once is there."""


@dataclass(frozen=True)
class Job:
    """A photo and a mask, both as PNG."""

    photo: bytes
    mask: bytes


@dataclass
class Load:
    """What many clients saw.

    Attributes:
        right: replies that were those of the reference.
        wrong: other replies, as status and reason.
        busy: replies with the status 503 and Retry-After, after which the client waited.
        seconds: seconds from request to reply, of the right ones, without waiting.
        memory: bytes that the server used, by the number of replies after which it was measured.
        total: seconds of all together.
    """

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    busy: int = 0
    seconds: list[float] = field(default_factory=list)
    memory: dict[int, int] = field(default_factory=dict)
    total: float = 0.0

    def __str__(self) -> str:
        """Return the figures."""
        middle, slow = np.percentile(self.seconds, (50, 95)) if self.seconds else (0.0, 0.0)
        memory = ", ".join(f"{used / 2**20:.0f} MiB after {count}" for count, used in self.memory.items())
        return (
            f"{self.right} right, {len(self.wrong)} wrong, {self.busy} times 503; {self.total:.0f} s in all, "
            f"a reply in {middle:.2f} s (median), {slow:.2f} s (95 %); memory: {memory}"
        )


def paint(address: str, job: Job) -> requests.Response:
    """Send one request."""
    files = {"photo": ("photo.png", job.photo), "mask": ("mask.png", job.mask)}
    return requests.post(f"{address}v1/paint", files=files, timeout=TIMEOUT)


def references(address: str, jobs: Sequence[Job]) -> list[bytes]:
    """Return the reply to each job alone."""
    found = []
    for job in jobs:
        reply = paint(address, job)
        reply.raise_for_status()
        found.append(reply.content)
    return found


def load(
    address: str,
    jobs: Sequence[Job],
    expected: Sequence[bytes],
    *,
    count: int,
    clients: int,
    memory: Callable[[], int],
    wait: Callable[[float], object] = time.sleep,
) -> Load:
    """Let clients send the jobs in turn until there are enough replies.

    Args:
        address: the server's, with a slash at the end.
        jobs: what is sent.
        expected: the right reply to each.
        count: the number of replies.
        clients: how many send at once.
        memory: returns the bytes that the server uses.
        wait: waits for some seconds.
    """
    found, lock, turns = Load(), threading.Lock(), itertools.count()

    def client(_: int) -> None:
        while (turn := next(turns)) < count:
            place = turn % len(jobs)
            while True:
                began = time.perf_counter()
                reply = paint(address, jobs[place])
                taken = time.perf_counter() - began
                if reply.status_code != 503 or "Retry-After" not in reply.headers:
                    break
                with lock:
                    found.busy += 1
                wait(float(reply.headers["Retry-After"]))
            with lock:
                if reply.status_code == 200 and reply.content == expected[place]:
                    found.right += 1
                    found.seconds.append(taken)
                else:
                    text = "" if reply.ok else reply.text[:100]
                    found.wrong.append(f"{reply.status_code} {text}")
                replies = found.right + len(found.wrong)
                if replies in (EARLY, count):
                    found.memory[replies] = memory()

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    found.total = time.perf_counter() - began
    return found


def jobs_of(folder: Path, count: int) -> list[Job]:
    """Return jobs of the first photos in a folder: each with a mask of its middle."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))[:count]
    if not paths:
        raise SystemExit(f"{folder}: contains no photos (.jpg); give a folder of photos")
    found = []
    for path in paths:
        with Image.open(path) as image:
            photo = image.convert("RGB")
        mask = np.zeros((photo.height, photo.width), np.uint8)
        mask[photo.height // 3 : photo.height // 2, photo.width // 3 : 2 * photo.width // 3] = 255
        found.append(Job(png(photo), png(Image.fromarray(mask))))
    return found


def png(image: Image.Image) -> bytes:
    """Return an image as PNG."""
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@contextmanager
def serving(model: Path, options: Sequence[str]) -> Iterator[tuple[str, Callable[[], int]]]:
    """Start a server; yield its address, and what returns its memory in bytes."""
    command = [sys.executable, "-m", "skinfw", "serve", str(model), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            address = re.search(r"http://\S+?/(?=;)", line)
            if address is None:
                raise SystemExit("the server did not start; its error is above")
            process = psutil.Process(server.pid)
            yield (
                address[0],
                lambda: sum(each.memory_info().rss for each in (process, *process.children(recursive=True))),
            )
        finally:
            server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--different", type=int, default=8, help="how many photos")
    given, options = parser.parse_known_args()
    jobs = jobs_of(given.photos, given.different)
    with serving(given.model, options) as (address, memory):
        expected = references(address, jobs)
        if len(set(expected)) < len(jobs):
            raise SystemExit("two photos have the same result; give different ones")
        print(load(address, jobs, expected, count=given.requests, clients=given.clients, memory=memory))


if __name__ == "__main__":
    main()
