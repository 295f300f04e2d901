"""The checks that no two photos share a label map or a pose."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

from skinfw.data.image_formats import is_image_name
from skinfw.errors import DataError
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.system.paths_below import real_paths


def check_shared_label_maps(
    segmenter: Segmenter[Any], photos: Iterable[Path], packed: Iterable[Path] = ()
) -> None:
    """Reject photos that would get another photo's label map, for example if all maps are in one folder.

    Photos that differ by their extension alone may share one.

    Args:
        segmenter: reads the label maps, or makes them, which rejects nothing.
        photos: the photos.
        packed: files in an archive that are not on disk yet.

    Raises:
        DataError: two photos share a label map; the message names both.
    """
    real = real_paths()
    coming = {real(path) for path in packed}
    owners: dict[str, Path] = {}
    for photo in photos:
        for labels in segmenter.sources(photo):
            # a file other than an image may be about all photos
            if not is_image_name(labels.name) or not (real(labels) in coming or labels.is_file()):
                continue
            owner = owners.setdefault(real(labels), photo)
            if owner.with_suffix("") != photo.with_suffix(""):
                raise DataError(
                    f"{owner} and {photo} would both get the label map {labels}; give each photo its own, "
                    "for example in a folder of label maps for each folder of photos"
                )


def check_shared_poses(encoder: PoseEncoder[Any], photos: Iterable[Path]) -> None:
    """Reject photos that would get another photo's pose, for example if all pose files are in one folder.

    Raises:
        DataError: two photos share a pose file; the message names both.
    """
    owners: dict[Hashable, Path] = {}
    for photo in photos:
        key = encoder.pose_key(photo)
        owner = owners.setdefault(key, photo) if key else photo
        if owner != photo:
            source = next(iter(encoder.sources(photo)), None)
            what = f"the pose in {source}" if source is not None else "the same pose"
            raise DataError(
                f"{owner} and {photo} would both get {what}, as their names are the same; give each photo "
                "its own, for example by putting the poses into subfolders like the photos"
            )
