from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from skinfw.runtime.box import Box
from skinfw.runtime.texture import MIN_PIXELS, fine_structure, learn_texture


def grainy(size: tuple[int, int], amplitude: float = 6.0, sigma: float = 0.0) -> np.ndarray:
    """Return gray skin with grain of a standard deviation and a correlation length."""
    grain = np.random.default_rng(0).standard_normal(size)
    grain = gaussian_filter(grain, sigma) if sigma else grain
    grain *= amplitude / grain.std()
    return np.clip(np.rint(150 + grain), 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)


def squares(size: tuple[int, int], side: int) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[10 : 10 + side, 10 : 10 + side] = True
    return mask


NONE = np.zeros((160, 160), bool)


def test_sampled_structure_has_the_amplitude_of_the_skin() -> None:
    photo = grainy((160, 160))
    texture = learn_texture(photo, squares((160, 160), 120), NONE, 4.0, 0)
    assert texture.kind == "sampled"
    made = texture.field(Box(0, 0, 160, 160), 0)
    true = fine_structure(photo.astype(np.float32), np.ones((160, 160), np.float32), 2.0)
    assert made.std() == pytest.approx(true.std(), rel=0.1)
    assert abs(made.mean()) < 0.2


def test_noise_has_amplitude_and_correlation_of_the_skin_where_little_is_seen() -> None:
    photo = grainy((160, 160), sigma=0.7)
    texture = learn_texture(photo, squares((160, 160), 18), NONE, 4.0, 0)
    assert texture.kind == "noise"
    made = texture.field(Box(0, 0, 160, 160), 0).mean(axis=2)
    true = fine_structure(photo.astype(np.float32), np.ones((160, 160), np.float32), 2.0).mean(axis=2)
    assert made.std() == pytest.approx(true.std(), rel=0.25)

    def neighbors(values: np.ndarray) -> float:
        return float(np.corrcoef(values[:, 1:].ravel(), values[:, :-1].ravel())[0, 1])

    assert neighbors(made) == pytest.approx(neighbors(true), abs=0.15)


def correlations(values: np.ndarray) -> np.ndarray:
    """Return the autocorrelation by lag, the largest lags in the middle."""
    power = np.abs(np.fft.fft2(values - values.mean())) ** 2
    found: np.ndarray = np.fft.ifft2(power).real
    return found / found[0, 0]


def test_edges_on_a_hand_are_not_repeated_on_a_leg() -> None:
    photo = grainy((160, 160), amplitude=3.0)
    true = fine_structure(photo.astype(np.float32), np.ones((160, 160), np.float32), 2.0).std()
    for column in range(70, 130, 12):  # between fingers
        photo[10:130, column : column + 2] -= 60
    skin = squares((160, 160), 120)
    hand, leg = (learn_texture(photo, skin, NONE, 4.0, 0, area=area) for area in (14_000, 50_000))
    assert hand.kind == leg.kind == "sampled"
    assert hand.field(Box(0, 0, 160, 160), 0).std() > 2 * true
    assert leg.field(Box(0, 0, 160, 160), 0).std() == pytest.approx(true, rel=0.15)


@pytest.mark.parametrize("side", [26, 30, 40])
def test_few_patches_give_no_lattice(side: int) -> None:
    texture = learn_texture(grainy((160, 160)), squares((160, 160), side), NONE, 4.0, 0)
    assert texture.kind == "sampled"
    patch = texture.patches.shape[1]
    step = patch // 2
    made = texture.field(Box(0, 0, 40 * step, 40 * step), 0).mean(axis=2)
    found = correlations(made)
    # a pattern that comes back in every square correlates at all multiples of its step
    assert abs(found[::step, ::step][2:-1, 2:-1].mean()) < 0.003
    assert np.abs(found[patch:-patch, patch:-patch]).max() < 0.1


def test_noise_like_a_face_is_not_woven() -> None:
    size = (160, 160)
    rows, columns = np.random.default_rng(0).standard_normal((2, *size))
    # lines that lie, as those of brows and lips, and the edges of JPEG's blocks
    grain = gaussian_filter(rows, (0.3, 2.0)) * 20 + 2 * columns
    grain[::8] += 4
    grain[:, ::8] += 4
    photo = np.clip(150 + grain, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    texture = learn_texture(photo, NONE, squares(size, 34), 4.0, 0)
    assert texture.kind == "noise"
    found = correlations(texture.field(Box(0, 0, 512, 512), 0).mean(axis=2))
    for lag in range(1, 7):
        assert found[0, lag] == pytest.approx(found[lag, 0], abs=0.03)
        assert found[lag, lag] == pytest.approx(found[lag, -lag], abs=0.03)
    assert np.abs(found[4:-4, 4:-4]).max() < 0.03


def test_flat_skin_gives_flat_structure() -> None:
    photo = np.full((160, 160, 3), 150, np.uint8)
    texture = learn_texture(photo, squares((160, 160), 120), NONE, 4.0, 0)
    assert np.abs(texture.field(Box(0, 0, 64, 64), 0)).max() < 0.01


def test_the_face_gives_noise_without_its_eyes_where_no_other_skin_is_seen() -> None:
    photo = grainy((160, 160))
    true = fine_structure(photo.astype(np.float32), np.ones((160, 160), np.float32), 2.0).std()
    photo[40:46, 40:60] = photo[40:46, 80:100] = 0  # eyes
    texture = learn_texture(photo, NONE, squares((160, 160), 120), 4.0, 0)
    assert texture.kind == "noise"
    assert texture.field(Box(0, 0, 160, 160), 0).std() == pytest.approx(true, rel=0.25)


def test_too_little_skin_gives_nothing() -> None:
    side = int(MIN_PIXELS**0.5) - 1
    texture = learn_texture(grainy((160, 160)), squares((160, 160), side), NONE, 4.0, 0)
    assert texture.kind == "none"
    assert not texture.field(Box(3, 4, 5, 6), 0).any()


@pytest.mark.parametrize("side", [120, 18])
def test_a_pixel_has_the_same_structure_in_every_part(side: int) -> None:
    texture = learn_texture(grainy((160, 160)), squares((160, 160), side), NONE, 4.0, 0)
    whole = texture.field(Box(0, 0, 300, 200), 5)
    part = texture.field(Box(130, 70, 50, 40), 5)
    np.testing.assert_allclose(part, whole[130:180, 70:110], atol=1e-3)
    assert not np.allclose(texture.field(Box(0, 0, 300, 200), 6), whole)


def test_fine_structure_ignores_what_is_beside_the_skin() -> None:
    skin = np.zeros((64, 64), np.float32)
    skin[:, 20:44] = 1
    photo = np.where(skin[..., None] > 0, 150, 0).astype(np.float32).repeat(3, axis=2)
    assert np.abs(fine_structure(photo, skin, 4.0)[skin > 0]).max() < 0.01
