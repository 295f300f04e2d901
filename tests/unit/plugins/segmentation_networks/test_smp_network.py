from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import pad

from skinfw.errors import UserError
from skinfw.interfaces import SegmentationNetworkIO
from skinfw_plugins.networks.smp_inputs import input_statistics
from skinfw_plugins.segmentation_networks.config import SmpNetworkConfig
from skinfw_plugins.segmentation_networks.smp import SmpNetwork

DECODERS = ("unet", "unetplusplus", "fpn", "deeplabv3plus", "manet", "linknet")


def build(size: tuple[int, int] = (64, 96), **fields: Any) -> SmpNetwork:
    torch.manual_seed(0)
    config = SmpNetworkConfig.model_validate({"encoder": "tu-test_resnet", "base_channels": 4, **fields})
    return SmpNetwork(config, SegmentationNetworkIO(size, 5))


@pytest.mark.parametrize("decoder", DECODERS)
def test_it_is_the_librarys_network_on_images_from_minus_1_to_1(decoder: str) -> None:
    """With which timm trained that encoder."""
    network = build(decoder=decoder).eval()
    image = torch.rand(2, 3, 64, 96)
    assert torch.allclose(network(image), network.network(2 * image - 1), atol=1e-5)


@pytest.mark.parametrize("encoder", ["tu-resnet18", "resnet18", "tu-tf_efficientnet_lite0", "bodypix_050"])
def test_images_are_normalized_as_in_the_encoders_training(encoder: str) -> None:
    halves = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    imagenet = (timm.data.IMAGENET_DEFAULT_MEAN, timm.data.IMAGENET_DEFAULT_STD)
    assert input_statistics(encoder) == (imagenet if "resnet" in encoder else halves)


def test_other_images_are_continued_by_their_edge_and_cropped_back() -> None:
    network = build(size=(50, 70)).eval()
    image = torch.rand(1, 3, 50, 70)
    continued = pad(image, (0, 26, 0, 14), mode="replicate")
    assert torch.allclose(network(image), network(continued)[..., :50, :70], atol=1e-6)


def test_dropout_is_of_training_alone() -> None:
    network = build(dropout=0.5)
    image = torch.rand(2, 3, 64, 96)
    assert not torch.equal(network.train()(image), network(image))
    assert torch.equal(network.eval()(image), network(image))


def test_an_unknown_encoder_is_told() -> None:
    with pytest.raises(UserError, match=r"^smp: 'resnt18' is neither.*did you mean 'resnet18'"):
        build(encoder="resnt18")


def test_it_starts_from_published_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    published = timm.create_model("test_resnet").state_dict()

    def load(*_: Any, **__: Any) -> dict[str, Tensor]:
        return dict(published)

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", load)
    network = build(encoder_weights="imagenet")
    name = "layer4.0.conv1.weight"
    assert not torch.equal(network.network.encoder.state_dict()[f"model.{name}"], published[name])
    network.prepare_training()
    assert torch.equal(network.network.encoder.state_dict()[f"model.{name}"], published[name])


def test_weights_that_cannot_be_had_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(UserError, match=r"^smp: 'imagenet' of the encoder 'tu-test_resnet' is not on disk"):
        build(encoder_weights="imagenet").prepare_training()


@pytest.mark.parametrize("encoder", ["tu-test_resnet", "resnet18"])
def test_it_starts_from_a_file_beside_the_spec(encoder: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    timm_name = encoder.removeprefix("tu-")
    published = timm.create_model(timm_name).state_dict()
    save_file(published, tmp_path / "weights.safetensors")
    config = SmpNetworkConfig.model_validate(
        {"encoder": encoder, "encoder_weights": "weights.safetensors"}, context={"folder": tmp_path}
    )
    assert SmpNetworkConfig.model_validate(config.model_dump(mode="json")) == config
    network = SmpNetwork(config, SegmentationNetworkIO((64, 96), 5))
    network.prepare_training()
    state = network.network.encoder.state_dict()
    prefix = "model." if encoder.startswith("tu-") else ""
    names = ("conv1.weight", "layer4.0.conv1.weight", "layer4.0.bn1.running_mean")
    found = {name: state[f"{prefix}{name}"] for name in names if name in published}
    assert len(found) > 1
    assert all(torch.equal(value, published[name]) for name, value in found.items())


@pytest.mark.parametrize("encoder", ["tu-test_resnet", "resnet18"])
def test_a_file_that_is_missing_or_of_another_network_is_told(encoder: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    network = build(encoder=encoder, encoder_weights=str(path))
    with pytest.raises(UserError, match=r"weights\.safetensors: no such file"):
        network.prepare_training()
    save_file({"other": torch.zeros(1)}, path)
    with pytest.raises(UserError, match=rf"does not hold weights of the encoder '{encoder}'"):
        network.prepare_training()
