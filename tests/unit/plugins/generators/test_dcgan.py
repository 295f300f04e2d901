from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from counting import parameters
from PIL import Image
from torch import Tensor, nn

from skinfw import Pipeline
from skinfw.interfaces import DiscriminatorIO
from skinfw.testing import example_generator_io
from skinfw_plugins.discriminators.config import DcganDiscriminatorConfig
from skinfw_plugins.discriminators.dcgan import DcganDiscriminator
from skinfw_plugins.generators.config import DcganGeneratorConfig
from skinfw_plugins.generators.dcgan import DcganGenerator

Shape = tuple[int, ...]
Row = tuple[Shape, Shape]
GIGABYTE = 10**9


def build(size: tuple[int, int], **fields: object) -> DcganGenerator:
    torch.manual_seed(0)
    return DcganGenerator(DcganGeneratorConfig.model_validate(fields), example_generator_io(size, ()))


def judge(size: tuple[int, int], **fields: object) -> DcganDiscriminator:
    return DcganDiscriminator(DcganDiscriminatorConfig.model_validate(fields), DiscriminatorIO(size, 0))


def convolutions(network: nn.Module, *inputs: Tensor | None) -> tuple[list[Row], list[Shape]]:
    """Return the shapes that each convolution takes and gives, and those of the weights, in order."""
    rows: list[Row] = []
    weights: list[Shape] = []

    def record(layer: Any, given: tuple[Tensor, ...], output: Tensor) -> None:
        rows.append((tuple(given[0].shape[1:]), tuple(output.shape[1:])))
        weights.append(tuple(layer.weight.shape))

    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            layer.register_forward_hook(record)
    network(*inputs)
    return rows, weights


def test_the_papers_network_layer_by_layer() -> None:
    with torch.device("meta"):
        network = build((64, 64), base_channels=128)
        rows, _ = convolutions(network, torch.empty(2, 0, 64, 64), torch.empty(2, 100))
    # figure 1 of the paper
    shapes = [(100, 1, 1), (1024, 4, 4), (512, 8, 8), (256, 16, 16), (128, 32, 32), (3, 64, 64)]
    assert rows == list(pairwise(shapes))
    # a 4x4 convolution has 16 weights for each pair of channels; a normalization has 2 numbers a channel
    by_hand = (
        16 * 100 * 1024 + 2 * 1024
        + 16 * 1024 * 512 + 2 * 512
        + 16 * 512 * 256 + 2 * 256
        + 16 * 256 * 128 + 2 * 128
        + 16 * 128 * 3 + 3
    )  # fmt: skip
    assert parameters(network) == by_hand == 12_658_435


@pytest.mark.parametrize("size", [(8, 8), (16, 16), (64, 96), (512, 512), (2048, 1024)])
def test_every_layer_has_its_mirror_in_the_discriminator(size: tuple[int, int]) -> None:
    with torch.device("meta"):
        painting = convolutions(build(size), torch.empty(2, 0, *size), torch.empty(2, 100))
        judging = convolutions(judge(size), torch.empty(2, 3, *size))
    rows, weights = painting
    mirrored = [(given, output) for output, given in reversed(judging[0])]
    # from the noise vector to the seed, and from the seed to the logit
    assert rows[0] == ((100, 1, 1), mirrored[0][1])
    assert mirrored[0][0] == (1, 1, 1)
    assert rows[1:] == mirrored[1:]
    # a transposed convolution keeps its weights in the shape of the convolution that it transposes
    assert weights[1:] == list(reversed(judging[1]))[1:]
    assert len(rows) == 1 + min(size).bit_length() - 3
    assert rows[-1][1] == (3, *size)


def test_both_networks_and_their_optimizers_fit_into_4_gb_at_512_pixels() -> None:
    with torch.device("meta"):
        count = parameters(build((512, 512)), judge((512, 512)))
    # weights, gradients and Adam's two moments; a checkpoint copies all but the gradients
    assert 4 * count * (4 + 3) < 0.7 * 4 * GIGABYTE
    with torch.device("meta"):
        wider = parameters(build((512, 512), max_channels=4096), judge((512, 512), max_channels=4096))
    assert 4 * wider * 4 > 4 * GIGABYTE


@pytest.mark.parametrize("size", [(8, 8), (64, 96), (24, 24), (256, 128)])
def test_sizes_that_can_be_halved_to_a_seed_are_accepted(size: tuple[int, int]) -> None:
    config = DcganGeneratorConfig()
    assert config.size_requirement(size).error(size) is None
    assert 4 <= min(config.seed(size)) < 8


@pytest.mark.parametrize(
    ("size", "text"),
    [
        ((100, 100), "multiples of 16, for instance 96x96"),
        ((1101, 750), "multiples of 128, for instance 1152x768"),
        ((4, 8), "at least 8 pixels"),
    ],
)
def test_other_sizes_are_refused(size: tuple[int, int], text: str) -> None:
    assert text in str(DcganGeneratorConfig().size_requirement(size).error(size))


def test_a_network_paints_its_own_size_alone() -> None:
    assert "built for 64x64 only" in str(DcganGeneratorConfig().size_requirement((64, 64)).error((32, 32)))


def test_noise_alone_makes_the_image() -> None:
    network = build((16, 16), base_channels=4, latent=7).eval()
    assert network.noise_shape((16, 16)) == (7,)
    noise = torch.randn(2, 7)
    painted = network(torch.rand(2, 3, 16, 16), noise)
    assert torch.equal(painted, network(torch.zeros(2, 9, 16, 16), noise))
    assert not torch.equal(painted[0], painted[1])
    with pytest.raises(ValueError, match="needs noise"):
        network(torch.rand(2, 3, 16, 16))


def test_weights_start_as_in_the_paper() -> None:
    network = build((32, 32))
    for layer in (network.project[0], network.up[0][0], network.last):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert layer.weight.mean().item() == pytest.approx(0, abs=0.002)


def test_a_whole_run_trains_measures_and_paints(
    tmp_path: Path, tiny_spec: Callable[..., dict[str, Any]], write_samples: Callable[..., list[Path]]
) -> None:
    layers = {"type": "dcgan", "base_channels": 4}
    spec = tiny_spec(
        data={"dataset": {"type": "mannequins", "count": 40}, "size": [16, 16]},
        generator={**layers, "latent": 8},
        discriminator=layers,
        losses=["gan"],
        composite="none",
        baselines=[],
    )
    pipeline = Pipeline(spec, output=tmp_path / "run").fit()
    steps = [record for record in pipeline.run.read_log() if record["event"] == "step"]
    assert set(steps[-1]["losses"]) == {"gan", "discriminator/gan"}
    assert pipeline.run.report_path.is_file()
    write_samples(tmp_path / "samples", ["one", "two"], size=(16, 16))
    written = pipeline.generate(tmp_path / "samples", tmp_path / "painted")
    one, two = (np.asarray(Image.open(path)) for path in written)
    # each sample's noise is drawn by its name
    assert one.shape == (16, 16, 3)
    assert not np.array_equal(one, two)
