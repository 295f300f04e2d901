"""Poses from the data set DeepFashion-MultiModal: two text files for all photos."""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.errors import DataError, UserError
from skinfw.interfaces.pose_encoder import PoseEncoder
from skinfw.system.paths_below import composed
from skinfw.system.text_list import numbered_lines, read_list
from skinfw_plugins.pose_encoders.config_layouts import DeepfashionPointsConfig
from skinfw_plugins.pose_encoders.inside import check_inside
from skinfw_plugins.pose_encoders.orders import DEEPFASHION_21, to_body_25

_POINTS = len(DEEPFASHION_21)
_SEEN, _HIDDEN = 0, 1
_ADVICE = "give the keypoints_*.txt of DeepFashion-MultiModal"
_FARTHEST = 1_000_000
"""Largest plausible coordinate in pixels."""


class DeepfashionPointsPoseEncoder(PoseEncoder[DeepfashionPointsConfig]):
    """Finds the photo's line in ``keypoints_loc.txt`` and in ``keypoints_vis.txt``.

    Raises:
        UserError: one of the files does not exist.
    """

    def __init__(self, config: DeepfashionPointsConfig, io: None) -> None:
        super().__init__(config, io)
        missing = next((path for path in self._files() if not path.is_file()), None)
        if missing is not None:
            raise UserError(f"{missing}: no such file; {_ADVICE}")

    def _files(self) -> list[Path]:
        return [path for path in (self.config.locations, self.config.visibility) if path is not None]

    def people(self, photo: Photo) -> list[Keypoints]:
        """Return the pose of a photo; none if all points are missing.

        Raises:
            DataError: the photo has no line, or its points do not fit the photo.
            UserError: a file cannot be read.
        """
        if photo.path is None:
            raise DataError("the deepfashion_points pose encoder needs a photo with a name")
        name = photo.path.name
        places = _of(self._locations, name, self.config.locations).reshape(_POINTS, 2)
        confidence = np.where((places < 0).any(axis=1), 0.0, 1.0)
        if self.config.visibility is not None:
            codes = _of(self._visibility, name, self.config.visibility)
            confidence *= np.select([codes == _SEEN, codes == _HIDDEN], [1.0, self.config.hidden], 0.0)
        pose = to_body_25(np.column_stack([places, confidence]), DEEPFASHION_21)
        advice = "use the photos at the size that the points refer to"
        check_inside([pose], photo.size, f"{self.config.locations}: {name}", advice)
        return [pose] if pose.found(0).any() else []

    def pose_key(self, photo: Path) -> Hashable:
        """Return the photo's name, with which its line begins."""
        return photo.name

    def fingerprint(self) -> str:
        """Return the files' modification times: all poses come from them."""
        return " ".join(str(path.stat().st_mtime_ns) for path in self._files())

    @cached_property
    def _locations(self) -> dict[str, NDArray[np.float64]]:
        return _read(self.config.locations, 2 * _POINTS)

    @cached_property
    def _visibility(self) -> dict[str, NDArray[np.float64]]:
        return {} if self.config.visibility is None else _read(self.config.visibility, _POINTS)


def _of(lines: dict[str, NDArray[np.float64]], name: str, path: Path) -> NDArray[np.float64]:
    if composed(name) not in lines:
        raise DataError(f"{path}: has no line for {name}; use a pose encoder that finds poses itself")
    return lines[composed(name)]


def _read(path: Path, count: int) -> dict[str, NDArray[np.float64]]:
    """Return the numbers of each photo's line, float64 ``(count,)``."""
    found: dict[str, NDArray[np.float64]] = {}
    try:
        text = read_list(path)
    except DataError as error:  # it is wrong for every photo
        raise UserError(f"{error}; {_ADVICE}") from error
    for number, line in numbered_lines(text):
        name, *values = re.split(r"[\s,;]+", line.strip(",;"))
        try:
            row = np.array(values, np.float64)
        except ValueError:
            row = np.empty(0)
        if len(row) == count and not (np.abs(row) <= _FARTHEST).all():
            raise UserError(
                f"{path}: line {number}: a number is beyond {_FARTHEST:,} pixels; correct the line"
            )
        if len(row) != count:
            raise UserError(
                f"{path}: line {number}: expected a photo's name and {count} numbers, found {len(values)} "
                "words after it; locations is keypoints_loc.txt, visibility keypoints_vis.txt"
            )
        name = composed(name)
        if name in found:
            raise UserError(f"{path}: line {number}: {name} already has a line; keep the right one")
        found[name] = row
    return found
