"""Accuracy and speed of pose encoders on photos with known poses."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinfw.assembly.build import build
from skinfw.benchmark.labels import labeled, same_photos
from skinfw.benchmark.process import in_own_process, try_all
from skinfw.components.reference import ComponentSpec
from skinfw.components.trust import announce_programs
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Mask
from skinfw.errors import DataError
from skinfw.evaluation.metric_tables import NONE, Cell, Table
from skinfw.interfaces import PoseEncoder
from skinfw.preparation.shared_files import check_shared_poses

FRACTIONS = (0.1, 0.2)
"""Maximum errors of a correct point, as fractions of the torso's length."""

TORSOS = (("Neck", "MidHip"), ("RShoulder", "RHip"), ("LShoulder", "LHip"))
"""Pairs of points for the torso's length; the first pair with both points known is used."""


@dataclass(frozen=True)
class PoseResults:
    """The results of one pose encoder.

    A point counts if the true pose has it and the encoder finds it in at least one photo: points that it does
    not look for, such as the feet in COCO's order, are not misses.

    Attributes:
        pck: percentage of correct keypoints at each of `FRACTIONS`, as a fraction in [0, 1]: of the counted
            points, those found within that fraction of the torso's length. A point that was not found is
            wrong.
        found: fraction of the counted points that were found anywhere.
        points: number of counted points.
        by_point: PCK at the first of `FRACTIONS` of each keypoint by name; None if none counts.
        photos: number of measured photos.
        nobody: number of photos in which the encoder found nobody.
        unusable: why others could not be measured, by photo.
        seconds: median time per photo, from pixels in memory to keypoints.
        memory: peak resident memory of its process in MiB, including libraries.
    """

    pck: tuple[float, ...]
    found: float
    points: int
    by_point: dict[str, float | None]
    photos: int
    nobody: int
    unusable: dict[str, str]
    seconds: float
    memory: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the results for JSON."""
        named = {f"pck@{fraction:g}": value for fraction, value in zip(FRACTIONS, self.pck, strict=True)}
        rest = asdict(self)
        del rest["pck"]
        return {**named, **rest}


def torso_length(pose: Keypoints) -> float | None:
    """Return the length of a pose's torso in pixels, or None if no pair of `TORSOS` is known."""
    for one, other in TORSOS:
        first, second = pose.point(one), pose.point(other)
        if first[2] > 0 and second[2] > 0:
            return float(np.linalg.norm(first[:2] - second[:2])) or None
    return None


def measure_pose_encoder(
    encoder: PoseEncoder[Any], truth: PoseEncoder[Any], photos: Sequence[Path]
) -> PoseResults:
    """Compare a pose encoder with true poses.

    If the encoder finds several people, the one with most points in the box around the true pose counts.

    Args:
        encoder: the pose encoder.
        truth: provides the true poses.
        photos: the photos.

    Raises:
        DataError: no photo could be measured.
    """
    present, found = np.zeros(len(BODY_25), int), np.zeros(len(BODY_25), int)
    correct = np.zeros((len(FRACTIONS), len(BODY_25)), int)
    seconds: list[float] = []
    nobody, unusable = 0, {}
    for path in photos:
        try:
            photo = Photo.read(path)
            true, length = _true_pose(truth, photo)
            began = time.perf_counter()
            pose = encoder.keypoints(photo, _box(true, photo.size))
        except DataError as error:
            unusable[str(path)] = str(error)
            continue
        seconds.append(time.perf_counter() - began)
        known = true.points[:, 2] > 0
        present += known
        if pose is None:
            nobody += 1
            continue
        seen = known & (pose.points[:, 2] > 0)
        distance = np.linalg.norm((pose.points - true.points)[:, :2], axis=1)
        found += seen
        correct += [seen & (distance <= fraction * length) for fraction in FRACTIONS]
    if not seconds:
        raise DataError(
            f"none of the {len(photos)} photos could be measured: {next(iter(unusable.values()))}"
        )
    return _results(present, found, correct, len(seconds), nobody, unusable, float(np.median(seconds)))


