"""The server, driven over HTTP."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from skinfw.contact_sheet.server import MAX_CONNECTIONS, SheetServer
from skinfw.data.excluded import excluded, write_excluded
from skinfw.errors import UserError

HEADER = {"X-Skinfw": "1"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SheetServer]:
    (tmp_path / "sheet").mkdir()
    (tmp_path / "sheet" / "index.html").write_text("<p>the sheet</p>", encoding="utf-8")
    with SheetServer(tmp_path / "sheet", tmp_path, ["a", "b/c", "caf\udce9"]) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def ask(
    server: SheetServer, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    text = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    connection.request(method, path, text, headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_it_listens_on_this_machine_alone(server: SheetServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.address == f"http://127.0.0.1:{server.server_port}/"


def test_it_serves_the_sheet(server: SheetServer) -> None:
    assert ask(server, "GET", "/") == (200, b"<p>the sheet</p>")
    assert ask(server, "HEAD", "/index.html")[0] == 200
    assert ask(server, "GET", "/missing.webp")[0] == 404
    assert ask(server, "GET", "/../excluded.jsonl")[0] == 404


def test_excluded_names_are_written_and_given_back(server: SheetServer, tmp_path: Path) -> None:
    assert ask(server, "GET", "/excluded.jsonl") == (200, b"[]")
    posted = ask(server, "POST", "/excluded.jsonl", {"b/c": True, "a": True}, HEADER)
    assert (posted[0], json.loads(posted[1])) == (200, ["a", "b/c"])
    assert (tmp_path / "excluded.jsonl").read_text(encoding="utf-8") == '"a"\n"b/c"\n'
    assert json.loads(ask(server, "GET", "/excluded.jsonl")[1]) == ["a", "b/c"]
    changes = {"caf\udce9": True, "a": False, "b/c": False}
    assert ask(server, "POST", "/excluded.jsonl", changes, HEADER)[0] == 200
    assert excluded(tmp_path) == {"caf\udce9"}
    assert ask(server, "POST", "/excluded.jsonl", {"caf\udce9": False}, HEADER)[0] == 200
    assert excluded(tmp_path) == set()


def test_what_others_exclude_stays(server: SheetServer, tmp_path: Path) -> None:
    """Another page, or doctor --exclude, may have written names since this page was loaded."""
    write_excluded(tmp_path, ["elsewhere", "a"])
    _, answer = ask(server, "POST", "/excluded.jsonl", {"b/c": True}, HEADER)
    assert excluded(tmp_path) == {"elsewhere", "a", "b/c"} and json.loads(answer) == ["a", "b/c"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"b/c": True, "x": True}, "no sample is named 'x'"),
        ({"a": 0}, "JSON object"),
        (["a"], "JSON object"),
        (b"[", ""),
        (b"\xff\xfe", ""),
        (b"", "JSON object"),
    ],
)
def test_bad_names_change_nothing(server: SheetServer, tmp_path: Path, body: Any, told: str) -> None:
    write_excluded(tmp_path, ["a"])
    status, answer = ask(server, "POST", "/excluded.jsonl", body, HEADER)
    assert status == 400 and told in json.loads(answer)
    assert excluded(tmp_path) == {"a"}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/excluded.jsonl", {}),
        ("/index.html", HEADER),
        ("/excluded.jsonl", {**HEADER, "Host": "elsewhere.example"}),
    ],
)
def test_other_sites_can_write_nothing(
    server: SheetServer, tmp_path: Path, path: str, headers: dict[str, str]
) -> None:
    assert ask(server, "POST", path, {"a": True}, headers)[0] == 403
    assert not (tmp_path / "excluded.jsonl").exists()
    if "Host" in headers:
        assert ask(server, "GET", "/", headers=headers)[0] == 403


def test_a_folder_in_the_way_is_told(server: SheetServer, tmp_path: Path) -> None:
    (tmp_path / "excluded.jsonl").mkdir()
    for asked in (("GET", "/excluded.jsonl"), ("POST", "/excluded.jsonl", {"a": True}, HEADER)):
        status, answer = ask(server, *asked)
        assert status == 500 and "excluded.jsonl" in json.loads(answer)


def test_a_taken_port_is_told(server: SheetServer, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"port {server.server_port} cannot be used"):
        SheetServer(tmp_path, tmp_path, [], server.server_port)


def headers(server: SheetServer, path: str, sent: dict[str, str] | None = None) -> tuple[int, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    connection.request("GET", path, headers=sent or {})
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize("path", ["/", "/samples.js", "/excluded.jsonl", "/missing", "/index.html"])
def test_every_answer_keeps_other_sites_out(server: SheetServer, tmp_path: Path, path: str) -> None:
    (tmp_path / "sheet" / "samples.js").write_text("const sheet = {};")
    _, sent = headers(server, path)
    assert sent["cross-origin-resource-policy"] == "same-origin"
    assert sent["x-content-type-options"] == "nosniff"
    assert sent["x-frame-options"] == "DENY"
    policy = sent["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "elsewhere.example"}, 403),
        ({"Host": ""}, 403),
    ],
)
def test_other_sites_can_read_nothing(
    server: SheetServer, tmp_path: Path, sent: dict[str, str], status: int
) -> None:
    (tmp_path / "sheet" / "samples.js").write_text("const sheet = {};")
    for path in ("/samples.js", "/excluded.jsonl", "/"):
        assert headers(server, path, sent)[0] == status


@pytest.mark.parametrize(
    ("name", "allowed", "other"),
    [
        ("Sec-Fetch-Site", "none", "cross-site"),
        ("Origin", "http://localhost:{}", "https://elsewhere.example"),
        ("Host", "localhost:{}", "elsewhere.example"),
    ],
)
def test_a_header_that_stands_twice_lets_nobody_in(
    server: SheetServer, name: str, allowed: str, other: str
) -> None:
    host = "" if name == "Host" else f"Host: localhost:{server.server_port}\r\n"
    lines = f"{name}: {allowed.format(server.server_port)}\r\n"
    for extra, status in (("", b"200"), (f"{name}: {other}\r\n", b"403")):
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=60) as connection:
            connection.sendall(f"GET / HTTP/1.0\r\n{host}{lines}{extra}\r\n".encode())
            assert connection.recv(12).split()[1] == status


def test_links_folders_and_special_files_are_not_given(server: SheetServer, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "sheet" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "sheet" / "folder").mkdir()
    os.mkfifo(tmp_path / "sheet" / "fifo")
    (tmp_path / "sheet" / "loop").symlink_to("loop")
    for path in ("/link", "/folder", "/folder/", "/fifo", "/%00", "/loop", f"/{'a' * 5000}", "/a/b" * 5000):
        assert ask(server, "GET", path)[0] == 404


def test_idle_connections_keep_nobody_out(server: SheetServer) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.server_port)) for _ in range(80)]
    try:
        assert ask(server, "GET", "/")[0] == 200
        alive = [thread for thread in threading.enumerate() if "process_request" in thread.name]
        assert len(alive) <= MAX_CONNECTIONS + 5
    finally:
        for each in idle:
            each.close()


def test_a_connection_that_drips_ends(server: SheetServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skinfw.contact_sheet.server.LONGEST", 0.1)
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=60) as slow:
        slow.sendall(b"GET / HTTP/1.0\r\nX: ")
        assert slow.recv(1) == b""


@pytest.mark.parametrize(
    ("length", "body"),
    [("-1", b""), ("x", b""), ("1_0", b"[]"), ("9" * 30, b""), ("70000000", b""), ("200000", b"[" * 200_000)],
)
def test_odd_lengths_and_deep_lists_are_refused(server: SheetServer, length: str, body: bytes) -> None:
    status, answer = ask(server, "POST", "/excluded.jsonl", body, {**HEADER, "Content-Length": length})
    assert status == 400 and "JSON object" in json.loads(answer)
