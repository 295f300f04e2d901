from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from skinfw.errors import SpecError
from skinfw.interfaces import AdversarialLoss, DiscriminatorOutput, LossContext, LossIO
from skinfw.interfaces.loss import Discriminate
from skinfw.pipeline import Pipeline
from skinfw.specs.spec import parse_spec
from skinfw.testing import example_context
from skinfw_plugins.losses.adversarial import gradient_norms
from skinfw_plugins.losses.config_adversarial import GanConfig, HingeConfig, LsganConfig, WganGpConfig
from skinfw_plugins.losses.gan import GanLoss
from skinfw_plugins.losses.hinge import HingeLoss
from skinfw_plugins.losses.lsgan import LsganLoss
from skinfw_plugins.losses.wgan_gp import WganGpLoss

IO = LossIO((4, 4))
LOSSES: Mapping[str, tuple[type[AdversarialLoss[Any]], type[Any]]] = {
    "gan": (GanLoss, GanConfig),
    "lsgan": (LsganLoss, LsganConfig),
    "hinge": (HingeLoss, HingeConfig),
    "wgan_gp": (WganGpLoss, WganGpConfig),
}
REGULARIZED = ("gan", "lsgan", "hinge")


def build(name: str, **fields: Any) -> AdversarialLoss[Any]:
    component, config = LOSSES[name]
    return component(config.model_validate(fields), IO)


def make_context(discriminate: Discriminate, batch: int = 1, seed: int | None = None) -> LossContext:
    """A step with random images, or with a white target and a black output."""
    if seed is None:
        target, output = torch.ones(batch, 3, 4, 4), torch.zeros(batch, 3, 4, 4)
    else:
        generator = torch.Generator().manual_seed(seed)
        target, output = (torch.rand(batch, 3, 4, 4, generator=generator) for _ in range(2))
    return example_context(output, target, discriminate=discriminate)


