"""One pass of a generator over a batch, composited with the input as the spec says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from skinfw.components.field_names import APPAREL, SKIN
from skinfw.data.batch import Batch
from skinfw.data.transform import mask_outside
from skinfw.inference.composite import COLORS, composite, composite_mask, over
from skinfw.inference.fill import inpaint
from skinfw.interfaces import Generator
from skinfw.specs.spec import Composite, Spec


@dataclass(frozen=True)
class Inpainting:
    """The result for a batch.

    Attributes:
        output: the images after the composite, float32 RGB ``(B, 3, H, W)`` in [0, 1].
        painted: where the generator's image was used, float32 ``(B, 1, H, W)`` in {0, 1}.
        alpha: how much of each pixel is skin, float32 ``(B, 1, H, W)`` in [0, 1] and 0 outside ``painted``;
            None if the generator gives no alpha.
    """

    output: Tensor
    painted: Tensor
    alpha: Tensor | None = None

    def detach(self) -> Inpainting:
        """Return the result without its graph."""
        alpha = None if self.alpha is None else self.alpha.detach()
        return Inpainting(self.output.detach(), self.painted, alpha)


@dataclass(frozen=True)
class BatchInpainter:
    """Inpaints batches the same way in training, evaluation and use.

    Attributes:
        inputs: names of the input images that the generator sees.
        mode: which part of the generator's image is used.
    """

    inputs: tuple[str, ...]
    mode: Composite

    @classmethod
    def of(cls, spec: Spec, generator: Generator[Any]) -> BatchInpainter:
        """Return the inpainter of a spec for a generator (a baseline sees its own inputs)."""
        return cls(tuple(generator.io.inputs), spec.composite)

    def __call__(
        self, network: nn.Module, batch: Batch, noise: Tensor | None = None, target: Tensor | None = None
    ) -> Inpainting:
        """Run the network on a batch and composite its output with ``apparel_head_foot``.

        With alpha, its colors lie over a background: in training the real image, white where it shows skin,
        and otherwise the image inpainted from its surroundings.

        Args:
            network: the generator.
            batch: the samples.
            noise: the generator's noise, if any.
            target: the real images, only in training.
        """
        output = network(batch.condition(self.inputs), noise, target)
        painted, alpha = composite_mask(self.mode, batch), None
        if output.shape[1] > COLORS:
            output, alpha = output[:, :COLORS], output[:, COLORS:] * painted
            output = over(output, alpha, self._background(batch, painted, target))
        if self.mode == "none":
            return Inpainting(output, painted, alpha)
        return Inpainting(composite(output, batch[APPAREL], painted), painted, alpha)

    def _background(self, batch: Batch, painted: Tensor, target: Tensor | None) -> Tensor:
        """Return what is behind the skin, float ``(B, 3, H, W)``."""
        if target is not None:
            return mask_outside(target, 1 - batch[SKIN])
        return inpaint(batch[APPAREL], painted > 0.5)
