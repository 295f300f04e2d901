"""A step over several batches is the step over one large batch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from segmentation_models_pytorch.losses import MULTICLASS_MODE, DiceLoss
from torch import Tensor

from skinfw.assembly.assemble import build_training_dataset
from skinfw.components.field_names import LABELS, SKIN
from skinfw.data.batch import Batch, collate
from skinfw.data.classes import UNKNOWN
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import Spec, parse_spec
from skinfw.tasks.inpainting.networks import Networks
from skinfw.tasks.segmentation.losses import SegmentationLosses, StepSums
from skinfw.tasks.segmentation.module import SegmentationModule
from skinfw.tasks.segmentation.photos import LabeledPhotos
from skinfw.training.accelerator import make_accelerator
from skinfw.training.optimized import OptimizedModule

MakeSpec = Callable[..., dict[str, Any]]

LOSSES: dict[str, Sequence[Any]] = {
    "l1": ["l1", {"type": "l1", "region": "skin"}, {"type": "l1", "region": "mask"}],
    "mse": ["mse", {"type": "mse", "region": "skin"}],
    "charbonnier": ["charbonnier", {"type": "charbonnier", "region": "skin"}],
    "psnr": ["psnr", {"type": "psnr", "region": "skin"}],
    "ssim": ["ssim", {"type": "ssim", "region": "skin"}],
    "ms_ssim": [{"type": "ms_ssim", "scales": 2}, {"type": "ms_ssim", "scales": 2, "region": "skin"}],
    "color": ["color", {"type": "color", "region": "image"}],
    "tone_consistency": ["tone_consistency", {"type": "tone_consistency", "covariance": 1}],
    "total_variation": ["total_variation", {"type": "total_variation", "region": "skin"}],
    "perceptual": [{"type": "perceptual", "region": "skin"}],
    "lpips": [{"type": "lpips", "region": "skin"}],
    "gan": [{"type": "gan", "r1": 10, "label_smoothing": 0.1}],
    "lsgan": [{"type": "lsgan", "r1": 10}],
    "hinge": [{"type": "hinge", "r1": 10}],
    "wgan_gp": ["wgan_gp"],
    "feature_matching": ["gan", {"type": "feature_matching", "weight": 10}],
    "alpha_cross_entropy": ["alpha_cross_entropy", {"type": "alpha_cross_entropy", "region": "image"}],
    "alpha_dice": ["alpha_dice", {"type": "alpha_dice", "region": "image"}],
}
JUDGED = {"gan", "lsgan", "hinge", "wgan_gp", "feature_matching"}


@pytest.fixture
def published(random_weights: Callable[..., Path]) -> None:
    """Random weights in place of those of published networks."""
    for network in ("vgg16", "alexnet"):
        random_weights(network)


def make(tiny_spec: MakeSpec, losses: Sequence[Any], judged: bool, **fields: Any) -> Spec:
    value = tiny_spec(losses=[*losses], generator={"type": "pix2pix", "base_channels": 4, "norm": "instance"})
    value["discriminator"] |= {"norm": "instance", "spectral_norm": True}
    value["data"]["inputs"] = ["apparel_head_foot", "line", "segmentation_skin", "face"]
    if any("alpha" in str(loss) for loss in losses):
        value |= {"generator": {**value["generator"], "output": "rgba"}, "composite": "mask"}
        value["data"]["inputs"] = ["apparel_head_foot", "line", "mask", "face"]
    if not judged:
        value.pop("discriminator")
    value |= fields
    return parse_spec(value)


def unlike(dataset: Any) -> Batch:
    """Eight samples whose skin is of very different sizes; one has none."""
    batch = collate([dataset.load(name) for name in dataset.names()[:8]])
    for index in range(8):
        batch[SKIN][index, :, : 4 * index] = 0
    batch[SKIN][6] = 0
    return batch


def gradients(parts: Sequence[OptimizedModule[Any]]) -> dict[str, Tensor]:
    """Return each network's gradient of its first step, that Adam keeps, as one vector."""
    found = {}
    for part in parts:
        states = part.optimizer.state_dict()["state"]
        found[part.name] = torch.cat([states[key]["exp_avg"].flatten() for key in sorted(states)])
    return found


