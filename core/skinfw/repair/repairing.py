"""Repairs the result of a try-on system: its skin becomes the photo's again, where the photo shows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from skinfw.data.body_zones import body_distances
from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import dilate
from skinfw.data.photo import WHITE, Photo, flattened, image_of
from skinfw.data.segmentation import Mask, RgbImage, Segmentation
from skinfw.errors import ArgumentError, DataError, SkinfwError
from skinfw.inference.source_photo import ImageLike, decoded
from skinfw.repair.own_structure import with_own_structure
from skinfw.repair.paint_zones import unpaintable
from skinfw.repair.pair import Pair, compare
from skinfw.repair.tone import color_differences, lab_of, mean_difference, shifted, tone_shift

Step = Literal["restore", "tone", "paint"]
STEPS: tuple[Step, ...] = get_args(Step)
"""Copying the photo's skin; moving the color of the other skin to the photo's; painting new skin."""

UNTOUCHED, RESTORED, PAINTED, TONED = 0, 1, 2, 3
"""The values of a provenance map."""

GROWTH = 0.01
"""Dilation of painted skin onto the skin around it, as a fraction of the result's height."""

Source = Photo | ImageLike


class Paints(Protocol):
    """Paints skin into a photo, as `skinfw.Inpainter` does."""

    def paint(
        self, image: RgbImage, mask: Mask, *, segmentation: Segmentation, keypoints: Keypoints
    ) -> Painted:
        """Return the image, uint8 RGB ``(H, W, 3)``, with new pixels on the mask, bool ``(H, W)``."""


class Painted(Protocol):
    """The result of `Paints.paint`; its image has the size of the photo."""

    @property
    def image(self) -> RgbImage:
        """Uint8 RGB ``(H, W, 3)``."""

    @property
    def mask(self) -> Mask:
        """What was painted, bool ``(H, W)``."""


@dataclass(frozen=True)
class Repaired:
    """A repaired result.

    Attributes:
        image: the result with repaired skin, uint8 RGB ``(H, W, 3)``, of the result's size. Where
            ``provenance`` is 0, it equals the result bit for bit; where it is 1, the aligned photo.
        provenance: uint8 ``(H, W)``: 0 untouched, 1 restored, 2 painted, 3 color moved.
        report: the alignment, the pixels of each kind, the color difference before and after, as JSON values.
    """

    image: RgbImage
    provenance: NDArray[np.uint8]
    report: dict[str, Any]


def repair(
    person: Source,
    result: Source,
    *,
    parse_person: Segmentation,
    parse_result: Segmentation,
    pose: Keypoints | None = None,
    inpainter: Paints | None = None,
    steps: Collection[Step] = STEPS,
) -> Repaired:
    """Repair the skin in the result of a try-on system.

    The photo is placed on the result's pixels by the geometry that fits best. Then

    - *restore* copies the photo's pixels of face, hands and other skin that both show, where the contours
      agree, and away from garments;
    - *tone* moves the color of the skin that is neither restored nor painted to that of the photo's skin;
    - *paint* paints the skin that was under clothes in the photo: on limbs and neck only, and no hands. Its
      structure stays the result's where it is plausible.

    Args:
        person: the photo of the person in the old clothes: a file, a Pillow image or uint8 RGB ``(H, W, 3)``.
        result: the try-on system's picture, likewise.
        parse_person: segmentation of the photo, of its size.
        parse_result: segmentation of the result, of its size.
        pose: the person's pose in pixels of the photo. Without it nothing is painted.
        inpainter: paints; needed for the step paint.
        steps: the steps to take.

    Raises:
        ArgumentError: an unknown step, or paint without an inpainter.
        DataError: the result does not show the photo in a known geometry; a segmentation has no skin or
            garments; or the photo shows no skin to take the tone from.
    """
    unknown = sorted(set(steps) - set(STEPS))
    if unknown:
        raise ArgumentError(f"no step {unknown[0]!r}; the steps are {', '.join(STEPS)}")
    if "paint" in steps and inpainter is None:
        raise ArgumentError("the step paint needs an inpainter; give one, or leave the step out")
    photo, made = as_photo(person), as_photo(result)
    pair = compare(photo.pixels, made.pixels, parse_person, parse_result, pose)
    restored = pair.same_skin & ~pair.garment_edge if "restore" in steps else np.zeros(pair.size, bool)
    paint, left = _paint_mask(pair, parse_result, restored, "paint" in steps)
    toned = pair.result.bare & pair.alignment.geometry.shown & ~restored & ~paint
    shift = None
    image = made.pixels.copy()
    image[restored] = pair.photo[restored]
    if "tone" in steps:
        shift = _shift(pair, made.pixels)
        image = shifted(image, toned, shift)
    provenance = np.zeros(pair.size, np.uint8)
    provenance[restored] = RESTORED
    if shift is not None:
        provenance[toned] = TONED
    own = np.zeros(pair.size, np.float32)
    if inpainter is not None and paint.any():
        painted = _painted(inpainter, image, paint, parse_result, pair)
        seen = pair.result.bare & pair.alignment.geometry.shown & ~paint
        image, own = with_own_structure(painted, image, paint, seen)
        provenance[paint] = PAINTED
    report = _report(pair, made.pixels, image, provenance, left, shift)
    report["own_structure"] = round(float(own[paint].mean()), 3) if paint.any() else None
    return Repaired(image, provenance, report)


