"""Where photos come from: a folder, an archive, or a list of paths and URLs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from skinfw.build import build
from skinfw.component_spec import use_defaults
from skinfw.data.image_formats import IMAGE_SUFFIXES, is_image_name
from skinfw.data.sample_folder import RECORD_FILE
from skinfw.errors import DataError
from skinfw.interfaces import Segmenter
from skinfw.preparation.archive import (
    TAR_SUFFIXES,
    ZIP_SUFFIXES,
    ZipFiles,
    is_archive,
    is_zip,
    list_archive,
    unpack_tar,
)
from skinfw.preparation.config import FetchConfig, View
from skinfw.preparation.photo_list import LIST_SUFFIXES, is_photo_list, read_photo_list

if TYPE_CHECKING:
    from skinfw.preparation.scrape_index import Fetched

UNPACKED_FOLDER = ".prepare.unpacked"
"""Where an archive's files are while they are in use, in the output folder: it has room for the samples, and
every node of a cluster sees it. Data sets do not look into hidden folders."""

FETCHED_FOLDER = ".prepare.fetched"
"""Where photos named by a URL are kept, in the output folder."""

Sources = Callable[[Path], Sequence[Path]]
"""Gives the files that belong to a photo, such as its label map."""


@dataclass(frozen=True)
class Entry:
    """One photo of a source.

    Attributes:
        name: what it is called: its path below the source, with forward slashes.
        path: its file, which is there when the photo is prepared.
        archive: the zip that the file is taken from when it is needed, or None.
        url: where it is fetched from, or nothing.
        view: from where the person is seen, where the source tells it.
        group: samples of one group are on one side of the split; nothing where the source does not tell it.
        fault: why there is no file.
    """

    name: str
    path: Path
    archive: Path | None = None
    url: str = ""
    view: View | None = None
    group: str = ""
    fault: str = ""


def list_photos(root: Path, output: Path, sources: Sources) -> list[Entry]:
    """Return all photos of a source, sorted by name; nothing is unpacked or fetched yet.

    Args:
        root: a folder; a .zip or .tar, packed or not; or a list of paths and URLs (.csv, .jsonl, .txt).
        output: folder of the samples, whose files are no photos.
        sources: which files belong to a photo; label maps are no photos.

    Raises:
        DataError: the source is missing, cannot be read, or has no photo in it.
    """
    if root.is_dir():
        entries = _list_folder(root, output, sources)
        looked = f"looked for {', '.join(IMAGE_SUFFIXES)} at any depth"
    elif not root.exists():
        raise DataError(f"{root}: no such folder, archive or list; give what holds the photos")
    elif is_archive(root):
        entries = _list_archive(root, output / UNPACKED_FOLDER, sources)
        looked = f"looked for {', '.join(IMAGE_SUFFIXES)} at any depth"
    elif is_photo_list(root):
        entries = [
            Entry(row.name, row.path, url=row.url, view=row.view, group=row.group)
            for row in read_photo_list(root)
        ]
        looked = "the list is empty"
    else:
        known = ", ".join(ZIP_SUFFIXES + TAR_SUFFIXES + LIST_SUFFIXES)
        raise DataError(f"{root}: no such folder, nor an archive or a list of photos ({known})")
    if not entries:
        raise DataError(f"{root}: no photo in it ({looked})")
    return sorted(entries, key=lambda entry: entry.name)


def _list_folder(root: Path, output: Path, sources: Sources) -> list[Entry]:
    if _same(root, output):
        raise DataError(f"{output}: samples must not lie among the photos; give another output folder")
    return [Entry(path.relative_to(root).as_posix(), path) for path in photos_below(root, sources, output)]


def photos_below(root: Path, sources: Sources, without: Path | None = None) -> list[Path]:
    """Return the photos below a folder, sorted by their paths below it with forward slashes.

    Label maps are no photos, those of the default segmenter included; nor are prepared samples, or anything
    in hidden folders.

    Args:
        root: the folder.
        sources: which files belong to a photo.
        without: a folder in which nothing is a photo.

    Raises:
        DataError: there is no such folder, or it cannot be read.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; give the folder that holds the photos")

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename}: the folder cannot be read: {error.strerror}") from error

    found = []
    for folder, below, files in os.walk(root, onerror=refuse):
        if RECORD_FILE in files:  # a prepared sample is no photo
            below.clear()
            continue
        below[:] = [
            name
            for name in below
            if not (name.startswith(".") or (without is not None and _same(Path(folder, name), without)))
        ]
        found += [Path(folder, name) for name in files if is_image_name(name)]
    return sorted(_without_sources(found, sources), key=lambda path: path.relative_to(root).as_posix())


def _list_archive(root: Path, unpacked: Path, sources: Sources) -> list[Entry]:
    archive = root if is_zip(root) else None
    members = {unpacked / name: member for name, member in list_archive(root).items()}
    pictures = [path for path in members if is_image_name(path.name)]
    samples = {path.parent for path in members if path.name == RECORD_FILE}
    return [
        Entry(path.relative_to(unpacked).as_posix(), path, archive=archive, fault=members[path].fault)
        for path in _without_sources(pictures, sources)
        if samples.isdisjoint(path.parents)
    ]


def _without_sources(pictures: Sequence[Path], sources: Sources) -> list[Path]:
    # label maps as the default segmenter reads them are no photos for any other one either
    defaults = [build(each, Segmenter).sources for each in use_defaults("segmenter", "segmenter")]
    belonging = {source for picture in pictures for of in (sources, *defaults) for source in of(picture)}
    return [picture for picture in pictures if picture not in belonging]


def _same(folder: Path, other: Path) -> bool:
    return folder.resolve() == other.resolve()


@contextmanager
def made_available(
    root: Path, output: Path, entries: Sequence[Entry], fetch: FetchConfig
) -> Iterator[list[Entry]]:
    """Bring what photos need onto the disk, and remove what was unpacked at the end.

    A tar is unpacked whole, as it cannot be read at random. Of a zip only what is no picture is, such as
    poses; its pictures are taken out one at a time when they are prepared, see
    `skinfw.preparation.archive`. Photos named by a URL are fetched; they stay.

    Args:
        root: the source.
        output: folder of the samples.
        entries: its photos.
        fetch: how photos are fetched.

    Yields:
        the photos; those that could not be fetched say why.

    Raises:
        RunError: the disk is full, or the output cannot be written.
        DataError: the archive is damaged.
    """
    unpacked = output / UNPACKED_FOLDER
    if unpacked.exists():  # a run was killed
        shutil.rmtree(unpacked)
    try:
        if root.is_file() and is_zip(root):
            ZipFiles(root, unpacked).take_notes()
        elif root.is_file() and is_archive(root):
            unpack_tar(root, unpacked)
        yield _fetched(entries, output / FETCHED_FOLDER, fetch)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _fetched(entries: Sequence[Entry], cache: Path, config: FetchConfig) -> list[Entry]:
    urls = sorted({entry.url for entry in entries if entry.url})
    if not urls:
        return list(entries)
    # requests takes a while to import, and folders need none of it
    from skinfw.preparation.scrape import fetch_all

    found = fetch_all(urls, cache, config)
    return [_with_file(entry, found[entry.url], cache) if entry.url else entry for entry in entries]


def _with_file(entry: Entry, fetched: Fetched, cache: Path) -> Entry:
    fault = f"{entry.url}: {fetched.reason}" if fetched.reason else ""
    return replace(entry, path=cache / (fetched.sha256 or "nothing"), fault=fault)
