"""Segmentations and poses of photos and results: computed, or from label maps that you name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skinfw.data.image_formats import IMAGE_SUFFIXES
from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.system.paths_below import on_disk, path_to_read


@dataclass(frozen=True)
class Labels:
    """Label maps that are read instead of computed.

    Attributes:
        reader: reads them.
        path: the file of one picture, or a folder with ``NAME.png`` for each picture ``NAME``.
    """

    reader: Segmenter[Any]
    path: Path

    def read(self, photo: Photo) -> Segmentation:
        """Return the label map of a picture.

        Raises:
            DataError: it is missing, or cannot be read.
        """
        if not self.path.is_dir():
            return self.reader.read(self.path, photo)
        if photo.path is None:
            raise DataError(f"{self.path}: is a folder; give the label map's file")
        names = [path_to_read(self.path, f"{photo.path.stem}{suffix}") for suffix in IMAGE_SUFFIXES]
        found = [path for path in map(on_disk, names) if path.is_file()]
        if len(found) != 1:
            what = "no label map" if not found else "several label maps"
            raise DataError(f"{self.path}: {what} named {photo.path.stem}")
        return self.reader.read(found[0], photo)


@dataclass(frozen=True)
class Parser:
    """Finds what the pictures of a pair show.

    Attributes:
        segmenter: segments the pictures without label maps.
        pose_encoder: finds the person's pose in the photo; None for no pose.
        person: label maps of the photos, or None.
        result: label maps of the results, or None.
    """

    segmenter: Segmenter[Any]
    pose_encoder: PoseEncoder[Any] | None = None
    person: Labels | None = None
    result: Labels | None = None

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the files that belong to a photo: its label map and its pose."""
        of_pose = () if self.pose_encoder is None else self.pose_encoder.sources(photo)
        return (*self.segmenter.sources(photo), *of_pose)

    def of_person(self, photo: Photo) -> tuple[Segmentation, Keypoints | None]:
        """Return the segmentation of a photo, and the pose in its pixels if there is a pose encoder.

        Raises:
            DataError: one of them cannot be found.
        """
        found = self.segmenter.segment(photo) if self.person is None else self.person.read(photo)
        pose = None if self.pose_encoder is None else self.pose_encoder.keypoints(photo, found.person)
        return found, pose

    def of_result(self, photo: Photo) -> Segmentation:
        """Return the segmentation of a result.

        Raises:
            DataError: it cannot be found.
        """
        return self.segmenter.segment(photo) if self.result is None else self.result.read(photo)
