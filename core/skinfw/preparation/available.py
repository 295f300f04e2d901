"""Provides the files of a source's photos: unpacks archives, downloads URLs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from skinfw.preparation.archive import (
    is_archive,
    is_zip,
)
from skinfw.preparation.config import FetchConfig
from skinfw.preparation.listing import Entry, Listing
from skinfw.preparation.source import UNPACKED_FOLDER
from skinfw.preparation.unpack import ZipFiles, unpack_tar
from skinfw.system.paths_below import path_below

if TYPE_CHECKING:
    from skinfw.preparation.scrape_index import Fetched

FETCHED_FOLDER = ".prepare.fetched"
"""Folder of downloaded photos, within the output folder."""


@contextmanager
def made_available(root: Path, output: Path, listing: Listing, fetch: FetchConfig) -> Iterator[list[Entry]]:
    """Provide the photos' files on disk, and remove unpacked files at the end.

    A tar is unpacked completely, as it has no random access. Of a zip, only files other than images are, such
    as poses; its images are unpacked one at a time during preparation, see `skinfw.preparation.unpack`.
    Photos at URLs are downloaded and kept.

    Args:
        root: the source.
        output: folder of the samples.
        listing: its content; files that cannot be unpacked from a zip get the reason.
        fetch: how to download photos.

    Yields:
        the photos; those that could not be downloaded have the reason.

    Raises:
        RunError: the disk is full, or the output cannot be written.
        DataError: the archive is damaged.
    """
    unpacked = path_below(output, UNPACKED_FOLDER)
    if unpacked.exists():  # a run was killed
        shutil.rmtree(unpacked)
    try:
        if root.is_file() and is_zip(root):
            for name, detail in ZipFiles(root, unpacked).take_notes().items():
                listing.add_other(unpacked / name, name, "cannot be read", detail)
        elif root.is_file() and is_archive(root):
            unpack_tar(root, unpacked)
        yield _fetched(listing.entries, path_below(output, FETCHED_FOLDER), fetch)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _fetched(entries: Sequence[Entry], cache: Path, config: FetchConfig) -> list[Entry]:
    urls = sorted({entry.url for entry in entries if entry.url})
    if not urls:
        return list(entries)
    # requests is slow to import, and folders do not need it
    from skinfw.preparation.scrape import fetch_all

    found = fetch_all(urls, cache, config)
    return [_with_file(entry, found[entry.url], cache) if entry.url else entry for entry in entries]


def _with_file(entry: Entry, fetched: Fetched, cache: Path) -> Entry:
    error = f"{entry.url}: {fetched.reason}" if fetched.reason else ""
    return replace(entry, path=cache / (fetched.sha256 or "nothing"), error=error)
