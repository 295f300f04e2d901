"""MediaPipe's tasks, loaded silently and closed without a traceback."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mediapipe import Image, ImageFormat
from mediapipe.tasks.python import BaseOptions

from skinfw.data.segmentation import RgbImage
from skinfw.errors import UserError, first_line
from skinfw.system.quiet import quiet


def load_task(
    owner: object, task: Any, options: Callable[..., Any], model: Path, what: str, place: str
) -> Any:
    """Return a MediaPipe task with a model; it is closed when its owner is deleted.

    Args:
        owner: the component that uses it.
        task: the class of the task.
        options: creates the task's options from ``base_options``.
        model: the model file.
        what: what the model should be, for messages: "pose landmarker".
        place: how to get the model, for messages: "download it from https://...".

    Raises:
        UserError: the file cannot be read or is not such a model.
    """
    try:
        # its content: on some systems MediaPipe only opens ASCII paths
        base = BaseOptions(model_asset_buffer=model.read_bytes())
        with quiet():
            made = task.create_from_options(options(base_options=base))
    except Exception as error:  # MediaPipe raises ValueError, RuntimeError and others
        raise UserError(
            f"{model}: not a {what} that MediaPipe can load: {first_line(error)}; {place}"
        ) from error
    weakref.finalize(owner, _close, made)
    return made


def image_of(pixels: RgbImage) -> Any:
    """Return an image, uint8 RGB ``(H, W, 3)``, as MediaPipe's tasks expect it."""
    return Image(image_format=ImageFormat.SRGB, data=np.ascontiguousarray(pixels))


def _close(task: Any) -> None:
    with quiet():
        try:
            task.close()
        except RuntimeError:
            # when Python exits, MediaPipe's threads are already gone; it would retry and print errors
            task._handle = None
