"""The segmenter that skinfw trains itself."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skinfw.components.weights import file_sha256
from skinfw.data.photo import Photo
from skinfw.data.pixel_types import image_tensor
from skinfw.data.resize import resize_image
from skinfw.data.segmentation import LabelMap, RgbImage, Segmentation
from skinfw.interfaces.segmenter import Segmenter
from skinfw.models.embedded import is_embedded
from skinfw.models.named import model_file
from skinfw.preparation.view import View
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.system.devices import pick_device
from skinfw.tasks.segmentation.label import load_network, segmentation_spec
from skinfw_plugins.segmenters.config_parser import ParserConfig
from skinfw_plugins.segmenters.scores import best_class, confidence
from skinfw_plugins.segmenters.two_looks import two_looks


class ParserSegmenter(Segmenter[ParserConfig]):
    """Segments photos with a network trained by ``skinfw run``, as in its training.

    Without ``person_margin`` in its spec, a photo is resized to the training size, whatever its shape. With
    it, the network looks at the whole photo, undistorted, and then again at the person. The logits are
    resized back to the photo's size, and each pixel takes the class with the largest.

    Args:
        config: the trained network, and how to use it.
        io: nothing.

    Raises:
        RunError: the run or checkpoint does not exist, has another task, or needs a component that is not
            installed.
    """

    def __init__(self, config: ParserConfig, io: None) -> None:
        super().__init__(config, io)
        self._file = model_file(config.path)
        checkpoint = read_checkpoint(self._file, warn=not is_embedded(config.path))
        self._device = pick_device(config.device)
        self._network, self._classes = load_network(checkpoint, self._device)
        spec = segmentation_spec(checkpoint)
        self._data = spec.data
        self._mirrored = _mirrored_classes(spec, self._classes.names)

    def segment(self, photo: Photo) -> Segmentation:
        """Segment a photo. See `Segmenter.segment`.

        Raises:
            DataError: the network returns NaN or infinity for it.
        """
        size, margin = self._data.size, self._data.person_margin
        if margin is None:
            logits = self._logits(resize_image(photo.pixels, size))
            return self._segmentation(best_class(logits, photo.size, str(self._file)), logits)
        seen: list[NDArray[np.float32]] = []

        def look(view: View) -> LabelMap:
            logits = self._logits(view.image(photo.pixels))
            rows, columns = view.within((logits.shape[1], logits.shape[2]))
            seen.append(logits[:, rows, columns])
            return best_class(seen[-1], (view.shown.height, view.shown.width), str(self._file))

        labels = two_looks(
            photo.size, size, margin, look, person=lambda labels: np.array(self._person)[labels]
        )
        return self._segmentation(labels, seen[-1])

    @property
    def _person(self) -> list[bool]:
        background = self._classes.regions["background"]
        return [name not in background for name in self._classes.names]

    def _segmentation(self, labels: LabelMap, logits: NDArray[np.float32]) -> Segmentation:
        table = self._classes
        return Segmentation(labels, table.names, table.regions, confidence(logits, self._person))

    @torch.no_grad()
    def _logits(self, pixels: RgbImage) -> NDArray[np.float32]:
        image = image_tensor([pixels]).to(self._device, memory_format=torch.channels_last)
        logits: Tensor = self._network(image)
        if self.config.flip:
            logits = (logits + self._network(image.flip(-1)).flip(-1)[:, self._mirrored]) / 2
        found: NDArray[np.float32] = logits[0].float().cpu().numpy()
        return found

    def fingerprint(self) -> str:
        """Return the SHA-256 of the checkpoint."""
        return file_sha256(self._file)


def _mirrored_classes(spec: SegmentationSpec, names: tuple[str, ...]) -> list[int]:
    """Return the mirrored class of each class: a left arm becomes the right one."""
    mirrored = list(range(len(names)))
    for one, other in spec.data.flip_classes:
        left, right = names.index(one), names.index(other)
        mirrored[left], mirrored[right] = right, left
    return mirrored
