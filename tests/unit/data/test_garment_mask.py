from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from skinfw.data.batch import Batch
from skinfw.data.garment_mask import cover, cover_by_name, garment_mask
from skinfw.testing.examples import example_batch

MARGIN = (0.02, 0.1)


def limb(size: tuple[int, int] = (80, 60)) -> np.ndarray:
    """A vertical limb, 40 pixels long and 6 wide."""
    skin = np.zeros(size, bool)
    skin[20:60, 27:33] = True
    return skin


@pytest.mark.parametrize("seed", range(5))
def test_the_margin_lies_between_the_two_limits(seed: int) -> None:
    skin = limb()
    mask = garment_mask(skin, 2, 9, np.random.default_rng(seed))
    away = distance_transform_edt(~skin)
    assert mask[skin].all()
    assert not mask[away > 9].any()
    across = away.copy()
    across[:22], across[58:] = 99, 99  # beside the limb, not at its ends
    assert mask[across <= 2].all()


def test_a_mask_is_wider_across_a_limb_than_along_it() -> None:
    skin = limb()
    beside, beyond = [], []
    for seed in range(30):
        mask = garment_mask(skin, 8, 8, np.random.default_rng(seed))
        beside.append(mask[40].sum() - 6)
        beyond.append(mask[:, 30].sum() - 40)
    assert np.mean(beside) == pytest.approx(16, abs=1)
    assert 16 / 3 - 2 < min(beyond) < np.mean(beyond) < 12  # whole pixels: one less at each end


def test_the_border_is_irregular_and_every_limb_has_its_own_margin() -> None:
    skin = limb((80, 120))
    skin[20:60, 87:93] = True
    widths = []
    for seed in range(10):
        mask = garment_mask(skin, 1, 12, np.random.default_rng(seed))
        widths.append([mask[25:55, side].sum(axis=1) for side in (slice(0, 60), slice(60, 120))])
    one, other = np.array(widths).swapaxes(0, 1).astype(float)
    assert one.std(axis=1).mean() > 1
    assert np.abs(np.diff(one, axis=1)).max() <= 6  # smooth
    assert np.abs(one.mean(axis=1) - other.mean(axis=1)).mean() > 1


def test_no_skin_is_not_covered() -> None:
    assert not garment_mask(np.zeros((9, 9), bool), 2, 4, np.random.default_rng(0)).any()


def test_everything_under_the_mask_is_erased() -> None:
    batch = example_batch(4, (64, 48))
    torch.manual_seed(0)
    covered = cover(batch, MARGIN)
    mask, keep = covered["mask"] > 0.5, covered["keep"] > 0.5
    assert (mask.sum(dim=(1, 2, 3)) > batch["mask"].sum(dim=(1, 2, 3))).all()
    assert not (mask & keep).any()
    assert (covered["apparel_head_foot"].permute(0, 2, 3, 1)[mask[:, 0]] == 1).all()
    same = keep[:, 0]
    before, after = (each["apparel_head_foot"].permute(0, 2, 3, 1)[same] for each in (batch, covered))
    assert torch.equal(before, after)
    assert torch.equal(keep, (batch["keep"] > 0.5) & ~mask)
    assert torch.equal(covered["face"], batch["face"]) and not ((covered["face"] > 0.5) & mask).any()
    for name in ("body", "segmentation_skin", "line", "keypoints"):
        assert torch.equal(covered[name], batch[name])


def test_a_mask_without_a_face_field_still_keeps_what_is_inside_keep() -> None:
    batch = example_batch(2, (64, 48))
    faceless = Batch(
        batch.names,
        {name: each for name, each in batch.fields.items() if name != "face"},
        {name: each for name, each in batch.types.items() if name != "face"},
    )
    assert set(cover_by_name(faceless, MARGIN).fields) == set(faceless.fields)


def test_torch_seeds_decide_in_training_and_names_in_evaluation() -> None:
    batch = example_batch(3, (64, 48))

    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return cover(batch, MARGIN)["mask"]

    assert torch.equal(drawn(1), drawn(1)) and not torch.equal(drawn(1), drawn(2))
    torch.manual_seed(1)
    state = torch.get_rng_state()
    once = cover_by_name(batch, MARGIN)["mask"]
    assert torch.equal(torch.get_rng_state(), state)
    backwards = cover_by_name(batch.take(torch.tensor([2, 0])), MARGIN)["mask"]
    assert torch.equal(backwards, once[[2, 0]])
