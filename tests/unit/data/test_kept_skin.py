from __future__ import annotations

import numpy as np
import pytest
import torch

from skinfw.components.field_names import APPAREL, BODY, KEEP, MASK, SKIN
from skinfw.data.kept_skin import QUANTILES, keep_skin
from skinfw.testing.examples import example_batch


def test_no_sample_keeps_skin_at_probability_0_and_all_do_at_1() -> None:
    batch = example_batch(4, (32, 24))
    same, changed = keep_skin(batch, 0), keep_skin(batch, 1)
    for name in (MASK, KEEP, APPAREL):
        assert torch.equal(same[name], batch[name])
    for index in range(4):
        before, after = batch[MASK][index].sum().item(), changed[MASK][index].sum().item()
        # a line of pixels may lie on the limit
        assert QUANTILES[0] * before - 32 <= after <= QUANTILES[1] * before + 32
        assert 0 < after < before


def test_what_is_kept_is_shown_and_no_longer_inpainted() -> None:
    batch = example_batch(4, (32, 24))
    changed = keep_skin(batch, 1)
    shown = (batch[MASK] - changed[MASK]) > 0.5
    assert shown.any()
    assert torch.equal(changed[KEEP] > 0.5, (batch[KEEP] > 0.5) | shown)
    assert torch.equal(
        changed[APPAREL][shown.expand(-1, 3, -1, -1)], batch[BODY][shown.expand(-1, 3, -1, -1)]
    )
    rest = ~shown.expand(-1, 3, -1, -1)
    assert torch.equal(changed[APPAREL][rest], batch[APPAREL][rest])
    assert torch.equal(changed[SKIN], batch[SKIN])


@pytest.mark.parametrize("seed", range(3))
def test_a_straight_line_divides_hidden_and_visible_skin(seed: int) -> None:
    torch.manual_seed(seed)
    batch = example_batch(1, (40, 30))
    batch = batch.updated({MASK: torch.ones_like(batch[MASK])})
    hidden = keep_skin(batch, 1)[MASK][0, 0].numpy() > 0.5
    points = np.argwhere(np.ones_like(hidden))
    turned = [points @ (np.cos(angle), np.sin(angle)) for angle in np.linspace(0, 2 * np.pi, 720)]
    inside = hidden.ravel()
    # seen from some direction, all that is hidden lies before all that is visible
    assert any(across[inside].max() <= across[~inside].min() + 0.3 for across in turned)


def test_without_a_mask_nothing_changes() -> None:
    batch = example_batch(4, (16, 16))
    batch = batch.updated({MASK: torch.zeros_like(batch[MASK])})
    changed = keep_skin(batch, 1)
    assert torch.equal(changed[APPAREL], batch[APPAREL])
