"""The contracts of what reads photos: segmenters and pose encoders."""

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

    Checked are the label map's size, that the regions are those that skinfw knows, that the person, or the
    part of it that the segmenter tells, is found, that the photo is left as it is, and that a second time
    gives the same.

    Args:
        component: the class.
        config: its configuration.
        photo: a photo that it can segment, of two different sides.

    Raises:
        AssertionError: something of the contract does not hold; the text says what.
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
    require(not unknown, f"unknown regions {unknown}; there are {', '.join(REGIONS)}")
    # some tell but a part, such as the head; without a background the person would be the whole image
    told = found.person if "background" in found.regions else found.region(*found.regions)
    require(bool(told.any()), "there is no person in the label map")
    again = component(config, None).segment(photo)
    require(np.array_equal(found.labels, again.labels), "the label map is another the second time")
    require(
        segmenter.fingerprint() == component(config, None).fingerprint(), "the fingerprint changes by itself"
    )
    if photo.path is not None:
        missing = [str(path) for path in segmenter.sources(photo.path) if not path.is_file()]
        require(not missing, f"sources names files that are not there: {missing}")


def check_pose_encoder(component: type[PoseEncoder[Any]], config: PoseEncoderConfig, photo: Photo) -> None:
    """Check a pose encoder against its interface on one photo of a person.

    Checked are the keypoints' ranges, that points that were not found are zeros, that the photo is left as
    it is, that a second time gives the same, and the drawn image.

    Args:
        component: the class.
        config: its configuration.
        photo: a photo in which it finds a person.

    Raises:
        AssertionError: something of the contract does not hold; the text says what.
    """
    encoder = component(config, None)
    before = photo.pixels.copy()
    found = encoder.keypoints(photo)
    require(np.array_equal(photo.pixels, before), "keypoints changes the photo")
    if found is None:
        raise AssertionError("nobody was found; give a photo in which this encoder finds a person")
    # Keypoints itself rejects another shape than (25, 3)
    points = found.points
    require(points.dtype == np.float32, f"keypoints are {points.dtype}, not float32")
    require(bool(np.isfinite(points).all()), "keypoints are not finite")
    confidence = points[:, 2]
    require(bool(((confidence >= 0) & (confidence <= 1)).all()), "confidence leaves [0, 1]")
    require(not points[confidence == 0].any(), "a point of confidence 0 is not 0, 0, 0")
    again = component(config, None).keypoints(photo)
    require(again is not None and np.array_equal(points, again.points), "the second time gives another pose")
    image = encoder.draw(found, photo.size)
    require(
        image.dtype == np.uint8 and image.shape == before.shape,
        f"the drawn pose is {image.dtype} {image.shape}, not uint8 {before.shape}",
    )
    require(bool(image.any()), "the drawn pose is all black")
    require(np.array_equal(image, encoder.draw(found, photo.size)), "the pose is drawn another way each time")
