"""Chooses the samples and the training module for the task of a spec."""

from __future__ import annotations

from typing import Any

from accelerate import Accelerator

from skinfw.assembly.assemble import build_dataset, build_training_dataset
from skinfw.data.sample_cache import SampleCache
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import AnySpec
from skinfw.tasks.inpainting.module import InpaintingModule
from skinfw.tasks.segmentation.photos import LabeledPhotos
from skinfw.training.module import SampleSource, TrainingModule


def make_source(spec: AnySpec) -> SampleSource:
    """Build the source of a spec's training samples."""
    return LabeledPhotos(spec.data) if isinstance(spec, SegmentationSpec) else build_training_dataset(spec)


def make_training_module(spec: AnySpec, source: Any, accelerator: Accelerator) -> TrainingModule:
    """Build the networks that a spec trains.

    Args:
        spec: what to build.
        source: the result of `make_source` for the spec.
        accelerator: provides device, precision and processes.
    """
    if isinstance(spec, SegmentationSpec):
        # its libraries take seconds to import, and inpainting does not need them
        from skinfw.tasks.segmentation.module import SegmentationModule

        return SegmentationModule(spec, source, accelerator)
    # evaluated samples also have the regions of the metrics
    cache = SampleCache(spec.data.sample_cache, source)
    return InpaintingModule(spec, build_dataset(spec), accelerator, cache)
