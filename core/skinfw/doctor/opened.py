"""One sample folder, read as far as possible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.components.field_names import APPAREL, BODY, LINE, MASK, SKIN
from skinfw.data.cutout_file import WHITE_TOLERANCE, read_cutout
from skinfw.data.face import face_classes, face_from_keypoints
from skinfw.data.image_file import open_image
from skinfw.data.keypoints import Keypoints, read_openpose_json
from skinfw.data.label_file import labels_of
from skinfw.data.mask_file import mask_and_gray
from skinfw.data.parts import dilate
from skinfw.data.photo import BLACK, WHITE, read_image
from skinfw.data.sample_folder import (
    KEYPOINTS_FILE,
    PARSING_FILE,
    find_image,
    read_record,
)
from skinfw.data.segmentation import REGIONS, LabelMap, LabelTable, Mask, RegionName, RgbImage
from skinfw.doctor.finding import WORST, CheckName, Finding
from skinfw.errors import DataError

ResultT = TypeVar("ResultT")


@dataclass
class Opened:
    """The parts of a sample; None if missing, unreadable or of another size.

    Attributes:
        name: the sample's name.
        folder: its path.
        apparel: the input, uint8 RGB ``(H, W, 3)``.
        kept: where the input is not erased, bool ``(H, W)``.
        body: the real image, uint8 RGB ``(H, W, 3)``.
        skin: where the skin mask is white, bool ``(H, W)``.
        mask_gray: fraction of the skin mask's pixels that are neither black nor white.
        to_inpaint: the inpainting mask, bool ``(H, W)``.
        line: the pose map, uint8 RGB ``(H, W, 3)``.
        labels: the class codes of the label map, uint8 ``(H, W)``.
        keypoints: the pose.
        record: the content of ``sample.json``.
        sizes: height and width of every readable image.
        findings: what could not be read.
    """

    name: str
    folder: Path
    apparel: RgbImage | None = None
    kept: Mask | None = None
    body: RgbImage | None = None
    skin: Mask | None = None
    mask_gray: float = 0.0
    to_inpaint: Mask | None = None
    line: RgbImage | None = None
    labels: LabelMap | None = None
    keypoints: Keypoints | None = None
    record: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @cached_property
    def table(self) -> LabelTable | None:
        """The classes of the label map's codes, if the record has them."""
        classes, regions = self.record.get("classes"), self.record.get("regions")
        if not isinstance(classes, list) or not isinstance(regions, dict):
            return None
        names = tuple(str(name) for name in classes)
        members = {region: regions[region] for region in REGIONS if isinstance(regions.get(region), list)}
        known_members = {
            region: tuple(name for name in names if name in known) for region, known in members.items()
        }
        return LabelTable(names, known_members)

    def region(self, name: RegionName) -> Mask | None:
        """Return the pixels of a region in the label map, or None if unknown."""
        if self.labels is None or self.table is None or name not in self.table.regions:
            return None
        members = self.table.regions[name]
        return np.isin(
            self.labels, [index for index, known in enumerate(self.table.classes) if known in members]
        )

    @cached_property
    def person(self) -> Mask | None:
        """Where the person is, bool ``(H, W)``: from the label map, or where the images are not white."""
        background = self.region("background")
        if background is not None:
            return ~background
        if self.body is None:
            return None
        shown: Mask = self.body.min(axis=2) < 255 - WHITE_TOLERANCE
        return shown if self.kept is None else shown | self.kept

    @cached_property
    def head(self) -> Mask | None:
        """Where the head is, bool ``(H, W)``: from the label map, or a disc twice the size of the face."""
        head = self.region("head")
        if head is not None or self.keypoints is None or self.body is None:
            return head
        face = face_from_keypoints(self.keypoints, (self.body.shape[0], self.body.shape[1]))
        if face is None:
            return None
        return dilate(face, max(1, round(float(np.sqrt(np.count_nonzero(face) / np.pi)))))

    @cached_property
    def labeled_face(self) -> Mask | None:
        """Where the face is in the label map, bool ``(H, W)``; None if its classes are unknown."""
        classes = self.record.get("classes")
        if self.labels is None or not isinstance(classes, list):
            return None
        return np.isin(self.labels, [classes.index(name) for name in face_classes(map(str, classes))])

    @cached_property
    def face(self) -> Mask | None:
        """Where the face is, bool ``(H, W)``: from the label map, or a disc on the head."""
        face = self.labeled_face
        if (face is None or not face.any()) and self.keypoints is not None and self.body is not None:
            face = face_from_keypoints(self.keypoints, (self.body.shape[0], self.body.shape[1]))
        return face if face is None or self.head is None else face & self.head

    @cached_property
    def from_skin(self) -> NDArray[np.float32] | None:
        """Distance of each pixel from the skin mask in pixels, float32 ``(H, W)``."""
        return None if self.skin is None or not self.skin.any() else distance_from(self.skin)


