"""LPIPS and VGG's features, with random weights under the loading code of the real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lpips
import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
import torchvision
from torch import nn

from skinfw.components.field_names import SKIN
from skinfw.errors import SpecError, UserError
from skinfw.interfaces import LossContext, LossIO, MetricIO
from skinfw.pipeline import Pipeline
from skinfw.specs.spec import parse_spec
from skinfw.testing import example_context
from skinfw_plugins.losses.config import LpipsConfig, PerceptualConfig
from skinfw_plugins.losses.lpips import LpipsLoss
from skinfw_plugins.losses.perceptual import PerceptualLoss
from skinfw_plugins.metrics.config import LpipsConfig as LpipsMetricConfig
from skinfw_plugins.metrics.lpips import LpipsMetric
from skinfw_plugins.networks.lpips_distance import LpipsDistance
from skinfw_plugins.shared.fields import LPIPS_MIN_SIDE

Weights = Callable[..., Path]
NAMES: dict[Any, str] = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}
SIZE = (40, 56)


def make_context(size: tuple[int, int] = SIZE) -> LossContext:
    generator = torch.Generator().manual_seed(0)
    output, target = (torch.rand(2, 3, *size, generator=generator) for _ in range(2))
    skin = (torch.rand(2, 1, *size, generator=generator) > 0.7).float()
    return example_context(output, target, segmentation_skin=skin)


def torchvision_features(network: str, file: Path) -> nn.Module:
    """The convolutions of torchvision's network with the weights of a file."""
    with torch.device("meta"):
        features: nn.Module = getattr(torchvision.models, network)(weights=None).features
    state = {name.removeprefix("features."): each for name, each in torch.load(file).items()}
    features.load_state_dict(state, assign=True)
    return features.requires_grad_(False).eval()


def package_network(net: str, file: Path, monkeypatch: pytest.MonkeyPatch, spatial: bool) -> nn.Module:
    """LPIPS as the package builds it, which asks torchvision for a trained network."""
    network = NAMES[net]
    built = SimpleNamespace(features=torchvision_features(network, file))
    with monkeypatch.context() as patch:
        patch.setattr(lpips.pretrained_networks.tv, network, lambda pretrained: built)
        made: nn.Module = lpips.LPIPS(net=net, spatial=spatial, verbose=False)
    return made


