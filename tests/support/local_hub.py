"""A model hub on this machine: it answers what huggingface_hub asks, as huggingface.co does.

Repositories, commits and large files are real; rights are one token, and large files are stored elsewhere, at
another host name, as on the hub.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import constants

TOKEN = "hf_local"
LARGE = (".safetensors", ".onnx", ".webp", ".bin")
"""Suffixes that ``.gitattributes`` of a new repository gives to LFS."""


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Repository:
    """Commits by their hash, each with all its files; branches by name."""

    private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes], branch: str = "main") -> str:
        names = sorted((name, git_hash(content)) for name, content in files.items())
        text = json.dumps([names, len(self.commits)])
        oid = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.commits[oid], self.branches[branch] = files, oid
        return oid


class LocalHub:
    """The hub's state.

    Attributes:
        repositories: by ``ORG/NAME``.
        objects: large files by their SHA-256.
        requests: method and path of every request.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def storage(self) -> str:
        return f"http://localhost:{self.port}/storage"

    def create(self, repo: str, *, private: bool = False, **files: bytes) -> Repository:
        made = self.repositories[repo] = Repository(private)
        made.commit({".gitattributes": b"*.safetensors filter=lfs\n", **files})
        return made


class Refused(Exception):  # noqa: N818  # an answer
    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code