def as_photo(source: Source) -> Photo:
    """Return a photo from a file or an image in memory: upright, in sRGB, on white.

    Raises:
        DataError: as `Photo.read` and `skinfw.inference.source_photo.decoded`.
    """
    if isinstance(source, Photo):
        return source
    if isinstance(source, str | Path):
        return Photo.read(Path(source))
    colors, alpha = image_of(decoded(source))
    return Photo(flattened(colors, alpha, WHITE))


def _paint_mask(
    pair: Pair, parse_result: Segmentation, restored: Mask, wanted: bool
) -> tuple[Mask, dict[str, int]]:
    """Return where to paint, and the number of pixels of new skin that is left, by reason."""
    new = pair.new_skin
    if not wanted:
        return np.zeros(pair.size, bool), {"paint is off": int(new.sum())} if new.any() else {}
    margin = max(1, round(GROWTH * pair.size[0]))
    mask = pair.result.skin & dilate(new, margin) & ~restored & ~dilate(pair.result.apparel, pair.edge // 2)
    distances = None if pair.pose is None else body_distances(pair.pose, pair.size)
    left = {}
    for reason, where in unpaintable(parse_result, distances).items():
        mask &= ~where
        if (new & where).any():
            left[reason] = int(np.count_nonzero(new & where))
    return mask, left


def _shift(pair: Pair, result: RgbImage) -> NDArray[np.float32]:
    shift = tone_shift(pair.photo, result, pair.same_skin, (pair.person.bare, pair.result.bare))
    if shift is None:
        raise DataError(
            "photo or result show too little skin to compare its color; leave out the step tone: take only "
            "restore or paint"
        )
    return shift


def _painted(
    inpainter: Paints, image: RgbImage, mask: Mask, parse_result: Segmentation, pair: Pair
) -> RgbImage:
    if pair.pose is None:
        raise ArgumentError("painting needs a pose")
    painted = inpainter.paint(image, mask, segmentation=parse_result, keypoints=pair.pose)
    changed = np.any(painted.image != image, axis=2) & ~mask
    if changed.any():
        raise SkinfwError(f"the inpainter changed {int(changed.sum())} pixels outside its mask")
    return painted.image


def _report(
    pair: Pair,
    before: RgbImage,
    after: RgbImage,
    provenance: NDArray[np.uint8],
    left: Mapping[str, int],
    shift: NDArray[np.float32] | None,
) -> dict[str, Any]:
    geometry, restored = pair.alignment.geometry, provenance == RESTORED
    source, target = (
        [box.left, box.top, box.right, box.bottom] for box in (geometry.source, geometry.target)
    )
    bare = pair.person.bare & pair.result.bare
    return {
        "size": list(pair.size),
        "alignment": {
            "fit": geometry.fit,
            "correlation": round(pair.alignment.correlation, 4),
            "others": pair.alignment.others,
            "source": source,
            "target": target,
        },
        "pixels": {
            "untouched": int(np.count_nonzero(provenance == UNTOUCHED)),
            "restored": int(np.count_nonzero(restored)),
            "painted": int(np.count_nonzero(provenance == PAINTED)),
            "toned": int(np.count_nonzero(provenance == TONED)),
        },
        "restored": {
            "face": int(np.count_nonzero(restored & pair.person.face)),
            "hands": int(np.count_nonzero(restored & pair.person.hands)),
            "other skin": int(np.count_nonzero(restored & pair.person.skin & ~pair.person.hands)),
        },
        "not_restored": {
            "contours differ": int(np.count_nonzero(bare & ~pair.same_skin)),
            "next to a garment": int(np.count_nonzero(pair.same_skin & pair.garment_edge)),
        },
        "new_skin": int(np.count_nonzero(pair.new_skin)),
        "left": dict(left),
        "color_difference": {
            "before": _rounded(mean_difference(pair.photo, before, pair.same_skin)),
            "after": _rounded(mean_difference(pair.photo, after, pair.same_skin)),
        },
        "tone_difference": {
            "before": _rounded(_tone_difference(pair, before)),
            "after": _rounded(_tone_difference(pair, after)),
        },
        "tone_shift": None if shift is None else [round(float(value), 2) for value in shift],
    }


def _tone_difference(pair: Pair, image: RgbImage) -> float | None:
    """Return the CIEDE2000 of the median skin colors of photo and image; None without skin in one."""
    if not (pair.person.bare.any() and pair.result.bare.any()):
        return None
    pair_of = (pair.photo, pair.person.bare), (image, pair.result.bare)
    one, other = (np.median(lab_of(*each), axis=0, keepdims=True) for each in pair_of)
    return float(color_differences(one, other)[0])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
