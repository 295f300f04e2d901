"""The images of an evaluation as files next to its report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from skinfw.data.resize import resize_image
from skinfw.data.segmentation import RgbImage
from skinfw.evaluation.examples import RANKS, Example
from skinfw.system.json_file import replacing
from skinfw.system.leftovers import replacing_folder

FOLDER = "gallery"
"""Folder of the strips below that of the example images."""

SMALL = 160
"""Images below this side in pixels are written without loss and shown enlarged, without smoothing."""

_SIDE = 512
"""Larger images are reduced to this side in pixels."""

_WIDEST = 16383
"""Maximum width of a WebP image in pixels."""

_QUALITY = 90


@dataclass(frozen=True)
class Gallery:
    """The images of an evaluation.

    Attributes:
        examples: those with a rank: best, median, worst.
        parts: the kind of each image in a strip, by name, from left to right.
        main: the number of images, from the left, that are seen at first sight.
        size: height and width of one image in a strip.
        files: the strip of each sample, by name, best first.
    """

    examples: Sequence[Example]
    parts: Mapping[str, str]
    main: int
    size: tuple[int, int]
    files: Mapping[str, Path]


@contextmanager
def replacing_gallery(
    examples: Iterable[Example], folder: Path, progress: Callable[[int], None] | None = None
) -> Iterator[Gallery]:
    """Write every example as a strip of its images, and those with a rank as single images too.

    The strips are ``gallery/0001.webp`` and so on, in the order given. If the with block, which writes the
    report, ends without an error, they replace the images of an earlier evaluation; until then, the earlier
    report has its own images.

    Args:
        examples: the examples, all with the same parts; at least one.
        folder: the folder for the images.
        progress: called with the number of finished examples.

    Yields:
        the images, with the paths that they get at the end.

    Raises:
        RunError: the folder cannot be written to.
    """
    with replacing_folder(folder) as place:
        written = _write_gallery(examples, place, progress)
        files = {name: folder / file.relative_to(place) for name, file in written.files.items()}
        yield replace(written, files=files)


def _write_gallery(
    examples: Iterable[Example], folder: Path, progress: Callable[[int], None] | None
) -> Gallery:
    counts = dict.fromkeys(RANKS, 0)
    ranked: list[Example] = []
    files: dict[str, Path] = {}
    for number, example in enumerate(examples, 1):
        files[example.name] = folder / FOLDER / f"{number:04}.webp"
        size = _write_strip([part.image for part in example.parts.values()], files[example.name])
        if example.rank is not None:
            counts[example.rank] += 1
            _write_parts(example, folder / f"{example.rank}-{counts[example.rank]}")
            ranked.append(example)
        if progress is not None:
            progress(number)
    ranked.sort(key=lambda each: RANKS.index(each.rank or "worst"))
    parts = example.parts
    return Gallery(
        examples=ranked,
        parts={name: part.kind for name, part in parts.items()},
        main=sum(part.main for part in parts.values()),
        size=size,
        files=files,
    )


def _write_strip(images: Sequence[RgbImage], path: Path) -> tuple[int, int]:
    """Write images of one size side by side; return the height and width of each."""
    height, width = images[0].shape[:2]
    scale = min(1.0, _SIDE / max(height, width), _WIDEST / len(images) / width)
    if scale < 1:
        height, width = max(1, int(height * scale)), max(1, int(width * scale))
        images = [resize_image(image, (height, width)) for image in images]
    strip = Image.fromarray(np.concatenate(images, axis=1))
    with replacing(path) as temporary:
        strip.save(temporary, format="WEBP", lossless=max(height, width) < SMALL, quality=_QUALITY)
    return height, width


def _write_parts(example: Example, beginning: Path) -> None:
    for name, part in example.parts.items():
        with replacing(beginning.with_name(f"{beginning.name}-{name}.png")) as temporary:
            Image.fromarray(part.image).save(temporary, format="PNG")