def distance_from(mask: Mask) -> NDArray[np.float32]:
    """Return the distance of each pixel from a mask that is not empty, in pixels, float32 ``(H, W)``."""
    outside = (~mask).astype(np.uint8)
    return cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).astype(np.float32)


def place_of(where: Mask) -> str:
    """Return where most of a region lies, for example ``around x=120, y=80``."""
    rows, columns = np.nonzero(where)
    return f"around x={int(np.median(columns))}, y={int(np.median(rows))}"


def open_sample(folder: Path, name: str) -> Opened:
    """Read a sample folder; unreadable files are reported in ``findings``."""
    opened = Opened(name, folder)
    cutout = _attempt(opened, lambda: _cutout(folder))
    if cutout is not None:
        opened.apparel, opened.kept = cutout
        opened.sizes[APPAREL] = _size(cutout[1])
    opened.body = _image(opened, BODY, WHITE)
    opened.line = _image(opened, LINE, BLACK)
    skin = _mask(opened, SKIN)
    if skin is not None:
        opened.skin, opened.mask_gray = skin
    to_inpaint = _mask(opened, MASK)
    opened.to_inpaint = None if to_inpaint is None else to_inpaint[0]
    _read_labels(opened)
    people = _attempt(opened, lambda: _people(folder))
    opened.keypoints = people[0] if people else None
    opened.record = _attempt(opened, lambda: read_record(folder) or {}) or {}
    return opened


def _attempt(
    opened: Opened, action: Callable[[], ResultT], check: CheckName = "unreadable"
) -> ResultT | None:
    try:
        return action()
    except DataError as error:
        opened.findings.append(Finding(check, (opened.name,), WORST, str(error)))
        return None


def _cutout(folder: Path) -> tuple[RgbImage, Mask] | None:
    path = find_image(folder, APPAREL)
    return None if path is None else read_cutout(path)


def _people(folder: Path) -> list[Keypoints]:
    path = folder / KEYPOINTS_FILE
    if not path.is_file():
        return []
    # a file without points is a finding, not a sample without a pose
    return read_openpose_json(path) or [Keypoints(np.zeros((25, 3), np.float32))]


def _image(opened: Opened, part: str, background: int) -> RgbImage | None:
    path = _find(opened, part)
    pixels = None if path is None else _attempt(opened, lambda: read_image(path, background))
    if pixels is None:
        return None
    opened.sizes[part] = _size(pixels)
    return pixels if _fits(opened, part) else None


def _mask(opened: Opened, part: str) -> tuple[Mask, float] | None:
    """Return a mask, and the fraction of its pixels that are neither black nor white."""
    path = _find(opened, part)
    file = None if path is None else _attempt(opened, lambda: open_image(path))
    found = None if file is None else _attempt(opened, lambda: mask_and_gray(file), "mask")
    if found is None:
        return None
    opened.sizes[part] = _size(found[0])
    return found if _fits(opened, part) else None


def _read_labels(opened: Opened) -> None:
    path = opened.folder / PARSING_FILE
    file = _attempt(opened, lambda: open_image(path)) if path.exists() else None
    labels = None if file is None else _attempt(opened, lambda: labels_of(file), "labels")
    if labels is None:
        return
    opened.sizes["parsing"] = _size(labels)
    if _fits(opened, "parsing"):
        opened.labels = labels


def _find(opened: Opened, part: str) -> Path | None:
    return _attempt(opened, lambda: find_image(opened.folder, part))


def _fits(opened: Opened, part: str) -> bool:
    """Return whether a part has the input's size, if known."""
    return opened.sizes[part] == opened.sizes.get(APPAREL, opened.sizes[part])


def _size(array: RgbImage | Mask) -> Size:
    return array.shape[0], array.shape[1]
