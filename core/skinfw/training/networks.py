"""The two networks with their optimisers, and one training step of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Adam

from skinfw.assemble import build_augmentations, build_discriminator, build_generator, build_losses
from skinfw.data.batch import Batch
from skinfw.interfaces import Discriminator, Generator, Judgement, Step
from skinfw.painting import Painter
from skinfw.spec import Spec, TrainingSpec
from skinfw.training.checkpoints import Checkpoint, load_optimizer, optimizer_tensors
from skinfw.training.objective import Objective, checked_values

FUSED_DEVICES = ("cuda", "cpu", "mps", "xpu")


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


def _adam(network: nn.Module, rate: float, training: TrainingSpec, device: torch.device) -> Adam:
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return Adam(parameters, lr=rate, betas=training.betas, fused=device.type in FUSED_DEVICES)


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
        self.generator: Generator[Any] = self._place(build_generator(spec))
        self.discriminator: Discriminator[Any] | None = None
        self.painter = Painter.of(spec, self.generator)
        self.objective = Objective(spec, [loss.to(accelerator.device) for loss in build_losses(spec)])
        self.augmentations = build_augmentations(spec)
        training = spec.training
        self._generator, self._generator_optimizer = self._prepare(self.generator, training.generator_lr)
        discriminator = build_discriminator(spec)
        if discriminator is not None:
            self.discriminator = self._place(discriminator)
            self._discriminator, self._discriminator_optimizer = self._prepare(
                self.discriminator, training.discriminator_lr
            )

    def _place(self, network: Any) -> Any:
        return network.to(self.accelerator.device).to(memory_format=torch.channels_last)

    def _prepare(self, network: nn.Module, rate: float) -> tuple[nn.Module, Any]:
        optimizer = _adam(network, rate, self.spec.training, self.accelerator.device)
        wrapped, prepared = self.accelerator.prepare(network, optimizer)
        if isinstance(wrapped, DistributedDataParallel):
            # sending statistics round would change buffers that an earlier pass of the step still needs
            wrapped.broadcast_buffers = False
        return wrapped, prepared

    def set_rate(self, factor: float) -> None:
        """Set both learning rates to ``factor`` times those of the spec."""
        for group in self._generator_optimizer.param_groups:
            group["lr"] = self.spec.training.generator_lr * factor
        if self.discriminator is not None:
            for group in self._discriminator_optimizer.param_groups:
                group["lr"] = self.spec.training.discriminator_lr * factor

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
        if not self._generator.training:
            self._generator.train()
        generator_too = step % self.spec.training.critic_steps == 0
        with torch.set_grad_enabled(generator_too):
            painting = self.painter(self._generator, batch, self._draw_noise(batch))
        condition = self._condition(batch)
        values = self._train_discriminator(painting.output.detach(), batch, condition, step, last_good)
        if not generator_too:
            return values
        # without the wrapper that would wait for gradients of the frozen network
        judge = _Judge(self._unwrapped_discriminator, self._unwrapped_discriminator, condition)
        terms = self.objective.generator_terms(judge.step(painting.output, batch))
        values = {**checked_values(terms, step, last_good), **values}
        self._descend(self.objective.total(terms, step), self._generator, self._generator_optimizer)
        return values

    def _draw_noise(self, batch: Batch) -> Tensor | None:
        shape = self.generator.noise_shape(batch.size)
        return torch.randn((len(batch.names), *shape), device=self.accelerator.device) if shape else None

    def _condition(self, batch: Batch) -> Tensor | None:
        if self.discriminator is None or self.discriminator.io.condition_channels == 0:
            return None
        return batch.condition(self.spec.data.inputs)

    def _unwrapped_discriminator(self) -> nn.Module:
        network: nn.Module = self.accelerator.unwrap_model(self._discriminator)
        return network

    def _train_discriminator(
        self, output: Tensor, batch: Batch, condition: Tensor | None, step: int, last_good: str
    ) -> dict[str, float]:
        if self.discriminator is None:
            return {}
        self.discriminator.requires_grad_(True).train()
        judge = _Judge(lambda: self._discriminator, self._unwrapped_discriminator, condition)
        terms = self.objective.discriminator_terms(judge.step(output, batch))
        values = checked_values(terms, step, last_good)
        self._descend(self.objective.total(terms, step), self._discriminator, self._discriminator_optimizer)
        self.discriminator.requires_grad_(False)
        return values

    def _descend(self, loss: Tensor, network: nn.Module, optimizer: Any) -> None:
        self.accelerator.backward(loss)
        limit = self.spec.training.gradient_clip
        if limit is not None and self.accelerator.sync_gradients:
            self.accelerator.unscale_gradients(optimizer)
            torch.nn.utils.clip_grad_norm_(network.parameters(), limit)
        optimizer.step()
        optimizer.zero_grad()

    def accumulated(self) -> Any:
        """Return the context in which gradients are summed over ``gradient_accumulation`` batches."""
        networks = [self._generator] + ([self._discriminator] if self.discriminator is not None else [])
        return self.accelerator.accumulate(*networks)

    def state(self) -> dict[str, Tensor]:
        """Return everything that training needs to go on, as tensors by name."""
        tensors = {f"generator.{key}": value for key, value in self.generator.state_dict().items()}
        tensors |= optimizer_tensors("generator_optimizer", self._generator_optimizer)
        if self.discriminator is not None:
            tensors |= {
                f"discriminator.{key}": value for key, value in self.discriminator.state_dict().items()
            }
            tensors |= optimizer_tensors("discriminator_optimizer", self._discriminator_optimizer)
        return tensors

    def scaler_state(self) -> dict[str, float] | None:
        """Return the state of float16's gradient scaler, plain numbers; None without one."""
        scaler = self.accelerator.scaler
        return scaler.state_dict() if scaler is not None else None

    def load(self, checkpoint: Checkpoint) -> None:
        """Go back to a checkpoint that holds everything that `state` and `scaler_state` gave."""
        if self.accelerator.scaler is not None and checkpoint.about.get("scaler"):
            self.accelerator.scaler.load_state_dict(checkpoint.about["scaler"])
        self.generator.load_state_dict(checkpoint.part("generator"))
        load_optimizer(self._generator_optimizer, checkpoint.part("generator_optimizer"))
        if self.discriminator is not None:
            self.discriminator.load_state_dict(checkpoint.part("discriminator"))
            load_optimizer(self._discriminator_optimizer, checkpoint.part("discriminator_optimizer"))


def generator_only(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what evaluation and use need of a state."""
    return {name: tensor for name, tensor in tensors.items() if name.startswith("generator.")}
