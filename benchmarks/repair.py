"""Measure ``skinfw repair`` on results made by a degradation whose truth is known.

Each result is made from a photo: fitted by one of the known geometries, resized through half its size,
tinted, its hands blurred, its clothes replaced by another person's. Where the photo shows bare arms, the
photo itself gets a sleeve over part of them, whose color leaks into the result: that skin is new in the
result.

    python benchmarks/repair.py PHOTOS --model RUN --output FOLDER

PHOTOS holds photos with label maps and poses (segmenter deepfashion, pose encoder openpose). The folder gets
contact.png (photo, result, repaired result, provenance; most new skin first) and repair.json. With
--write-pairs, photos and results are written too, for ``skinfw audit``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from skinfw.assembly.build import build
from skinfw.components.reference import use
from skinfw.data.body_zones import body_distances
from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import dilate
from skinfw.data.photo import Photo
from skinfw.data.resize import resize_image
from skinfw.data.segmentation import Mask, RgbImage, Segmentation
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.repair.alignment import MIN_CORRELATION, correlations
from skinfw.repair.geometry import FITS, Fit, Geometry, geometries
from skinfw.repair.regions import nearest_zone, regions_of
from skinfw.repair.repairing import STEPS, Repaired, Step, repair

RESULT_SIZES = {"scale": (512, 512), "stretch": (512, 384), "crop": (512, 384), "pad": (512, 384)}
"""Height and width of the results, for photos of 512x512."""

TINT = 15.0
"""Largest change of a color channel by the tint."""

LEAK = 0.5
"""Fraction of the old sleeve's color in new skin."""

COLORS = np.array([[60, 60, 60], [0, 180, 0], [220, 0, 0], [230, 200, 0]], np.uint8)


@dataclass(frozen=True)
class Case:
    """A photo, a result, and the truth."""

    name: str
    photo: RgbImage
    parse: Segmentation
    pose: Keypoints
    geometry: Geometry
    result: RgbImage
    parse_result: Segmentation
    truth: RgbImage
    regions: dict[str, Mask]


def cases(photos: list[Path], count: int, seed: int) -> Iterator[Case]:
    segmenter, encoder = (
        build(use("segmenter", "deepfashion"), Segmenter),
        build(use("pose_encoder", "openpose"), PoseEncoder),
    )
    source = np.random.default_rng(seed)
    order = source.permutation(len(photos))
    made = 0
    for index, other in zip(order, np.roll(order, 1), strict=True):
        if made == count:
            return
        photo, giver = Photo.read(photos[index]), Photo.read(photos[other])
        parse, clothes = segmenter.segment(photo), segmenter.segment(giver)
        pose = encoder.keypoints(photo, parse.person)
        if pose is None or photo.size != giver.size or not clothes.region("apparel").any():
            continue
        fit = FITS[made % len(FITS)]
        found = make_case(photos[index].parent.name, photo, parse, pose, (giver.pixels, clothes), fit, source)
        if found is not None:
            made += 1
            yield found


