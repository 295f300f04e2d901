"""The HTTP interface, over real connections."""

from __future__ import annotations

import base64
import io
import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
import requests
import uvicorn
from PIL import Image
from starlette.exceptions import HTTPException

from skinfw.errors import UserError
from skinfw.inference.inpainter import Inpainter
from skinfw.repair.repairing import repair
from skinfw.serving.app import _chosen
from skinfw.serving.limits import Limits
from skinfw.serving.server import Server, is_local, timed_protocol

Serve = Callable[..., Any]


def post(address: str, path: str, **fields: Any) -> requests.Response:
    """Send files (paths or bytes) and texts."""
    headers = fields.pop("headers", {})
    files, data = {}, {}
    for name, value in fields.items():
        if isinstance(value, Path):
            files[name] = (value.name, value.read_bytes())
        elif isinstance(value, bytes):
            files[name] = ("../../upload", value)
        else:
            data[name] = value
    return requests.post(address + path, files=files, data=data, headers=headers, timeout=60)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def png(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def error(answer: requests.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    text: str = answer.json()["error"]
    return text


def test_paint_gives_what_the_inpainter_paints(
    address: str, inpainter: Inpainter, photo: Path, mask: Path
) -> None:
    expected = inpainter.paint(photo, mask, seed=3)
    answer = post(address, "v1/paint", photo=photo, mask=mask, seed=3)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), answer.text
    assert answer.content == expected.encoded("PNG")
    assert json.loads(answer.headers["Skinfw-Report"]) == expected.report
    both = post(
        address, "v1/paint", photo=photo, mask=mask, seed=3, headers={"Accept": "application/json"}
    ).json()
    assert both["report"] == expected.report
    assert base64.b64decode(both["image"]) == answer.content


def test_holes_are_found_and_painted(address: str, photo: Path, arms: np.ndarray) -> None:
    layers = np.dstack([np.asarray(Image.open(photo)), np.where(arms, 0, 255).astype(np.uint8)])
    found = post(address, "v1/holes", photo=png(layers))
    large = json.loads(found.headers["Skinfw-Report"])["pixels"]
    shown = pixels(found.content) == 255
    assert shown.sum() == large > 0.8 * arms.sum()
    assert not (shown & ~arms).any()
    painted = post(address, "v1/paint", photo=png(layers))
    assert json.loads(painted.headers["Skinfw-Report"])["mask"] == "found"
    assert (pixels(painted.content)[shown, 3] == 255).all()
    whole = post(address, "v1/holes", photo=photo)
    assert json.loads(whole.headers["Skinfw-Report"])["pixels"] == 0


def test_limbs_are_exposed_by_name(address: str, inpainter: Inpainter, photo: Path) -> None:
    answer = post(address, "v1/paint", photo=photo, expose="thighs")
    expected = inpainter.paint(photo, expose=("thighs",))
    assert np.array_equal(pixels(answer.content), expected.image)
    assert "no limb 'wings'" in error(post(address, "v1/paint", photo=photo, expose="wings"), 422)


def test_repair_gives_what_repair_makes(address: str, inpainter: Inpainter, photo: Path) -> None:
    tinted = np.clip(np.asarray(Image.open(photo), int) + np.array([0, 12, 0]), 0, 255).astype(np.uint8)
    labels = inpainter.segmenter.segment(_read(photo))
    expected = repair(photo, tinted, parse_person=labels, parse_result=labels, steps=("restore", "tone"))
    for step, provenance in (("restore", 1), ("tone", 3)):
        headers = {"Accept": "application/json"}
        answer = post(
            address, "v1/repair", person=photo, result=png(tinted), only=step, headers=headers
        ).json()
        changed = pixels(base64.b64decode(answer["more"]["provenance"]))
        assert set(np.unique(changed)) == {0, provenance}
        assert answer["report"]["model"] == ""
    answer = post(address, "v1/repair", person=photo, result=png(tinted))
    assert answer.status_code == 200
    assert json.loads(answer.headers["Skinfw-Report"])["model"] == inpainter.name == "tiny"
    xmp = Image.open(io.BytesIO(answer.content)).info["XML:com.adobe.xmp"]
    assert f'CreatorTool="skinfw {version("skinfw")}, tiny"' in xmp
    assert (
        json.loads(answer.headers["Skinfw-Report"])["pixels"]["restored"]
        == expected.report["pixels"]["restored"]
    )


def _read(path: Path) -> Any:
    from skinfw.data.photo import Photo

    return Photo.read(path)


def test_models_and_health(address: str, inpainter: Inpainter) -> None:
    models = requests.get(address + "v1/models", timeout=10).json()["models"]
    assert [each["name"] for each in models] == ["tiny", "other"]
    assert models[0]["size"] == [32, 16]
    assert models[0]["finds_skin"] is False
    assert requests.get(address + "health", timeout=10).json()["status"] == "ok"


def test_a_region_goes_to_the_first_model_that_finds_skin() -> None:
    painter, finder = (
        SimpleNamespace(inpainter=SimpleNamespace(finds_skin=found)) for found in (False, True)
    )
    models: Any = [painter, finder]
    assert _chosen(models, None) is painter
    assert _chosen(models, None, finds_skin=True) is finder


def test_a_model_that_finds_no_skin_in_a_region_names_the_one_that_does() -> None:
    models: Any = [
        SimpleNamespace(name=name, inpainter=SimpleNamespace(finds_skin=found))
        for name, found in (("street-painter", False), ("street-region", True))
    ]
    for offered, name, advice in (
        (models, "street-painter", "send model=street-region, or a mask instead"),
        (models[:1], None, "send a mask instead"),
    ):
        with pytest.raises(HTTPException) as found:
            _chosen(offered, name, finds_skin=True)
        assert (found.value.status_code, found.value.detail) == (
            422,
            f"region: the model street-painter does not find skin in a region; {advice}",
        )


def test_what_is_not_a_form_says_how_to_send_one(address: str, photo: Path) -> None:
    data = photo.read_bytes()
    for path, files, fields in (
        ("v1/paint", "-F photo=@photo.png", "photo, mask, region, expose, seed, model"),
        ("v1/repair", "-F person=@person.png -F result=@result.png", "person, result, only, model"),
    ):
        hint = (
            f"send the images as files of a form (multipart/form-data), for instance: curl {files} "
            f"{address}{path} -o out.png (fields: {fields})"
        )
        for body, kind in (
            (b'{"photo": "anna.png"}', "application/json"),
            (data, "image/png"),
            (b"photo=@anna.png", "application/x-www-form-urlencoded"),
            (b"", None),
        ):
            headers = {} if kind is None else {"Content-Type": kind}
            answer = requests.post(f"{address}{path}?seed=1", data=body, headers=headers, timeout=10)
            assert error(answer, 415) == f"the body is not a form; {hint}"
        for kind in ("multipart/form-data", "Multipart/Form-Data"):
            answer = requests.post(address + path, data=data, headers={"Content-Type": kind}, timeout=10)
            assert error(answer, 400) == f"the form cannot be read (Missing boundary in multipart); {hint}"
        form = requests.Request("POST", address + path, files={"other": data}).prepare()
        form.headers["Content-Type"] = form.headers["Content-Type"].replace("multipart", "MULTIPART")
        assert "no such field" in error(requests.Session().send(form, timeout=10), 422)


def test_the_wrong_method_or_address_is_named(address: str, photo: Path) -> None:
    answer = requests.get(address + "v1/paint", timeout=10)
    assert error(answer, 405) == "/v1/paint does not take GET; send a POST"
    assert answer.headers["allow"] == "POST"
    answer = post(address, "v1/models", photo=photo)
    assert error(answer, 405) == "/v1/models does not take POST; send a GET"
    answer = post(address, "v1/pain", photo=photo)
    assert error(answer, 404) == (
        "no such address; did you mean '/v1/paint'? /openapi.json describes all addresses"
    )


def test_what_cannot_be_used_is_one_error(address: str, photo: Path, mask: Path, tmp_path: Path) -> None:
    assert "photo: cannot be read" in error(post(address, "v1/paint", photo=b"no image", mask=mask), 422)
    assert "photo: the file is empty" in error(post(address, "v1/paint", photo=b""), 422)
    assert error(post(address, "v1/paint", photo=photo), 422).endswith(
        "has no transparent or flat white hole; send mask, region or expose to say what to paint"
    )
    text = requests.post(address + "v1/paint", files={"photo": (None, "anna.png")}, timeout=10)
    assert error(text, 422) == "photo: a text; send the image as a file, with curl: -F photo=@FILE"
    small = png(np.zeros((9, 9), np.uint8))
    assert "mask: 9x9 pixels" in error(post(address, "v1/paint", photo=photo, mask=small), 422)
    assert "give only one of them" in error(
        post(address, "v1/paint", photo=photo, mask=mask, expose="neck"), 422
    )
    assert error(post(address, "v1/paint", mask=mask), 422) == "photo: is required"
    for seed, problem in (("-1", "must be at least 0"), ("x", "must be an integer")):
        answer = post(address, "v1/paint", photo=photo, mask=mask, seed=seed)
        assert error(answer, 422) == f"seed: {problem}"
    assert "did you mean 'tiny'" in error(post(address, "v1/paint", photo=photo, model="tinny"), 404)
    unknown = post(address, "v1/paint", photo=photo, model="street-painter")
    assert error(unknown, 404) == "no model is named 'street-painter'; known: tiny, other"
    assert error(post(address, "v1/paint", photo=photo, exposed="neck"), 422) == (
        "'exposed': no such field; did you mean 'expose'?"
    )
    assert error(post(address, "v1/holes", foto=photo), 422) == "'foto': no such field; did you mean 'photo'?"
    assert error(post(address, "v1/paint?seed=1", photo=photo, mask=mask), 422) == (
        "'seed': send it as a form field, not in the query"
    )
    twice = [("photo", photo.read_bytes()), ("mask", mask.read_bytes()), ("mask", mask.read_bytes())]
    answer = requests.post(address + "v1/paint", files=twice, timeout=10)
    assert error(answer, 422) == "mask: sent 2 times; send it once"
    assert error(requests.get(address + "v1/other", timeout=10), 404)


def test_large_requests_are_refused_before_they_are_read(serve: Serve, photo: Path) -> None:
    with serve(megabytes=0.1, megapixels=0.02) as server:
        # 192 x 128 pixels are more than 20,000
        assert "more than 20,000 pixels" in error(post(server.address, "v1/paint", photo=photo), 422)
        assert "more than 0.1 MB" in error(post(server.address, "v1/paint", photo=bytes(200_000)), 413)

        def parts() -> Any:
            yield b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
            for _ in range(100):
                yield bytes(10_000)

        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = requests.post(server.address + "v1/paint", data=parts(), headers=headers, timeout=30)
        assert "more than 0.1 MB" in error(answer, 413)
        assert "pixels" in error(post(server.address, "v1/paint", photo=photo), 422)  # it still works


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "example.org"},
        {"Host": "127.0.0.1:1"},
    ],
)
def test_pages_of_other_sites_are_refused(address: str, photo: Path, headers: dict[str, str]) -> None:
    assert error(post(address, "v1/paint", photo=photo, headers=headers), 403)
    assert error(requests.get(address + "v1/models", headers=headers, timeout=10), 403)
    assert error(requests.get(address, headers=headers, timeout=10), 403)


