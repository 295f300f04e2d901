"""The contract of losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from skinfw.components.config import LossConfig, Size
from skinfw.components.field_names import SKIN
from skinfw.components.measured_region import WHOLE, region_field
from skinfw.interfaces import AdversarialLoss, DiscriminatorOutput, Loss, LossContext, LossIO
from skinfw.interfaces.loss import Discriminate
from skinfw.testing._networks import check_requirement
from skinfw.testing._require import require, require_close, require_finite
from skinfw.testing.examples import example_context, example_image, example_region


def check_loss(component: type[Loss[Any]], config: LossConfig, size: Size = (64, 96)) -> None:
    """Check a loss against its interface, on the CPU with random images.

    It checks that each term is a finite scalar with a gradient, for batches of one and two, for an empty
    region, for black and white images, for channels-last tensors and under bfloat16 and float16 autocast;
    that it does not apply the weight; that the mean of the terms of two batches is the term of both together,
    unless the configuration says ``uses_batch_statistics``; that a perfect image has no higher loss than a
    bad one, or that the target has no effect if ``compares`` is False; that a correct discriminator has no
    higher loss than a wrong one; and that it has no trainable parameters. A loss that ``reads_alpha`` gets
    alphas instead of images, and the true skin as its target.

    Args:
        component: the class.
        config: its configuration.
        size: height and width in pixels, two different ones that the configuration accepts.

    Raises:
        AssertionError: the contract is violated; the message says how.
    """
    check_requirement(config.size_requirement(size), size)
    loss = component(config, LossIO(size))
    trainable = [name for name, parameter in loss.named_parameters() if parameter.requires_grad]
    require(not trainable, f"a loss must not be trainable, but {trainable[:3]} require a gradient")
    for batch in (1, 2):
        _check_generator_loss(loss, batch, size)
    _check_precisions(loss, loss.generator_loss, size, "generator_loss")
    _check_flat_images(loss, size)
    _check_weight(component, config, size)
    if not config.uses_batch_statistics:
        _check_parts(loss, size)
    if isinstance(loss, AdversarialLoss):
        _check_discriminator_loss(loss, size)
    elif component.compares:
        painted, perfect = _generated(loss, 2, size), _target(loss, 2, size)
        terms = [
            loss.generator_loss(_context(loss, generated, _Discriminator())).detach()
            for generated in (perfect, painted)
        ]
        require(float(terms[0]) <= float(terms[1]), "a perfect image has a higher loss than a bad one")
    else:
        context = _context(loss, _generated(loss, 2, size), _Discriminator())
        other = replace(context, target=example_image(2, size, seed=2))
        require(
            torch.equal(loss.generator_loss(context), loss.generator_loss(other)),
            "compares is False, but another target changes the term",
        )


class _Discriminator(nn.Module):
    """A small discriminator that returns its features."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.inner = nn.Conv2d(3, 2, kernel_size=4, stride=4)
            self.last = nn.Conv2d(2, 1, kernel_size=1)

    def forward(self, images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        features = self.inner(images)
        return DiscriminatorOutput((self.last(features),), ((features,),))


def _generated(loss: Loss[Any], batch: int, size: Size) -> Tensor:
    """Return what the loss is about: random images or alphas, ``(B, C, H, W)``."""
    return example_image(batch, size, channels=1 if loss.config.reads_alpha else 3)


def _target(loss: Loss[Any], batch: int, size: Size) -> Tensor:
    """Return what is right: random images, or masks of skin."""
    return example_region(batch, size, seed=1) if loss.config.reads_alpha else example_image(batch, size, 1)


def _context(
    loss: Loss[Any],
    generated: Tensor,
    discriminate: Discriminate,
    region: Tensor | None = None,
    target: Tensor | None = None,
) -> LossContext:
    batch, size = len(generated), (generated.shape[2], generated.shape[3])
    named = loss.config.region
    fields = {} if region is None or named == WHOLE else {region_field(named): region}
    true = _target(loss, batch, size) if target is None else target
    if loss.config.reads_alpha:
        fields = {SKIN: true, **fields}
        return example_context(
            example_image(batch, size), discriminate=discriminate, alpha=generated, **fields
        )
    return example_context(generated, true, discriminate=discriminate, **fields)


def _check_scalar(term: Tensor, what: str) -> None:
    require(term.ndim == 0, f"{what} has the shape {tuple(term.shape)}, not that of a scalar")
    require_finite(term, what)


def _check_generator_loss(loss: Loss[Any], batch: int, size: Size) -> None:
    what = f"generator_loss for a batch of {batch}"
    output = _generated(loss, batch, size).requires_grad_()
    term = loss.generator_loss(_context(loss, output, _Discriminator()))
    _check_scalar(term, what)
    require(term.requires_grad, f"{what} has no gradient")
    torch.autograd.backward(term)
    gradient = torch.zeros_like(output) if output.grad is None else output.grad
    require_finite(gradient, f"the gradient of {what}")
    require(bool(gradient.any()), f"{what} has a zero gradient")
    nothing = _context(loss, _generated(loss, batch, size), _Discriminator(), torch.zeros(batch, 1, *size))
    _check_scalar(loss.generator_loss(nothing), f"{what} with an empty region")


def _check_precisions(loss: Loss[Any], term: Callable[[LossContext], Tensor], size: Size, what: str) -> None:
    """Require a finite term under autocast, and the same term for channels-last tensors."""
    for precision in (torch.bfloat16, torch.float16):
        with torch.autocast("cpu", precision):
            value = term(_context(loss, _generated(loss, 2, size), _Discriminator()))
        _check_scalar(value, f"{what} under {str(precision).removeprefix('torch.')} autocast")
    values = []
    for layout in (torch.contiguous_format, torch.channels_last):
        context = _context(loss, _generated(loss, 2, size), _Discriminator())
        changed = replace(
            context,
            output=context.output.to(memory_format=layout),
            target=context.target.to(memory_format=layout),
            alpha=None if context.alpha is None else context.alpha.to(memory_format=layout),
            fields={name: field.to(memory_format=layout) for name, field in context.fields.items()},
        )
        with torch.random.fork_rng(devices=[]):  # a term may draw random numbers
            torch.manual_seed(0)
            values.append(term(changed).detach())
    tolerance = 1e-3 * max(1.0, float(values[0].abs()))
    require_close(values[1], values[0], tolerance, f"{what} for channels-last tensors")


def _check_flat_images(loss: Loss[Any], size: Size) -> None:
    """Require finite terms and gradients where roots, powers and divisions may have none."""
    for value, color in ((0.0, "black"), (1.0, "white")):
        output = torch.full_like(_generated(loss, 2, size), value).requires_grad_()
        context = _context(loss, output, _Discriminator(), target=output.detach().clone())
        term = loss.generator_loss(context)
        _check_scalar(term, f"generator_loss of {color} images")
        torch.autograd.backward(term)
        if output.grad is not None:
            require_finite(output.grad, f"the gradient of {color} images")


def _check_weight(component: type[Loss[Any]], config: LossConfig, size: Size) -> None:
    terms = []
    for weight in (1.0, 10.0):
        loss = component(config.model_copy(update={"weight": weight}), LossIO(size))
        terms.append(loss.generator_loss(_context(loss, _generated(loss, 2, size), _Discriminator())))
    require_close(terms[0], terms[1], 1e-6, "generator_loss depends on the weight, which the trainer applies")


def _check_parts(loss: Loss[Any], size: Size) -> None:
    """Require that the mean of the terms of two batches is the term of all their samples."""
    region = example_region(4, size)
    region[2:, :, : size[0] // 2] = 0
    region[3] = 0
    whole = _context(loss, _generated(loss, 4, size), _Discriminator(), region)
    halves = [slice(0, 2), slice(2, 4)]
    counts = [loss.region_count(None if loss.config.region == WHOLE else region[half]) for half in halves]
    known = [count for count in counts if count is not None]
    count = torch.stack(known).sum(dim=0) / 2 if known else None
    terms = [
        loss.generator_loss(
            replace(
                whole,
                output=whole.output[half],
                target=whole.target[half],
                alpha=None if whole.alpha is None else whole.alpha[half],
                fields={name: field[half] for name, field in whole.fields.items()},
                region_count=count,
            )
        )
        for half in halves
    ]
    expected = loss.generator_loss(whole)
    require_close(
        torch.stack(terms).mean(),
        expected,
        1e-5 * max(1.0, float(expected.detach().abs())),
        "generator_loss of two batches is not that of both together: divide sums over the region by "
        "denominator, or set uses_batch_statistics in the configuration",
    )


def _check_discriminator_loss(loss: AdversarialLoss[Any], size: Size) -> None:
    _check_precisions(loss, loss.discriminator_loss, size, "discriminator_loss")
    discriminator = _Discriminator()
    term = loss.discriminator_loss(_context(loss, example_image(2, size), discriminator))
    _check_scalar(term, "discriminator_loss")
    require(term.requires_grad, "discriminator_loss has no gradient")
    torch.autograd.backward(term)
    slopes = []
    for parameter in discriminator.parameters():
        require(parameter.grad is not None, "discriminator_loss gives a parameter no gradient")
        slopes.append(torch.as_tensor(parameter.grad))
    require(
        any(bool(slope.any()) for slope in slopes), "discriminator_loss gives the discriminator no gradient"
    )
    for slope in slopes:
        require_finite(slope, "the discriminator's gradient")
    target = example_image(2, size, seed=1)

    def answering(real: float) -> Discriminate:
        def discriminate(images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
            logit = real if torch.equal(images, target) else -real
            # does not depend on the image, but has a gradient for losses that need it
            return DiscriminatorOutput((torch.full((2, 1, 2, 2), logit) + 0 * images.mean(),))

        return discriminate

    right, wrong = (
        float(loss.discriminator_loss(_context(loss, example_image(2, size), answering(real))))
        for real in (2.0, -2.0)
    )
    require(right < wrong, "a correct discriminator has no lower loss than a wrong one")
