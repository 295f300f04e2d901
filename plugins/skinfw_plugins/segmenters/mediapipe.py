"""MediaPipe's selfie multiclass segmentation; needs the extra ``mediapipe``."""

from __future__ import annotations

import hashlib
import weakref
from functools import cached_property

import numpy as np
from mediapipe import Image, ImageFormat
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import ImageSegmenter, ImageSegmenterOptions

from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelMap, Segmentation
from skinfw.errors import UserError, first_line
from skinfw.interfaces.segmenter import Segmenter
from skinfw_plugins.quiet import quiet
from skinfw_plugins.segmenters.config_networks import MediapipeConfig
from skinfw_plugins.segmenters.label_sets import MEDIAPIPE


class MediapipeSegmenter(Segmenter[MediapipeConfig]):
    """Runs MediaPipe's ImageSegmenter on a model that tells hair, skin of body and face, and clothes."""

    @cached_property
    def _content(self) -> bytes:
        path = self.config.model
        if not path.is_file():
            raise UserError(
                f"{path}: no such model; get selfie_multiclass_256x256.tflite from MediaPipe's site"
            )
        return path.read_bytes()

    @cached_property
    def _task(self) -> ImageSegmenter:
        options = ImageSegmenterOptions(
            # its content: MediaPipe opens no path with other than ASCII letters on every system
            base_options=BaseOptions(model_asset_buffer=self._content),
            output_confidence_masks=False,
            output_category_mask=True,
        )
        try:
            with quiet():
                task = ImageSegmenter.create_from_options(options)
        except Exception as error:  # MediaPipe raises ValueError, RuntimeError and others
            raise UserError(
                f"{self.config.model}: no model that MediaPipe's ImageSegmenter can load: {first_line(error)}"
            ) from error
        weakref.finalize(self, _close, task)
        return task

    def segment(self, photo: Photo) -> Segmentation:
        """Return the class of every pixel.

        Raises:
            UserError: the model cannot be loaded, or is none of the six classes.
        """
        height, width = photo.size
        # MediaPipe gives nothing but zeros where a side has one pixel
        padding = ((0, height == 1), (0, width == 1), (0, 0))
        pixels = np.ascontiguousarray(np.pad(photo.pixels, padding, "edge"))
        found = self._task.segment(Image(image_format=ImageFormat.SRGB, data=pixels)).category_mask
        labels: LabelMap = np.array(found.numpy_view(), np.uint8).reshape(pixels.shape[:2])[:height, :width]
        if int(labels.max(initial=0)) >= len(MEDIAPIPE.classes):
            raise UserError(
                f"{self.config.model}: gives the class {int(labels.max())}; the selfie multiclass model has "
                f"{len(MEDIAPIPE.classes)}, so this is another one"
            )
        return Segmentation(labels, MEDIAPIPE.classes, MEDIAPIPE.regions)

    def fingerprint(self) -> str:
        """Return the SHA-256 of the model."""
        return hashlib.sha256(self._content).hexdigest()


def _close(task: ImageSegmenter) -> None:
    try:
        task.close()
    except RuntimeError:  # at exit, when its thread is gone; closing it once more would end in a traceback
        task._handle = None
