from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import segmentation_models_pytorch as smp
import timm
import torch
from counting import parameters
from huggingface_hub import constants
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import pad

import skinfw
from skinfw.errors import UserError
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.specs.data_spec import DataSpec
from skinfw.specs.spec import parse_spec
from skinfw.testing import example_generator_io
from skinfw_plugins.generators.conditional import Guide
from skinfw_plugins.generators.config_architectures import SmpUnetConfig
from skinfw_plugins.generators.smp_unet import SmpUnetGenerator

INPUTS = ("apparel_head_foot", "line", "segmentation_skin")
DECODERS = ("unet", "unetplusplus", "fpn", "deeplabv3plus", "manet", "linknet")

DATA = DataSpec(size=(32, 32))


def build(inputs: int = 2, size: tuple[int, int] = (64, 96), **fields: object) -> SmpUnetGenerator:
    torch.manual_seed(0)
    config = SmpUnetConfig.model_validate({"encoder": "tu-test_resnet", "base_channels": 4, **fields})
    return SmpUnetGenerator(config, example_generator_io(size, INPUTS[:inputs]))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep the hub out of reach and its cache empty; returns the cache."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_parameters_on_resnet18_equal_a_count_by_hand() -> None:
    network = build(encoder="resnet18", base_channels=16)
    # torchvision tells 11,689,512 for ResNet-18, of which the classifier has 512 * 1000 + 1000
    encoder = 11_689_512 - 513_000 + 49 * 3 * 64  # three more channels for the first, 7x7 convolution

    def block(incoming: int, skip: int, outgoing: int) -> int:
        return 9 * (incoming + skip) * outgoing + 9 * outgoing * outgoing + 2 * 2 * outgoing

    inner = block(512, 256, 256) + block(256, 128, 128)
    decoder = inner + block(128, 64, 64) + block(64, 64, 32) + block(32, 0, 16)
    assert parameters(network) == encoder + decoder + 9 * 16 * 3 + 3 == 14_337_907


@pytest.mark.parametrize("decoder", DECODERS)
def test_each_decoder_paints_any_size(decoder: str) -> None:
    network = build(decoder=decoder)
    assert type(network.network).__name__.lower() == decoder
    for size in [(1, 1), (33, 50)]:
        output = network.train()(torch.rand(1, 6, *size))
        assert output.shape == (1, 3, *size)
        assert 0 <= output.min() <= output.max() <= 1
    output.square().mean().backward()
    for name, parameter in network.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


@pytest.mark.parametrize("decoder", DECODERS)
def test_an_image_of_whole_strides_is_the_librarys_own_result(decoder: str) -> None:
    network = build(decoder=decoder).eval()
    condition = torch.rand(2, 6, 64, 96)
    expected = (torch.tanh(network.network(condition * 2 - 1)) + 1) / 2
    assert torch.allclose(network(condition), expected, atol=1e-6)


def test_other_images_are_continued_by_their_edge_and_cropped_back() -> None:
    network = build().eval()
    condition = torch.rand(1, 6, 50, 70)
    continued = pad(condition, (0, 26, 0, 14), mode="replicate")
    assert torch.equal(network(condition), network(continued)[..., :50, :70])