def judged(*scales: tuple[list[float], list[float]]) -> LossContext:
    """A step whose discriminator gives these logits, scale by scale, for the target and for the output."""

    def discriminate(images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        index = 0 if images.min() == 1 else 1
        anchor = 0 * images.sum()
        return DiscriminatorOutput(
            tuple(torch.tensor(each[index]).view(1, 1, 1, -1) + anchor for each in scales)
        )

    return make_context(discriminate)


def single(network: Callable[[Tensor], Tensor]) -> Discriminate:
    """A discriminator of one scale."""

    def discriminate(images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        return DiscriminatorOutput((network(images),))

    return discriminate


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@pytest.mark.parametrize(("real", "painted"), [(0.0, 0.0), (1.5, -2.0), (-0.5, 3.0)])
def test_gan_terms_equal_the_formulas_of_the_report(real: float, painted: float) -> None:
    example = judged(([real] * 4, [painted] * 4))
    generator = -math.log(sigmoid(painted))
    discriminator = -(math.log(sigmoid(real)) + math.log(1 - sigmoid(painted))) / 2
    assert build("gan").generator_loss(example).item() == pytest.approx(generator, rel=1e-5)
    assert build("gan").discriminator_loss(example).item() == pytest.approx(discriminator, rel=1e-5)


REAL, PAINTED = [2.0, -0.5], [0.5, -3.0]


@pytest.mark.parametrize(
    ("name", "generator", "discriminator"),
    [
        # mean((0.5 - 1)^2, (-3 - 1)^2) / 2; mean((2 - 1)^2, (-0.5 - 1)^2) / 2 + mean(0.5^2, 3^2) / 2
        ("lsgan", (0.25 + 16) / 4, (1 + 2.25) / 4 + (0.25 + 9) / 4),
        # -mean(0.5, -3); mean(0, 1.5) + mean(1.5, 0)
        ("hinge", 1.25, 0.75 + 0.75),
    ],
)
def test_terms_equal_their_papers_formulas(name: str, generator: float, discriminator: float) -> None:
    example = judged((REAL, PAINTED))
    assert build(name).generator_loss(example).item() == pytest.approx(generator)
    assert build(name).discriminator_loss(example).item() == pytest.approx(discriminator)


def test_wgan_is_the_difference_of_means() -> None:
    example = judged((REAL, PAINTED))
    loss = build("wgan_gp", penalty=0)
    assert loss.generator_loss(example).item() == pytest.approx(1.25)
    assert loss.discriminator_loss(example).item() == pytest.approx(-1.25 - 0.75)


@pytest.mark.parametrize("name", LOSSES)
def test_every_scale_counts_the_same_however_many_patches_it_has(name: str) -> None:
    fields = {"penalty": 0} if name == "wgan_gp" else {}
    fine, coarse = ([1.0, 0.2, -0.3, 0.6], [-1.0, 0.4, 0.0, 2.0]), ([0.7], [-0.2])
    loss = build(name, **fields)
    for term in (loss.generator_loss, loss.discriminator_loss):
        alone = [term(judged(scale)).item() for scale in (fine, coarse)]
        assert term(judged(fine, coarse)).item() == pytest.approx(sum(alone) / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gan", -(0.9 * math.log(sigmoid(2)) + 0.1 * math.log(sigmoid(-2)) + math.log(sigmoid(1))) / 2),
        ("lsgan", (2 - 0.9) ** 2 / 2 + 1 / 2),
        ("hinge", 0.0),
    ],
)
def test_smoothing_lowers_the_label_of_real_images_only(name: str, expected: float) -> None:
    example = judged(([2.0], [-1.0]))
    smooth, plain = build(name, label_smoothing=0.1), build(name)
    assert smooth.discriminator_loss(example).item() == pytest.approx(expected, rel=1e-5)
    assert torch.equal(smooth.generator_loss(example), plain.generator_loss(example))


def test_smoothing_lowers_the_margin_of_the_hinge() -> None:
    example = judged(([0.5], [-1.0]))
    assert build("hinge", label_smoothing=0.2).discriminator_loss(example).item() == pytest.approx(0.3)


class Linear(nn.Module):
    """Two scales; the gradient of the mean logit is the weights' over the number of pixels, on each."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor([3.0, -2.0, 6.0]))

    def forward(self, images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        fine = (images * self.weights.view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
        return DiscriminatorOutput((fine, 2 * fine.mean(dim=(2, 3), keepdim=True)))


LINEAR_NORM = 1.5 * 7 / 4
"""|(3, -2, 6)| = 7; of the mean over 16 pixels 7 / sqrt(16); over scales of 1 and 2 times that 1.5 times."""


@pytest.mark.parametrize("name", REGULARIZED)
def test_r1_is_half_of_gamma_times_the_squared_gradient_at_real_images(name: str) -> None:
    discriminate = Linear()
    example = make_context(discriminate, batch=2, seed=0)
    added = build(name, r1=3).discriminator_loss(example) - build(name).discriminator_loss(example)
    assert added.item() == pytest.approx(3 / 2 * LINEAR_NORM**2, rel=1e-5)


def test_r1_is_the_mean_over_images_of_each_ones_own_gradient() -> None:
    """With half the squared norm as logit the gradient is the image itself."""

    def discriminate(images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        return DiscriminatorOutput((images.square().sum(dim=(1, 2, 3)).view(-1, 1, 1, 1) / 2,))

    example = make_context(discriminate, batch=3, seed=1)
    added = build("hinge", r1=1).discriminator_loss(example) - build("hinge").discriminator_loss(example)
    expected = example.target.square().sum(dim=(1, 2, 3)).mean() / 2
    assert added.item() == pytest.approx(expected.item(), rel=1e-4)


def test_r1_pulls_the_weights_down() -> None:
    """The derivative of ``gamma / 2 * (1.5 / 4)**2 * |w|**2`` is ``gamma * (1.5 / 4)**2 * w``."""
    discriminate = Linear()
    example = make_context(discriminate, batch=2, seed=0)
    slopes = []
    for gamma in (0, 2):
        discriminate.zero_grad()
        build("gan", r1=gamma).discriminator_loss(example).backward()
        assert discriminate.weights.grad is not None
        slopes.append(discriminate.weights.grad.clone())
    expected = 2 * (1.5 / 4) ** 2 * discriminate.weights.detach()
    torch.testing.assert_close(slopes[1] - slopes[0], expected, rtol=1e-4, atol=1e-5)


def test_the_penalty_is_the_squared_distance_of_the_norm_from_1() -> None:
    discriminate = Linear()
    example = make_context(discriminate, batch=2, seed=0)
    plain, ten = (build("wgan_gp", penalty=weight).discriminator_loss(example) for weight in (0, 10))
    assert (ten - plain).item() == pytest.approx(10 * (LINEAR_NORM - 1) ** 2, rel=1e-5)


def test_the_penalty_is_taken_between_each_painted_image_and_its_target() -> None:
    seen: list[Tensor] = []

    def discriminate(images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        if float32:
            seen.append(images.detach())
        return DiscriminatorOutput((images.square().sum(dim=(1, 2, 3)).view(-1, 1, 1, 1) / 2,))

    example = make_context(discriminate, batch=4, seed=2)
    plain = build("wgan_gp", penalty=0).discriminator_loss(example)
    seen.clear()
    torch.manual_seed(0)
    term = build("wgan_gp", penalty=1).discriminator_loss(example)
    (between,) = seen
    fractions = ((between - example.output) / (example.target - example.output)).flatten(1)
    torch.testing.assert_close(fractions, fractions[:, :1].expand_as(fractions), rtol=0, atol=1e-3)
    assert fractions.min() > 0
    assert fractions.max() < 1
    assert len(set(fractions[:, 0].tolist())) == 4
    expected = (between.flatten(1).norm(dim=1) - 1).square().mean()
    assert (term - plain).item() == pytest.approx(expected.item(), rel=1e-4)


def test_a_critic_that_says_nothing_has_a_penalty_and_finite_gradients() -> None:
    critic = nn.Conv2d(3, 1, 4)
    nn.init.zeros_(critic.weight)
    example = make_context(single(critic), batch=2, seed=0)
    term = build("wgan_gp").discriminator_loss(example)
    term.backward()
    assert term.item() == pytest.approx(10)
    assert critic.weight.grad is not None
    assert torch.isfinite(critic.weight.grad).all()


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_gradients_of_gradients_are_exact_in_half_precision(precision: torch.dtype) -> None:
    """Weights that half precision would round, and a slope below the smallest float16."""
    conv = nn.Conv2d(3, 1, 1, bias=False)
    nn.init.constant_(conv.weight, 1.234567e-7)
    example = make_context(single(conv), batch=2, seed=0)
    with torch.autocast("cpu", precision):
        norms = gradient_norms(example, example.target.to(precision))
    assert norms.dtype == torch.float32
    # each of 48 values counts 1.234567e-7 / 16
    assert norms.tolist() == pytest.approx([1.234567e-7 / 16 * 48**0.5] * 2, rel=1e-5)
    norms.sum().backward()
    assert conv.weight.grad is not None
    # the norm is |w| / 4, in each of 2 images
    assert conv.weight.grad.flatten().tolist() == pytest.approx([2 / 4 / 3**0.5] * 3, rel=1e-5)


def test_gan_is_finite_and_has_a_gradient_where_a_sigmoid_would_saturate() -> None:
    logits = torch.full((1, 1, 2, 2), -200.0, requires_grad=True)
    term = build("gan").generator_loss(make_context(single(lambda _: logits)))
    term.backward()
    assert term.item() == pytest.approx(200)
    assert logits.grad is not None
    assert logits.grad.sum().item() == pytest.approx(-1)


def test_gan_computes_in_float32_when_logits_are_bfloat16() -> None:
    logits = torch.full((1, 1, 2, 2), 6.0, dtype=torch.bfloat16)
    term = build("gan").generator_loss(make_context(single(lambda _: logits)))
    assert term.dtype == torch.float32
    assert term.item() == pytest.approx(math.log1p(math.exp(-6)), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_region_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="image"):
        LOSSES[name][1].model_validate({"region": "skin"})


@pytest.mark.parametrize(
    ("name", "fields", "discriminator", "precision"),
    [
        ("gan", {"r1": 1}, "patchgan", "no"),
        ("lsgan", {"r1": 1, "label_smoothing": 0.1}, "multiscale", "bf16"),
        ("hinge", {"r1": 1}, "multiscale", "no"),
        ("wgan_gp", {}, "patchgan", "bf16"),
    ],
)
def test_losses_and_penalties_train(
    name: str,
    fields: Any,
    discriminator: str,
    precision: str,
    tiny_spec: Callable[..., Any],
    tmp_path: Any,
) -> None:
    """Gradients of gradients, in channels-last memory and under a fused optimizer."""
    judge = {
        "type": discriminator,
        "patch": 16,
        "base_channels": 2,
        "norm": "instance",
        "spectral_norm": True,
    }
    losses = [{"type": name, **fields}, "feature_matching"]
    spec = tiny_spec(losses=losses, discriminator=judge, baselines=[])
    spec["training"] |= {"epochs": None, "steps": 2, "precision": precision}
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    (last,) = [record for record in run.read_log() if record["event"] == "step" and record["step"] == 2]
    assert set(last["losses"]) == {name, "feature_matching", f"discriminator/{name}"}
    assert all(math.isfinite(value) for value in last["losses"].values())


def test_in_mixed_precision_the_penalty_sees_a_discriminator_in_float32(
    tiny_spec: Callable[..., Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[torch.dtype, torch.dtype]] = []
    real = WganGpLoss.discriminator_loss

    def spy(self: WganGpLoss, context: LossContext) -> Tensor:
        pair = (context.discriminate(context.target), context.discriminate(context.target, float32=True))
        seen.append((pair[0].features[0][0].dtype, pair[1].features[0][0].dtype))
        return real(self, context)

    monkeypatch.setattr(WganGpLoss, "discriminator_loss", spy)
    spec = tiny_spec(losses=["wgan_gp"], baselines=[])
    spec["discriminator"]["norm"] = "none"
    spec["training"] |= {"epochs": None, "steps": 1, "precision": "bf16"}
    Pipeline(spec, output=tmp_path / "run").fit()
    assert seen == [(torch.bfloat16, torch.float32)]


def test_a_critic_with_batch_normalization_is_refused_with_the_reason(tiny_spec: Callable[..., Any]) -> None:
    spec = tiny_spec(losses=["wgan_gp"])
    with pytest.raises(SpecError, match=r"'wgan_gp'.*batch normalization mixes.*instance.*none"):
        parse_spec(spec)
    spec["discriminator"]["norm"] = "instance"
    parse_spec(spec)
