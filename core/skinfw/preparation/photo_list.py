"""Lists of photos: CSV, JSON lines, or plain text with one path or URL a line."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, cast, get_args
from urllib.parse import unquote, urlsplit

from skinfw.errors import DataError
from skinfw.jsonfile import parse_json
from skinfw.preparation.config import View

LIST_SUFFIXES = (".csv", ".jsonl", ".txt")

PHOTO_KEYS = ("photo", "path", "url")
"""What the column or key may be called that names the photo; the first one that is there counts."""

_URL = re.compile(r"https?://", re.IGNORECASE)
_UNFIT = re.compile(r'[\x00-\x1f<>:"|?*\\]')


@dataclass(frozen=True)
class ListedPhoto:
    """A row of a list.

    Attributes:
        name: what the photo is called: its path without leading or parent folders, or host and path of its
            URL.
        path: the file; of a relative path below the folder of the list.
        url: where it is fetched from, or nothing.
        view: from where the person is seen, or None.
        group: samples of one group are on one side of the split; or nothing.
    """

    name: str
    path: Path
    url: str
    view: View | None
    group: str


def is_photo_list(path: Path) -> bool:
    """Return whether a file is a list of photos by its ending."""
    return path.name.lower().endswith(LIST_SUFFIXES)


def read_photo_list(path: Path) -> list[ListedPhoto]:
    """Read a list of photos.

    A CSV has a header with a column ``photo``, ``path`` or ``url``, and may have ``view`` and ``group``. Each
    line of JSON is an object with such keys, or a text. A line of plain text is a path or URL; ``#`` begins
    a remark.

    Raises:
        DataError: it cannot be read, or a row is wrong; the text names its line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is no UTF-8; save the list as UTF-8") from error
    rows = {".csv": _csv_rows, ".jsonl": _json_rows, ".txt": _text_rows}[path.suffix.lower()]
    try:
        return [_listed(row, path, line) for line, row in rows(text, path)]
    except csv.Error as error:
        raise DataError(f"{path}: no valid CSV: {error}") from error


def _csv_rows(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    header = reader.fieldnames or ()
    if not set(header) & set(PHOTO_KEYS):
        raise DataError(
            f"{path}: no column is called {', '.join(PHOTO_KEYS)}; the first line must name the columns "
            f"(it has: {', '.join(header) or 'nothing'})"
        )
    for row in reader:
        yield reader.line_num, row


def _json_rows(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, written in enumerate(text.splitlines(), 1):
        if not written.strip():
            continue
        try:
            value = parse_json(written)
        except ValueError as error:
            raise DataError(f"{path}: line {line}: no valid JSON: {error}") from error
        if not isinstance(value, str | dict):
            raise DataError(f"{path}: line {line}: neither an object nor a text")
        yield line, {"photo": value} if isinstance(value, str) else value


def _text_rows(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, written in enumerate(text.splitlines(), 1):
        if written.strip() and not written.lstrip().startswith("#"):
            yield line, {"photo": written.strip()}


def _listed(row: Mapping[str, Any], path: Path, line: int) -> ListedPhoto:
    place = next((row[key] for key in PHOTO_KEYS if row.get(key)), None)
    if not isinstance(place, str) or "\0" in place:
        raise DataError(f"{path}: line {line}: names no photo under {', '.join(PHOTO_KEYS)}")
    view, group = row.get("view") or None, row.get("group") or ""
    if view is not None and view not in get_args(View):
        raise DataError(f"{path}: line {line}: unknown view {view!r}; there are {', '.join(get_args(View))}")
    is_url = _URL.match(place) is not None
    try:
        name = name_of_url(place) if is_url else name_of_path(place)
    except ValueError as error:
        raise DataError(f"{path}: line {line}: {place!r} is no URL: {error}") from error
    if not name:
        raise DataError(f"{path}: line {line}: {place!r} names no file")
    file = Path() if is_url else path.absolute().parent / place
    return ListedPhoto(name, file, place if is_url else "", cast("View | None", view), str(group))


def name_of_path(path: str) -> str:
    """Return a path without its root and without ``.`` and ``..``, with forward slashes."""
    pure = PurePath(path)
    return "/".join(part for part in pure.parts if part not in (pure.anchor, ".", ".."))


def name_of_url(url: str) -> str:
    """Return host and path of a URL; a query is told by a hash, as it may be what names the photo.

    Raises:
        ValueError: there is no host, or it is no URL.
    """
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("it has no host")
    port = f"_{parts.port}" if parts.port else ""
    folders = [part.lstrip(".") for part in unquote(parts.path).split("/") if part.strip(". ")]
    name = PurePath(*[_UNFIT.sub("_", part) for part in folders] or ["index"])
    if parts.query:
        mark = hashlib.sha256(parts.query.encode()).hexdigest()[:8]
        name = name.with_name(f"{name.stem}-{mark}{name.suffix}")
    return "/".join((f"{parts.hostname}{port}".replace(":", "_"), *name.parts))
