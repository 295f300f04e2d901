from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from scipy.linalg import sqrtm
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torchmetrics.image.fid import NoTrainInceptionV3
from torchvision.transforms import v2

from skinfw.errors import UserError
from skinfw.interfaces import MetricIO
from skinfw_plugins.metrics import kernel_distance
from skinfw_plugins.metrics.config import FidConfig, KernelDistanceConfig, KidConfig
from skinfw_plugins.metrics.fid import FidMetric
from skinfw_plugins.metrics.kernel_distance import KernelDistanceMetric
from skinfw_plugins.metrics.kid import KidMetric
from skinfw_plugins.networks import inception

IO = MetricIO("image")


class FirstPixels(nn.Module):
    """Takes a few values of the image for features."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :, 0, :2].flatten(1).float() / 255


@pytest.fixture
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make features that a test knows: the first six values of an image, rounded to 8 bits."""
    network = inception.Inception(FirstPixels(), 6)
    monkeypatch.setattr(inception, "extractor", lambda: network)
    monkeypatch.setattr(kernel_distance, "pooled_encoder", lambda _: network)


def sets(count: int = 40) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    painted = torch.rand(count, 3, 4, 4, generator=generator)
    true = torch.rand(count, 3, 4, 4, generator=generator) * 0.7
    return painted, true


def features(images: Tensor) -> np.ndarray:
    return (images[:, :, 0, :2].flatten(1) * 255).round().double().numpy() / 255


@pytest.mark.usefixtures("simple")
def test_fid_equals_scipy_in_float64() -> None:
    painted, true = sets()
    metric = FidMetric(FidConfig(), IO)
    assert metric.update(painted, true, None) is None
    one, other = features(painted), features(true)
    first, second = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = sqrtm(first @ second)
    expected = ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(first + second - 2 * root.real)
    assert metric.compute() == pytest.approx(expected, rel=1e-5)


@pytest.mark.usefixtures("simple")
@pytest.mark.parametrize("kind", ["kid", "kernel_distance"])
def test_the_kernel_distances_equal_the_unbiased_estimate_by_hand(kind: str) -> None:
    painted, true = sets(12)
    metric = KidMetric(KidConfig(), IO) if kind == "kid" else KernelDistanceMetric(KernelDistanceConfig(), IO)
    metric.update(painted, true, None)
    one, other = features(painted), features(true)

    def kernel(left: np.ndarray, right: np.ndarray) -> float:
        return float((left @ right / 6 + 1) ** 3)

    same = [
        sum(kernel(each[i], each[j]) for i in range(12) for j in range(12) if i != j) / (12 * 11)
        for each in (one, other)
    ]
    across = sum(kernel(left, right) for left in one for right in other) / 144
    assert metric.compute() == pytest.approx(sum(same) - 2 * across, rel=1e-5)


@pytest.mark.usefixtures("simple")
def test_kid_of_subsets_is_the_same_each_time_and_leaves_random_numbers_alone() -> None:
    painted, true = sets()
    metric = KidMetric(KidConfig(subsets=3, subset_size=10), IO)
    metric.update(painted, true, None)
    torch.manual_seed(5)
    first = metric.compute()
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(1), drawn)
    assert metric.compute() == first
    assert metric.metadata()["estimate"] == "mean of 3 of 10 images each"


