"""Where photos come from: a folder, an archive, or a list of paths and URLs."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from skinfw.assembly.build import build
from skinfw.components.reference import use_defaults
from skinfw.data.image_formats import IMAGE_SUFFIXES, is_image_name
from skinfw.data.sample_folder import RECORD_FILE
from skinfw.errors import DataError
from skinfw.interfaces import Segmenter
from skinfw.preparation.archive import (
    TAR_SUFFIXES,
    ZIP_SUFFIXES,
    ZipFiles,
    clean_name,
    is_archive,
    is_hidden,
    is_zip,
    list_archive,
    unpack_tar,
)
from skinfw.preparation.config import FetchConfig, View
from skinfw.preparation.photo_list import LIST_SUFFIXES, is_photo_list, read_photo_list
from skinfw.preparation.report import Reason, Row
from skinfw.system.paths_below import path_below
from skinfw.system.walk import Folder, Skipped, walk

if TYPE_CHECKING:
    from skinfw.preparation.scrape_index import Fetched

logger = logging.getLogger("skinfw")

UNPACKED_FOLDER = ".prepare.unpacked"
"""Folder of unpacked files within the output folder, which has space for the samples and is visible to every
node of a cluster. Data sets ignore hidden folders."""

FETCHED_FOLDER = ".prepare.fetched"
"""Folder of downloaded photos, within the output folder."""

Sources = Callable[[Path], Sequence[Path]]
"""Returns the files that belong to a photo, such as its label map."""


@dataclass(frozen=True)
class Entry:
    """One photo of a source.

    Attributes:
        name: its name: the path below the source, with forward slashes.
        path: its file, which exists during the preparation.
        archive: the zip from which the file is unpacked when needed, or None.
        url: its URL, or empty.
        view: the view of the person, if the source has it.
        group: samples of a group stay on one side of the split; empty if the source has none.
        error: why there is no file.
    """

    name: str
    path: Path
    archive: Path | None = None
    url: str = ""
    view: View | None = None
    group: str = ""
    error: str = ""


@dataclass
class Listing:
    """What is in a source.

    Attributes:
        entries: its photos, sorted by name.
        rejected: what may have been meant as a photo: a dangling link, an unreadable folder, a rejected
            archive member.
        others: what is not a photo, by path: other files, hidden ones, columns of a list.
    """

    entries: list[Entry]
    rejected: list[Row] = field(default_factory=list)
    others: dict[Path, Row] = field(default_factory=dict)

    def not_used(self, used: Collection[Path]) -> list[Row]:
        """Return the rows of other files that do not belong to photos.

        Args:
            used: files that belong to photos, such as their label maps and poses.
        """
        return [row for path, row in sorted(self.others.items()) if path not in used]

    def add_other(self, path: Path, name: str, reason: Reason, detail: str) -> None:
        """Add something other than a photo."""
        self.others[path] = Row(name, "", "not used", reason, detail)

    def add_rejected(self, path: Path, name: str, detail: str) -> None:
        """Add an unreadable file: rejected if its name is that of an image."""
        if is_image_name(name):
            self.rejected.append(Row(name, "", "rejected", "photo cannot be read", f"{name}: {detail}"))
        else:
            self.add_other(path, name, "cannot be read", detail)


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


def no_photo(root: Path, listing: Listing) -> DataError:
    """Return the error that a source has no photos, and what it contains."""
    looked = "the list is empty" if is_photo_list(root) else f"looked for {', '.join(IMAGE_SUFFIXES)}"
    rows = [*listing.rejected, *listing.not_used(())]
    found = "; ".join(f"{row.reason}: {row.photo}" for row in rows[:3])
    more = f" and {len(rows) - 3:,} more" if len(rows) > 3 else ""
    return DataError(f"{root}: no photos in it ({looked}{'; ' if found else ''}{found}{more})")


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

    Label maps (also those of the default segmenter), prepared samples and hidden files are not photos. Links
    are followed, but no folder is read twice.

    Args:
        root: the folder.
        sources: returns the files that belong to a photo.
        output: a folder to skip.

    Raises:
        DataError: the folder itself cannot be read.
    """
    listing = Listing([])
    images, rejected = [], []
    for folder in walk([root]):
        within = folder.path.relative_to(root)
        for skipped in folder.skipped:
            if skipped.path == root:
                raise DataError(f"{root}: {skipped.detail}")
            _add_skipped(listing, skipped, skipped.path.relative_to(root).as_posix())
            rejected.append(skipped.path)
        if RECORD_FILE in folder.files:
            folder.below.clear()
            listing.add_other(folder.path, f"{within.as_posix()}/", "prepared sample", "a folder of skinfw's")
            continue
        _prune(listing, folder, within, output)
        for name in folder.files:
            path, whole = folder.path / name, (within / name).as_posix()
            if is_hidden(name):
                listing.add_other(path, whole, "hidden", "its name begins with a dot; rename it to use it")
            elif is_image_name(name):
                images.append(path)
            else:
                listing.add_other(path, whole, "not a photo", _kind(path))
    _add_images(listing, images, rejected, root, sources)
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


