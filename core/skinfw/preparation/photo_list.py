"""Lists of photos: CSV, JSON lines, or plain text with one path or URL per line."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePath
from typing import Any, cast, get_args
from urllib.parse import unquote, urlsplit

from skinfw.errors import DataError
from skinfw.preparation.config import View
from skinfw.system.json_file import parse_json
from skinfw.system.paths_below import on_disk
from skinfw.system.text_list import numbered_lines, read_list

LIST_SUFFIXES = (".csv", ".tsv", ".jsonl", ".txt")

PHOTO_KEYS = ("photo", "path", "url")
"""Possible names of the photo's column or key; the first one with a value counts."""

_ALTERNATIVES = f"{', '.join(PHOTO_KEYS[:-1])} or {PHOTO_KEYS[-1]}"

KEYS = (*PHOTO_KEYS, "view", "group")

_SEPARATORS = (",", ";", "\t")
_SEPARATOR_LINE = re.compile(r'"?sep=([^"\s\w]|\t)"?\s*', re.IGNORECASE)
_URL = re.compile(r"https?://", re.IGNORECASE)
_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')

_ALIKE = 0.75
"""Minimum similarity of an unknown column for a typo: that of ``veiw`` and ``view``."""

_Row = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True)
class ListedPhoto:
    """A row of a list.

    Attributes:
        name: the photo's name: its path without leading or parent folders, or host and path of its URL.
        path: the file; relative paths are below the list's folder.
        url: its URL, or empty.
        view: the view of the person, or None.
        group: samples of a group stay on one side of the split; or empty.
    """

    name: str
    path: Path
    url: str
    view: View | None
    group: str


@dataclass(frozen=True)
class PhotoList:
    """A list of photos.

    Attributes:
        photos: its rows.
        not_used: names of unused columns or keys, and the number of rows with a value; ``#`` for comment
            lines in plain text.
    """

    photos: Sequence[ListedPhoto]
    not_used: Mapping[str, int]


def is_photo_list(path: Path) -> bool:
    """Return whether a file is a list of photos, by its extension."""
    return path.suffix.lower() in LIST_SUFFIXES


def read_photo_list(path: Path) -> PhotoList:
    """Read a list of photos.

    A CSV has a header with a column ``photo``, ``path`` or ``url``, and may have ``view`` and ``group``; its
    columns are separated by commas, semicolons or tabs. Each line of JSON is an object with such keys, or a
    string. A line of plain text is a path or URL; ``#`` starts a comment, also before the header of a CSV.
    Case and spaces around names and values do not matter.

    Raises:
        DataError: it cannot be read, a row is invalid, or a column is misspelled; the message names the line.
    """
    text = read_list(path)
    not_used: Counter[str] = Counter()
    rows = {".jsonl": _json_rows, ".txt": _text_rows}.get(path.suffix.lower(), _csv_rows)
    try:
        photos = [_listed(row, path, line) for line, row in rows(text, path, not_used)]
    except csv.Error as error:
        raise DataError(f"{path}: not valid CSV: {error}") from error
    return PhotoList(photos, not_used)


def _csv_rows(text: str, path: Path, not_used: Counter[str]) -> Iterator[_Row]:
    lines = text.split("\n")
    start = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    separators: Sequence[str] = _SEPARATORS
    if start < len(lines) and (chosen := _SEPARATOR_LINE.fullmatch(lines[start])):
        separators, start = chosen.group(1), start + 1
    separator = max(separators, key=lambda each: _known(lines[start : start + 1], each))
    body = io.StringIO("\n".join(lines[start:]), newline="")
    reader = csv.reader(body, delimiter=separator, skipinitialspace=True, strict=True)
    header = [_key(name) for name in next(reader, [])]
    if not set(header) & set(PHOTO_KEYS):
        raise DataError(
            f"{path}: no column is named {_ALTERNATIVES}; the first line must name the columns "
            f"(it has: {', '.join(filter(None, header)) or 'nothing'})"
        )
    _check_keys(header, path, f"line {start + 1}")
    not_used.update(dict.fromkeys((key for key in header if key and key not in KEYS), 0))
    header = [key or f"column {number} (no name)" for number, key in enumerate(header, 1)]
    for values in reader:
        line = start + reader.line_num
        if not any(value.strip() for value in values):
            continue
        if any(value.strip() for value in values[len(header) :]):
            raise DataError(
                f"{path}: line {line}: {len(values)} values, but the header has {len(header)} columns; quote "
                f"values that contain {separator!r}"
            )
        row = dict(zip(header, values, strict=False))
        _count(row, not_used)
        yield line, row


def _known(lines: Iterable[str], separator: str) -> int:
    """Return the number of known columns in a header split by a separator; the photo counts twice."""
    names = next(csv.reader(lines, delimiter=separator, skipinitialspace=True), [])
    header = {_key(name) for name in names}
    return len(header & set(KEYS)) + bool(header & set(PHOTO_KEYS))