@pytest.mark.parametrize("net", ["alex", "vgg", "squeeze"])
def test_lpips_equals_the_package_with_the_same_weights(
    net: Any, random_weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = random_weights(NAMES[net])
    example = make_context()
    distance = LpipsDistance(net)
    with torch.no_grad():
        found = distance.per_image(example.output, example.target)
        maps = distance.per_pixel(example.output, example.target)
    expected = package_network(net, file, monkeypatch, spatial=False)(
        example.output, example.target, normalize=True
    )
    torch.testing.assert_close(found, expected.flatten(), rtol=1e-4, atol=1e-6)
    expected = package_network(net, file, monkeypatch, spatial=True)(
        example.output, example.target, normalize=True
    )
    torch.testing.assert_close(maps, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("net", ["alex", "squeeze"])
def test_loss_and_metric_are_that_distance_over_image_and_skin(net: Any, random_weights: Weights) -> None:
    random_weights(NAMES[net])
    example = make_context()
    distance = LpipsDistance(net)
    with torch.no_grad():
        whole = distance.per_image(example.output, example.target)
        maps = distance.per_pixel(example.output, example.target)[:, 0].numpy()
    skin = example.fields[SKIN][:, 0].numpy() > 0.5
    each = [float(values[region].mean()) for values, region in zip(maps, skin, strict=True)]

    def loss(region: str) -> float:
        config = LpipsConfig.model_validate({"net": net, "region": region})
        return LpipsLoss(config, LossIO(SIZE)).generator_loss(example).item()

    assert loss("image") == pytest.approx(whole.mean().item(), rel=1e-5)
    assert loss("skin") == pytest.approx(maps[skin].mean(), rel=1e-4)
    for region, values in (("image", whole.tolist()), ("skin", each)):
        metric = LpipsMetric(LpipsMetricConfig(net=net), MetricIO(region))
        found = metric.update(example.output, example.target, example.region(region))
        assert found.tolist() == pytest.approx(values, rel=1e-4)
        assert metric.compute() == pytest.approx(np.mean(values), rel=1e-4)


@pytest.mark.parametrize("net", ["alex", "vgg", "squeeze"])
def test_the_smallest_size_of_each_net_works_and_one_less_is_refused(
    net: Any, random_weights: Weights, tiny_spec: Callable[..., Any]
) -> None:
    random_weights(NAMES[net])
    least = LPIPS_MIN_SIDE[net]
    metric = LpipsMetric(LpipsMetricConfig(net=net), MetricIO("skin"))
    example = make_context((least, least))
    assert torch.isfinite(metric.update(example.output, example.target, example.fields[SKIN])).all()
    small = make_context((least, least - 1))
    with pytest.raises(UserError, match=rf"{least}x{least - 1} are too small for .* needs {least} pixels"):
        metric.update(small.output, small.target, small.fields[SKIN])
    spec = tiny_spec(losses=[{"type": "lpips", "net": net}], generator={"type": "pix2pix", "depth": 1})
    spec.pop("discriminator")
    spec["data"]["size"] = [64, least - 1]
    with pytest.raises(SpecError, match=f"loss 'lpips': .* at least {least} pixels"):
        parse_spec(spec)


def test_lpips_has_a_gradient_to_the_output_only_and_where_no_feature_is_above_0(
    random_weights: Weights,
) -> None:
    random_weights("alexnet")
    loss = LpipsLoss(LpipsConfig(net="alex"), LossIO(SIZE)).train()
    example = make_context()
    example.output.requires_grad_()
    example.target.requires_grad_()
    loss.generator_loss(example).backward()
    assert example.output.grad is not None
    assert example.output.grad.any()
    assert example.target.grad is None
    network = loss.distance.layers.network
    assert not network.training
    assert all(parameter.grad is None for parameter in network.parameters())
    # features that are 0 everywhere: the root in their length has no derivative there
    nn.init.constant_(network.network.net.slice1[0].bias, -1e3)
    example.output.grad = None
    loss.generator_loss(example).backward()
    assert torch.isfinite(example.output.grad).all()


def test_dropout_of_the_heads_stays_off(random_weights: Weights) -> None:
    random_weights("squeezenet1_1")
    loss = LpipsLoss(LpipsConfig(net="squeeze"), LossIO(SIZE)).train()
    example = make_context()
    assert torch.equal(loss.generator_loss(example), loss.generator_loss(example))


def test_the_card_names_network_heads_and_size(random_weights: Weights) -> None:
    random_weights("alexnet")
    card = LpipsMetric(LpipsMetricConfig(), MetricIO("image")).metadata()
    assert card == {"backbone": "AlexNet (torchvision, ImageNet), LPIPS 0.1 heads", "resize": "none"}


VGG_NAMES = {
    "vgg16": {"relu1_1": 1, "relu1_2": 3, "relu2_2": 8, "relu3_3": 15, "relu4_3": 22, "relu5_3": 29},
    "vgg19": {"relu1_2": 3, "relu2_1": 6, "relu3_4": 17, "relu4_4": 26, "relu5_4": 35},
}
"""Counted by hand in the networks that torchvision prints."""


@pytest.mark.parametrize("net", ["vgg16", "vgg19"])
def test_layers_are_the_activations_of_torchvision(net: Any) -> None:
    names = VGG_NAMES[net]
    config = PerceptualConfig.model_validate({"net": net, "layers": list(names)})
    assert config.places == tuple(names.values())
    with torch.device("meta"):
        features = getattr(torchvision.models, net)(weights=None).features
    assert all(isinstance(features[place], nn.ReLU) for place in config.places)


@pytest.mark.parametrize(
    ("net", "layers", "distance"),
    [
        ("vgg16", ["relu1_2", "relu2_2", "relu3_3"], "l1"),
        ("vgg16", ["relu2_1"], "l2"),
        ("vgg19", ["relu3_4", "relu1_1"], "l1"),
    ],
)
@pytest.mark.parametrize("region", ["image", "skin"])
def test_perceptual_equals_torchvisions_features(
    net: str, layers: list[str], distance: str, region: str, random_weights: Weights
) -> None:
    count = 18
    file = random_weights(net, layers=count)
    config = PerceptualConfig.model_validate(
        {"net": net, "layers": layers, "distance": distance, "region": region}
    )
    example = make_context()
    term = PerceptualLoss(config, LossIO(SIZE)).generator_loss(example)

    with torch.device("meta"):
        features = getattr(torchvision.models, net)(weights=None).features[:count]
    state = {name.removeprefix("features."): each for name, each in torch.load(file).items()}
    features.load_state_dict(state, assign=True)
    normalize = torchvision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    costs = []
    for place in config.places:
        with torch.no_grad():
            one, other = (features[: place + 1](normalize(each)) for each in (example.output, example.target))
        values = (one - other).abs() if distance == "l1" else (one - other).square()
        weight = torch.ones_like(values)
        if region == "skin":  # sides that halve evenly: the fraction of skin is the mean of the pixels below
            side = SIZE[0] // values.shape[2]
            weight = nn.functional.avg_pool2d(example.fields[SKIN], side).expand_as(values)
        costs.append(float((values * weight).sum() / weight.sum()))
    assert term.item() == pytest.approx(np.mean(costs), rel=1e-4)


@pytest.mark.parametrize("region", ["image", "skin"])
def test_perceptual_on_stages_equals_the_same_network_of_another_library(
    region: str, random_weights: Weights
) -> None:
    file = random_weights("mobilenet_v2")
    layers = ["stage2", "stage3"] if region == "skin" else ["stage1", "stage5"]
    config = PerceptualConfig.model_validate({"net": "mobilenet_v2", "layers": layers, "region": region})
    example = make_context()
    loss = PerceptualLoss(config, LossIO(SIZE))
    encoder = smp.encoders.get_encoder("mobilenet_v2", weights=None)
    encoder.load_state_dict(torch.load(file))
    normalize = torchvision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    with torch.no_grad():
        one, other = (encoder.eval()(normalize(each)) for each in (example.output, example.target))
    costs = []
    for layer in layers:
        stage = int(layer.removeprefix("stage"))
        values = (one[stage] - other[stage]).abs()
        weight = torch.ones_like(values)
        if region == "skin":  # sides that halve evenly
            weight = nn.functional.avg_pool2d(example.fields[SKIN], 2**stage).expand_as(values)
        costs.append(float((values * weight).sum() / weight.sum()))
    assert loss.generator_loss(example).item() == pytest.approx(np.mean(costs), rel=1e-4)
    count = loss.region_count(example.region(region))
    assert count is None or count.tolist() == pytest.approx(
        [float(nn.functional.avg_pool2d(example.fields[SKIN], 2**stage).sum()) for stage in (2, 3)]
    )
    assert loss.state_dict() == {}


def test_stages_of_an_odd_size_are_counted_as_the_network_makes_them(random_weights: Weights) -> None:
    random_weights("mobilenet_v2")
    config = PerceptualConfig(net="mobilenet_v2", region="skin")
    loss = PerceptualLoss(config, LossIO((33, 41)))
    example = make_context((33, 41))
    shapes = [tuple(each.shape[2:]) for each in loss.features(example.output)]
    assert loss.features.network.sizes((33, 41)) == shapes
    assert config.size_requirement((33, 41)).error((1, 1)) is None


def test_perceptual_over_no_skin_is_0(random_weights: Weights) -> None:
    random_weights("vgg16", layers=10)
    config = PerceptualConfig(layers=("relu1_2",), region="skin")
    example = make_context()
    example.fields[SKIN][:] = 0
    assert PerceptualLoss(config, LossIO(SIZE)).generator_loss(example).item() == 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"layers": ["relu3_4"]}, r"vgg16 has no layer 'relu3_4' \(allowed: relu1_1, relu1_2, .*relu5_3\)"),
        ({"net": "vgg19", "layers": ["relu1_1", "relu1_1"]}, "duplicate layer"),
        ({"layers": []}, "at least 1"),
        ({"net": "mobilenet_v2", "layers": ["relu1_1"]}, r"mobilenet_v2 has no layer .*stage1, .*stage5"),
        ({"net": "vgg11"}, "vgg16"),
    ],
)
def test_wrong_layers_are_refused_with_what_is_allowed(fields: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PerceptualConfig.model_validate(fields)


def test_the_smallest_size_leaves_the_last_layer_a_pixel(random_weights: Weights) -> None:
    random_weights("vgg16", layers=18)
    config = PerceptualConfig(layers=("relu1_1", "relu4_1"))
    assert config.size_requirement(SIZE).minimum == 8
    config = PerceptualConfig(layers=("relu3_3",))
    assert config.size_requirement(SIZE).minimum == 4
    assert PerceptualLoss(config, LossIO((4, 4))).generator_loss(make_context((4, 4))) > 0


def test_a_run_with_them_trains_and_keeps_their_weights_out_of_its_checkpoints(
    random_weights: Weights, tiny_spec: Callable[..., Any], tmp_path: Path
) -> None:
    random_weights("alexnet")
    random_weights("vgg16", layers=10)
    losses = [
        {"type": "lpips", "net": "alex"},
        {"type": "perceptual", "layers": ["relu1_2"], "region": "skin"},
    ]
    spec = tiny_spec(losses=losses, metrics=["lpips"], baselines=[])
    spec.pop("discriminator")
    spec["training"] |= {"epochs": None, "steps": 2}
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    assert run.checkpoint("last").stat().st_size < 1_000_000
    last = [record for record in run.read_log() if record["event"] == "step"][-1]
    assert all(value > 0 for value in last["losses"].values())
