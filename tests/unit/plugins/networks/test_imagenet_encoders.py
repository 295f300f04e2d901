"""The small encoders, with random weights and with the published ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import segmentation_models_pytorch as smp
import timm
import torch
from real_files import needs_weights
from safetensors.torch import load_file, save_file
from skimage.data import chelsea
from torch import Tensor
from torchvision.transforms import v2

from skinfw.components.weights import find_weights
from skinfw.interfaces import SegmentationNetworkIO
from skinfw.testing import example_generator_io
from skinfw_plugins.generators.config_architectures import SmpUnetConfig
from skinfw_plugins.generators.smp_unet import SmpUnetGenerator
from skinfw_plugins.networks import imagenet_encoders
from skinfw_plugins.networks.imagenet_encoders import ImagenetEncoder
from skinfw_plugins.networks.published_files import EFFICIENTNET_LITE0, TORCHVISION
from skinfw_plugins.networks.smp_weights import load_pretrained
from skinfw_plugins.segmentation_networks.config import SmpNetworkConfig
from skinfw_plugins.segmentation_networks.smp import SmpNetwork

IMAGES = torch.rand(2, 3, 65, 96, generator=torch.Generator().manual_seed(0))
NORMALIZE = v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
CATS = {281, 282, 285}
"""ImageNet's classes tabby, tiger cat and Egyptian cat."""


def timm_features(weights: dict[str, Tensor], images: Tensor) -> list[Tensor]:
    """Run timm's own EfficientNet-Lite0: its stages, and the features that it classifies."""
    options: dict[str, Any] = {"pretrained": True, "pretrained_cfg_overlay": {"state_dict": dict(weights)}}
    with torch.no_grad():
        stages = timm.create_model("tf_efficientnet_lite0", features_only=True, **options).eval()(images)
        final = timm.create_model("tf_efficientnet_lite0", **options).eval().forward_features(images)
    return [*stages, final]


def test_mobilenet_gives_the_stages_of_another_library(random_weights: Callable[..., Path]) -> None:
    file = random_weights("mobilenet_v2")
    encoder = smp.encoders.get_encoder("mobilenet_v2", weights=None)
    encoder.load_state_dict(torch.load(file))
    with torch.no_grad():
        expected = encoder.eval()(NORMALIZE(IMAGES))[1:]
        found = ImagenetEncoder("mobilenet_v2").train()(IMAGES)
    assert [each.shape[1] for each in found] == [16, 24, 32, 96, 1280]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_efficientnet_gives_timms_stages_from_safetensors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    weights = timm.create_model("tf_efficientnet_lite0").state_dict()
    path = tmp_path / "sub" / "own.safetensors"
    path.parent.mkdir()
    save_file(weights, path)
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    published = replace(EFFICIENTNET_LITE0, also=(digest,), other_names=(path.name,))
    monkeypatch.setattr(imagenet_encoders, "EFFICIENTNET_LITE0", published)
    *stages, final = timm_features(weights, 2 * IMAGES - 1)
    with torch.no_grad():
        found = ImagenetEncoder("efficientnet_lite0").train()(IMAGES)
    assert [each.shape[1] for each in found] == [16, 24, 40, 112, 1280]
    for one, other in zip(found, [*stages[:-1], final], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


@needs_weights
def test_the_real_efficientnet_calls_a_cat_a_cat() -> None:
    """Its classifier, which is not used otherwise, works on the features."""
    head = load_file(find_weights(EFFICIENTNET_LITE0))
    photo = torch.from_numpy(chelsea()).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        features = ImagenetEncoder("efficientnet_lite0")(v2.Resize(224)(v2.CenterCrop(300)(photo)))[-1]
    scores = head["classifier.weight"] @ features.mean(dim=(2, 3))[0] + head["classifier.bias"]
    assert int(scores.argmax()) in CATS


@needs_weights
def test_smp_unet_starts_from_the_real_mobilenet() -> None:
    path = find_weights(TORCHVISION["mobilenet_v2"])
    fields = {"encoder": "mobilenet_v2", "encoder_weights": str(path), "base_channels": 4}
    config = SmpUnetConfig.model_validate(fields)
    generator = SmpUnetGenerator(config, example_generator_io((64, 96), ("apparel_head_foot", "line")))
    load_pretrained("smp_unet", config, generator.network, 6)
    images = IMAGES[:, :, :64]
    with torch.no_grad():
        # an image that is given twice gives what it did
        found = generator.network.encoder.eval()(NORMALIZE(images).repeat(1, 2, 1, 1))[1:]
        expected = ImagenetEncoder("mobilenet_v2")(images)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


@needs_weights
def test_smp_starts_from_the_real_efficientnet() -> None:
    path = find_weights(EFFICIENTNET_LITE0)
    fields = {"encoder": "tu-tf_efficientnet_lite0", "encoder_weights": str(path), "base_channels": 4}
    network = SmpNetwork(SmpNetworkConfig.model_validate(fields), SegmentationNetworkIO((64, 96), 3))
    network.prepare_training()
    images = IMAGES[:, :, :64]
    with torch.no_grad():
        found = network.network.encoder.eval()(images)[1:]
    for one, other in zip(found, timm_features(load_file(path), images)[:-1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
