"""The contracts of segmenters and pose encoders."""

from __future__ import annotations

from typing import Any

import numpy as np

from skinfw.components.config import ComponentConfig, PoseEncoderConfig
from skinfw.data.photo import Photo
from skinfw.data.segmentation import REGIONS
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.testing._require import require


def check_segmenter(component: type[Segmenter[Any]], config: ComponentConfig, photo: Photo) -> None:
    """Check a segmenter against its interface on one photo of a person.

    It checks that the label map has the right size, that all regions are known, that the person, or the part
    that the segmenter finds, is in it, that the photo is unchanged, and that the result is repeatable.

    Args:
        component: the class.
        config: its configuration.
        photo: a photo that it can segment, with different height and width.

    Raises:
        AssertionError: the contract is violated; the message says how.
    """
    segmenter = component(config, None)
    before = photo.pixels.copy()
    # Segmentation itself rejects wrong types, labels without a class and overlapping regions
    found = segmenter.segment(photo)
    require(np.array_equal(photo.pixels, before), "segment changes the photo")
    require(
        found.labels.shape == photo.size,
        f"the label map has the size {found.labels.shape}, the photo {photo.size}",
    )
    unknown = sorted(set(found.regions) - set(REGIONS))
    require(not unknown, f"unknown regions {unknown}; known: {', '.join(REGIONS)}")
    # some find only a part, such as the head; without a background the person would be the whole image
    person = found.person if "background" in found.regions else found.region(*found.regions)
    require(bool(person.any()), "the label map has no person")
    again = component(config, None).segment(photo)
    require(np.array_equal(found.labels, again.labels), "the label map differs the second time")
    require(
        segmenter.fingerprint() == component(config, None).fingerprint(),
        "the fingerprint changes for the same configuration",
    )
    if photo.path is not None:
        missing = [str(path) for path in segmenter.sources(photo.path) if not path.is_file()]
        require(not missing, f"sources names missing files: {missing}")


def check_pose_encoder(component: type[PoseEncoder[Any]], config: PoseEncoderConfig, photo: Photo) -> None:
    """Check a pose encoder against its interface on one photo of a person.

    It checks the keypoints' ranges, that points that were not found are zeros, that the photo is unchanged,
    that the result is repeatable, and the pose map.

    Args:
        component: the class.
        config: its configuration.
        photo: a photo in which it finds a person.

    Raises:
        AssertionError: the contract is violated; the message says how.
    """
    encoder = component(config, None)
    before = photo.pixels.copy()
    found = encoder.keypoints(photo)
    require(np.array_equal(photo.pixels, before), "keypoints changes the photo")
    if found is None:
        raise AssertionError("nobody was found; give a photo in which this encoder finds a person")
    # Keypoints itself rejects shapes other than (25, 3)
    points = found.points
    require(points.dtype == np.float32, f"keypoints are {points.dtype}, not float32")
    require(bool(np.isfinite(points).all()), "keypoints are not finite")
    confidence = points[:, 2]
    require(bool(((confidence >= 0) & (confidence <= 1)).all()), "confidence leaves [0, 1]")
    require(not points[confidence == 0].any(), "a point of confidence 0 is not 0, 0, 0")
    again = component(config, None).keypoints(photo)
    require(again is not None and np.array_equal(points, again.points), "the pose differs the second time")
    image = encoder.draw(found, photo.size)
    require(
        image.dtype == np.uint8 and image.shape == before.shape,
        f"the pose map is {image.dtype} {image.shape}, not uint8 {before.shape}",
    )
    require(bool(image.any()), "the pose map is all black")
    require(np.array_equal(image, encoder.draw(found, photo.size)), "the pose map differs the second time")
