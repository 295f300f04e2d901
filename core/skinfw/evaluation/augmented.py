"""A few training samples before and after augmentation, for a run's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from skinfw.assembly.assemble import build_augmentations, build_training_dataset
from skinfw.components.field_names import KEYPOINTS
from skinfw.data.batch import Batch
from skinfw.data.loading import Loader
from skinfw.data.resize import resize_image
from skinfw.data.segmentation import RgbImage
from skinfw.data.training_mask import with_training_mask
from skinfw.inference.composite import to_uint8
from skinfw.specs.spec import Spec

SAMPLES = 6
"""Number of training samples shown."""

DRAWS = ("first draw", "second draw")

LONGER_SIDE = 192
"""Maximum longer side of a shown image in pixels; six samples at full size would make a heavy page."""

_GAP = 2
_GRAY = 128


@dataclass(frozen=True)
class AugmentedSample:
    """A training sample before and after.

    Attributes:
        name: the sample's name.
        parts: the images from left to right.
        rows: the images side by side, uint8 RGB, unchanged and after each random draw.
    """

    name: str
    parts: Sequence[str]
    rows: Mapping[str, RgbImage]


def augmented_samples(spec: Spec, names: Sequence[str]) -> list[AugmentedSample]:
    """Apply a spec's augmentations to some of its training samples, seeded by its seed.

    If the spec changes the masks of training samples, that comes first, as in training.

    Args:
        spec: provides the data set and augmentations.
        names: the training samples.

    Returns:
        up to `SAMPLES` samples, evenly spread over the names, with warnings for unreadable ones; none if the
        spec changes no training samples.
    """
    augmentations = build_augmentations(spec)
    if not augmentations and not spec.data.training_masks:
        return []
    chosen = names[:: max(1, len(names) // SAMPLES)][:SAMPLES]
    loader = Loader(build_training_dataset(spec), chosen, batch_size=SAMPLES, skip_corrupt=True)
    found = []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(spec.seed)
        for batch in loader:
            stages = {"original": batch}
            for draw in DRAWS:
                stages[draw] = with_training_mask(batch, spec.data)
                for augmentation in augmentations:
                    stages[draw] = augmentation(stages[draw])
            found += _shown(stages)
    return found


def _shown(stages: Mapping[str, Batch]) -> list[AugmentedSample]:
    parts = {stage: _parts(batch) for stage, batch in stages.items()}
    batch = next(iter(stages.values()))
    return [
        AugmentedSample(
            name=name,
            parts=list(_parts(batch)),
            rows={stage: _row([part[index] for part in each.values()]) for stage, each in parts.items()},
        )
        for index, name in enumerate(batch.names)
    ]


def _parts(batch: Batch) -> dict[str, RgbImage]:
    """Return all images and masks of a batch by name, each uint8 RGB ``(B, H, W, 3)``."""
    names = [name for name in batch.fields if name != KEYPOINTS]
    return {name: to_uint8(batch.show(name)) for name in names}


def _row(images: Sequence[RgbImage]) -> RgbImage:
    """Put images of one size side by side, downscaled if they are large."""
    height, width = images[0].shape[:2]
    fraction = min(1.0, LONGER_SIDE / max(height, width))
    size = (max(1, round(height * fraction)), max(1, round(width * fraction)))
    gap = np.full((size[0], _GAP, 3), _GRAY, np.uint8)
    row: list[RgbImage] = []
    for image in images:
        row += [resize_image(image, size), gap]
    return np.concatenate(row[:-1], axis=1)
