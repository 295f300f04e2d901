"""The inpainting masks that training samples get in every epoch."""

from __future__ import annotations

from skinfw.data.batch import Batch
from skinfw.data.garment_mask import cover
from skinfw.specs.data_spec import DataSpec


def with_training_mask(batch: Batch, data: DataSpec) -> Batch:
    """Return training samples with the masks of a spec, by torch's random numbers.

    Args:
        batch: the samples, on any device.
        data: says how the mask of the samples is changed; by default it is not.
    """
    return batch if data.garment_margin is None else cover(batch, data.garment_margin)