@contextmanager
def local_hub(patch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """Start a hub, and let huggingface_hub ask it, by plain HTTP instead of Xet."""
    hub = LocalHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answer", (Answer,), {"hub": hub}))
    hub.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, hub.address)
    patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    patch.setattr(constants, "ENDPOINT", hub.address)
    patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    patch.setattr(constants, "HF_HUB_OFFLINE", False)
    patch.setenv("HF_TOKEN", TOKEN)
    patch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class Answer(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    hub: LocalHub

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path}")
        try:
            for method, pattern, answer in self._routes():
                found = re.fullmatch(pattern, path)
                if found and method == ("GET" if self.command == "HEAD" else self.command):
                    answer(body, *found.groups())
                    return
            raise Refused(404, "RepoNotFound")
        except Refused as refused:
            headers = {"X-Error-Code": refused.code, "X-Error-Message": refused.code}
            self._send(json.dumps({"error": refused.code}).encode(), refused.status, **headers)

    def _routes(self) -> list[tuple[str, str, Any]]:
        repo, rest = r"([\w.-]+/[\w.-]+)", r"(.+)"
        return [
            ("POST", "/api/repos/create", self._create),
            ("POST", "/api/validate-yaml", self._validate),
            ("GET", f"/api/models/{repo}", self._info),
            ("GET", f"/api/models/{repo}/revision/{rest}", self._info),
            ("GET", f"/api/models/{repo}/tree/([^/]+)", self._tree),
            ("POST", f"/api/models/{repo}/preupload/{rest}", self._preupload),
            ("POST", f"/{repo}\\.git/info/lfs/objects/batch", self._batch),
            ("POST", f"/api/models/{repo}/commit/{rest}", self._commit),
            ("GET", f"/{repo}/resolve/([^/]+)/{rest}", self._resolve),
            ("PUT", "/storage/([0-9a-f]{64})", self._store),
            ("GET", "/storage/([0-9a-f]{64})", self._stored),
        ]

    def _send(self, content: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _json(self, value: Any) -> None:
        self._send(json.dumps(value).encode(), Content_Type="application/json")

    def _require_token(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise Refused(401, "Unauthorized")

    def _repository(self, repo: str) -> Repository:
        found = self.hub.repositories.get(repo)
        if found is None:
            raise Refused(404, "RepoNotFound")
        if found.private:
            self._require_token()
        return found

    def _files(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]]:
        found = self._repository(repo)
        oid = found.branches.get(revision, revision)
        if oid not in found.commits:
            raise Refused(404, "RevisionNotFound")
        return oid, found.commits[oid]

    def _create(self, body: bytes) -> None:
        self._require_token()
        asked = json.loads(body)
        repo = f"{asked['organization']}/{asked['name']}"
        url = f"{self.hub.address}/{repo}"
        if repo in self.hub.repositories:
            self._send(json.dumps({"error": "You already created it", "url": url}).encode(), 409)
            return
        self.hub.create(repo, private=asked.get("visibility") == "private" or asked.get("private") is True)
        self._json({"url": url})

    def _validate(self, body: bytes) -> None:
        assert json.loads(body)["content"].startswith("---\n")
        self._json({"errors": [], "warnings": []})

    def _info(self, body: bytes, repo: str, revision: str = "main") -> None:
        oid, files = self._files(repo, revision)
        private = self.hub.repositories[repo].private
        siblings = [self._sibling(name, content) for name, content in files.items()]
        self._json({"id": repo, "modelId": repo, "sha": oid, "private": private, "siblings": siblings})

    def _tree(self, body: bytes, repo: str, revision: str) -> None:
        _, files = self._files(repo, revision)
        self._json([self._entry(name, content) for name, content in files.items()])

    @staticmethod
    def _entry(name: str, content: bytes) -> dict[str, Any]:
        entry = {"type": "file", "path": name, "size": len(content), "oid": git_hash(content)}
        if name.endswith(LARGE):
            entry["lfs"] = {"oid": sha256(content), "size": len(content), "pointerSize": 134}
        return entry

    @classmethod
    def _sibling(cls, name: str, content: bytes) -> dict[str, Any]:
        entry = cls._entry(name, content)
        sibling = {"rfilename": name, "size": entry["size"], "blobId": entry["oid"]}
        if "lfs" in entry:
            sibling["lfs"] = {"sha256": entry["lfs"]["oid"], "size": len(content), "pointerSize": 134}
        return sibling

    def _preupload(self, body: bytes, repo: str, revision: str) -> None:
        self._require_token()
        _, files = self._files(repo, revision)
        answers = []
        for each in json.loads(body)["files"]:
            large = each["path"].endswith(LARGE)
            answer = {
                "path": each["path"],
                "uploadMode": "lfs" if large else "regular",
                "shouldIgnore": False,
            }
            old = files.get(each["path"])
            if old is not None:
                answer["oid"] = sha256(old) if large else git_hash(old)
            answers.append(answer)
        self._json({"files": answers})

    def _batch(self, body: bytes, repo: str) -> None:
        self._require_token()
        objects = []
        for each in json.loads(body)["objects"]:
            known = each["oid"] in self.hub.objects
            actions = {"actions": {"upload": {"href": f"{self.hub.storage}/{each['oid']}"}}}
            objects.append({**each, **({} if known else actions)})
        self._json({"transfer": "basic", "objects": objects})

    def _store(self, body: bytes, oid: str) -> None:
        assert sha256(body) == oid
        self.hub.objects[oid] = body
        self._send(b"")

    def _commit(self, body: bytes, repo: str, revision: str) -> None:
        self._require_token()
        _, old = self._files(repo, revision)
        files = dict(old)
        for line in body.splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                assert value["encoding"] == "base64"
                files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
            elif item["key"] == "deletedFile":
                files.pop(value["path"])
        oid = self.hub.repositories[repo].commit(files, revision)
        self._json(
            {"success": True, "commitOid": oid, "commitUrl": f"{self.hub.address}/{repo}/commit/{oid}"}
        )

    def _resolve(self, body: bytes, repo: str, revision: str, name: str) -> None:
        oid, files = self._files(repo, revision)
        if name not in files:
            raise Refused(404, "EntryNotFound")
        content = files[name]
        if not name.endswith(LARGE):
            self._send(content, X_Repo_Commit=oid, ETag=f'"{git_hash(content)}"')
            return
        self.hub.objects[sha256(content)] = content
        self._send(
            b"", 302, X_Repo_Commit=oid, X_Linked_Etag=f'"{sha256(content)}"',
            X_Linked_Size=str(len(content)), Location=f"{self.hub.storage}/{sha256(content)}",
        )  # fmt: skip

    def _stored(self, body: bytes, oid: str) -> None:
        assert "Authorization" not in self.headers, "the token is for the hub alone"
        self._send(self.hub.objects[oid], ETag=f'"{oid}"')