def test_links_to_the_page_work(address: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert requests.get(address, headers=headers, timeout=10).status_code == 200
    assert error(requests.get(address + "v1/models", headers=headers, timeout=10), 403)


def test_this_page_is_accepted_under_each_name_of_this_machine(address: str) -> None:
    port = address.rstrip("/").rpartition(":")[2]
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        assert requests.get(address + "v1/models", headers=headers, timeout=10).status_code == 200


def test_answers_allow_nothing_from_elsewhere(address: str) -> None:
    for path in ("", "page.js", "v1/models", "none"):
        headers = requests.get(address + path, timeout=10).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
    page = requests.get(address, timeout=10).text
    assert "http" not in page  # nothing is loaded from the network


def test_the_token_is_asked_for(serve: Serve, photo: Path, mask: Path) -> None:
    with serve(token="s3cret") as server:
        assert requests.get(server.address, timeout=10).status_code == 200  # the page asks for the token
        assert error(requests.get(server.address + "v1/models", timeout=10), 401)
        wrong = {"Authorization": "Bearer other"}
        assert error(post(server.address, "v1/paint", photo=photo, mask=mask, headers=wrong), 401)
        right = {"Authorization": "Bearer s3cret"}
        assert post(server.address, "v1/paint", photo=photo, mask=mask, headers=right).status_code == 200


def test_other_machines_need_a_token() -> None:
    for host in ("0.0.0.0", "192.168.0.1", "::", "example.org"):
        assert not is_local(host)
        with pytest.raises(UserError, match="--token"):
            Server([], host=host)
    for token in ("two words", "pässwörd", "\n"):
        with pytest.raises(UserError, match="printable ASCII"):
            Server([], token=token)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UserError, match="cannot listen"):
        Server([], port=taken.getsockname()[1])


