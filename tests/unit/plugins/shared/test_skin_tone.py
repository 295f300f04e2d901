from __future__ import annotations

import numpy as np
import torch

from skinfw_plugins.shared.skin_tone import skin_tones


def test_tones_are_numpys_medians_of_8_bit_images() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (20, 3, 9, 7))
    skin, visible = random.random((20, 1, 9, 7)) > 0.6, random.random((20, 1, 9, 7)) > 0.3
    skin[1] = False
    skin[2], visible[2] = False, False
    found = skin_tones(
        torch.from_numpy(images).float() / 255, torch.from_numpy(skin), torch.from_numpy(visible)
    )
    for image, marked, shown, tone in zip(images, skin[:, 0], visible[:, 0], found, strict=True):
        region = marked if marked.any() else shown
        values = np.sort(image[:, region], axis=1)
        lower = values[:, (values.shape[1] - 1) // 2] if region.any() else np.full(3, 255)
        assert torch.equal(tone, torch.from_numpy(lower).float() / 255)
