"""The inpainting masks that training samples get in every epoch."""

from __future__ import annotations

from skinfw.data.batch import Batch
from skinfw.data.garment_mask import cover
from skinfw.data.kept_skin import keep_skin
from skinfw.specs.data_spec import DataSpec


def with_training_mask(batch: Batch, data: DataSpec) -> Batch:
    """Return training samples with the masks of a spec, by torch's random numbers.

    Args:
        batch: the samples, on any device.
        data: says how the mask of the samples is changed; by default it is not.
    """
    if data.garment_margin is not None:
        batch = cover(batch, data.garment_margin)
    return keep_skin(batch, data.kept_skin) if data.kept_skin else batch
