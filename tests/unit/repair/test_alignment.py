"""The right geometry is found, and pictures that do not belong together are refused."""

from __future__ import annotations

import numpy as np
import pytest
from try_on import draw_person, try_on

from skinfw.data.resize import resize_image
from skinfw.errors import DataError
from skinfw.repair.alignment import MIN_CORRELATION, align, correlations
from skinfw.repair.geometry import geometries

PERSON = draw_person()
RESULT = try_on(PERSON)
SIZES = {"scale": (160, 120), "stretch": (200, 120), "crop": (240, 150), "pad": (240, 220)}


@pytest.mark.parametrize("fit", SIZES)
@pytest.mark.parametrize("level", [255, 0])
def test_the_right_geometry_is_found(fit: str, level: int) -> None:
    blank = np.full((*SIZES[fit], 3), level, np.uint8)
    geometry = next(each for each in geometries((240, 180), blank) if each.fit == fit)
    made = geometry.image(RESULT)
    made[~geometry.shown] = level
    found = align(PERSON.photo, made, PERSON.parse, geometry.segmentation(PERSON.parse_bare))
    assert found.geometry == geometry
    assert found.correlation > 0.9
    assert all(value < found.correlation for value in found.others.values())


def test_the_correlation_is_pearsons() -> None:
    same = correlations(PERSON.photo, PERSON.photo, PERSON.parse, PERSON.parse)
    assert list(same.values()) == pytest.approx([1.0])
    negative = correlations(PERSON.photo, 255 - PERSON.photo, PERSON.parse, PERSON.parse)
    assert list(negative.values()) == pytest.approx([-1.0], abs=0.01)


def test_a_tint_does_not_count() -> None:
    tinted = (PERSON.photo * 0.7 + 20).astype(np.uint8)
    found = align(PERSON.photo, tinted, PERSON.parse, PERSON.parse)
    assert found.correlation > 0.98


@pytest.mark.parametrize("how", ["moved", "another", "zoomed"])
def test_a_poor_fit_is_refused(how: str) -> None:
    made = {
        "moved": np.roll(RESULT, 6, axis=1),
        "another": np.ascontiguousarray(RESULT[::-1]),
        "zoomed": resize_image(RESULT[24:-24, 18:-18], (240, 180)),
    }[how]
    with pytest.raises(DataError, match=rf"correlation is -?0\.\d\d, below {MIN_CORRELATION}.*scale"):
        align(PERSON.photo, made, PERSON.parse, PERSON.parse_bare)


def test_a_picture_without_anything_outside_the_garment_is_refused() -> None:
    flat = np.full((240, 180, 3), 90, np.uint8)
    with pytest.raises(DataError, match=r"best correlation is -1\.00"):
        align(flat, flat, PERSON.parse, PERSON.parse)