def _key(name: str) -> str:
    return name.strip().casefold()


def _check_keys(keys: Sequence[str], path: Path, place: str) -> None:
    """Reject duplicate and misspelled keys."""
    twice = next((key for key, count in Counter(keys).items() if count > 1 and key), None)
    if twice is not None:
        raise DataError(f"{path}: {place}: duplicate {twice!r}; remove one")
    alike = set(KEYS) - set(keys) - (set(PHOTO_KEYS) if set(PHOTO_KEYS) & set(keys) else set())
    for key in keys:
        meant = get_close_matches(key, alike, n=1, cutoff=_ALIKE) if key not in KEYS else []
        if meant:
            raise DataError(f"{path}: {place}: unknown {key!r}; rename it to {meant[0]!r}, or remove it")


def _count(row: Mapping[str, Any], not_used: Counter[str]) -> None:
    not_used.update(
        key for key, value in row.items() if key not in KEYS and value is not None and str(value).strip()
    )


def _json_rows(text: str, path: Path, not_used: Counter[str]) -> Iterator[_Row]:
    for line, written in numbered_lines(text):
        try:
            value = parse_json(written)
        except ValueError as error:
            raise DataError(f"{path}: line {line}: not valid JSON: {error}; correct the line") from error
        if not isinstance(value, str | dict):
            raise DataError(
                f'{path}: line {line}: neither an object nor a string; write "a.jpg" or {{"photo": "a.jpg"}}'
            )
        if isinstance(value, str):
            yield line, {"photo": value}
            continue
        keys = [_key(key) for key in value]
        _check_keys(keys, path, f"line {line}")
        row = dict(zip(keys, value.values(), strict=True))
        _count(row, not_used)
        yield line, row


def _text_rows(text: str, path: Path, not_used: Counter[str]) -> Iterator[_Row]:
    for line, written in numbered_lines(text):
        if written.startswith("#") and not _is_file(path.absolute().parent, written):
            not_used["#"] += 1
        else:
            yield line, {"photo": written}


def _is_file(folder: Path, place: str) -> bool:
    return os.path.isfile(on_disk(folder / place))  # noqa: PTH113  # False if the path is too long


def _listed(row: Mapping[str, Any], path: Path, line: int) -> ListedPhoto:
    written = next((row[key] for key in PHOTO_KEYS if _has_value(row.get(key))), None)
    if not isinstance(written, str) or "\0" in written:
        raise DataError(f"{path}: line {line}: has no photo; give its location as {_ALTERNATIVES}")
    view, group = row.get("view"), row.get("group")
    for key, value in (("view", view), ("group", group)):
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise DataError(f"{path}: line {line}: {key} is neither a string nor an integer; quote it")
    view = str(view or "").strip().casefold() or None
    if view is not None and view not in get_args(View):
        raise DataError(f"{path}: line {line}: unknown view {view!r}; use {', '.join(get_args(View))}")
    place = written.strip()
    is_url = _URL.match(place) is not None
    if not is_url:
        place = _place(path.absolute().parent, written)
    try:
        name = name_of_url(place) if is_url else name_of_path(place)
    except ValueError as error:
        raise DataError(f"{path}: line {line}: {place!r} is not a URL: {error}") from error
    if not name:
        raise DataError(f"{path}: line {line}: {place!r} is not a file; give the path or URL of a photo")
    file = Path() if is_url else on_disk(path.absolute().parent / place)
    label = "" if group is None else str(group).strip()
    return ListedPhoto(name, file, place if is_url else "", cast("View | None", view), label)


def _has_value(value: Any) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _place(folder: Path, written: str) -> str:
    """Return a path as it is on disk: with surrounding spaces, or with slashes for backslashes."""
    place = written.strip()
    slashes = place.replace("\\", "/")
    return next((each for each in (written, place, slashes) if _is_file(folder, each)), place)


def name_of_path(path: str) -> str:
    """Return a path without root, ``.``, ``..`` and leading dots, with forward slashes."""
    pure = PurePath(path)
    parts = (part.lstrip(".") for part in pure.parts if part != pure.anchor)
    return "/".join(part for part in parts if part)


def name_of_url(url: str) -> str:
    """Return the host and path of a URL; a query, which may identify the photo, becomes a hash.

    Raises:
        ValueError: it is not a URL, or has no host.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if not host:
        raise ValueError("it has no host")
    host.encode("idna")  # a ValueError if a part of the host is empty or too long
    port = f"_{parts.port}" if parts.port else ""
    folders = [part.lstrip(".") for part in unquote(parts.path).split("/") if part.strip(". ")]
    name = PurePath(*[_UNFIT.sub("_", part) for part in folders] or ["index"])
    if parts.query:
        mark = hashlib.sha256(parts.query.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        name = name.with_name(f"{name.stem}-{mark}{name.suffix}")
    return "/".join((_UNFIT.sub("_", f"{host}{port}"), *name.parts))
