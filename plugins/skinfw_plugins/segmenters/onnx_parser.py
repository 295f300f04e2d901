"""Human parsers exported to ONNX: SCHP, SegFormer and others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.photo import Photo
from skinfw.data.resize import resize_image
from skinfw.data.segmentation import REGIONS, LabelMap, LabelTable, RgbImage, Segmentation
from skinfw.errors import UserError
from skinfw.interfaces.segmenter import Segmenter
from skinfw.preparation.view import View
from skinfw.runtime.metadata import KEY, parse_metadata
from skinfw_plugins.networks.onnx_file import OnnxFile
from skinfw_plugins.segmenters.config_networks import OnnxParserConfig
from skinfw_plugins.segmenters.label_sets import LabelSet, label_set, other_tables
from skinfw_plugins.segmenters.scores import best_class
from skinfw_plugins.segmenters.two_looks import two_looks


@dataclass(frozen=True)
class _Input:
    """The network's only input: its name, its size, and whether channels come last."""

    name: str
    size: Size
    channels_last: bool


@dataclass(frozen=True)
class _Exported:
    """What a file of ``skinfw export`` says of its parser."""

    size: Size
    labels: LabelSet
    person_margin: float | None


class OnnxParserSegmenter(Segmenter[OnnxParserConfig]):
    """Runs an ONNX file with class scores or class codes as output.

    The shapes of input and output determine whether channels come first or last. A file of ``skinfw export``
    says what its classes are, and takes images in 8 bits: it finds what the segmenter parser finds.
    """

    @cached_property
    def labels(self) -> LabelSet:
        """The classes of the network.

        Raises:
            UserError: neither the configuration nor the file says what they are.
        """
        if self._exported is not None:
            return self._exported.labels
        if self.config.labels is None:
            raise UserError(
                f"{self.file.path}: does not say what its classes are, as files of skinfw export do; set "
                "labels"
            )
        return label_set(self.config.labels)

    @cached_property
    def _exported(self) -> _Exported | None:
        """What a file of ``skinfw export`` says; None for any other file."""
        text = self.file.metadata.get(KEY)
        if text is None:
            return None
        about = parse_metadata(text, self.file.path)
        if about.classes is None:
            raise UserError(f"{self.file.path}: paints, and is not a parser; export a segmentation run")
        if self.config.labels is not None:
            raise UserError(f"{self.file.path}: says itself what its classes are; remove labels")
        classes = set(about.classes.names)
        regions = {
            region: about.classes.regions[region] for region in REGIONS if region in about.classes.regions
        }
        if not all(classes.issuperset(names) for names in regions.values()):
            raise UserError(f"{self.file.path}: its classes are damaged; export it again")
        return _Exported(about.size, LabelSet(about.classes.names, regions), about.person_margin)

    @cached_property
    def file(self) -> OnnxFile:
        """The ONNX file.

        Raises:
            UserError: it is missing, not an ONNX file, or lacks the configured output.
        """
        file = OnnxFile(self.config.path)
        if self.config.output is not None:
            file.require_outputs([self.config.output], "the configured parser")
        return file

    @cached_property
    def _input(self) -> _Input:
        shapes = self.file.inputs
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        name, shape = next(iter(shapes.items()))
        if len(shapes) != 1 or len(shape) != 4 or 3 not in (shape[1], shape[3]):
            raise UserError(
                f"{self.file.path}: a parser takes one image of 3 channels, (1, 3, H, W) or (1, H, W, 3); "
                f"this file expects {listed}"
            )
        channels_last = shape[1] != 3
        height, width = shape[1:3] if channels_last else shape[2:]
        size = self.config.size
        if size is None and self._exported is not None:
            size = self._exported.size
        if size is None:
            if height is None or width is None:
                raise UserError(
                    f"{self.file.path}: its input {listed} accepts images of any size; set size to the "
                    "height and width of its training"
                )
            size = height, width
        return _Input(name, size, channels_last)

    def other_tables(self) -> Mapping[str, LabelTable]:
        """Return the other known label sets: the network may have been trained on one of them."""
        return {} if self.config.labels is None else other_tables(self.config.labels)

    def segment(self, photo: Photo) -> Segmentation:
        """Return the class of every pixel.

        Raises:
            DataError: the network returns NaN or infinity for the photo.
            UserError: the file cannot be used; the message says why.
        """
        margin = self.config.person_margin
        if margin is None and self._exported is not None:
            margin = self._exported.person_margin
        if margin is None:
            labels = self._labels_of(self._outputs(photo.pixels), photo.size)
        else:
            labels = two_looks(
                photo.size,
                self._input.size,
                margin,
                look=lambda view: self._look(photo, view),
                person=lambda labels: self._segmentation(labels).person,
            )
        return self._segmentation(labels)

    def _look(self, photo: Photo, view: View) -> LabelMap:
        found = self._outputs(view.image(photo.pixels))
        return self._labels_of(found, (view.shown.height, view.shown.width), view)

    def _segmentation(self, labels: LabelMap) -> Segmentation:
        return Segmentation(labels, self.labels.classes, self.labels.regions)

    def _outputs(self, image: RgbImage) -> Mapping[str, NDArray[Any]]:
        names = list(self.file.outputs) if self.config.output is None else [self.config.output]
        found = self.file.run({self._input.name: self._values(image)}, names)
        return dict(zip(names, found, strict=True))

    def fingerprint(self) -> str:
        """Return the SHA-256 of the file."""
        return self.file.fingerprint()

    def _values(self, image: RgbImage) -> NDArray[Any]:
        height, width = self._input.size
        if self._exported is not None:
            return resize_image(image, self._input.size)[None]
        resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        ordered = resized if self.config.channels == "rgb" else resized[..., ::-1]
        mean, std = (np.array(each, np.float32) for each in (self.config.mean, self.config.std))
        values = (ordered.astype(np.float32) / 255 - mean) / std
        ready: NDArray[np.float32] = np.ascontiguousarray(
            (values if self._input.channels_last else values.transpose(2, 0, 1))[None]
        )
        return ready

    def _labels_of(
        self, outputs: Mapping[str, NDArray[Any]], size: Size, view: View | None = None
    ) -> LabelMap:
        """Read the first output with scores or codes; of a view, the part that it shows."""
        count = len(self.labels.classes)
        for name, values in outputs.items():
            codes = _codes(values)
            if codes is not None:
                if codes.min() < 0 or codes.max() >= count:
                    raise UserError(
                        f"{self.file.path}: its output {name} contains the code "
                        f"{int(codes.min() if codes.min() < 0 else codes.max())}, but the label set has "
                        f"{count} classes; choose the one used in training"
                    )
                method = cv2.INTER_NEAREST_EXACT
                codes = codes if view is None else codes[view.within(codes.shape)]
                resized = cv2.resize(codes.astype(np.uint8), (size[1], size[0]), interpolation=method)
                return np.asarray(resized, np.uint8)
            scores = _scores(values, count)
            if scores is not None:
                if view is not None:
                    rows, columns = view.within((scores.shape[1], scores.shape[2]))
                    scores = scores[:, rows, columns]
                return best_class(scores, size, str(self.file.path))
        listed = ", ".join(f"{name} {values.shape} {values.dtype}" for name, values in outputs.items())
        raise UserError(
            f"{self.file.path}: no output has a score for each of the label set's {count} classes, or their "
            f"codes (its outputs: {listed}); choose the label set used in training"
        )


def _codes(values: NDArray[Any]) -> NDArray[Any] | None:
    """Return a map of codes ``(h, w)`` from integers whose other dimensions are 1."""
    if not np.issubdtype(values.dtype, np.integer) or values.ndim < 2:
        return None
    height, width = values.shape[-3:-1] if values.ndim == 4 and values.shape[3] == 1 else values.shape[-2:]
    return values.reshape(height, width) if values.size == height * width else None


def _scores(values: NDArray[Any], count: int) -> NDArray[np.float32] | None:
    """Return scores ``(K, h, w)`` from a batch of one with the channels first or last."""
    if not np.issubdtype(values.dtype, np.floating) or values.ndim != 4 or len(values) != 1:
        return None
    if values.shape[1] == count:
        return np.asarray(values[0], np.float32)
    return np.asarray(values[0].transpose(2, 0, 1), np.float32) if values.shape[3] == count else None
