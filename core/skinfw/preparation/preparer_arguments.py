"""The arguments of a `PhotoPreparer` as they travel to other processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from skinfw.components.reference import ComponentSpec, read_reference
from skinfw.components.validation_errors import spec_error
from skinfw.errors import DataError
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.finders import Missing
from skinfw.preparation.preparer import PhotoPreparer
from skinfw.preparation.report import Row


@dataclass(frozen=True)
class PreparerArguments:
    """The picklable arguments of a `PhotoPreparer`, for other processes.

    Attributes:
        output: folder of the samples.
        segmenter: the segmenter, as in a spec.
        pose_encoder: the pose encoder, as in a spec; None for samples without poses.
        label_maps: what finds missing label maps, as in a spec, or None.
        poses: what finds missing poses, as in a spec, or None.
        config: margin, crop and filters.
        folder: base of relative paths: the folder where prepare was started.
    """

    output: Path
    segmenter: dict[str, Any]
    pose_encoder: dict[str, Any] | None
    label_maps: dict[str, Any] | None
    poses: dict[str, Any] | None
    config: PrepareConfig
    folder: Path

    def build(self) -> PhotoPreparer:
        """Build the preparer; see `PhotoPreparer` for the errors.

        Raises:
            SpecError: a component is unknown here, or its parameters are invalid.
        """
        try:
            segmenter = read_reference("segmenter", self.segmenter)
            pose_encoder = _reference("pose_encoder", self.pose_encoder)
            missing = Missing(
                _reference("segmenter", self.label_maps), _reference("pose_encoder", self.poses)
            )
        except ValidationError as error:
            raise spec_error("the components of prepare", error, None) from None
        return PhotoPreparer(self.output, segmenter, pose_encoder, self.config, missing)

    def lost(self, task: Any) -> Row:
        """Return the row of a photo whose process ended. See `skinfw.system.workers.Work.lost`."""
        detail = f"{task.entry.path}: the process that prepared it ended unexpectedly (out of memory?)"
        if self.config.on_error == "fail":
            raise DataError(detail)
        return Row(task.entry.name, task.sample, "rejected", "component failed", detail)


def _reference(kind: str, value: dict[str, Any] | None) -> ComponentSpec | None:
    return None if value is None else read_reference(kind, value)
