"""Where photos come from: a folder, an archive, or a list of paths and URLs."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from skinfw.data.image_formats import is_image_name
from skinfw.data.sample_folder import RECORD_FILE
from skinfw.errors import DataError, counted
from skinfw.preparation.archive import (
    TAR_SUFFIXES,
    ZIP_SUFFIXES,
    clean_name,
    is_archive,
    is_hidden,
    is_zip,
    list_archive,
)
from skinfw.preparation.label_map_names import Sources, add_images
from skinfw.preparation.listing import Entry, Listing, no_photo
from skinfw.preparation.photo_list import LIST_SUFFIXES, is_photo_list, read_photo_list
from skinfw.preparation.report import Reason, Row
from skinfw.preparation.unpack import unpack_some
from skinfw.system.own_folders import TABLES, listed_images, own_folder
from skinfw.system.walk import Folder, Skipped, walk

logger = logging.getLogger("skinfw")

UNPACKED_FOLDER = ".prepare.unpacked"
"""Folder of unpacked files within the output folder, which has space for the samples and is visible to every
node of a cluster. Data sets ignore hidden folders."""

_WRITTEN: tuple[Reason, str] = ("result of skinfw", "painted or repaired by skinfw")


def list_photos(root: Path, output: Path, sources: Sources) -> Listing:
    """Return all photos of a source, and what else is in it, without unpacking or downloading.

    Args:
        root: a folder; a .zip or .tar, packed or not; or a list of paths and URLs (.csv, .tsv, .jsonl, .txt).
        output: folder of the samples; its files are not photos.
        sources: returns the files that belong to a photo; label maps are not photos.

    Raises:
        DataError: the source is missing, cannot be read, or contains no photos.
    """
    if root.is_dir():
        if _same(root, output):
            raise DataError(f"{output}: samples must not be among the photos; choose another output folder")
        listing = list_folder(root, sources, output)
    elif not root.exists():
        raise DataError(f"{root}: no such folder, archive or list; check the path")
    elif is_archive(root):
        listing = _list_archive(root, output / UNPACKED_FOLDER, sources)
    elif is_photo_list(root):
        listing = _list_rows(root)
    else:
        known = ", ".join(ZIP_SUFFIXES + TAR_SUFFIXES + LIST_SUFFIXES)
        if is_image_name(root.name):
            raise DataError(f"{root}: a single photo; give the folder that holds it")
        raise DataError(f"{root}: neither a folder nor an archive or a list of photos ({known})")
    if not listing.entries:
        raise no_photo(root, listing)
    listing.entries.sort(key=lambda entry: entry.name)
    return listing


def photos_below(root: Path, sources: Sources) -> list[Path]:
    """Return the photos below a folder, sorted by their paths below it with forward slashes.

    It warns about what `list_folder` skips.

    Args:
        root: the folder.
        sources: returns the files that belong to a photo.

    Raises:
        DataError: the folder does not exist, cannot be read, or holds no photos.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; give the folder that holds the photos")
    listing = list_folder(root, sources)
    if not listing.entries:
        raise no_photo(root, listing)
    if listing.rejected:
        first = listing.rejected[0].detail
        logger.warning(
            "%s: %d files or folders cannot be read; the first: %s", root, len(listing.rejected), first
        )
    return sorted(
        (entry.path for entry in listing.entries), key=lambda path: path.relative_to(root).as_posix()
    )


def list_folder(root: Path, sources: Sources, output: Path | None = None) -> Listing:
    """Return what is in a folder, at any depth.

    Label maps (also those of the default segmenter), hidden files and what skinfw wrote below the folder are
    not photos: samples, runs, contact sheets, paintings. Except for samples, this does not apply to the
    folder itself: its images are what is asked for. Links are followed, but no folder is read twice.

    Args:
        root: the folder.
        sources: returns the files that belong to a photo.
        output: a folder to skip.

    Raises:
        DataError: the folder itself cannot be read.
    """
    listing = Listing([])
    images, rejected, written = [], [], set[Path]()
    for folder in walk([root]):
        within = folder.path.relative_to(root)
        for skipped in folder.skipped:
            if skipped.path == root:
                raise DataError(f"{root}: {skipped.detail}")
            _add_skipped(listing, skipped, skipped.path.relative_to(root).as_posix())
            rejected.append(skipped.path)
        is_root = folder.path == root  # then what skinfw wrote there is what is asked for
        if kind := _own_kind(folder.files, is_root):
            folder.below.clear()
            listing.add_other(folder.path, f"{within.as_posix()}/", *kind)
            continue
        if not is_root:
            written |= listed_images(folder.path, folder.files)
        _prune(listing, folder, within, output)
        for name in folder.files:
            path, whole = folder.path / name, (within / name).as_posix()
            if is_hidden(name):
                listing.add_other(path, whole, "hidden", "its name begins with a dot; rename it to use it")
            elif path in written:
                listing.add_other(path, whole, *_WRITTEN)
            elif is_image_name(name):
                images.append(path)
            else:
                listing.add_other(path, whole, "not a photo", _kind(path))
    add_images(listing, images, rejected, root, sources)
    return listing


