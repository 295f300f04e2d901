"""A first look at a source of photos: how many, of what size, and what lies beside them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from skinfw.assembly.build import build
from skinfw.components.config import Size
from skinfw.components.reference import use_default
from skinfw.data.image_file import open_image
from skinfw.errors import DataError, counted
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.preparation.finders import on_disk
from skinfw.preparation.listing import Listing, samples_instead
from skinfw.preparation.report import REJECTED_FILE
from skinfw.preparation.source import UNPACKED_FOLDER, list_photos
from skinfw.system.paths_below import path_below

MAX_OPENED = 20
"""Maximum photos that are opened to see their sizes."""


@dataclass(frozen=True)
class Survey:
    """What is in a source of photos.

    Attributes:
        count: number of photos.
        labeled: how many have a label map that the default segmenter reads.
        posed: how many have a pose file that the default pose encoder reads.
        sizes: height and width in pixels of up to `MAX_OPENED` photos on disk.
        unreadable: how many of these could not be read.
    """

    count: int
    labeled: int
    posed: int
    sizes: tuple[Size, ...]
    unreadable: int

    @property
    def partly_labeled(self) -> bool:
        """Whether some photos have a label map, and some have none."""
        return 0 < self.labeled < self.count

    @property
    def partly_posed(self) -> bool:
        """Whether some photos have a pose file, and some have none."""
        return 0 < self.posed < self.count

    def __str__(self) -> str:
        parts = [counted(self.count, "photo")]
        if self.sizes:
            low, high = min(self.sizes), max(self.sizes)
            range_ = "" if low == high else f" to {high[0]}x{high[1]}"
            parts[0] += f" of {low[0]}x{low[1]}{range_} pixels"
        parts.append(f"{self.labeled:,} with a label map")
        parts.append(f"{self.posed:,} with a pose file")
        if self.unreadable:
            parts.append(f"{self.unreadable:,} of {len(self.sizes) + self.unreadable:,} cannot be read")
        return ", ".join(parts)


def survey(root: Path, output: Path) -> Survey:
    """Look at a source of photos, without unpacking or downloading.

    Args:
        root: a folder, an archive, or a list of paths and URLs.
        output: a folder below it to skip.

    Raises:
        DataError: the source is missing, cannot be read, contains no photos, or samples that skinfw prepared.
    """
    segmenter = build(use_default("segmenter"), Segmenter)
    pose_encoder = build(use_default("pose_encoder"), PoseEncoder)
    listing = list_photos(root, output, segmenter.sources)
    prepared = samples_instead(root, listing)
    if prepared is not None and (root / REJECTED_FILE).is_file():  # the output folder of prepare
        raise prepared
    paths = [entry.path for entry in listing.entries if not entry.url]
    sizes, unreadable = _sizes([path for path in paths if path.is_file()])
    with _packed_files(output / UNPACKED_FOLDER, listing) as places:
        labeled = sum(any(on_disk(segmenter, each) for each in places(path)) for path in paths)
        posed = sum(any(on_disk(pose_encoder, each) for each in places(path)) for path in paths)
    return Survey(len(listing.entries), labeled, posed, sizes, unreadable)


@contextmanager
def _packed_files(unpacked: Path, listing: Listing) -> Iterator[Callable[[Path], list[Path]]]:
    """Provide empty files in place of those in an archive, as components look for theirs on disk.

    Args:
        unpacked: where an archive would be unpacked.
        listing: the content of the source.

    Yields:
        a function that returns the paths of a photo for which its files may be found.
    """
    names = [path.relative_to(unpacked) for path in listing.others if path.is_relative_to(unpacked)]
    with tempfile.TemporaryDirectory(prefix="skinfw-survey-") as folder:
        for name in names:
            empty = path_below(Path(folder), name.as_posix())
            with suppress(OSError):  # its name is too long, or that of a folder
                empty.parent.mkdir(parents=True, exist_ok=True)
                empty.touch()

        def places(photo: Path) -> list[Path]:
            packed = photo.is_relative_to(unpacked)
            return [photo, Path(folder, photo.relative_to(unpacked))] if packed else [photo]

        yield places


def _sizes(paths: Sequence[Path]) -> tuple[tuple[Size, ...], int]:
    """Return the sizes of evenly spaced photos, and how many cannot be read."""
    step = max(1, len(paths) // MAX_OPENED)
    sizes, unreadable = [], 0
    for path in paths[::step][:MAX_OPENED]:
        try:
            width, height = open_image(path).image.size
        except DataError:
            unreadable += 1
        else:
            sizes.append((height, width))
    return tuple(sizes), unreadable
