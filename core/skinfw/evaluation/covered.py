"""Samples to evaluate, their skin covered if the spec says so."""

from __future__ import annotations

from collections.abc import Iterable

from skinfw.data.batch import Batch
from skinfw.data.garment_mask import cover_by_name
from skinfw.specs.spec import Spec


def covered(batches: Iterable[Batch], spec: Spec) -> Iterable[Batch]:
    """Return batches with the masks that their samples always have in evaluations of a spec."""
    margin = spec.data.garment_margin
    return batches if margin is None else (cover_by_name(batch, margin) for batch in batches)
