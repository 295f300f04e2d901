"""MediaPipe's tasks: loaded without a word, and closed without a traceback."""

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
    """Return one of MediaPipe's tasks with a model; it is closed when its owner goes.

    Args:
        owner: the component that uses it.
        task: the class of the task.
        options: makes the task's options; it is given the ``base_options``.
        model: the file of the model.
        what: what the model should be, for messages: "pose landmarker".
        place: where the model can be downloaded, for messages.

    Raises:
        UserError: the file cannot be read, or holds no such model.
    """
    try:
        # its content: MediaPipe opens no path with other than ASCII letters on every system
        base = BaseOptions(model_asset_buffer=model.read_bytes())
        with quiet():
            made = task.create_from_options(options(base_options=base))
    except Exception as error:  # MediaPipe raises ValueError, RuntimeError and others
        raise UserError(
            f"{model}: no {what} that MediaPipe can load: {first_line(error)}; get {place}"
        ) from error
    weakref.finalize(owner, _close, made)
    return made


def image_of(pixels: RgbImage) -> Any:
    """Return an image, uint8 RGB ``(H, W, 3)``, as MediaPipe's tasks take it."""
    return Image(image_format=ImageFormat.SRGB, data=np.ascontiguousarray(pixels))


def _close(task: Any) -> None:
    with quiet():
        try:
            task.close()
        except RuntimeError:
            # when Python exits MediaPipe's threads are gone already; it would try again, and say so
            task._handle = None
