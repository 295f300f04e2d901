"""The scraper against a server on this machine that fails in every way."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from skinfw.components.reference import use
from skinfw.errors import RunError
from skinfw.preparation import scrape as scrape_module
from skinfw.preparation import scrape_session
from skinfw.preparation.available import FETCHED_FOLDER
from skinfw.preparation.config import FetchConfig, PrepareConfig
from skinfw.preparation.photo_list import name_of_url
from skinfw.preparation.prepare import prepare
from skinfw.preparation.scrape import fetch_all
from skinfw.preparation.scrape_index import INDEX_FILE, Fetched, FetchIndex
from skinfw.preparation.scrape_rate_limiter import RateLimiter, host_of, user_agent
from skinfw.preparation.scrape_session import (
    DeadlineError,
    NotAllowedError,
    ScrapeSession,
    is_private,
    names_private_address,
)

PhotoWriter = Callable[..., Path]
FAST = FetchConfig(rate=100, timeout=30, retries=2, max_bytes=50_000)


def image(seed: int) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (40, 30, 3), np.uint8)
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def outer_url(server: Server) -> str:
    """Return a server's address with a name that is not a URL once robots.txt's reader has unquoted it."""
    return server.url.replace("//", "//a%5B@")


class Server:
    """Answers by path; keeps what it was asked, and when."""

    def __init__(self) -> None:
        self.robots = b""
        self.robots_status = 200
        self.seen: list[tuple[str, str, float]] = []
        self.bodies: dict[str, bytes] = {}
        self.over = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append((self.path, self.headers["User-Agent"], time.monotonic()))
                outer.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Threads(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:  # a client that has gone
                pass

        self._server = Threads(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def asked(self, path: str) -> int:
        return sum(seen == path for seen, _, _ in self.seen)

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        path, first = handler.path, self.asked(handler.path) == 1
        half = {"body": image(5)[:100], "length": len(image(5))}
        answers: dict[str, dict[str, Any]] = {
            "/robots.txt": {"body": self.robots, "status": self.robots_status},
            "/asks_long": {"status": 429, "headers": {"Retry-After": "86400"}},
            "/asks_year": {"status": 429, "headers": {"Retry-After": f"Wed, 21 Oct {'9' * 20} 07:28:00 GMT"}},
            "/asks_digits": {"status": 429, "headers": {"Retry-After": "9" * 5000}},
            "/half": half,
            "/page": {"body": b"<html>", "kind": "text/html; charset=utf-8"},
            "/large": {"length": 50_001},
            "/digits": {"length": None, "headers": {"Content-Length": "9" * 5000}},
            "/endless": {"body": bytes(60_000), "length": None},
            "/moved": {"status": 302, "headers": {"Location": "/one"}},
            "/to_forbidden": {"status": 301, "headers": {"Location": "/private/a"}},
            "/to_file": {"status": 301, "headers": {"Location": "file:///etc/passwd"}},
            "/to_nowhere": {"status": 301, "headers": {"Location": "http://[::1/a"}},
            "/to_bracket": {"status": 301, "headers": {"Location": f"{outer_url(self)}/one"}},
            "/to_umlaut": {"status": 301, "headers": {"Location": "/gr\u00fcn".encode().decode("latin-1")}},
            "/gr%C3%BCn": {"body": image(1)},
            "/round": {"status": 301, "headers": {"Location": "/round"}},
            "/half_once": half if first else {"body": image(5)},
            "/busy": {"status": 503, "headers": {"Retry-After": "1"}} if first else {"body": image(3)},
            **{each: {"body": image(1)} for each in ("/one", "/same")},
            "/private/a": {"body": image(6)},
            **{each: {"body": body} for each, body in self.bodies.items()},
        }
        if path.endswith("/silent"):
            self.over.wait()
        else:
            self._send(handler, **answers.get(path, {"status": 404}))

    def _send(
        self,
        handler: http.server.BaseHTTPRequestHandler,
        body: bytes = b"",
        status: int = 200,
        kind: str = "image/png",
        length: int | None = -1,
        headers: dict[str, str] | None = None,
    ) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        if length is not None:
            handler.send_header("Content-Length", str(len(body) if length == -1 else length))
        for key, value in (headers or {}).items():
            handler.send_header(key, value)
        handler.end_headers()
        handler.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


def fetch(server: Server, folder: Path, *paths: str, config: FetchConfig = FAST) -> dict[str, Fetched]:
    found = fetch_all([server.url + path for path in paths], folder, config)
    return {url.removeprefix(server.url): fetched for url, fetched in found.items()}


def index(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / INDEX_FILE).read_text().splitlines()]


def test_content_is_the_name_and_stored_once(server: Server, tmp_path: Path) -> None:
    found = fetch(server, tmp_path, "/one", "/same", "/busy")
    name = hashlib.sha256(image(1)).hexdigest()
    assert found["/one"].sha256 == found["/same"].sha256 == name
    assert (tmp_path / name).read_bytes() == image(1)
    assert {path.name for path in tmp_path.iterdir()} == {
        name, hashlib.sha256(image(3)).hexdigest(), INDEX_FILE
    }  # fmt: skip
    assert index(tmp_path)[0] == {"url": f"{server.url}/one", "sha256": name, "status": 200, "reason": ""}
    assert {agent for _, agent, _ in server.seen} == {user_agent()}
    assert user_agent().startswith("skinfw/0.")


def test_what_is_there_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path, "/one", "/gone")
    again = fetch(server, tmp_path, "/one", "/gone", "/same")
    assert again["/one"].sha256 and server.asked("/one") == 1
    # what failed is tried again
    assert server.asked("/gone") == 2
    (tmp_path / again["/one"].sha256).unlink()
    fetch(server, tmp_path, "/one")
    assert server.asked("/one") == 2 and (tmp_path / again["/one"].sha256).is_file()


def test_a_busy_host_is_asked_again_when_it_says_so(server: Server, tmp_path: Path) -> None:
    found = fetch(server, tmp_path, "/busy")
    assert found["/busy"].status == 200 and found["/busy"].sha256
    first, second = (moment for path, _, moment in server.seen if path == "/busy")
    assert second - first >= 1


def test_half_a_file_is_tried_again_and_never_taken_for_a_whole_one(server: Server, tmp_path: Path) -> None:
    found = fetch(server, tmp_path, "/half_once", "/half")
    assert (tmp_path / found["/half_once"].sha256).read_bytes() == image(5)
    assert server.asked("/half_once") == 2
    assert not found["/half"].sha256 and "IncompleteRead" in found["/half"].reason
    assert server.asked("/half") == 1 + FAST.retries
    assert {path.name for path in tmp_path.iterdir()} == {found["/half_once"].sha256, INDEX_FILE}


@pytest.mark.parametrize(
    ("path", "status", "reason", "asked"),
    [
        ("/gone", 404, "status 404 Not Found", 1),
        ("/asks_long", 429, "status 429 Too Many Requests", 1),
        ("/asks_year", 429, "status 429 Too Many Requests", 1),
        ("/asks_digits", 429, "status 429 Too Many Requests", 1),
        ("/page", 200, "not an image: its type is text/html", 1),
        ("/large", 200, "larger than 50,000 bytes", 1),
        ("/digits", 200, "larger than 50,000 bytes", 1),
        ("/endless", 200, "larger than 50,000 bytes", 1),
        ("/round", 0, "redirected more than 5 times", 6),
        ("/to_file", 0, "redirected to file:///etc/passwd, which is neither http nor https", 1),
        ("/to_nowhere", 0, "not a URL: Invalid IPv6 URL", 1),
        ("/to_bracket", 0, "not a URL: ", 1),
    ],
)
def test_what_cannot_be_fetched(
    server: Server, tmp_path: Path, path: str, status: int, reason: str, asked: int
) -> None:
    found = fetch(server, tmp_path, path)[path]
    assert (found.sha256, found.status) == ("", status)
    assert reason in found.reason
    assert server.asked(path) == asked
    assert [entry["url"] for entry in index(tmp_path)] == [server.url + path]


def test_a_server_that_is_silent(server: Server, tmp_path: Path) -> None:
    # robots.txt must come within the time, on a busy machine too
    config = FetchConfig(rate=100, timeout=1.5, retries=1)
    found = fetch(server, tmp_path, "/silent", config=config)["/silent"]
    assert (found.sha256, found.status) == ("", 0) and "Read timed out" in found.reason
    assert server.asked("/silent") == 2


def test_a_slow_drip_ends_at_some_time(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "image/png")
        handler.end_headers()
        while not server.over.wait(0.05):
            handler.wfile.write(bytes(2**10))

    original = server.answer
    monkeypatch.setattr(server, "answer", lambda each: drip(each) if each.path == "/drip" else original(each))
    config = FetchConfig(rate=100, timeout=0.5, retries=0)
    assert "incomplete after 5 s" in fetch(server, tmp_path, "/drip", config=config)["/drip"].reason


def test_a_host_that_is_not_there(tmp_path: Path) -> None:
    config = FetchConfig(rate=100, timeout=0.5, retries=0)
    (found,) = fetch_all(["http://127.0.0.1:9/a.jpg"], tmp_path, config).values()
    assert "robots.txt cannot be read" in found.reason


def test_robots_txt_is_obeyed_after_a_redirect_too(server: Server, tmp_path: Path) -> None:
    server.robots = b"User-agent: skinfw\nDisallow: /private\n\nUser-agent: *\nDisallow: /\n"
    found = fetch(server, tmp_path, "/private/a", "/to_forbidden", "/moved", "/to_umlaut", "/one")
    found |= fetch(server, tmp_path, "/one/../private/a", "/%70rivate/a")
    for path in ("/private/a", "/to_forbidden", "/one/../private/a", "/%70rivate/a"):
        assert found[path].reason == f"{server.url}/robots.txt does not allow it"
    assert server.asked("/private/a") == 0 and server.asked("/robots.txt") == 2
    assert found["/moved"].sha256 == found["/to_umlaut"].sha256 == found["/one"].sha256 != ""


@pytest.mark.parametrize(
    ("status", "allowed"), [(404, True), (410, True), (401, False), (403, False), (500, False)]
)
def test_what_no_robots_txt_means(server: Server, tmp_path: Path, status: int, allowed: bool) -> None:
    server.robots_status = status
    found = fetch(server, tmp_path, "/one")["/one"]
    assert bool(found.sha256) == allowed == (server.asked("/one") == 1)
    if not allowed:
        assert found.reason == f"{server.url}/robots.txt cannot be read: status {status}"


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.mark.parametrize(
    ("robots", "rate", "pause"),
    [
        (b"User-agent: *\nDisallow:\n", 4, 0.25),
        (b"User-agent: *\nCrawl-delay: 7\n", 4, 7),
        (b"User-agent: *\nRequest-rate: 1/5\n", 4, 5),
        (b"User-agent: *\nCrawl-delay: 1\n", 0.1, 10),
    ],
)
def test_pauses_between_requests_to_one_host(
    server: Server, robots: bytes, rate: float, pause: float
) -> None:
    server.robots = robots
    clock = Clock()
    limiter = RateLimiter(rate, 1, clock.now, clock.sleep)
    turns = []
    with ScrapeSession(private=True) as session:
        for name in "abc":
            limiter.wait(f"{server.url}/{name}", session)
            turns.append(clock.time)
    # asking for robots.txt was a request as well
    assert turns == pytest.approx([pause, 2 * pause, 3 * pause])


def test_hosts_do_not_wait_for_each_other(server: Server, tmp_path: Path) -> None:
    other = Server()
    try:
        urls = [f"{each.url}/gone{index}" for index in range(4) for each in (server, other)]
        fetch_all(urls, tmp_path, FetchConfig(rate=4, timeout=30))
        times = [[when for _, _, when in each.seen] for each in (server, other)]
        # each is asked five times, with pauses, and the one begins before the other has ended
        assert [len(seen) for seen in times] == [5, 5] and all(seen[-1] - seen[0] >= 0.9 for seen in times)
        assert max(seen[0] for seen in times) < min(seen[-1] for seen in times)
    finally:
        other.close()
    assert len(index(tmp_path)) == 8


def test_an_index_that_a_killed_run_left(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path, "/one")
    path = tmp_path / INDEX_FILE
    path.write_bytes(path.read_bytes() + b'{"url": "http://half')
    (tmp_path / ".abc.part").write_bytes(b"half")
    found = fetch(server, tmp_path, "/one", "/busy")
    assert server.asked("/one") == 1 and found["/busy"].sha256
    assert not (tmp_path / ".abc.part").exists()
    assert FetchIndex(tmp_path).finished(f"{server.url}/busy") is not None


def test_a_name_in_the_index_that_is_no_hash_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    line = {"url": "http://a/b", "sha256": "../secret", "status": 200, "reason": ""}
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / INDEX_FILE).write_text(json.dumps(line) + "\n")
    assert FetchIndex(tmp_path / "cache").finished("http://a/b") is None


def test_a_full_disk_stops_it(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("skinfw.preparation.scrape_index.tempfile.NamedTemporaryFile", full)
    with pytest.raises(RunError, match="the disk is full"):
        fetch(server, tmp_path, "/one", "/same")


def test_it_says_how_far_it_is(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scrape_module, "SECONDS_BETWEEN_MESSAGES", 0)
    with caplog.at_level("INFO", "skinfw"):
        fetch(server, tmp_path, "/one", "/gone")
    assert caplog.messages == ["downloaded 1 of 2 photos", "downloaded 2 of 2 photos"]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://Example.org/a/b.jpg", "example.org/a/b.jpg"),
        ("https://example.org:8080/a%20b.jpg", "example.org_8080/a b.jpg"),
        ("https://example.org/../.x/%2e%2e/b.jpg", "example.org/x/b.jpg"),
        ("https://example.org/", "example.org/index"),
        ('https://example.org/a"b*.jpg', "example.org/a_b_.jpg"),
    ],
)
def test_names_of_urls(url: str, name: str) -> None:
    assert name_of_url(url) == name


def test_queries_tell_photos_apart() -> None:
    one, two = (name_of_url(f"https://example.org/photo.php?id={number}") for number in (1, 2))
    assert one != two and one.startswith("example.org/photo-") and one.endswith(".php")


def test_prepare_from_urls(server: Server, tmp_path: Path, write_photo: PhotoWriter) -> None:
    photo = write_photo(tmp_path / "local" / "01_1_front.png", 3)
    server.bodies = {"/id_1/01_1_front.png": photo.read_bytes(), "/id_2/01_1_front.png": image(9)}
    names = ["id_1/01_1_front.png", "id_2/01_1_front.png", "gone/01_1_front.png"]
    (tmp_path / "list.txt").write_text("\n".join(f"{server.url}/{name}" for name in names))
    # label map and pose lie where the photo will: beside the file called by its content
    cache = tmp_path / "out" / FETCHED_FOLDER
    cache.mkdir(parents=True)
    name = hashlib.sha256(photo.read_bytes()).hexdigest()
    for suffix in ("_segment.png", "_keypoints.json"):
        photo.with_name(f"01_1_front{suffix}").rename(cache / f"{name}{suffix}")
    config = PrepareConfig(num_workers=1, fetch=FAST)
    parts = use("segmenter", "deepfashion"), use("pose_encoder", "openpose")
    report = prepare(tmp_path / "list.txt", tmp_path / "out", *parts, config)
    host = server.url.removeprefix("http://").replace(":", "_")
    assert {row.photo.removeprefix(f"{host}/"): row.reason for row in report.rows} == {
        "gone/01_1_front.png": "could not be fetched",
        "id_1/01_1_front.png": None,
        "id_2/01_1_front.png": "segmentation failed",
    }
    assert report.rows[0].detail == f"{server.url}/gone/01_1_front.png: status 404 Not Found"
    assert (tmp_path / "out" / host / "id_1" / "01_1_front" / "body.png").is_file()


def answer_with(
    server: Server, monkeypatch: pytest.MonkeyPatch, path: str, answer: Callable[[Any], None]
) -> None:
    """Let a handler answer one path; `server` answers the others."""
    original = server.answer
    monkeypatch.setattr(server, "answer", lambda each: (answer if each.path == path else original)(each))


@pytest.mark.parametrize("part", ["head", "body", "robots"])
def test_one_byte_at_a_time_ends_too(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
        text = b"HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n" + (b"X: " if part == "head" else b"\r\n")
        handler.wfile.write(text)
        for _ in range(400):
            handler.wfile.write(b"x")
            time.sleep(0.02)

    answer_with(server, monkeypatch, "/robots.txt" if part == "robots" else "/drip", drip)
    config = FetchConfig(rate=100, timeout=0.1, retries=0)
    began = time.monotonic()
    reason = fetch(server, tmp_path, "/drip", config=config)["/drip"].reason
    assert ("it took too long" if part == "robots" else "incomplete after 1 s") in reason
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("path", ["/bomb", "/robots.txt"])
def test_packed_bodies_are_not_unpacked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    packed = gzip.compress(bytes(2_000_000))

    def bomb(handler: http.server.BaseHTTPRequestHandler) -> None:
        server._send(handler, packed, headers={"Content-Encoding": "gzip"})

    answer_with(server, monkeypatch, path, bomb)
    assert "compressed" in fetch(server, tmp_path, "/bomb")["/bomb"].reason


@pytest.mark.parametrize(
    "robots",
    [
        b"User-agent: *\nCrawl-delay: 121\n",
        b"User-agent: *\nCrawl-delay: 999999999999999999\n",
        b"User-agent: *\nCrawl-delay: " + b"9" * 400 + b"\n",
        b"User-agent: *\nRequest-rate: 1/86400\n",
    ],
)
def test_pauses_that_nobody_waits_are_told(server: Server, tmp_path: Path, robots: bytes) -> None:
    server.robots = robots
    found = fetch(server, tmp_path, "/one")["/one"]
    assert "s between requests; the limit is 120 s" in found.reason
    assert server.asked("/one") == 0


@pytest.mark.parametrize("number", [b"9" * 5000, "\u00b2".encode()])
def test_a_robots_txt_that_python_cannot_read_allows_nothing(
    server: Server, tmp_path: Path, number: bytes
) -> None:
    server.robots = b"User-agent: *\nCrawl-delay: " + number + b"\n"
    assert "robots.txt cannot be read" in fetch(server, tmp_path, "/one")["/one"].reason


def test_long_pauses_are_announced(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.robots = b"User-agent: *\nCrawl-delay: 7\n"
    clock = Clock()
    with ScrapeSession(private=True) as session, caplog.at_level("INFO", "skinfw"):
        RateLimiter(1, 1, clock.now, clock.sleep).wait(f"{server.url}/a", session)
    told = f"{server.url} asks for 7 s between requests; each of its photos takes that long"
    assert caplog.messages == [told]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%lo", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "64:ff9b:1::7f00:1", "::7f00:1", "fec0::1",
    ],
)  # fmt: skip
def test_private_addresses_in_every_form(address: str) -> None:
    assert is_private(address)


def test_public_addresses_and_plain_names() -> None:
    assert not any(map(is_private, ("8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8")))
    for url in ("http://localhost/a", "http://127.0.0.1:8/a", "http://[::1]/a", "http://LOCALHOST./a"):
        assert names_private_address(url)
    for url in ("http://example.org/a", "http://2130706433/a", "http://0x7f.1/a", "http://8.8.8.8/a"):
        assert not names_private_address(url)


@pytest.mark.parametrize("host", ["127.0.0.2", "2130706434", "0x7f000002", "127.2", "[::ffff:127.0.0.2]"])
def test_a_redirect_from_outside_into_the_local_network_is_refused(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    # 127.0.0.1 plays the public internet, and 127.0.0.2 the local network
    def plays_private(address: str) -> bool:
        return address.endswith(("127.0.0.2", "7f00:2"))

    monkeypatch.setattr("skinfw.preparation.scrape_session.is_private", plays_private)
    target = server.url.replace("127.0.0.1", host) + "/one"
    answer_with(
        server, monkeypatch, "/inwards",
        lambda each: server._send(each, status=302, headers={"Location": target}),
    )  # fmt: skip
    found = fetch(server, tmp_path, "/inwards", "/one")
    assert "an address of this machine or a local network" in found["/inwards"].reason
    assert found["/one"].sha256


def test_a_robots_txt_that_leads_into_the_local_network_is_asked_for_once(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape_session, "is_private", lambda address: address == "127.0.0.2")
    target = server.url.replace("127.0.0.1", "127.0.0.2") + "/robots.txt"
    answer_with(
        server, monkeypatch, "/robots.txt",
        lambda each: server._send(each, status=302, headers={"Location": target}),
    )  # fmt: skip
    found = fetch(server, tmp_path, "/one", "/same")
    assert all("127.0.0.2, an address of this machine" in each.reason for each in found.values())
    assert server.asked("/robots.txt") == 1 and not server.asked("/one")


def test_a_proxy_is_not_asked_for_the_local_network(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, server.url)
    monkeypatch.setenv("no_proxy", "")
    server.bodies |= {"http://192.0.3.1/one": image(1), "http://10.0.0.1/one": image(2)}
    monkeypatch.setattr(scrape_session, "is_private", lambda address: not address.startswith("192.0.3."))
    urls = ["http://192.0.3.1/one", "http://10.0.0.1/one"]
    with ScrapeSession(private=False) as session:
        assert session.get(urls[0], timeout=30).content == image(1)
        with pytest.raises(NotAllowedError, match=r"10\.0\.0\.1, an address of this machine or a local"):
            session.get(urls[1], timeout=30)
    assert server.asked(urls[0]) == 1 and not server.asked(urls[1])


def test_a_proxy_that_drips_ends_too(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    with ScrapeSession(private=True) as session, pytest.raises(DeadlineError), session.deadline(0.2):
        session.get("http://192.0.3.1/silent", timeout=30)


def test_the_address_that_is_checked_is_the_one_that_is_connected_to(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [["8.8.8.8"], ["127.0.0.1"]]

    def rebinding(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in answers.pop(0)]

    connected: list[str] = []

    def reject(address: tuple[str, int], *_: Any, **__: Any) -> Any:
        connected.append(address[0])
        raise OSError("no route")

    monkeypatch.setattr("skinfw.preparation.scrape_session.socket.getaddrinfo", rebinding)
    monkeypatch.setattr("skinfw.preparation.scrape_session.create_connection", reject)
    port = server.url.rpartition(":")[2]
    with ScrapeSession(private=False) as session:
        with pytest.raises(OSError, match="no route"):
            session.get(f"http://rebinding.example:{port}/one")
        with pytest.raises(NotAllowedError, match=r"127\.0\.0\.1, an address of this machine"):
            session.get(f"http://rebinding.example:{port}/one")
    assert connected == ["8.8.8.8"] and server.seen == []


def test_a_host_is_one_however_it_is_written() -> None:
    for url in ("HTTP://Example.ORG/a", "http://example.org:80/b", "http://u:p@example.org./c"):
        assert host_of(url) == "http://example.org"
    assert host_of("https://[::1]:8443/a") == "https://[::1]:8443"
    assert host_of("http://example.org:443/") == "http://example.org:443"


def test_what_a_host_says_is_kept_short_and_printable(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def say(handler: http.server.BaseHTTPRequestHandler) -> None:
        server._send(handler, kind="text/\x1b[2J" + "x" * 50_000)

    answer_with(server, monkeypatch, "/says", say)
    reason = fetch(server, tmp_path, "/says")["/says"].reason
    assert reason.isprintable() and len(reason) < 1200


@pytest.mark.parametrize("url", ["http://a/caf\udce9", "http://a/\ud800"])
def test_a_url_that_is_not_utf8_is_kept_in_the_index(tmp_path: Path, url: str) -> None:
    (tmp_path / ("0" * 64)).touch()
    FetchIndex(tmp_path).add(Fetched(url, "0" * 64, 200))
    assert FetchIndex(tmp_path).finished(url) == Fetched(url, "0" * 64, 200)


def test_lines_of_the_index_that_mean_nothing_are_passed_over(server: Server, tmp_path: Path) -> None:
    lines = [b'{"url": ["a"]}', b'{"url": {}}', b"[" * 100_000, b"5", b'{"evil": 1}', b"\xff"]
    (tmp_path / INDEX_FILE).write_bytes(b"\n".join(lines) + b"\n")
    assert fetch(server, tmp_path, "/one")["/one"].sha256
