"""Which data and networks belong to a spec: the one place that tells tasks apart before training."""

from __future__ import annotations

from typing import Any

from accelerate import Accelerator

from skinfw.assembly.assemble import build_training_dataset
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import AnySpec
from skinfw.tasks.inpainting.module import PaintingLearner
from skinfw.tasks.segmentation.photos import LabelledPhotos
from skinfw.training.learner import Learner, Source


def make_source(spec: AnySpec) -> Source:
    """Build what gives the samples that a spec trains on."""
    return LabelledPhotos(spec.data) if isinstance(spec, SegmentationSpec) else build_training_dataset(spec)


def make_learner(spec: AnySpec, source: Any, accelerator: Accelerator) -> Learner:
    """Build the networks that a spec trains.

    Args:
        spec: what to build.
        source: what `make_source` built for the spec.
        accelerator: gives device, precision and processes.
    """
    if isinstance(spec, SegmentationSpec):
        # its libraries take seconds to import, and inpainting needs none of them
        from skinfw.tasks.segmentation.module import SegmentationLearner

        return SegmentationLearner(spec, source, accelerator)
    return PaintingLearner(spec, source, accelerator)