@pytest.mark.usefixtures("simple")
@pytest.mark.parametrize("kind", ["fid", "kid"])
def test_a_process_that_measures_alone_waits_for_no_other(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def gather(*_: object, **__: object) -> None:
        raise AssertionError("only the main process measures: the others would never answer")

    # as torchmetrics sees it in a run of several processes
    monkeypatch.setattr("torchmetrics.metric.jit_distributed_available", lambda: True)
    monkeypatch.setattr("torchmetrics.metric.gather_all_tensors", gather)
    metric = FidMetric(FidConfig(), IO) if kind == "fid" else KidMetric(KidConfig(), IO)
    metric.update(*sets(12), None)
    assert np.isfinite(metric.compute())


@pytest.mark.usefixtures("simple")
def test_kid_seeds_no_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[int] = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    metric = KidMetric(KidConfig(subsets=3, subset_size=10), IO)
    metric.update(*sets(), None)
    metric.compute()
    assert seeded == []


@pytest.mark.usefixtures("simple")
@pytest.mark.parametrize("kind", ["fid", "kid"])
def test_fewer_than_two_images_have_no_value(kind: str) -> None:
    metric = FidMetric(FidConfig(), IO) if kind == "fid" else KidMetric(KidConfig(), IO)
    painted, true = sets(1)
    assert np.isnan(metric.compute())
    metric.update(painted, true, None)
    assert np.isnan(metric.compute())


@pytest.mark.usefixtures("simple")
def test_fid_warns_of_few_images_only() -> None:
    metric = FidMetric(FidConfig(), IO)
    few = sets(3)
    metric.update(*few, None)
    assert "look at KID too" in metric.metadata()["warnings"]
    for _ in range(2048 // 3):
        metric.update(*few, None)
    assert metric.images >= 2048
    assert "warnings" not in metric.metadata()
    assert "2048 features" in metric.metadata()["backbone"]


def test_without_weights_the_file_its_place_and_its_hash_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path / "weights"))
    absent = replace(inception.INCEPTION, url="http://127.0.0.1:9/none")
    monkeypatch.setattr(inception, "INCEPTION", absent)
    inception.extractor.cache_clear()
    with pytest.raises(UserError) as caught:
        FidMetric(FidConfig(), IO)
    for told in ("weights-inception-2015-12-05-6726825d.pth", "6726825d", str(tmp_path / "weights")):
        assert told in str(caught.value)


def test_the_real_network_gives_2048_features_of_8_bit_images(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as blank:
        # builds the network as it is, without the file that holds its weights
        blank.setattr(torch, "load", lambda *_, **__: {})
        blank.setattr(nn.Module, "load_state_dict", lambda *_, **__: None)
        torch.manual_seed(0)
        state = NoTrainInceptionV3("inception-v3-compat", ["2048"], "any").state_dict()
    path = tmp_path / "random.pth"
    torch.save(state, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path))
    random = replace(inception.INCEPTION, name=path.name, sha256=digest)
    monkeypatch.setattr(inception, "INCEPTION", random)
    inception.extractor.cache_clear()
    network = inception.extractor()
    images = torch.rand(2, 3, 20, 12)
    with torch.no_grad():
        found = network(images)
        rounded = network((images * 255).round() / 255)
        own = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], str(path)).eval()
        expected = own((images * 255).round().to(torch.uint8))[0]
    assert found.shape == (2, 2048)
    assert torch.equal(found, rounded)
    assert torch.equal(found, expected)
    assert network is inception.extractor()
    assert not any(parameter.requires_grad for parameter in network.parameters())
    inception.extractor.cache_clear()


def test_the_encoder_sees_images_of_its_size_and_gives_the_mean_of_its_last_features(
    random_weights: Callable[..., Path],
) -> None:
    file = random_weights("mobilenet_v2")
    kernel_distance.pooled_encoder.cache_clear()
    metric = KernelDistanceMetric(KernelDistanceConfig(), IO)
    kernel_distance.pooled_encoder.cache_clear()
    images = torch.rand(2, 3, 64, 32)
    network = torchvision.models.mobilenet_v2(weights=None)
    network.load_state_dict(torch.load(file), strict=False)
    network.classifier = nn.Identity()
    prepare = v2.Compose([v2.Resize((224, 224)), v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    with torch.no_grad():
        expected = network.eval()(prepare(images))
        torch.testing.assert_close(metric.network(images), expected, rtol=1e-3, atol=1e-4)
    metric.update(images, images.flip(3), None)
    assert metric.metadata() == {
        "backbone": "MobileNetV2 (torchvision, ImageNet), pooled, 1280 features",
        "resize": "to 224x224 pixels, bilinear with antialiasing",
        "estimate": "mean of 1 of 2 images each",
    }
