"""The two networks with their optimizers, and one training step of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from skinfw.assembly.assemble import build_augmentations, build_discriminator, build_generator, build_losses
from skinfw.components.field_names import BODY
from skinfw.data.batch import Batch
from skinfw.data.training_mask import with_training_mask
from skinfw.inference.batch_inpainter import BatchInpainter, Inpainting
from skinfw.interfaces import Discriminator, DiscriminatorOutput, Generator, LossContext
from skinfw.specs.spec import Spec
from skinfw.training.micro_batches import Buffers, SameStart, warn_of_batch_statistics
from skinfw.training.optimized import OptimizedModule
from skinfw.training.step_losses import StepLosses
from skinfw.training.weighted_losses import WeightedLosses, mean_losses


class _Discriminate:
    """Runs the discriminator under one condition, once per image for all losses.

    Args:
        network: returns the discriminator as prepared for training.
        plain: returns the network itself, neither wrapped for several processes nor compiled.
        condition: what it sees besides the images.
    """

    def __init__(
        self, network: Callable[[], nn.Module], plain: Callable[[], nn.Module], condition: Tensor | None
    ) -> None:
        self.network = network
        self.plain = plain
        self.condition = condition
        self.known: list[tuple[Tensor, DiscriminatorOutput]] = []

    def __call__(self, images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        if float32:
            return self._in_float32(images)
        for known, outputs in self.known:
            if known is images:
                return outputs
        found: DiscriminatorOutput = self.network()(images, self.condition)
        self.known.append((images, found))
        return found

    def context(self, painting: Inpainting, batch: Batch) -> LossContext:
        """Return the losses' context for an inpainted batch."""
        return LossContext(painting.output, batch[BODY], batch.fields, self, alpha=painting.alpha)

    def _in_float32(self, images: Tensor) -> DiscriminatorOutput:
        """Run the discriminator without mixed precision, in which second-order gradients would be lost.

        Preparing a network for mixed precision wraps its ``forward``, so this calls that of its class.
        """
        network = self.plain()
        with torch.autocast(images.device.type, enabled=False):
            outputs: DiscriminatorOutput = type(network).forward(network, images.float(), self.condition)
        return outputs


@dataclass(frozen=True)
class _Part:
    """One batch of a step.

    Attributes:
        batch: the augmented samples, on the device.
        noise: the generator's noise, if any.
        condition: what the discriminator sees besides the images.
        seed: seeds the generator's own random numbers if it sees the batch twice.
    """

    batch: Batch
    noise: Tensor | None
    condition: Tensor | None
    seed: int | None