def _add_images(
    listing: Listing, images: Sequence[Path], rejected: Sequence[Path], root: Path, sources: Sources
) -> None:
    """Add photos, and images that are label maps of others, including rejected ones."""
    # label maps of the default segmenter are not photos for any other segmenter either
    defaults = [build(each, Segmenter).sources for each in use_defaults("segmenter", "segmenter")]
    every = [*images, *(path for path in rejected if is_image_name(path.name))]
    owners = {source: image for image in every for of in (sources, *defaults) for source in of(image)}
    # named like a label map except for the format: of a.jpg and a.png, either may be the photo
    alike = {
        source.with_suffix(""): (source, image)
        for source, image in owners.items()
        if source.with_suffix("") != image.with_suffix("")
    }
    for image in images:
        name = image.relative_to(root).as_posix()
        if image in owners:
            listing.add_other(image, name, "not a photo", f"the label map of {owners[image].name}")
        elif image.with_suffix("") in alike:
            source, owner = alike[image.with_suffix("")]
            detail = f"named like the label map of {owner.name}, which must be {source.name}"
            listing.add_other(image, name, "not a photo", detail)
        else:
            listing.entries.append(Entry(name, image))


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
    samples = {name.rpartition("/")[0] for name in contents.members if name.endswith(f"/{RECORD_FILE}")}
    for sample in sorted(samples):
        listing.add_other(unpacked / sample, f"{sample}/", "prepared sample", "a folder of skinfw's")
    images = []
    for name in contents.members:
        if any(parent.as_posix() in samples for parent in PurePosixPath(name).parents):
            continue
        if is_image_name(name):
            images.append(unpacked / name)
        else:
            listing.add_other(unpacked / name, name, "not a photo", _kind(Path(name)))
    rejected = [unpacked / clean for each in contents.rejected if (clean := clean_name(each.name))]
    _add_images(listing, images, rejected, unpacked, sources)
    archive = root if is_zip(root) else None
    listing.entries = [replace(entry, archive=archive) for entry in listing.entries]
    return listing


def _list_rows(root: Path) -> Listing:
    read = read_photo_list(root)
    listing = Listing(
        [Entry(row.name, row.path, url=row.url, view=row.view, group=row.group) for row in read.photos]
    )
    for key, count in read.not_used.items():
        if key == "#":
            name, detail = f"{root.name}: comments", f"{count:,} lines that begin with #"
        else:
            name, detail = f"{root.name}: {key}", f"an unknown column; {count:,} rows have a value"
        listing.add_other(root / key, name, "column not used" if key != "#" else "comment", detail)
    return listing


def _same(folder: Path, other: Path) -> bool:
    return folder.resolve() == other.resolve()


@contextmanager
def made_available(root: Path, output: Path, listing: Listing, fetch: FetchConfig) -> Iterator[list[Entry]]:
    """Provide the photos' files on disk, and remove unpacked files at the end.

    A tar is unpacked completely, as it has no random access. Of a zip, only files other than images are, such
    as poses; its images are unpacked one at a time during preparation, see `skinfw.preparation.archive`.
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
