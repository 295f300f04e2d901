"""A rehearsal of benchmarks/serve_load.py: few requests, a tiny model, a server in this process."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest

from skinfw.inference.inpainter import Inpainter

Serve = Callable[..., Any]
SCRIPT = Path(__file__).parents[3] / "benchmarks" / "serve_load.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    description = importlib.util.spec_from_file_location("serve_load", SCRIPT)
    assert description is not None and description.loader is not None
    module = importlib.util.module_from_spec(description)
    monkeypatch.setitem(sys.modules, "serve_load", module)  # dataclasses look it up
    description.loader.exec_module(module)
    monkeypatch.setattr(module, "EARLY", 6)
    return module


def test_each_of_many_clients_gets_its_own_result(
    serve: Serve, script: ModuleType, inpainter: Inpainter, photo: Path, mask: Path, tmp_path: Path
) -> None:
    """With one waiting job, others are sent away and come back; the reference is the inpainter itself."""
    from PIL import Image

    turned = tmp_path / "turned.png"
    Image.open(mask).transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(turned)
    jobs = [script.Job(photo.read_bytes(), each.read_bytes()) for each in (mask, turned)]
    expected = [inpainter.paint(photo, each).encoded("PNG") for each in (mask, turned)]
    assert expected[0] != expected[1]
    waits: list[float] = []
    pause = threading.Event()

    def wait(seconds: float) -> None:
        waits.append(seconds)
        pause.wait(0.02)

    with serve(waiting=1) as server:
        assert script.references(server.address, jobs) == expected
        found = script.load(
            server.address, jobs, expected, count=12, clients=4, wait=wait,
            memory=lambda: psutil.Process().memory_info().rss,
        )  # fmt: skip
    assert (found.right, found.wrong) == (12, [])
    assert found.busy == len(waits) and set(waits) <= {5.0}
    assert list(found.memory) == [6, 12] and found.memory[12] - found.memory[6] < 50 * 2**20
    assert str(found).startswith("12 right, 0 wrong, ")


@pytest.fixture
def address() -> Iterator[str]:
    """A server that is busy once, then replies to everything with one text, or is busy without end."""
    replies = iter([(503, {"Retry-After": "7"}), (200, {}), (200, {}), (503, {})])

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, headers = next(replies)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "4"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"same")

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join(timeout=60)


def test_a_wrong_reply_and_a_503_without_retry_after_are_counted(script: ModuleType, address: str) -> None:
    waits: list[float] = []
    jobs = [script.Job(b"a", b"b"), script.Job(b"c", b"d")]
    found = script.load(
        address, jobs, [b"same", b"other"], count=3, clients=1, memory=lambda: 1, wait=waits.append
    )
    assert (found.right, found.busy, waits, found.memory) == (1, 1, [7.0], {3: 1})
    assert found.wrong == ["200 ", "503 same"]
