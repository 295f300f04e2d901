"""Downloads: a folder of files named by their content's hash, and an index of results for every URL."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from skinfw.data.sample_writer import writing_failed
from skinfw.system.regular_file import read_regular

INDEX_FILE = "index.jsonl"

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Fetched:
    """The result for a URL.

    Attributes:
        url: the URL.
        sha256: SHA-256 of the file in hex, which is its name; empty without a file.
        status: the host's HTTP status, 0 without a response.
        reason: why the file is missing.
    """

    url: str
    sha256: str = ""
    status: int = 0
    reason: str = ""


class FetchIndex:
    """The folder of downloaded files and its index of URLs; thread-safe.

    Args:
        folder: where the files are; created if missing.

    Raises:
        RunError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for left in folder.glob(".*.part"):  # a run was killed
                left.unlink()
            self._known = self._read()
        except OSError as error:
            raise writing_failed(folder, error) from error

    def _read(self) -> dict[str, Fetched]:
        path = self._folder / INDEX_FILE
        known = {}
        lines = read_regular(path).splitlines() if path.exists() else []
        for line in lines:
            try:
                found = Fetched(**json.loads(line))
                known[found.url] = found
            except (ValueError, TypeError, RecursionError):  # a run was killed while writing the line
                continue
        return known

    def finished(self, url: str) -> Fetched | None:
        """Return the record of a URL whose file exists."""
        found = self._known.get(url)
        if found is None or not _HASH.fullmatch(str(found.sha256)):
            return None
        return found if (self._folder / found.sha256).is_file() else None

    def add(self, fetched: Fetched) -> Fetched:
        """Record the result for a URL.

        Raises:
            RunError: the index cannot be written.
        """
        line = json.dumps(asdict(fetched)) + "\n"
        path = self._folder / INDEX_FILE
        try:
            with self._lock, path.open("ab+") as file:
                if file.tell() and _last_byte(file) != b"\n":
                    line = "\n" + line
                file.write(line.encode())
        except OSError as error:
            raise writing_failed(path, error) from error
        self._known[fetched.url] = fetched
        return fetched

    def new_file(self) -> NewFile:
        """Return a file to write a body to."""
        return NewFile(self._folder)


def _last_byte(file: IO[bytes]) -> bytes:
    file.seek(-1, 2)
    return file.read(1)


class NewFile:
    """A file that is named by its content's hash when complete, and removed otherwise.

    Args:
        folder: where it belongs.

    Raises:
        RunError: it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hash = hashlib.sha256()
        try:
            self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115  # closed by __exit__
                dir=folder, prefix=".", suffix=".part", delete=False
            )
        except OSError as error:
            raise writing_failed(folder, error) from error

    def write(self, data: bytes) -> None:
        """Add a part of the body."""
        self._hash.update(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise writing_failed(self._folder, error) from error

    def finish(self) -> str:
        """Give the file its name, the SHA-256 of its content, and return it."""
        name = self._hash.hexdigest()
        try:
            self._file.close()
            Path(self._file.name).replace(self._folder / name)
        except OSError as error:
            raise writing_failed(self._folder / name, error) from error
        return name

    def __enter__(self) -> NewFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)