def require_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, expected in one.items():
        off = float((other[name] - expected).norm() / expected.norm())
        assert off < 1e-5, f"the gradient of the {name} is off by {off:.2g}"


def step(spec: Spec, batch: Batch, count: int) -> tuple[dict[str, Tensor], dict[str, float], Networks]:
    networks = Networks(spec, make_accelerator(spec.training))
    torch.manual_seed(0)
    size = len(batch.names) // count
    batches = [batch.take(torch.arange(start, start + size)) for start in range(0, len(batch.names), size)]
    values = networks.train_step(batches, 1)
    return gradients(networks.parts), values, networks


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("loss", LOSSES)
def test_two_batches_of_four_are_one_of_eight(
    tiny_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    # WGAN-GP draws where it looks, which cannot be the same for batches of another size
    monkeypatch.setattr("skinfw_plugins.losses.wgan_gp.torch.rand", lambda *size, **_: torch.full(size, 0.3))
    spec = make(tiny_spec, LOSSES[loss], judged=loss in JUDGED)
    batch = unlike(build_training_dataset(spec))
    whole, values, large = step(spec, batch, 1)
    for count in (2, 4):
        parts, found, small = step(spec, batch, count)
        require_same(whole, parts)
        assert found == pytest.approx(values, rel=1e-5, abs=1e-7)
        # the weights and all buffers, those of spectral normalization among them
        for one, other in zip(large.parts, small.parts, strict=True):
            for name, value in other.network.state_dict().items():
                torch.testing.assert_close(value, one.network.state_dict()[name], rtol=1e-3, atol=5e-4)
            for name, buffer in other.network.named_buffers():
                torch.testing.assert_close(
                    buffer, dict(one.network.named_buffers())[name], rtol=1e-4, atol=1e-5
                )


def test_all_losses_of_the_pack_are_here() -> None:
    from skinfw.components.registry import installed

    own = {name for name in installed().names("loss")
           if installed().entry("loss", name).provider.startswith("skinfw ")}  # fmt: skip
    assert own == set(LOSSES)


def test_the_second_pass_of_a_batch_drops_and_counts_what_the_first_did(tiny_spec: MakeSpec) -> None:
    """With dropout and batch normalization: what the discriminator saw is what the generator learns from."""
    generator = {"type": "pix2pix", "base_channels": 4, "dropout": 0.5}
    spec = make(tiny_spec, ["l1", "gan"], judged=True, generator=generator)
    batch = unlike(build_training_dataset(spec))
    networks = Networks(spec, make_accelerator(spec.training))
    seen: list[Tensor] = []
    inpainter = networks.inpainter

    def watch(network: Any, batch: Batch, noise: Any, target: Any) -> Any:
        painting = inpainter(network, batch, noise, target)
        seen.append(painting.output.detach().clone())
        return painting

    networks.inpainter = watch  # type: ignore[assignment]
    torch.manual_seed(0)
    networks.train_step([batch.take(torch.arange(4)), batch.take(torch.arange(4, 8))], 1)
    assert len(seen) == 4
    assert torch.equal(seen[0], seen[2])
    assert torch.equal(seen[1], seen[3])
    assert not torch.equal(seen[0], seen[1])
    counts = [value for name, value in networks.generator.named_buffers() if "num_batches" in name]
    assert {int(count) for count in counts} == {2}


def test_batch_normalization_is_warned_of(tiny_spec: MakeSpec, caplog: pytest.LogCaptureFixture) -> None:
    generator = {"type": "pix2pix", "base_channels": 4, "norm": "batch"}
    spec = make(tiny_spec, ["l1"], judged=False, generator=generator)
    for accumulation, warned in ((1, False), (2, True)):
        caplog.clear()
        training = spec.training.model_copy(update={"gradient_accumulation": accumulation})
        with caplog.at_level(logging.WARNING, logger="skinfw"):
            Networks(spec.model_copy(update={"training": training}), make_accelerator(training))
        assert (
            any("batch normalization computes its statistics" in text for text in caplog.messages) == warned
        )


@pytest.fixture
def parser(
    tmp_path: Path, write_labeled_photos: Callable[..., Any], segmentation_spec: MakeSpec
) -> SegmentationSpec:
    write_labeled_photos(tmp_path / "photos", 8)
    losses = [{"type": "cross_entropy", "class_weights": {"skin": 3}}, "dice"]
    spec = parse_spec(segmentation_spec(tmp_path / "photos", augmentations=[], losses=losses))
    assert isinstance(spec, SegmentationSpec)
    return spec


def freeze_statistics(network: torch.nn.Module) -> None:
    """Let batch normalization use its own statistics in training too, which no batch then depends on."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train = lambda mode=True, module=module: module  # type: ignore[method-assign,misc]
            module.training = False


def test_a_parsers_step_over_several_batches_is_that_of_a_large_one(parser: SegmentationSpec) -> None:
    photos = LabeledPhotos(parser.data)
    batch = collate([photos.load(name) for name in photos.names()])
    labels = batch[LABELS]
    labels[1, :9] = UNKNOWN
    labels[5] = UNKNOWN
    labels[:4][labels[:4] == 3] = 0
    found = []
    for count in (1, 2, 4):
        module = SegmentationModule(parser, photos, make_accelerator(parser.training))
        freeze_statistics(module.parts[0].network)
        batches = [batch.take(places) for places in torch.arange(8).split(8 // count)]
        values = module.train_step(batches, 1)
        found.append((gradients(module.parts), values))
    for parts, values in found[1:]:
        require_same(found[0][0], parts)
        assert values == pytest.approx(found[0][1], rel=1e-5)


def test_a_parsers_statistics_count_each_image_once(parser: SegmentationSpec) -> None:
    photos = LabeledPhotos(parser.data)
    batch = collate([photos.load(name) for name in photos.names()])
    for count in (1, 2, 4):
        module = SegmentationModule(parser, photos, make_accelerator(parser.training))
        network = module.parts[0].network
        before = {name: value.clone() for name, value in network.named_buffers() if "running_mean" in name}
        module.train_step([batch.take(places) for places in torch.arange(8).split(8 // count)], 1)
        buffers = dict(network.named_buffers())
        assert {int(value) for name, value in buffers.items() if "num_batches" in name} == {count}
        assert any(not torch.equal(buffers[name], value) for name, value in before.items())


def test_the_dice_loss_is_that_of_segmentation_models(parser: SegmentationSpec) -> None:
    weighted_losses = SegmentationLosses(parser, ("a", "b", "c", "d", "e"), torch.device("cpu"))

    def term(name: str) -> float:
        sums = weighted_losses.sums(logits, labels)
        return weighted_losses.terms(sums, StepSums(sums, 1))[name].item()

    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 6, 7, generator=generator)
    labels = torch.randint(4, (2, 6, 7), generator=generator)
    labels[0, :3] = UNKNOWN
    expected = DiceLoss(MULTICLASS_MODE, ignore_index=UNKNOWN)(logits, labels)
    assert term("dice") == pytest.approx(expected.item(), rel=1e-5)
    entropy = torch.nn.functional.cross_entropy(logits, labels, torch.ones(5), ignore_index=UNKNOWN)
    assert term("cross_entropy") == pytest.approx(entropy.item(), rel=1e-5)
    labels[:] = UNKNOWN
    assert term("cross_entropy") == 0
