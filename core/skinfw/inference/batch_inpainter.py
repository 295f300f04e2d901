"""One pass of a generator over a batch, composited with the input as the spec says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from skinfw.components.field_names import APPAREL
from skinfw.data.batch import Batch
from skinfw.inference.composite import composite, composite_mask
from skinfw.interfaces import Generator
from skinfw.specs.spec import Composite, Spec


@dataclass(frozen=True)
class Inpainting:
    """The result for a batch.

    Attributes:
        output: the images after the composite, float32 RGB ``(B, 3, H, W)`` in [0, 1].
        painted: where the generator's image was used, float32 ``(B, 1, H, W)`` in {0, 1}.
    """

    output: Tensor
    painted: Tensor


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

        Args:
            network: the generator.
            batch: the samples.
            noise: the generator's noise, if any.
            target: the real images, only in training.
        """
        output = network(batch.condition(self.inputs), noise, target)
        painted = composite_mask(self.mode, batch)
        if self.mode == "none":
            return Inpainting(output, painted)
        return Inpainting(composite(output, batch[APPAREL], painted), painted)
