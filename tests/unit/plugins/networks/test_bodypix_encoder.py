from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import helper, load, save
from onnx_models import write_bodypix, write_mobilenet
from pydantic import ValidationError
from real_files import needs_weights
from torch import Tensor

from skinfw.errors import UserError
from skinfw.interfaces import SegmentationNetworkIO
from skinfw_plugins.generators.config_architectures import SmpUnetConfig
from skinfw_plugins.networks.bodypix import published_file
from skinfw_plugins.networks.bodypix_encoder import BodyPixEncoder
from skinfw_plugins.networks.smp import build_network
from skinfw_plugins.networks.smp_weights import load_pretrained
from skinfw_plugins.segmentation_networks.config import SmpNetworkConfig
from skinfw_plugins.segmentation_networks.smp import SmpNetwork

IMAGES = torch.rand(3, 3, 65, 97, generator=torch.Generator().manual_seed(0))


def build(weights: str | Path | None, encoder: str = "bodypix_050", **fields: Any) -> SmpNetwork:
    torch.manual_seed(0)
    config = SmpNetworkConfig.model_validate(
        {
            "encoder": encoder,
            "encoder_depth": 4,
            "encoder_weights": None if weights is None else str(weights),
            "base_channels": 2,
            **fields,
        }
    )
    return SmpNetwork(config, SegmentationNetworkIO((64, 96), 5))


def deepest(network: SmpNetwork, images: Tensor) -> Tensor:
    features: list[Tensor] = network.network.encoder(2 * images - 1)
    return features[-1]


def by_onnx_runtime(path: Path, output: str, images: Tensor) -> Tensor:
    """What the file itself makes of images, batch by batch of one."""
    session = onnxruntime.InferenceSession(
        path.read_bytes() if output == "body" else _with_output(path, output)
    )
    channels_last = (2 * images - 1).permute(0, 2, 3, 1).numpy()
    name = session.get_inputs()[0].name
    return torch.from_numpy(
        np.concatenate([session.run([output], {name: one[None]})[0] for one in channels_last])
    )


def _with_output(path: Path, output: str) -> bytes:
    model = load(path)
    model.graph.output.append(helper.make_empty_tensor_value_info(output))
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize("multiplier", [0.5, 1.0])
def test_its_features_are_those_of_the_file(multiplier: float, tmp_path: Path) -> None:
    path = write_mobilenet(tmp_path / "bodypix.onnx", multiplier)
    network = build(path, f"bodypix_{100 * multiplier:03.0f}")
    network.prepare_training()
    expected = by_onnx_runtime(path, "body", IMAGES)
    assert expected.std() > 0.1
    found = deepest(network.eval(), IMAGES)
    assert found.shape == (3, 512 * multiplier, 5, 7)
    assert torch.allclose(found, expected, atol=1e-3)


@needs_weights
def test_the_real_file_gives_its_features() -> None:
    network = build("bodypix")
    network.prepare_training()
    path = published_file(0.5, 16)  # the other stride: its features have the size of the encoder's
    convolutions = [node for node in load(path).graph.node if node.op_type == "Conv"]
    expected = by_onnx_runtime(path, convolutions[26].output[0], IMAGES).clip(0, 6)
    assert torch.allclose(deepest(network.eval(), IMAGES), expected, atol=1e-3)


def test_a_checkpoint_brings_the_weights(tmp_path: Path) -> None:
    path = write_mobilenet(tmp_path / "bodypix.onnx")
    network = build(path)
    network.prepare_training()
    other = build(path)
    path.unlink()
    other.load_state_dict(network.state_dict())
    assert torch.equal(deepest(other.eval(), IMAGES), deepest(network.eval(), IMAGES))


def test_images_go_in_as_it_was_trained_on_them() -> None:
    network = build(None).eval()
    images = IMAGES[..., :64, :96]
    assert torch.allclose(network(images), network.network(2 * images - 1), atol=1e-5)


def test_without_weights_it_starts_at_random_and_tells_images_apart() -> None:
    network = build(None).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.prepare_training()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    features = deepest(network, IMAGES)
    assert (features[0] - features[1]).abs().max() > 0.01


