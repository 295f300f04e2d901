"""Where photos come from: a folder, an archive, or a list of paths and URLs."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from skinfw.assembly.build import build
from skinfw.components.reference import use_defaults
from skinfw.data.image_formats import is_image_name
from skinfw.data.sample_folder import RECORD_FILE
from skinfw.errors import DataError, counted
from skinfw.interfaces import Segmenter
from skinfw.preparation.archive import (
    TAR_SUFFIXES,
    ZIP_SUFFIXES,
    clean_name,
    is_archive,
    is_hidden,
    is_zip,
    list_archive,
)
from skinfw.preparation.listing import Entry, Listing, no_photo
from skinfw.preparation.photo_list import LIST_SUFFIXES, is_photo_list, read_photo_list
from skinfw.preparation.report import Reason, Row
from skinfw.system.own_folders import listed_images, own_folder
from skinfw.system.paths_below import real_paths
from skinfw.system.walk import Folder, Skipped, walk

logger = logging.getLogger("skinfw")

UNPACKED_FOLDER = ".prepare.unpacked"
"""Folder of unpacked files within the output folder, which has space for the samples and is visible to every
node of a cluster. Data sets ignore hidden folders."""

Sources = Callable[[Path], Sequence[Path]]
"""Returns the files that belong to a photo, such as its label map."""


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
                listing.add_other(path, whole, "result of skinfw", "painted or repaired by skinfw")
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
    real = real_paths()
    places = {image: real(image) for image in every}
    owners = {real(source): image for image in every for of in (sources, *defaults) for source in of(image)}
    # named like a label map except for the format: of a.jpg and a.png, either may be the photo
    alike = {
        stem: (source, image)
        for source, image in owners.items()
        if (stem := _stem(source)) != _stem(places[image])
    }
    endings = _endings(owners, places, {places[image] for image in images})
    for image in images:
        name, path = image.relative_to(root).as_posix(), places[image]
        if path in owners:
            listing.add_other(image, name, "not a photo", f"the label map of {owners[path].name}")
        elif (stem := _stem(path)) in alike:
            source, owner = alike[stem]
            detail = f"named like the label map of {owner.name}, which must be {Path(source).name}"
            listing.add_other(image, name, "not a photo", detail)
        elif ending := next((each for each in endings if image.name.endswith(each)), ""):
            detail = f"named like a label map (*{ending}) whose photo is missing"
            listing.add_other(image, name, "not a photo", detail)
        else:
            listing.entries.append(Entry(name, image))


def _stem(place: str) -> str:
    """Return a path without its extension."""
    return os.path.splitext(place)[0]  # noqa: PTH122  # a Path takes several times as long


def _endings(owners: Mapping[str, Path], places: Mapping[Path, str], images: Collection[str]) -> list[str]:
    """Return what the names of label maps beside their photos have in place of a photo's extension.

    Only names that differ from the photo's by more than the extension count.

    Args:
        owners: photos by the places of their label maps.
        places: the places of photos.
        images: the places of all images.
    """
    found = {  # that of a label map in a folder below has a slash, so no name ends with it
        source.removeprefix(start)
        for source, owner in owners.items()
        if source in images and source.startswith(start := _stem(places[owner]))
    }
    return sorted(ending for ending in found if Path(f"a{ending}").stem != "a")


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
    images = []
    for name in contents.members:
        if any(parent.as_posix() in own for parent in PurePosixPath(name).parents):
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
        return "prepared sample", "a folder of skinfw's"
    kind = "" if is_root else own_folder(files)
    return ("result of skinfw", f"{kind} of skinfw's") if kind else None


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
