"""A first look at a source of photos: how many, of what size, and what lies beside them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skinfw.assembly.build import build
from skinfw.components.config import Size
from skinfw.components.reference import ComponentSpec, use_default
from skinfw.data.image_file import open_image
from skinfw.data.image_formats import is_image_name
from skinfw.errors import DataError, counted
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.preparation.label_shifts import measured_shift, moving
from skinfw.preparation.listing import Listing, samples_instead
from skinfw.preparation.report import REJECTED_FILE
from skinfw.preparation.source import UNPACKED_FOLDER, list_photos
from skinfw.system.paths_below import other_case, real_paths

HasFiles = Callable[[Segmenter[Any] | PoseEncoder[Any], Path], bool]
"""Returns whether what a component reads for a photo is there."""

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
        shift: pixels by which the label maps must be moved down and to the right to be aligned.
    """

    count: int
    labeled: int
    posed: int
    sizes: tuple[Size, ...]
    unreadable: int
    shift: tuple[int, int]

    @property
    def label_map_reader(self) -> ComponentSpec:
        """The default segmenter, which moves the label maps if they are misaligned."""
        return moving(use_default("segmenter"), self.shift)

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
    with _packed_files(output / UNPACKED_FOLDER, listing) as has_files:
        labeled = [path for path in paths if has_files(segmenter, path)]
        posed = sum(has_files(pose_encoder, path) for path in paths)
    shift = measured_shift(segmenter, labeled)
    return Survey(len(listing.entries), len(labeled), posed, sizes, unreadable, shift)


@contextmanager
def _packed_files(unpacked: Path, listing: Listing) -> Iterator[HasFiles]:
    """Find the files of photos, also those in an archive.

    Components look for files such as poses on disk, so empty files represent those in the archive.

    Args:
        unpacked: where an archive would be unpacked.
        listing: the content of the source.

    Yields:
        a function that returns whether what a component reads for a photo is there.
    """
    real = real_paths()
    images = set()
    with tempfile.TemporaryDirectory(prefix="skinfw-survey-") as folder:

        def place(path: Path) -> Path:
            return Path(folder, path.relative_to(unpacked)) if path.is_relative_to(unpacked) else path

        for path in listing.others:
            file = place(path)
            if file is path:
                continue
            if is_image_name(file.name):
                images |= {real(file), real(other_case(file))}
                continue
            with suppress(OSError):  # its name is too long, or that of a folder
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()

        def has_files(reader: Segmenter[Any] | PoseEncoder[Any], photo: Path) -> bool:
            files = reader.sources(place(photo))
            return bool(files) and all(real(file) in images or file.is_file() for file in files)

        yield has_files


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