class Slow:
    """Paints when it is allowed to."""

    def __init__(self, inner: Inpainter) -> None:
        self.inner = inner
        self.go = threading.Event()
        self.begun: list[int] = []

    def paint(self, *images: Any, seed: int, **options: Any) -> Any:
        self.begun.append(seed)
        assert self.go.wait(60)
        return self.inner.paint(*images, seed=seed, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def jobs(address: str) -> int:
    found: int = requests.get(address + "health", timeout=10).json()["jobs"]
    return found


def test_a_full_queue_says_when_to_try_again_and_who_leaves_is_forgotten(
    serve: Serve, inpainter: Inpainter, photo: Path, mask: Path
) -> None:
    slow = Slow(inpainter)
    with serve(painter=slow, waiting=2) as server, ThreadPoolExecutor(4) as clients:
        first = clients.submit(post, server.address, "v1/paint", photo=photo, mask=mask, seed=1)
        until(lambda: slow.begun == [1])
        leaving = requests.Request(
            "POST",
            server.address + "v1/paint",
            files={"photo": photo.read_bytes(), "mask": mask.read_bytes()},
            data={"seed": "2"},
        ).prepare()
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            lines = [f"{name}: {value}" for name, value in leaving.headers.items()]
            head = "\r\n".join([f"POST /v1/paint HTTP/1.1\r\nHost: 127.0.0.1:{server.port}", *lines])
            client.sendall(head.encode() + b"\r\n\r\n" + (leaving.body or b""))  # type: ignore[operator]
            until(lambda: jobs(server.address) == 2)
            third = clients.submit(post, server.address, "v1/paint", photo=photo, mask=mask, seed=3)
            until(lambda: jobs(server.address) == 3)
            refused = post(server.address, "v1/paint", photo=photo, mask=mask, seed=4)
            assert "try again" in error(refused, 503)
            assert int(refused.headers["Retry-After"]) > 0
            # the other model has its own queue
            other = clients.submit(
                post, server.address, "v1/paint", photo=photo, mask=mask, seed=5, model="other"
            )
            until(lambda: 5 in slow.begun)
        until(lambda: jobs(server.address) == 3)
        slow.go.set()
        assert [each.result().status_code for each in (first, third, other)] == [200, 200, 200]
        assert sorted(slow.begun) == [1, 3, 5]
        until(lambda: jobs(server.address) == 0)


def test_slow_clients_are_disconnected(serve: Serve, photo: Path) -> None:
    with serve(header_seconds=0.4, body_seconds=0.6) as server:
        host = f"Host: 127.0.0.1:{server.port}\r\n"
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as silent:
            assert silent.recv(1) == b""
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as dripping:
            dripping.sendall(b"GET / HTTP/1.1\r\nX-A: ")
            with pytest.raises((ConnectionError, EOFError)):
                while True:
                    dripping.sendall(b"a")
                    time.sleep(0.05)
                    dripping.settimeout(0.05)
                    try:
                        if dripping.recv(1) == b"":
                            raise EOFError
                    except TimeoutError:
                        pass
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
            slow.sendall(
                b"POST /v1/paint HTTP/1.1\r\n" + host.encode()
                + b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\n\r\n--x"
            )  # fmt: skip
            answer = b""
            while part := slow.recv(4096):
                answer += part
            assert answer.startswith(b"HTTP/1.1 408")
        assert time.monotonic() - begun < 20
        assert requests.get(server.address + "health", timeout=10).status_code == 200


def test_who_reads_too_slowly_is_disconnected() -> None:
    async def large(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(60_000_000)})

    protocol = timed_protocol(Limits(header_seconds=0.5, min_bytes_per_second=100_000_000))
    server = uvicorn.Server(uvicorn.Config(large, http=protocol, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            for pause in (0, 3):
                with socket.create_connection(listening.getsockname(), timeout=20) as client:
                    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    read = len(client.recv(1000))
                    time.sleep(pause)
                    with suppress(ConnectionError):
                        while part := client.recv(1_000_000):
                            read += len(part)
                # what the system holds for the client is not lost
                assert (read > 60_000_000) == (pause == 0)
        finally:
            server.should_exit = True
            thread.join(timeout=30)


def test_a_server_that_stops_tells_its_clients(
    serve: Serve, inpainter: Inpainter, photo: Path, mask: Path
) -> None:
    slow = Slow(inpainter)
    with ThreadPoolExecutor(2) as clients:
        with serve(painter=slow) as server:
            sent = [
                clients.submit(post, server.address, "v1/paint", photo=photo, mask=mask) for _ in range(2)
            ]
            until(lambda: jobs(server.address) == 2)
            server.stop()
            for each in sent:
                assert "stopping" in error(each.result(), 503)
        slow.go.set()
    assert len(slow.begun) == 1


def test_many_clients_get_their_own_answers_and_memory_stays(
    address: str, inpainter: Inpainter, photo: Path, mask: Path
) -> None:
    expected = {seed: inpainter.paint(photo, mask, seed=seed).encoded("PNG") for seed in range(5)}

    def ask(number: int) -> bool:
        while True:
            answer = post(address, "v1/paint", photo=photo, mask=mask, seed=number % 5)
            if answer.status_code == 200:
                return answer.content == expected[number % 5]
            assert answer.status_code == 503
            time.sleep(0.1)

    with ThreadPoolExecutor(12) as clients:
        assert all(clients.map(ask, range(24)))
        before = psutil.Process().memory_info().rss
        assert all(clients.map(ask, range(24)))
    assert psutil.Process().memory_info().rss - before < 40_000_000
