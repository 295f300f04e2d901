"""The agreement of label maps: intersection over union, from confusion matrices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skinfw.components.config import Size
from skinfw.data.classes import UNKNOWN, ClassTable
from skinfw.evaluation.results import MetricInfo

MEAN = "all/miou"
"""The metric that chooses the best checkpoint: the mean of the classes' IoU over all images' pixels."""

PERSON = "person"
"""The name of everything but the background."""

Matrix = NDArray[np.int64]


def confusion(found: Tensor, truth: Tensor, classes: int) -> Matrix:
    """Count the pixels of each true and predicted class.

    Args:
        found: predicted labels, int64 ``(H, W)``.
        truth: true labels, int64 ``(H, W)``; `UNKNOWN` pixels do not count.
        classes: number of classes.

    Returns:
        int64 ``(classes, classes)``, one row per true class.
    """
    # torchmetrics takes seconds to import, and only segmenters need this
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    counted: Matrix = (
        multiclass_confusion_matrix(found, truth, classes, ignore_index=UNKNOWN, validate_args=False)
        .cpu()
        .numpy()
    )
    return counted


def group_iou(matrix: Matrix, members: Sequence[int]) -> float | None:
    """Return the intersection over union of some classes combined.

    Args:
        matrix: the result of `confusion`.
        members: the classes, as indices of the matrix.

    Returns:
        in [0, 1]; None if no pixel belongs to them, neither in truth nor prediction.
    """
    chosen = list(members)
    both = int(matrix[np.ix_(chosen, chosen)].sum())
    either = int(matrix[chosen].sum() + matrix[:, chosen].sum()) - both
    return both / either if either else None


def mean_iou(matrix: Matrix) -> float | None:
    """Return the mean IoU of the classes present; None without pixels."""
    values = [group_iou(matrix, [place]) for place in range(len(matrix))]
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def class_groups(classes: ClassTable) -> dict[str, list[int]]:
    """Return the groups with their own metrics, as class indices by name.

    They are the person, each region that is not itself a class, and each class.
    """
    places = {name: place for place, name in enumerate(classes.names)}
    background = classes.regions["background"]
    groups = {PERSON: [place for name, place in places.items() if name not in background]}
    groups |= {region: [places[name] for name in names] for region, names in classes.regions.items()}
    return {**groups, **{name: [place] for name, place in places.items()}}


class LabelMetrics:
    """Accumulates label maps and computes the metrics at the end.

    Args:
        classes: the classes.
        size: height and width of the compared label maps, for the metadata.
    """

    def __init__(self, classes: ClassTable, size: Size) -> None:
        self._groups = class_groups(classes)
        self._classes = len(classes.names)
        self._matrices: list[Matrix] = []
        self._metadata = {"measured at": f"{size[0]}x{size[1]} pixels (height x width)"}

    @torch.no_grad()
    def update(self, found: Tensor, truth: Tensor) -> None:
        """Add predicted and true label maps, each int64 ``(B, H, W)``."""
        self._matrices += [
            confusion(one, other, self._classes) for one, other in zip(found, truth, strict=True)
        ]

    def added(self) -> list[Matrix]:
        """Return what was added so far, to be sent to another process: the matrix of each image."""
        return self._matrices

    def add(self, added: list[Matrix]) -> None:
        """Add the images of another process after those that were added here."""
        self._matrices += added

    @property
    def info(self) -> dict[str, MetricInfo]:
        """Unit and direction of each metric, by ``name/iou`` over all pixels and ``name/iou_per_image``."""
        keys = [MEAN, *(f"{name}/iou" for name in self._groups), *self.per_image()]
        return {key: MetricInfo("", "higher", self._metadata) for key in keys}

    def per_image(self) -> dict[str, list[float | None]]:
        """Return the values of each image; None if it does not contain a class."""
        found: dict[str, list[float | None]] = {
            f"{MEAN}_per_image": [mean_iou(matrix) for matrix in self._matrices]
        }
        for name, members in self._groups.items():
            found[f"{name}/iou_per_image"] = [group_iou(matrix, members) for matrix in self._matrices]
        return found

    def values(self) -> dict[str, float | None]:
        """Return the values over all pixels, and the means of the values per image."""
        total: Matrix = np.sum(self._matrices, axis=0)
        over_all = {f"{name}/iou": group_iou(total, members) for name, members in self._groups.items()}
        return {MEAN: mean_iou(total), **over_all, **_means(self.per_image())}


def _means(per_image: Mapping[str, Sequence[float | None]]) -> dict[str, float | None]:
    known = {key: [value for value in values if value is not None] for key, values in per_image.items()}
    return {key: math.fsum(values) / len(values) if values else None for key, values in known.items()}
