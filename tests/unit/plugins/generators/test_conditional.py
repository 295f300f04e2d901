"""What pix2pix stands for here holds for every conditional network: they share the base."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from skinfw.testing import example_generator_io
from skinfw_plugins.generators.conditional import Film, Guide
from skinfw_plugins.generators.config import Pix2PixConfig
from skinfw_plugins.generators.pix2pix import Pix2PixGenerator

INPUTS = ("apparel_head_foot", "face")
SIZE = (32, 32)


def build(**fields: object) -> Pix2PixGenerator:
    torch.manual_seed(0)
    config = Pix2PixConfig.model_validate({"base_channels": 4, **fields})
    return Pix2PixGenerator(config, example_generator_io(SIZE, INPUTS)).eval()


def condition(face_color: tuple[float, float, float]) -> Tensor:
    """A white image with a face of one color in a corner, and the face's mask."""
    made = torch.ones(1, 6, *SIZE)
    made[:, 3:] = 0
    made[:, :3, :8, :8] = torch.tensor(face_color)[None, :, None, None]
    made[:, 3:, :8, :8] = 1
    return made


def test_tone_appends_the_faces_median_color_as_constant_channels() -> None:
    network = build(condition="tone")
    seen: list[Tensor] = []
    network.down[0].register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    given = condition((0.8, 0.6, 0.5))
    given[:, :3, 0, 0] = 0  # one dark pixel does not pull the median away
    network(given)
    assert seen[0].shape == (1, 9, *SIZE)
    expected = torch.tensor([0.6, 0.2, 1 / 255])[None, :, None, None].expand(1, 3, *SIZE)  # 127.5 is 128
    assert torch.allclose(seen[0][:, 6:], expected, atol=1e-6)


def test_film_starts_as_the_identity_and_then_follows_the_color() -> None:
    network = build(condition="tone_film")
    plain = build()
    light, dark = condition((0.8, 0.6, 0.5)), condition((0.3, 0.2, 0.1))
    state = {name: value for name, value in network.state_dict().items() if not name.startswith("film")}
    plain.load_state_dict(state)
    assert torch.equal(network(light), plain(light))
    assert network.film is not None
    torch.nn.init.normal_(network.film.layers[-1].weight)
    assert not torch.equal(network(light), plain(light))
    assert not torch.equal(network(light), network(dark))


def test_film_scales_and_shifts_each_channel() -> None:
    film = Film(2, hidden=1)
    with torch.no_grad():
        film.layers[0].weight.fill_(1.0)
        film.layers[0].bias.fill_(0.0)
        film.layers[2].weight[:, 0] = torch.tensor([1.0, 0.0, 0.0, 2.0])
    features = torch.ones(1, 2, 1, 1)
    # the hidden value is 0.5 + 0.25 + 0.25 = 1: scales 1 + 1 and 1, shifts 0 and 2
    assert film(features, torch.tensor([[0.5, 0.25, 0.25]])).flatten().tolist() == [2.0, 3.0]


def test_a_noise_channel_is_seen_as_it_is() -> None:
    network = build(noise="channel")
    assert network.noise_shape(SIZE) == (1, *SIZE)
    seen: list[Tensor] = []
    network.down[0].register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    noise = torch.randn(1, 1, *SIZE)
    network(condition((0.8, 0.6, 0.5)), noise)
    assert torch.equal(seen[0][:, 6:], noise)


def test_dropout_as_noise_stays_on_in_use_and_follows_each_samples_noise() -> None:
    network = build(noise="dropout", dropout=0.5)
    given = condition((0.8, 0.6, 0.5)).expand(2, -1, -1, -1)
    noise = torch.tensor([[0.3], [-1.2]])
    both = network(given, noise)
    assert not torch.equal(both[0], both[1])
    assert torch.equal(both, network(given, noise))
    assert torch.allclose(network(given[:1], noise[1:]), both[1:], atol=1e-6)


def test_dropout_by_noise_keeps_the_mean() -> None:
    guide = Guide(None, (torch.Generator().manual_seed(0),), 0.25, training=False)
    dropped = guide.drop(torch.ones(1, 1, 200, 200))
    assert dropped.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert dropped.mean().item() == pytest.approx(1, abs=0.02)


def test_noise_that_is_missing_is_told() -> None:
    with pytest.raises(ValueError, match="the network needs noise"):
        build(noise="dropout", dropout=0.5)(condition((0.8, 0.6, 0.5)))


def test_dropout_without_a_layer_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="with depth 1, no layer has dropout"):
        build(noise="dropout", dropout=0.5, depth=1)


def test_dropout_as_noise_without_a_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a dropout above 0"):
        Pix2PixConfig.model_validate({"noise": "dropout"})


def test_tone_requires_the_face() -> None:
    assert Pix2PixConfig().required_inputs == ()
    assert Pix2PixConfig.model_validate({"condition": "tone"}).required_inputs == INPUTS