def _prune(listing: Listing, folder: Folder, within: Path, output: Path | None) -> None:
    """Skip hidden folders and the output."""
    for name in list(folder.below):
        path = folder.path / name
        is_output = output is not None and _same(path, output)
        if is_output or is_hidden(name):
            folder.below.remove(name)
        if is_hidden(name) and not is_output:
            listing.add_other(path, f"{(within / name).as_posix()}/", "hidden", "a hidden folder")


def _add_skipped(listing: Listing, skipped: Skipped, name: str) -> None:
    if skipped.kind == "folder":
        listing.rejected.append(Row(f"{name}/", "", "rejected", "folder cannot be read", skipped.detail))
    elif skipped.kind == "link":
        listing.add_other(skipped.path, name, "link not followed", skipped.detail)
    else:
        listing.add_rejected(skipped.path, name, skipped.detail)


def _kind(path: Path) -> str:
    """Return the kind of a file that is not a photo, by its name."""
    if is_archive(path):
        return "an archive in the source; use it as the source itself"
    return f"a {path.suffix.lower()} file" if path.suffix else "a file without an extension"


def _list_archive(root: Path, unpacked: Path, sources: Sources) -> Listing:
    listing = Listing([])
    contents = list_archive(root)
    for number, each in enumerate(contents.rejected):
        path = unpacked / f"rejected member {number}"  # numbered, as several may have the same name
        if each.hidden:
            listing.add_other(path, each.name, "hidden", "hidden files are not unpacked")
        elif each.name == root.name:
            detail = f"{root}: {each.detail}"
            listing.rejected.append(Row(each.name, "", "rejected", "photo cannot be read", detail))
        else:
            listing.add_rejected(path, each.name, each.detail)
    own = _own_folders(contents.members)
    for folder, (reason, detail) in sorted(own.items()):
        listing.add_other(unpacked / folder, f"{folder}/", reason, detail)
    images, written = [], _written(root, contents.members)
    for name in contents.members:
        if any(parent.as_posix() in own for parent in PurePosixPath(name).parents):
            continue
        if name in written:
            listing.add_other(unpacked / name, name, *_WRITTEN)
        elif is_image_name(name):
            images.append(unpacked / name)
        else:
            listing.add_other(unpacked / name, name, "not a photo", _kind(Path(name)))
    rejected = [unpacked / clean for each in contents.rejected if (clean := clean_name(each.name))]
    add_images(listing, images, rejected, unpacked, sources)
    archive = root if is_zip(root) else None
    listing.entries = [replace(entry, archive=archive) for entry in listing.entries]
    return listing


def _written(archive: Path, members: Iterable[str]) -> set[str]:
    """Return the images that tables in folders of an archive list as painted or repaired."""
    tables = [name for name in members if "/" in name and PurePosixPath(name).name in TABLES]
    if not tables:
        return set()
    with TemporaryDirectory(prefix="skinfw-tables-") as folder:
        with suppress(DataError):  # preparation reports it
            unpack_some(archive, Path(folder), tables)
        places = [Path(folder, name) for name in tables]
        found = {image for place in places for image in listed_images(place.parent, [place.name])}
        return {path.relative_to(folder).as_posix() for path in found if path.is_relative_to(folder)}


def _own_folders(members: Iterable[str]) -> dict[str, tuple[Reason, str]]:
    """Return the folders in an archive that skinfw wrote, with what they are."""
    files: dict[str, set[str]] = {}
    for name in members:
        folder, _, file = name.rpartition("/")
        files.setdefault(folder, set()).add(file)
    return {folder: kind for folder, names in files.items() if folder and (kind := _own_kind(names))}


def _own_kind(files: Collection[str], is_root: bool = False) -> tuple[Reason, str] | None:
    """Return what a folder with these files is if skinfw wrote it, else None; a root is at most a sample."""
    if RECORD_FILE in files:
        return "prepared sample", "a sample that skinfw prepared"
    kind = "" if is_root else own_folder(files)
    return ("result of skinfw", f"{kind} that skinfw wrote") if kind else None


def _list_rows(root: Path) -> Listing:
    read = read_photo_list(root)
    listing = Listing(
        [Entry(row.name, row.path, url=row.url, view=row.view, group=row.group) for row in read.photos]
    )
    for key, count in read.not_used.items():
        if key == "#":
            name, detail = f"{root.name}: comments", f"{counted(count, 'line')} with # in front"
        else:
            name, detail = (
                f"{root.name}: {key}",
                f"an unknown column, with a value in {counted(count, 'row')}",
            )
        listing.add_other(root / key, name, "column not used" if key != "#" else "comment", detail)
    return listing


def _same(folder: Path, other: Path) -> bool:
    return folder.resolve() == other.resolve()