@pytest.mark.parametrize(("depth", "side"), [(3, 16), (4, 32), (5, 64)])
def test_what_is_padded_to_follows_the_depth(depth: int, side: int) -> None:
    network = build(encoder_depth=depth).eval()
    seen: list[tuple[int, ...]] = []
    network.network.encoder.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape[2:])))
    network(torch.rand(1, 6, side - 3, side + 1))
    assert seen == [(side, side + side // 2)]


def test_native_encoders_stages_below_the_depth_are_frozen() -> None:
    network = build(encoder="resnet18", encoder_depth=3)
    frozen = {
        name.split(".")[2] for name, parameter in network.named_parameters() if not parameter.requires_grad
    }
    assert frozen == {"layer3", "layer4"}


def test_tone_and_dropout_act_on_the_encoders_innermost_features(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build(condition="tone_film", dropout=0.5, inputs=1)
    shapes: list[tuple[int, ...]] = []

    def record(features: Tensor, guide: Guide) -> Tensor:
        shapes.append(tuple(features.shape[1:]))
        return features

    monkeypatch.setattr(network, "modulate", record)
    monkeypatch.setattr(Guide, "drop", lambda guide, features: record(features, guide))
    monkeypatch.setattr(network, "_tones", lambda _: torch.zeros(1, 3))
    network(torch.rand(1, 3, 64, 96))
    assert shapes == [(network.network.encoder.out_channels[-1], 2, 3)] * 2


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("resnt18", "'resnet18'"),
        ("tu-convnext_tinny", "'tu-convnext_tiny'"),
        ("test_resnet", "'tu-test_resnet'"),
    ],
)
def test_an_unknown_encoder_is_told_with_the_nearest_known_one(name: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        build(encoder=name)
    assert f"'{name}' is neither" in str(caught.value)
    assert f"did you mean {hint}?" in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"encoder": "tu-test_vit"}, "Unsupported model downsampling pattern"),
        ({"encoder": "tu-swin_tiny_patch4_window7_224"}, r"Input height \(64\) doesn't match model"),
        ({"encoder": "mit_b0", "decoder": "linknet"}, "not supported for Linknet"),
    ],
)
def test_an_encoder_that_does_not_fit_is_told(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(UserError, match=reason) as caught:
        build(**fields)
    assert f"the encoder '{fields['encoder']}' does not work with the decoder" in str(caught.value)


def test_an_encoder_that_cannot_train_on_one_image_is_told() -> None:
    network = build(encoder="tu-resnest14d").train()
    with pytest.raises(UserError, match=r"'tu-resnest14d' cannot be trained on batches of one.*batch_size"):
        network(torch.rand(1, 6, 64, 64))
    assert network(torch.rand(2, 6, 64, 64)).shape == (2, 3, 64, 64)
    assert network.eval()(torch.rand(1, 6, 64, 64)).shape == (1, 3, 64, 64)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"encoder": "tu-resnet18", "encoder_weights": "ssl"}, 'accepts "imagenet" or null'),
        ({"decoder": "fpn", "base_channels": 6}, "multiple of 4"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SmpUnetConfig.model_validate(fields)


@pytest.mark.parametrize(
    ("encoder", "weights", "reason"),
    [
        ("resnet18", "imagenett", "has no weights 'imagenett' .there are: imagenet, ssl, swsl"),
        ("tu-test_convnext3", "imagenet", "is not on disk"),
        ("tu-resnetblur18", "imagenet", "has no pretrained weights .there are: none"),
        ("resnet18", "ssl", "is not on disk"),
    ],
)
def test_weights_that_cannot_be_had_are_told(encoder: str, weights: str, reason: str, offline: Path) -> None:
    network = build(encoder=encoder, encoder_weights=weights)
    with pytest.raises(UserError, match=reason) as caught:
        network.prepare_training(DATA)
    assert encoder in str(caught.value)
    assert reason != "is not on disk" or str(offline) in str(caught.value)


def test_a_native_encoder_starts_from_published_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    published = {
        name: value.clone() for name, value in smp.encoders.get_encoder("resnet18").state_dict().items()
    }
    save_file(published, tmp_path / "model.safetensors")
    monkeypatch.setattr(smp.encoders, "hf_hub_download", lambda *_, filename, **__: str(tmp_path / filename))
    network = build(encoder="resnet18", encoder_weights="imagenet")
    before = {name: value.clone() for name, value in network.network.decoder.state_dict().items()}
    network.prepare_training(DATA)
    state = network.network.encoder.state_dict()
    # twice the channels, half the weight: an image that is given twice gives what it did
    spread = published.pop("conv1.weight").repeat(1, 2, 1, 1) / 2
    assert torch.allclose(state.pop("conv1.weight"), spread)
    assert all(torch.equal(value, published[name]) for name, value in state.items())
    assert all(
        torch.equal(value, before[name]) for name, value in network.network.decoder.state_dict().items()
    )


def test_a_timm_encoder_starts_from_published_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    published = timm.create_model("test_resnet").state_dict()
    asked: list[str] = []

    def load(name: str, *_: Any, **__: Any) -> dict[str, Tensor]:
        asked.append(name)
        return dict(published)

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", load)
    network = build(encoder_weights="imagenet")
    network.prepare_training(DATA)
    assert asked == ["timm/test_resnet.r160_in1k"]
    last = network.network.encoder.state_dict()["model.layer4.0.conv1.weight"]
    assert torch.equal(last, published["layer4.0.conv1.weight"])


def test_without_weights_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build()
    monkeypatch.setattr(smp.encoders, "get_encoder", None)
    before = json.dumps([value.sum().item() for value in network.state_dict().values()])
    network.prepare_training(DATA)
    assert json.dumps([value.sum().item() for value in network.state_dict().values()]) == before


def test_training_asks_for_the_weights_and_a_checkpoint_does_not(
    make_run: Callable[..., Any], tiny_spec: Callable[..., Any], tmp_path: Path, offline: Path
) -> None:
    generator = {"type": "smp_unet", "encoder": "tu-test_resnet", "encoder_weights": "imagenet"}
    run = make_run(tmp_path / "run", generator=generator)
    network = load_generator(read_checkpoint(run.checkpoint("last")), torch.device("cpu"))
    assert network(torch.rand(1, network.io.condition_channels, 32, 32)).shape == (1, 3, 32, 32)
    spec = parse_spec(tiny_spec(generator=generator))
    with pytest.raises(UserError, match="'tu-test_resnet' is not on disk"):
        skinfw.run(spec, output=tmp_path / "other")