def _true_pose(truth: PoseEncoder[Any], photo: Photo) -> tuple[Keypoints, float]:
    true = truth.keypoints(photo)
    if true is None:
        raise DataError(f"{photo.path}: has no true pose to compare with")
    length = torso_length(true)
    if length is None:
        raise DataError(f"{photo.path}: its true pose lacks the torso, which is needed to scale distances")
    return true, length


def _box(pose: Keypoints, size: tuple[int, int]) -> Mask:
    """Return the box around a pose as a mask of the photo's size."""
    points = pose.points[pose.points[:, 2] > 0, :2]
    left, top = np.floor(points.min(axis=0)).astype(int).clip(0)
    right, bottom = np.ceil(points.max(axis=0)).astype(int).clip(0)
    mask = np.zeros(size, bool)
    mask[top : bottom + 1, left : right + 1] = True
    return mask


def _results(
    present: NDArray[np.int_],
    found: NDArray[np.int_],
    correct: NDArray[np.int_],
    photos: int,
    nobody: int,
    unusable: dict[str, str],
    seconds: float,
) -> PoseResults:
    counts = found > 0
    points = int(present[counts].sum())
    return PoseResults(
        pck=tuple(float(row[counts].sum() / points) if points else 0.0 for row in correct),
        found=float(found[counts].sum() / points) if points else 0.0,
        points=points,
        by_point={
            name: float(correct[0, index] / present[index]) if counts[index] else None
            for index, name in enumerate(BODY_25)
        },
        photos=photos,
        nobody=nobody,
        unusable=unusable,
        seconds=seconds,
    )


def benchmark_poses(
    encoders: Sequence[ComponentSpec], truth: ComponentSpec, photos: Sequence[Path]
) -> dict[str, PoseResults]:
    """Measure pose encoders one after the other, each in a separate process.

    Returns:
        the results by the encoders' labels, see `skinfw.benchmark.labels.labeled`.

    Raises:
        DataError: an encoder could not process any photo, or two photos share a true pose.
        SkinfwError: an encoder cannot be built, for example because its weights are missing.
    """
    announce_programs(*encoders)
    check_shared_poses(build(truth, PoseEncoder), photos)
    measured, components = {}, labeled(encoders)
    try_all(components, _measure, truth, photos)
    for label, reference in components.items():
        results, memory = in_own_process(label, _measure, reference, truth, photos)
        measured[label] = replace(results, memory=memory)
    return measured


def _measure(reference: ComponentSpec, truth: ComponentSpec, photos: Sequence[Path]) -> PoseResults:
    return measure_pose_encoder(build(reference, PoseEncoder), build(truth, PoseEncoder), photos)


def poses_table(results: dict[str, PoseResults]) -> Table:
    """Return the results of pose encoders side by side; the best PCK of each fraction is marked.

    Values that print alike are equally good. Nothing is marked if they were measured on different photos or
    points.
    """
    looked_for = {
        frozenset(name for name, value in each.by_point.items() if value is not None)
        for each in results.values()
        if each.points
    }
    ranked = same_photos(each.unusable for each in results.values()) and len(looked_for) <= 1
    best = [
        max((each.pck[place] for each in results.values()), default=0.0) for place in range(len(FRACTIONS))
    ]

    def cells(each: PoseResults) -> list[Cell]:
        correct = [
            Cell(text, ranked and text == f"{top:.3f}") if each.points else Cell(NONE)
            for text, top in zip((f"{value:.3f}" for value in each.pck), best, strict=True)
        ]
        plain = [
            f"{each.found:.3f}",
            str(each.points),
            str(each.nobody),
            str(each.photos),
            f"{1 / each.seconds:.3g}",
            f"{each.memory:.0f}",
        ]
        return [*correct, *(Cell(text, False) for text in plain)]

    columns = [
        *(f"PCK@{fraction:g} ↑" for fraction in FRACTIONS),
        *("found", "points", "nobody", "photos", "photos/s", "memory, MiB"),
    ]
    return Table("pose encoder", columns, [(name, cells(each)) for name, each in results.items()])
