"""What is read from a file beside a photo if it is there, and found by a network if it is not."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import Any

from skinfw.assembly.build import build
from skinfw.components.reference import ComponentSpec, use_default, use_defaults
from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelTable, RgbImage, Segmentation
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.models.defaults import SEGMENTING, segmenter_of
from skinfw.models.embedded import EmbeddedModel, default_model
from skinfw.preparation.finders import on_disk

logger = logging.getLogger("skinfw")

_ANY = Path("photo.png")


class SegmenterBeside(Segmenter[Any]):
    """Reads the label maps beside photos; a model in the package finds those of other photos.

    Args:
        reader: a segmenter that reads files.
        model: the model; it is opened when a photo needs it.
    """

    def __init__(self, reader: Segmenter[Any], model: EmbeddedModel) -> None:
        super().__init__(reader.config, None)
        self.reader, self.model = reader, model
        self._said = False

    @cached_property
    def _parser(self) -> Segmenter[Any]:
        return build(segmenter_of(self.model), Segmenter)

    def segment(self, photo: Photo) -> Segmentation:
        """Return the label map of a photo. See `Segmenter.segment`."""
        if on_disk(self.reader, photo.path):
            return self.reader.segment(photo)
        if photo.path is not None and not self._said:  # photos in memory have nothing beside them
            logger.info(
                "no label map beside the photo: %s finds the parts of the person", self.model.reference
            )
            self._said = True
        return self._parser.segment(photo)

    def read(self, labels: Path, photo: Photo) -> Segmentation:
        """Read a label map. See `Segmenter.read`."""
        return self.reader.read(labels, photo)

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the files that a label map would be read from. See `Segmenter.sources`."""
        return self.reader.sources(photo)

    def other_tables(self) -> dict[str, LabelTable]:
        """Return other meanings of the labels in files. See `Segmenter.other_tables`."""
        return dict(self.reader.other_tables())

    def fingerprint(self) -> str:
        """Return a fingerprint of both. See `Segmenter.fingerprint`."""
        return f"{self.reader.fingerprint()} {self.model.sha256}"


class PoseBeside(PoseEncoder[Any]):
    """Reads the poses beside photos; another pose encoder finds those of other photos.

    Args:
        reader: a pose encoder that reads files.
        other: the other one; it is built when a photo needs it.
    """

    def __init__(self, reader: PoseEncoder[Any], other: ComponentSpec) -> None:
        super().__init__(reader.config, None)
        self.reader, self.other = reader, other

    @cached_property
    def _finder(self) -> PoseEncoder[Any]:
        logger.info("no pose beside the photo: %s finds it", self.other.name)
        return build(self.other, PoseEncoder)

    def people(self, photo: Photo) -> list[Keypoints]:
        """Return the poses in a photo. See `PoseEncoder.people`."""
        return (self.reader if on_disk(self.reader, photo.path) else self._finder).people(photo)

    def draw(self, keypoints: Keypoints, size: tuple[int, int]) -> RgbImage:
        """Return the pose map. See `PoseEncoder.draw`."""
        return self.reader.draw(keypoints, size)

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the files that a pose would be read from. See `PoseEncoder.sources`."""
        return self.reader.sources(photo)

    def fingerprint(self) -> str:
        """Return a fingerprint of both. See `PoseEncoder.fingerprint`."""
        return f"{self.reader.fingerprint()} {self.other.to_json()}"


def segmenter_beside(reference: ComponentSpec) -> Segmenter[Any]:
    """Build a segmenter; if it reads files, a model in the package finds missing label maps."""
    reader = build(reference, Segmenter)
    model = default_model(SEGMENTING)
    return reader if model is None or not reader.sources(_ANY) else SegmenterBeside(reader, model)


def pose_encoder_beside() -> PoseEncoder[Any]:
    """Build the default pose encoder; the one for photos without poses finds the poses that are missing."""
    reader = build(use_default("pose_encoder"), PoseEncoder)
    others = use_defaults("pose_encoder", "photos_without_poses")
    return PoseBeside(reader, others[0]) if others else reader


def needs_files(segmenter: Segmenter[Any]) -> bool:
    """Return whether a segmenter cannot do without files, as photos in memory have none."""
    return bool(segmenter.sources(_ANY)) and not isinstance(segmenter, SegmenterBeside)


def labels_by(segmenter: Segmenter[Any], name: str, photo: Path | None) -> str:
    """Return what finds the label map of a photo, for reports.

    Args:
        segmenter: the segmenter.
        name: its own name.
        photo: the photo; None for one in memory.
    """
    if not isinstance(segmenter, SegmenterBeside) or on_disk(segmenter, photo):
        return name
    return segmenter.model.reference