class Networks:
    """Generator and discriminator in training.

    Args:
        spec: what to build.
        accelerator: provides device, precision and processes.
    """

    def __init__(self, spec: Spec, accelerator: Accelerator) -> None:
        self.spec = spec
        self.accelerator = accelerator
        torch.manual_seed(spec.seed)
        training = spec.training
        self._generator: OptimizedModule[Generator[Any]] = OptimizedModule(
            "generator",
            build_generator(spec),
            training.generator_lr,
            training,
            accelerator,
            ema=training.ema,
        )
        self.inpainter = BatchInpainter.of(spec, self.generator)
        self.weighted_losses = WeightedLosses(
            spec, [loss.to(accelerator.device) for loss in build_losses(spec)]
        )
        self.augmentations = build_augmentations(spec)
        self._discriminator: OptimizedModule[Discriminator[Any]] | None = None
        discriminator = build_discriminator(spec)
        if discriminator is not None:
            self._discriminator = OptimizedModule(
                "discriminator", discriminator, training.discriminator_lr, training, accelerator
            )
        networks = [part.network for part in self.parts]
        warn_of_batch_statistics(networks, training.gradient_accumulation, accelerator)

    @property
    def generator(self) -> Generator[Any]:
        """The generator itself."""
        return self._generator.network

    @property
    def for_inference(self) -> Generator[Any]:
        """The generator that is evaluated and used: with the average of its weights, if kept."""
        return self._generator.for_inference

    def in_float32(self) -> AbstractContextManager[Generator[Any]]:
        """Give the generator `for_inference` without the mixed precision of its training."""
        return self._generator.in_float32()

    @property
    def discriminator(self) -> Discriminator[Any] | None:
        """The discriminator itself, or None without one."""
        return None if self._discriminator is None else self._discriminator.network

    @property
    def parts(self) -> Sequence[OptimizedModule[Any]]:
        """The networks with their optimizers."""
        return [part for part in (self._generator, self._discriminator) if part is not None]

    def train_step(self, batches: Sequence[Batch], step: int) -> StepLosses:
        """Train on the batches of one step: the discriminator on all of them, then the generator on all.

        The generator's images come from its weights before the step. With one batch they are generated once,
        for both networks. With several they are generated once for each network, so that only one batch's
        passes are in memory.

        If the spec has several discriminator steps per generator step, only every n-th step trains the
        generator.

        Args:
            batches: equally large batches, on any device.
            step: the current step, counted from 1.

        Returns:
            the unweighted losses by name, means over all batches and processes; those of the generator only
            if it was trained.
        """
        parts = [self._part(batch, seeded=len(batches) > 1) for batch in batches]
        counts = self.weighted_losses.region_counts([part.batch for part in parts], self.accelerator)
        generator_too = step % self.spec.training.n_critic == 0
        if not self.generator.training:
            self._generator.prepared.train()
        start = SameStart(self.generator)
        if self._discriminator is None:
            return self._train_generator(parts, None, start, counts, step)
        keep = generator_too and len(parts) == 1
        painting, losses = self._train_discriminator(parts, keep, start, counts, step)
        if not generator_too:
            return losses
        return self._train_generator(parts, painting if keep else None, start, counts, step) | losses

    def _part(self, batch: Batch, *, seeded: bool) -> _Part:
        device, layout = self.accelerator.device, self._generator.layout
        batch = with_training_mask(batch, self.spec.data).to(device, layout)
        for augmentation in self.augmentations:
            batch = augmentation(batch).to(device, layout)
        noise = self._draw_noise(batch)
        seed = int(torch.randint(2**62, (1,)).item()) if seeded else None
        return _Part(batch, noise, self._condition(batch), seed)

    def _paint(self, part: _Part, start: SameStart) -> Inpainting:
        start.again()
        if part.seed is not None:
            # the second pass of a batch uses the same dropout as the first
            torch.manual_seed(part.seed)
        return self.inpainter(self._generator.prepared, part.batch, part.noise, part.batch[BODY])

    def _draw_noise(self, batch: Batch) -> Tensor | None:
        shape = self.generator.noise_shape(batch.size)
        return torch.randn((len(batch.names), *shape), device=self.accelerator.device) if shape else None

    def _condition(self, batch: Batch) -> Tensor | None:
        if self.discriminator is None or self.discriminator.io.condition_channels == 0:
            return None
        return batch.condition(self.spec.data.input_names)

    def _judge(self) -> OptimizedModule[Discriminator[Any]]:
        if self._discriminator is None:
            raise RuntimeError("a loss needs a discriminator, but the spec has none")
        return self._discriminator

    def _train_discriminator(
        self,
        parts: Sequence[_Part],
        keep: bool,
        start: SameStart,
        counts: Mapping[str, Tensor],
        step: int,
    ) -> tuple[Inpainting, StepLosses]:
        """Train the discriminator; return the last inpainted images too, with their graph if ``keep``."""
        trained = self._discriminator
        if trained is None:
            raise RuntimeError("this run has no discriminator to train")
        trained.network.requires_grad_(True).train()
        own_start = SameStart(trained.network)
        terms = []
        for index, part in enumerate(parts):
            with torch.set_grad_enabled(keep):
                painting = self._paint(part, start)
            own_start.again()
            with trained.synchronized(last=index == len(parts) - 1):
                discriminate = _Discriminate(
                    lambda: trained.prepared, lambda: trained.network, part.condition
                )
                found = self.weighted_losses.discriminator_losses(
                    discriminate.context(painting.detach(), part.batch), counts
                )
                trained.backward(self.weighted_losses.total(found, step) / len(parts))
            terms.append({name: term.detach() for name, term in found.items()})
        trained.descend()
        trained.network.requires_grad_(False)
        return painting, mean_losses(terms, self.accelerator)

    def _train_generator(
        self,
        parts: Sequence[_Part],
        painting: Inpainting | None,
        start: SameStart,
        counts: Mapping[str, Tensor],
        step: int,
    ) -> StepLosses:
        """Train the generator; ``painting`` is the result for a single batch, if already generated."""
        trained = self._generator
        # if the discriminator's step already counted these images in the statistics
        buffers = Buffers(self.generator) if painting is None and self._discriminator is not None else None
        judges = [network for network in [self.discriminator] if network is not None]
        judge_start = SameStart(*judges)
        terms = []
        for index, part in enumerate(parts):
            judge_start.again()
            # without the wrapper, which would wait for gradients of the frozen network
            discriminate = _Discriminate(
                lambda: self._judge().local, lambda: self._judge().network, part.condition
            )
            with trained.synchronized(last=index == len(parts) - 1):
                painted = self._paint(part, start) if painting is None else painting
                found = self.weighted_losses.generator_losses(
                    discriminate.context(painted, part.batch), counts
                )
                trained.backward(self.weighted_losses.total(found, step) / len(parts))
            terms.append({name: term.detach() for name, term in found.items()})
        if buffers is not None:
            buffers.restore()
        trained.descend()
        return mean_losses(terms, self.accelerator)
