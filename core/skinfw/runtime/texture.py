"""Fine structure of a person's skin: pores, grain and noise, sampled where skin is visible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skinfw.runtime.box import Box, bounding_box
from skinfw.runtime.low_band import Colors, extended, resampled
from skinfw.runtime.neighborhood import box_sums

PATCH_SIDES = (32, 24, 16, 12)
"""Sides of sampled patches in pixels of a photo that is four times the network's size; the largest one of
which enough fit on the visible skin is used."""

MIN_PATCHES = 16
"""Patches of one side that must fit."""

MAX_PATCHES = 96
"""Patches that are sampled."""

MIN_PIXELS = 256
"""Visible skin in pixels below which no fine structure is added."""

QUIET = 0.8
"""Fraction of the sampled patches, those with the least amplitude, that is used: the others show shadows and
straps."""

PLAIN, MAX_LOUD, MANY = 0.25, 1.5, 2.0
"""If the area to fill is larger than the third number times the skin that is sampled, patches are used up to
the second number times the amplitude below which the first fraction of them is. Plain skin is equally loud
everywhere. On hands and feet, many patches show edges, which look like worms on a leg."""

QUIET_NOISE = 0.4
"""Fraction of the visible skin, that with the least structure, whose noise is imitated."""

FINE, MIN_FINE = 0.5, 2.0
"""What counts as fine structure: what is lost when the photo is reduced by this fraction of its enlargement,
and at least by the second number."""

ValueT = TypeVar("ValueT", np.float32, np.bool_)

_LAGS = 6
_NEAR = 2


@dataclass(frozen=True)
class Texture:
    """What the skin shows beyond the network's resolution.

    Attributes:
        patches: sampled squares, float32 ``(N, side, side, 3)`` around 0; empty if too little skin is seen.
        filter: impulse response, float32 ``(K, K)``, that gives white noise the skin's spectrum, averaged
            over all directions; used where ``patches`` is empty.
        mixing: ``(3, 3)``: turns three independent channels into the skin's.
    """

    patches: NDArray[np.float32]
    filter: NDArray[np.float32]
    mixing: NDArray[np.float32]

    @property
    def kind(self) -> str:
        """Where the fine structure comes from: ``sampled``, ``noise`` or ``none``."""
        if len(self.patches):
            return "sampled"
        return "noise" if self.filter.size else "none"

    def field(self, part: Box, seed: int) -> Colors:
        """Return the fine structure of a part of the photo, float32 ``(H, W, 3)`` around 0.

        The same pixel always gets the same value, whichever part it is in.
        """
        if self.kind == "none":
            return np.zeros((part.height, part.width, 3), np.float32)
        return self._quilt(part, seed) if len(self.patches) else self._noise(part, seed)

    def _quilt(self, part: Box, seed: int) -> Colors:
        """Overlap patches by half; the squares of the windows add up to 1, so the variance stays."""
        side = self.patches.shape[1]
        step = side // 2
        ramp = np.sin((np.arange(side) + 0.5) * np.pi / side).astype(np.float32)
        window = (ramp[:, None] * ramp)[..., None]
        out = np.zeros((part.height, part.width, 3), np.float32)
        for row in range(part.top // step - 1, part.bottom // step + 1):
            for column in range(part.left // step - 1, part.right // step + 1):
                chance = np.random.default_rng([seed, row + 1, column + 1])
                patch = self.patches[chance.integers(len(self.patches))]
                # turned, mirrored and of either sign: what the patches have in common would be a lattice
                patch = np.rot90(patch, int(chance.integers(4)))
                patch = patch if chance.random() < 0.5 else patch[:, ::-1]
                patch = patch if chance.random() < 0.5 else -patch
                _add(out, patch * window, row * step - part.top, column * step - part.left)
        return out

    def _noise(self, part: Box, seed: int) -> Colors:
        """Filter white noise, made in blocks so that every pixel has its own."""
        edge = len(self.filter) // 2
        wide = Box(part.top - edge, part.left - edge, part.height + 2 * edge, part.width + 2 * edge)
        white = _white(wide, seed)
        shape = (wide.height, wide.width)
        transfer = np.fft.rfft2(np.asarray(self.filter), shape)
        planes = [
            np.fft.irfft2(np.fft.rfft2(white[..., plane]) * transfer, shape)[2 * edge :, 2 * edge :]
            for plane in range(3)
        ]
        return (np.stack(planes, axis=-1) @ self.mixing.T).astype(np.float32)


_NOISE_BLOCK = 256


def _white(part: Box, seed: int) -> Colors:
    """Return standard normal values that depend only on the pixel's place and the seed."""
    out = np.empty((part.height, part.width, 3), np.float32)
    for row in range(part.top // _NOISE_BLOCK, (part.bottom - 1) // _NOISE_BLOCK + 1):
        for column in range(part.left // _NOISE_BLOCK, (part.right - 1) // _NOISE_BLOCK + 1):
            chance = np.random.default_rng([seed, row + 1, column + 1])
            block = chance.standard_normal((_NOISE_BLOCK, _NOISE_BLOCK, 3), np.float32)
            _put(out, block, row * _NOISE_BLOCK - part.top, column * _NOISE_BLOCK - part.left)
    return out


def _overlap(out: Colors, block: Colors, top: int, left: int) -> tuple[Colors, Colors]:
    """Return the views of an array and of a block, placed at top and left, that lie on each other."""
    rows = slice(max(top, 0), max(0, min(top + block.shape[0], out.shape[0])))
    columns = slice(max(left, 0), max(0, min(left + block.shape[1], out.shape[1])))
    inner = block[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    target = out[rows, columns]
    return (target, inner) if target.size else (out[:0, :0], block[:0, :0])


def _add(out: Colors, block: Colors, top: int, left: int) -> None:
    target, inner = _overlap(out, block, top, left)
    target += inner


def _put(out: Colors, block: Colors, top: int, left: int) -> None:
    target, inner = _overlap(out, block, top, left)
    target[:] = inner


NO_TEXTURE = Texture(
    np.zeros((0, 1, 1, 3), np.float32), np.zeros((0, 0), np.float32), np.eye(3, dtype=np.float32)
)
"""No fine structure."""


def learn_texture(
    photo: NDArray[np.uint8],
    skin: NDArray[np.bool_],
    face: NDArray[np.bool_],
    scale: float,
    seed: int,
    *,
    area: int = 0,
) -> Texture:
    """Sample the fine structure of visible skin; of the face alone, make noise like it.

    Args:
        photo: uint8 RGB ``(H, W, 3)``.
        skin: visible skin but the face, bool ``(H, W)``, without the pixels at its border.
        face: the visible face, bool ``(H, W)``, without the pixels at its border; it shows too much besides
            skin to be sampled.
        scale: pixels of the photo per pixel of the network.
        seed: chooses the patches.
        area: pixels to fill.
    """
    fine = max(MIN_FINE, FINE * scale)
    patches = _sampled(photo, skin, fine, seed, bool(area > MANY * np.count_nonzero(skin)))
    if len(patches):
        return replace(NO_TEXTURE, patches=patches)
    enough = np.count_nonzero(skin) >= MIN_PIXELS
    return _noise_like(photo, skin if enough else skin | face, fine)


def _sampled(
    photo: NDArray[np.uint8], skin: NDArray[np.bool_], fine: float, seed: int, plain: bool
) -> NDArray[np.float32]:
    """Return squares of fine structure, float32 ``(N, side, side, 3)``; empty if too few fit.

    ``plain`` leaves out those that are much louder than others.
    """
    unit = max(1.0, fine / MIN_FINE)
    for base in PATCH_SIDES:
        side = 2 * round(base * unit / 2)
        places = _places(skin, side)
        if len(places) >= MIN_PATCHES:
            chosen = places[np.random.default_rng(seed).permutation(len(places))[:MAX_PATCHES]]
            patches = np.stack([_residual(photo, skin, place, side, fine) for place in chosen])
            amplitude = np.sqrt((patches**2).mean(axis=(1, 2, 3)))
            order = np.argsort(amplitude, kind="stable")[: max(1, round(QUIET * len(patches)))]
            if plain:
                order = order[amplitude[order] <= MAX_LOUD * np.quantile(amplitude, PLAIN)]
            return patches[order]
    return np.zeros((0, 1, 1, 3), np.float32)


def _places(skin: NDArray[np.bool_], side: int) -> NDArray[np.int64]:
    """Return top and left of squares that are all skin, on a grid of a quarter of their side."""
    step = max(1, side // 4)
    height, width = (length // step * step for length in skin.shape)
    if height < side or width < side:
        return np.zeros((0, 2), np.int64)
    blocks = skin[:height, :width].reshape(height // step, step, width // step, step).all(axis=(1, 3))
    count = -(-side // step)
    sums = np.pad(blocks.astype(np.int32), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    if min(blocks.shape) < count:
        return np.zeros((0, 2), np.int64)
    full = sums[count:, count:] - sums[:-count, count:] - sums[count:, :-count] + sums[:-count, :-count]
    return np.argwhere(full == count * count) * step


def _residual(
    photo: NDArray[np.uint8], skin: NDArray[np.bool_], place: NDArray[np.int64], side: int, scale: float
) -> Colors:
    """Return a square of the photo minus what the network's resolution shows of it."""
    edge = round(2 * scale)
    top, left = (max(0, int(start) - edge) for start in place)
    window = photo[top : int(place[0]) + side + edge, left : int(place[1]) + side + edge].astype(np.float32)
    weight = skin[top : int(place[0]) + side + edge, left : int(place[1]) + side + edge].astype(np.float32)
    fine = fine_structure(window, weight, scale)
    top, left = int(place[0]) - top, int(place[1]) - left
    patch: Colors = fine[top : top + side, left : left + side]
    centered: Colors = patch - patch.mean(axis=(0, 1), dtype=np.float32)
    return centered


def fine_structure(colors: Colors, weight: NDArray[np.float32], scale: float) -> Colors:
    """Return an image minus its low band: what is lost when it is reduced by ``scale`` and enlarged again.

    Args:
        colors: float32 ``(H, W, 3)``.
        weight: float32 ``(H, W)`` in [0, 1]; pixels without weight do not count.
        scale: pixels per pixel of the reduced image.
    """
    size = (max(1, round(weight.shape[0] / scale)), max(1, round(weight.shape[1] / scale)))
    covered = resampled(weight, size, Image.Resampling.BOX)
    mean = resampled(colors * weight[..., None], size, Image.Resampling.BOX)
    mean /= np.maximum(covered, np.float32(1e-6))[..., None]
    low = extended(mean, np.minimum(covered, 1))
    return colors - resampled(low, weight.shape, Image.Resampling.BICUBIC)


def _noise_like(photo: NDArray[np.uint8], skin: NDArray[np.bool_], scale: float) -> Texture:
    """Return a texture of noise with the autocovariance by distance and the channels of the visible skin."""
    box = bounding_box(skin)
    if box is None or np.count_nonzero(skin) < MIN_PIXELS:
        return NO_TEXTURE
    inside = skin[box.top : box.bottom, box.left : box.right]
    window = photo[box.top : box.bottom, box.left : box.right].astype(np.float32)
    fine = fine_structure(window, inside.astype(np.float32), scale)
    fine -= fine[inside].mean(axis=0)
    gray = fine.mean(axis=2)
    # eyes, mouth and shadows are loud; plain skin is where the structure is quiet
    gray = np.where(inside, gray, 0)
    layers = np.dstack([gray**2, inside]).astype(np.float64)
    energy, count = np.moveaxis(box_sums(layers, _NEAR), 2, 0)
    loudness = energy / np.maximum(count, 1)
    quiet = inside & (loudness <= np.quantile(loudness[inside], QUIET_NOISE))
    inside = inside & (loudness <= np.quantile(loudness[inside], QUIET))
    gray = np.where(inside, gray, 0)
    covariance = _covariance(gray, inside)
    spectrum = np.maximum(np.fft.fft2(np.fft.ifftshift(covariance)).real, 0)
    response = np.fft.fftshift(np.fft.ifft2(np.sqrt(spectrum)).real).astype(np.float32)
    power = float((response**2).sum())
    if power <= 0:
        return NO_TEXTURE
    channels = np.cov(fine[quiet].T) + 1e-6 * np.eye(3)
    mixing = np.linalg.cholesky(channels).astype(np.float32)
    return Texture(NO_TEXTURE.patches, response / np.float32(np.sqrt(power)), mixing)


def _covariance(gray: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the autocovariance of skin at lags of up to `_LAGS` rows and columns, tapered.

    It depends on the distance alone. Brows, lips and JPEG's blocks are horizontal and vertical lines; taken
    as they are, so few pixels give noise that looks woven.
    """
    lags = range(-_LAGS, _LAGS + 1)
    sums, counts = np.zeros((len(lags), len(lags))), np.zeros((len(lags), len(lags)))
    for row, down in enumerate(lags):
        for column, right in enumerate(lags):
            pairs = inside & _shifted(inside, down, right)
            sums[row, column] = (gray * _shifted(gray, down, right))[pairs].sum()
            counts[row, column] = np.count_nonzero(pairs)
    distance = np.hypot(np.array(lags)[:, None], lags)
    # neighbors differ much between 1 and the diagonal; farther away, rings one pixel wide
    rings = np.where(distance < 2, distance, np.rint(distance))
    _, ring = np.unique(rings.round(3), return_inverse=True)
    number = np.maximum(np.bincount(ring.ravel(), counts.ravel()), 1)
    mean = np.bincount(ring.ravel(), sums.ravel()) / number
    radius = np.bincount(ring.ravel(), distance.ravel()) / np.bincount(ring.ravel())
    taper = np.cos(np.minimum(distance / (_LAGS + 1), 1) * np.pi / 2) ** 2
    tapered: NDArray[np.float64] = np.interp(distance, radius, mean) * taper
    return tapered


def _shifted(values: NDArray[ValueT], down: int, right: int) -> NDArray[ValueT]:
    """Return an array moved by some rows and columns; what comes in is 0."""
    out = np.zeros_like(values)
    height, width = values.shape
    if abs(down) < height and abs(right) < width:
        out[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = values[
            max(-down, 0) : height + min(-down, 0), max(-right, 0) : width + min(-right, 0)
        ]
    return out