@pytest.mark.parametrize("decoder", ["unet", "unetplusplus", "fpn", "deeplabv3plus", "manet", "linknet"])
@pytest.mark.parametrize("depth", [3, 4])
def test_it_goes_with_every_decoder(decoder: str, depth: int) -> None:
    network = build(None, decoder=decoder, encoder_depth=depth, base_channels=4)
    logits = network(IMAGES)
    assert logits.shape == (3, 5, 65, 97)
    logits.sum().backward()
    for block in (network.network.encoder.blocks[0], network.network.encoder.blocks[-1]):
        assert all(parameter.grad.abs().sum() > 0 for parameter in block.parameters())


@pytest.mark.parametrize("fields", [{}, {"encoder_depth": 5}])
def test_it_has_four_stages(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="have 4 stages: set encoder_depth to 3 or 4"):
        SmpNetworkConfig.model_validate({"encoder": "bodypix_050", **fields})
    with pytest.raises(ValueError, match="4 stages"):
        BodyPixEncoder(0.5, depth=5, output_stride=32)
    with pytest.raises(ValueError, match="a stride of 16"):
        BodyPixEncoder(0.5, depth=4, output_stride=8)


def test_files_of_other_networks_are_refused(tmp_path: Path) -> None:
    def rejected(path: Path, message: str) -> None:
        with pytest.raises(UserError, match=rf"^smp: .*{message}"):
            build(path).prepare_training()

    rejected(tmp_path / "missing.onnx", r"missing\.onnx: no such ONNX file")
    rejected(write_bodypix(tmp_path / "heads.onnx"), r"heads\.onnx: not a BodyPix 2 with a MobileNetV1")
    rejected(
        write_mobilenet(tmp_path / "wide.onnx", 1.0),
        r"wide\.onnx: not a BodyPix 2 with a MobileNetV1 of this encoder's width",
    )
    unbiased = load(write_mobilenet(tmp_path / "unbiased.onnx"))
    for node in unbiased.graph.node:
        if node.op_type == "Conv":
            del node.input[2]
    save(unbiased, tmp_path / "unbiased.onnx")
    rejected(tmp_path / "unbiased.onnx", r"unbiased\.onnx: not a BodyPix 2 with a MobileNetV1")


@pytest.mark.parametrize(
    ("encoder", "weights", "message"),
    [
        ("bodypix_050", "imagenet", 'bodypix_050 accepts "bodypix" or the path of an .onnx file'),
        ("bodypix_050", "other.safetensors", 'bodypix_050 accepts "bodypix" or'),
        ("resnet18", "bodypix", 'resnet18 accepts weights such as "imagenet" or'),
        ("tu-resnet18", "bodypix.onnx", 'bodypix_100 accept "bodypix" or the path of an .onnx'),
        ("bodypix_075", "bodypix", "no weights of bodypix_075 are known by name"),
    ],
)
def test_weights_of_another_encoder_are_refused(encoder: str, weights: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SmpNetworkConfig.model_validate({"encoder": encoder, "encoder_weights": weights, "encoder_depth": 4})


def test_where_the_file_by_name_is_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path))
    (tmp_path / "mobilenet_v1_050_stride8.onnx").write_bytes(b"other")
    told = r"^smp: .*is not BodyPix 2 .*\. Any ONNX file of BodyPix 2 works: set encoder_weights to its path$"
    with pytest.raises(UserError, match=told):
        build("bodypix").prepare_training()


def test_a_file_beside_the_spec(tmp_path: Path) -> None:
    fields = {"encoder": "bodypix_050", "encoder_depth": 4, "encoder_weights": "bodypix.onnx"}
    config = SmpNetworkConfig.model_validate(fields, context={"folder": tmp_path})
    assert config.encoder_weights == str(tmp_path / "bodypix.onnx")


def test_several_images_go_in_alike(tmp_path: Path) -> None:
    path = write_mobilenet(tmp_path / "bodypix.onnx")
    config = SmpUnetConfig.model_validate(
        {"encoder": "bodypix_050", "encoder_depth": 4, "encoder_weights": str(path)}
    )
    network = build_network("smp_unet", config, (64, 96), 9, 3)
    load_pretrained("smp_unet", config, network, 9)
    found = network.encoder((2 * IMAGES - 1).repeat(1, 3, 1, 1))[-1]
    assert torch.allclose(found, by_onnx_runtime(path, "body", IMAGES), atol=1e-3)