def make_case(
    name: str,
    photo: Photo,
    parse: Segmentation,
    pose: Keypoints,
    giver: tuple[RgbImage, Segmentation],
    fit: Fit,
    source: np.random.Generator,
) -> Case | None:
    distances = body_distances(pose, photo.size)
    if distances is None:
        return None
    truth = photo.pixels
    garment = garment_of(*giver)
    sleeve = sleeve_of(parse, pose)
    worn, covered = truth.copy(), parse
    if sleeve.any():
        worn[sleeve] = np.roll(garment, 40, axis=1)[sleeve]
        labels = parse.labels.copy()
        labels[sleeve] = parse.classes.index(parse.regions["apparel"][0])
        covered = replace(parse, labels=labels)
    regions = regions_of(parse, pose, distances)
    result = truth.copy()
    result[regions.apparel] = garment[regions.apparel]
    if sleeve.any():
        leak = np.median(worn[sleeve], axis=0)
        result[sleeve] = ((1 - LEAK) * result[sleeve] + LEAK * leak).astype(np.uint8)
    blurred = cv2.GaussianBlur(result, (0, 0), 5)
    hands = dilate(regions.hands, 2)
    result[hands] = blurred[hands]
    blank = np.full((*RESULT_SIZES[fit], 3), 255, np.uint8)
    geometry = next(each for each in geometries(photo.size, blank) if each.fit == fit)
    tint = source.uniform(-TINT, TINT, 3)
    shown = geometry.image(result)
    half = resize_image(resize_image(shown, (shown.shape[0] // 2, shown.shape[1] // 2)), geometry.size)
    degraded = np.clip(half + tint, 0, 255).astype(np.uint8)
    degraded[~geometry.shown] = 255
    masks = {
        "face": regions.face,
        "hands": regions.hands & ~sleeve,
        "other skin": regions.skin & ~regions.hands & ~sleeve,
        "new skin": sleeve,
    }
    return Case(
        name,
        worn,
        covered,
        pose,
        geometry,
        degraded,
        geometry.segmentation(parse),
        geometry.image(truth),
        {key: placed_mask(geometry, mask) for key, mask in masks.items()},
    )


def placed_mask(geometry: Geometry, mask: Mask) -> Mask:
    found = Segmentation(mask.astype(np.uint8), ("no", "yes"), {"background": ("no",)})
    return geometry.segmentation(found).of_classes("yes")


def garment_of(photo: RgbImage, parse: Segmentation) -> RgbImage:
    """Return another person's clothes, their median color where there are none."""
    worn = parse.region("apparel")
    filled = np.empty_like(photo)
    filled[:] = np.median(photo[worn], axis=0)
    filled[worn] = photo[worn]
    return filled


def sleeve_of(parse: Segmentation, pose: Keypoints) -> Mask:
    """Return the bare skin of the arms down to the middle of the forearms."""
    size = parse.labels.shape[0], parse.labels.shape[1]
    distances = body_distances(pose, size)
    if distances is None or "arm" not in distances.parts:
        return np.zeros(size, bool)
    skin = parse.region("skin") & nearest_zone(distances, "arm")
    hand = distances.parts.get("hand", np.full(size, np.inf, np.float32))
    return skin & (hand > 2.0**2)


def psnr(one: RgbImage, other: RgbImage, where: Mask) -> float | None:
    if np.count_nonzero(where) < 20:
        return None
    error = float(np.square(one[where].astype(np.float64) - other[where]).mean())
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def wrong_fits(case: Case, other: Case) -> dict[str, float]:
    """Return the highest correlation of pictures that must be refused."""
    moved = np.roll(case.photo, round(0.02 * case.photo.shape[1]), axis=1)
    pictures = {"moved by 2%": (moved, case.parse), "another person": (other.photo, other.parse)}
    return {
        name: max(correlations(photo, case.result, parse, case.parse_result).values())
        for name, (photo, parse) in pictures.items()
    }


def shown_case(case: Case, repaired: Repaired) -> RgbImage:
    return np.hstack(
        [resize_image(case.geometry.image(case.photo), case.geometry.size), case.result, repaired.image,
         COLORS[repaired.provenance]]
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path)
    parser.add_argument("--model", type=Path, help="run folder; without it nothing is painted")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write-pairs", action="store_true")
    given = parser.parse_args()
    inpainter: Any = None
    if given.model is not None:
        from skinfw.inference.inpainter import Inpainter

        inpainter = Inpainter.load(
            given.model, device="cpu", segmenter="deepfashion", pose_encoder="openpose"
        )
    steps: tuple[Step, ...] = STEPS if inpainter is not None else ("restore", "tone")
    rows: list[dict[str, Any]] = []
    sheet: list[tuple[int, RgbImage]] = []
    previous: Case | None = None
    photos = sorted(given.photos.rglob("*_front.jpg"))
    for case in cases(photos, given.count, given.seed):
        repaired = repair(
            case.photo, case.result, parse_person=case.parse, parse_result=case.parse_result, pose=case.pose,
            inpainter=inpainter, steps=steps,
        )  # fmt: skip
        row = measured(case, repaired)
        if previous is not None:
            row["wrong"] = wrong_fits(case, previous)
        rows.append(row)
        previous = case
        if case.geometry.size == (512, 384):
            sheet.append((int(case.regions["new skin"].sum()), shown_case(case, repaired)))
        if given.write_pairs:
            write_pair(given.output, case, repaired)
    given.output.mkdir(parents=True, exist_ok=True)
    if sheet:
        sheet.sort(key=lambda each: -each[0])
        Image.fromarray(np.vstack([image for _, image in sheet[:5]])).save(given.output / "contact.png")
    (given.output / "repair.json").write_text(json.dumps(rows, indent=1))
    print_rows(rows)


def measured(case: Case, repaired: Repaired) -> dict[str, Any]:
    kept = repaired.provenance == 0
    return {
        "name": case.name,
        "fit": case.geometry.fit,
        "found": repaired.report["alignment"]["fit"],
        "correlation": repaired.report["alignment"]["correlation"],
        "others": repaired.report["alignment"]["others"],
        "psnr": {
            name: (psnr(case.result, case.truth, where), psnr(repaired.image, case.truth, where))
            for name, where in case.regions.items()
        },
        "changed_outside": int(np.count_nonzero((repaired.image != case.result).any(axis=2) & kept)),
        "painted": {
            name: int(np.count_nonzero((repaired.provenance == 2) & where))
            for name, where in case.regions.items()
        },
        "report": repaired.report,
    }


def write_pair(folder: Path, case: Case, repaired: Repaired) -> None:
    for kind, image in (("photos", case.photo), ("results", case.result), ("repaired", repaired.image)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / kind / f"{case.name}.png")


def print_rows(rows: list[dict[str, Any]]) -> None:
    print(f"{len(rows)} results; right fit found: {sum(row['fit'] == row['found'] for row in rows)}")
    right = [row["correlation"] for row in rows]
    print(f"correlation of the right fit: {min(right):.3f} to {max(right):.3f}; bound {MIN_CORRELATION}")
    for name in ("moved by 2%", "another person"):
        found = [row["wrong"][name] for row in rows if "wrong" in row]
        if found:
            refused = sum(value < MIN_CORRELATION for value in found)
            print(f"  {name}: refused {refused} of {len(found)}, highest {max(found):.3f}")
    print(f"pixels changed outside: {sum(row['changed_outside'] for row in rows)}")
    for name in rows[0]["psnr"]:
        pairs = [row["psnr"][name] for row in rows if None not in row["psnr"][name]]
        if pairs:
            before, after = np.clip(np.array(pairs, float).T, None, 60)
            worse = int((after < before - 0.01).sum())
            print(f"{name}: {before.mean():.1f} -> {after.mean():.1f} dB on {len(pairs)}; worse in {worse}")


if __name__ == "__main__":
    main()
