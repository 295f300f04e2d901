"""The two networks with their optimisers, and one training step of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from skinfw.assemble import build_augmentations, build_discriminator, build_generator, build_losses
from skinfw.data.batch import Batch
from skinfw.interfaces import Discriminator, Generator, Judgement, Step
from skinfw.painting import Painter
from skinfw.spec import Spec
from skinfw.training.objective import Objective, checked_values
from skinfw.training.optimised import Optimised


class _Judge:
    """Asks the discriminator under one condition; the same pictures are judged once, for all losses.

    Args:
        network: gives the discriminator as it is prepared for training.
        plain: gives the same network without what was put around it for several processes.
        condition: what it sees beside the pictures.
    """

    def __init__(
        self, network: Callable[[], nn.Module], plain: Callable[[], nn.Module], condition: Tensor | None
    ) -> None:
        self.network = network
        self.plain = plain
        self.condition = condition
        self.known: list[tuple[Tensor, Judgement]] = []

    def __call__(self, picture: Tensor) -> Judgement:
        for pictures, known in self.known:
            if pictures is picture:
                return known
        judgement: Judgement = self.network()(picture, self.condition)
        self.known.append((picture, judgement))
        return judgement

    def step(self, output: Tensor, batch: Batch) -> Step:
        """Return what losses see of a painted batch."""
        return Step(output, batch.target, batch.skin, self, batch.inputs, self.in_float32)

    def in_float32(self, picture: Tensor) -> Judgement:
        """Judge pictures without mixed precision, in which gradients of gradients would be lost.

        What prepares a network for mixed precision stands around its ``forward``, so its class is asked.
        """
        network = self.plain()
        with torch.autocast(picture.device.type, enabled=False):
            judgement: Judgement = type(network).forward(network, picture.float(), self.condition)
        return judgement


class Networks:
    """Generator and discriminator in training.

    Args:
        spec: what to build.
        accelerator: gives device, precision and processes.
    """

    def __init__(self, spec: Spec, accelerator: Accelerator) -> None:
        self.spec = spec
        self.accelerator = accelerator
        torch.manual_seed(spec.seed)
        training = spec.training
        self._generator: Optimised[Generator[Any]] = Optimised(
            "generator", build_generator(spec), training.generator_lr, training, accelerator
        )
        self.painter = Painter.of(spec, self.generator)
        self.objective = Objective(spec, [loss.to(accelerator.device) for loss in build_losses(spec)])
        self.augmentations = build_augmentations(spec)
        self._discriminator: Optimised[Discriminator[Any]] | None = None
        discriminator = build_discriminator(spec)
        if discriminator is not None:
            self._discriminator = Optimised(
                "discriminator", discriminator, training.discriminator_lr, training, accelerator
            )

    @property
    def generator(self) -> Generator[Any]:
        """The generator itself."""
        return self._generator.network

    @property
    def discriminator(self) -> Discriminator[Any] | None:
        """The discriminator itself, or None where there is none."""
        return None if self._discriminator is None else self._discriminator.network

    @property
    def parts(self) -> Sequence[Optimised[Any]]:
        """The networks with their optimisers."""
        return [part for part in (self._generator, self._discriminator) if part is not None]

    def train_batch(self, batch: Batch, step: int, last_good: str) -> dict[str, float]:
        """Train on one batch: the discriminator first, then the generator, on one pass of the generator.

        Where the spec gives the discriminator more steps than the generator, only every so many batches train
        the generator.

        Args:
            batch: the batch, on any device.
            step: the step under way, counted from 1.
            last_good: what to go back to, for errors.

        Returns:
            the unweighted losses by name; those of the generator only where it was trained.

        Raises:
            TrainingError: a loss is not finite; no weight was changed by it.
        """
        batch = batch.to(self.accelerator.device, torch.channels_last)
        for augmentation in self.augmentations:
            batch = augmentation(batch).to(self.accelerator.device, torch.channels_last)
        network = self._generator.prepared
        if not network.training:
            network.train()
        generator_too = step % self.spec.training.critic_steps == 0
        with torch.set_grad_enabled(generator_too):
            painting = self.painter(network, batch, self._draw_noise(batch))
        condition = self._condition(batch)
        values = self._train_discriminator(painting.output.detach(), batch, condition, step, last_good)
        if not generator_too:
            return values
        # without the wrapper that would wait for gradients of the frozen network
        judge = _Judge(self._unwrapped_discriminator, self._unwrapped_discriminator, condition)
        terms = self.objective.generator_terms(judge.step(painting.output, batch))
        values = {**checked_values(terms, step, last_good), **values}
        self._generator.descend(self.objective.total(terms, step))
        return values

    def _draw_noise(self, batch: Batch) -> Tensor | None:
        shape = self.generator.noise_shape(batch.size)
        return torch.randn((len(batch.names), *shape), device=self.accelerator.device) if shape else None

    def _condition(self, batch: Batch) -> Tensor | None:
        if self.discriminator is None or self.discriminator.io.condition_channels == 0:
            return None
        return batch.condition(self.spec.data.inputs)

    def _unwrapped_discriminator(self) -> nn.Module:
        if self._discriminator is None:
            raise RuntimeError("a loss asks a discriminator that the spec does not name")
        return self._discriminator.unwrapped()

    def _train_discriminator(
        self, output: Tensor, batch: Batch, condition: Tensor | None, step: int, last_good: str
    ) -> dict[str, float]:
        part = self._discriminator
        if part is None:
            return {}
        part.network.requires_grad_(True).train()
        judge = _Judge(lambda: part.prepared, self._unwrapped_discriminator, condition)
        terms = self.objective.discriminator_terms(judge.step(output, batch))
        values = checked_values(terms, step, last_good)
        part.descend(self.objective.total(terms, step))
        part.network.requires_grad_(False)
        return values
