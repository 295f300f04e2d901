"""MediaPipe's selfie multiclass segmentation; needs the extra ``mediapipe``."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from mediapipe.tasks.python.vision import ImageSegmenter, ImageSegmenterOptions

from skinfw.components.origin import origin_of
from skinfw.components.weights import file_sha256
from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelMap, Segmentation
from skinfw.errors import UserError
from skinfw.interfaces.segmenter import Segmenter
from skinfw.system.quiet import quiet
from skinfw_plugins.networks.mediapipe_task import image_of, load_task
from skinfw_plugins.segmenters.config_networks import MediapipeConfig
from skinfw_plugins.segmenters.label_sets import MEDIAPIPE

ORIGIN = origin_of(MediapipeConfig.model_fields["model"])


class MediapipeSegmenter(Segmenter[MediapipeConfig]):
    """Runs MediaPipe's ImageSegmenter with a model that finds hair, skin of body and face, and clothes."""

    @cached_property
    def _model(self) -> Path:
        if not self.config.model.is_file():
            raise UserError(f"{self.config.model}: no such model; {ORIGIN}")
        return self.config.model

    @cached_property
    def _task(self) -> Any:
        options = partial(ImageSegmenterOptions, output_confidence_masks=False, output_category_mask=True)
        return load_task(self, ImageSegmenter, options, self._model, "image segmenter", str(ORIGIN))

    def segment(self, photo: Photo) -> Segmentation:
        """Return the class of every pixel.

        Raises:
            UserError: the model cannot be loaded, or does not have the six classes.
        """
        height, width = photo.size
        # MediaPipe returns only zeros if a side has one pixel
        padding = ((0, height == 1), (0, width == 1), (0, 0))
        pixels = np.pad(photo.pixels, padding, "edge")
        image = image_of(pixels)
        with quiet():
            found = self._task.segment(image).category_mask
        labels: LabelMap = np.array(found.numpy_view(), np.uint8).reshape(pixels.shape[:2])[:height, :width]
        if int(labels.max(initial=0)) >= len(MEDIAPIPE.classes):
            raise UserError(
                f"{self.config.model}: returns the class {int(labels.max())}, but the selfie multiclass "
                f"model has {len(MEDIAPIPE.classes)}, so this is another model"
            )
        return Segmentation(labels, MEDIAPIPE.classes, MEDIAPIPE.regions)

    def fingerprint(self) -> str:
        """Return the SHA-256 of the model."""
        return file_sha256(self._model)
