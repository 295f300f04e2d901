"""skinfw's checks for every loss, and one test of our own: run ``pytest`` in this folder."""

import torch
from skinfw_meantone.config import MeanToneConfig
from skinfw_meantone.loss import MeanToneLoss

from skinfw.interfaces import LossIO
from skinfw.testing import check_loss, example_context


def test_contract() -> None:
    check_loss(MeanToneLoss, MeanToneConfig())


def test_only_the_mean_counts() -> None:
    loss = MeanToneLoss(MeanToneConfig(), LossIO((2, 2)))
    target = torch.full((1, 3, 2, 2), 0.5)
    output = target + torch.tensor([[0.1, -0.1], [0.3, 0.3]])
    skin = torch.ones(1, 1, 2, 2)
    context = example_context(output, target, segmentation_skin=skin)
    assert torch.isclose(loss.generator_loss(context), torch.tensor(0.15))
