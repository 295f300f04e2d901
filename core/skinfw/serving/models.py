"""The models that a server offers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from skinfw.components.reference import ComponentLike
from skinfw.components.trust import connections
from skinfw.data.photo import Photo
from skinfw.errors import DataError, UserError
from skinfw.inference.beside import labels_by, needs_files
from skinfw.inference.inpainter import Inpainter
from skinfw.models.embedded import find_model, is_embedded
from skinfw.models.hub import is_on_hub, repository
from skinfw.serving.worker import Worker


@dataclass(frozen=True)
class ServedModel:
    """A model with its own worker.

    Attributes:
        name: how requests name it.
        inpainter: paints with it.
        worker: runs its jobs.
    """

    name: str
    inpainter: Inpainter
    worker: Worker

    @property
    def segmenter(self) -> str:
        """What finds the parts of the person in the photos of clients."""
        return labels_by(self.inpainter.segmenter, self.inpainter.segmenter_name, None)

    def to_json(self) -> dict[str, Any]:
        """Return what clients may know about it."""
        return {
            "name": self.name,
            "size": list(self.inpainter.model.size),
            "inputs": list(self.inpainter.model.inputs),
            "finds_skin": self.inpainter.finds_skin,
            "jobs": self.worker.jobs,
        }


def load_models(
    paths: Sequence[Path],
    waiting: int,
    *,
    checkpoint: Literal["best", "last"] = "best",
    device: Literal["auto", "cpu"] | None = None,
    segmenter: ComponentLike | None = None,
    pose_encoder: ComponentLike | None = None,
    background: ComponentLike | None = None,
    trust: bool = False,
) -> list[ServedModel]:
    """Load models; a model is named after its run folder or file.

    Args:
        paths: run folders, checkpoints, exported files, or names of models.
        waiting: jobs that may wait for each model.
        checkpoint: the best or the last checkpoint of runs.
        device: see `skinfw.Inpainter.load`, as for the others.
        segmenter: finds the parts of the person.
        pose_encoder: finds the pose.
        background: fills what is behind a limb.
        trust: allow what specs of others name.

    Raises:
        UserError: two models have the same name, or a segmenter reads files.
        SkinfwError: as `skinfw.Inpainter.load`.
    """
    names = [_name(path) for path in paths]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise UserError(f"two models are named {repeated}; rename a folder or file")
    served = []
    for name, path in zip(names, paths, strict=True):
        inpainter = Inpainter.load(
            path,
            checkpoint=checkpoint,
            device=device,
            segmenter=segmenter,
            pose_encoder=pose_encoder,
            background=background,
            trust=trust,
        )
        if needs_files(inpainter.segmenter):
            raise UserError(
                f"{path}: its segmenter reads label maps from files, which photos of clients do not have; "
                "name another one with --segmenter"
            )
        _warm_up(inpainter)
        served.append(ServedModel(name, inpainter, Worker(f"model-{name}", waiting)))
    return served


def _warm_up(inpainter: Inpainter) -> None:
    """Let segmenter and pose encoder load what they need, so that what is missing is an error now."""
    photo = Photo(np.full((128, 64, 3), 128, np.uint8))
    with connections(inpainter.trusted):
        # a pose that masks do not need may need weights that are not here
        poses = () if inpainter.pose_optional else (inpainter.pose_encoder.people,)
        for find in (inpainter.segmenter.segment, *poses):
            with suppress(DataError):  # the photo shows nobody
                find(photo)


def _name(path: Path) -> str:
    """Return the name of a run folder, a file without its ending, or a model in the package or on a hub."""
    if is_embedded(path):
        return find_model(str(path)).name
    if is_on_hub(path):
        return repository(path.as_posix())[0].partition("/")[2]
    absolute = path.absolute()
    return absolute.name if absolute.is_dir() else absolute.stem
