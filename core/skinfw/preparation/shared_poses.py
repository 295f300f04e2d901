"""The check that no two photos share a pose."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

from skinfw.errors import DataError
from skinfw.interfaces import PoseEncoder


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
